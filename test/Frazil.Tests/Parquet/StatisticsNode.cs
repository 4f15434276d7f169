using System.Numerics;
using Frazil.Columnar;
using Frazil.Columnar.Statistics;
using Frazil.DuckDb;

namespace Frazil.Tests.Parquet;

/// <summary>The statistics of one field while they are measured: counts and bounds of a leaf, or the children of a nested field.</summary>
internal sealed unsafe class StatisticsNode
{
    private readonly ColumnField field;
    private readonly Bounds? bounds;
    private long values;
    private long nulls;

    /// <param name="field">The field as the schema has it.</param>
    /// <param name="isRepeated">Inside a list or map: counts only, as Iceberg's own writers do it.</param>
    public StatisticsNode(ColumnField field, bool isRepeated)
    {
        this.field = field;
        var childrenRepeat = isRepeated || field.Type.Kind is ColumnKind.List or ColumnKind.Map;
        Children = [.. field.Type.Fields.Select(child => new StatisticsNode(child, childrenRepeat))];
        bounds = Children.Length > 0 ? null : Bounds.Create(field.Type, hasBounds: !isRepeated);
    }

    public StatisticsNode[] Children { get; }

    public void AddNulls(int count)
    {
        values += count;
        nulls += count;
        foreach (var child in field.Type.Kind == ColumnKind.Struct ? Children : [])
        {
            child.AddNulls(count);
        }
    }

    /// <param name="view">A leaf, of this type or one that widens to it.</param>
    /// <param name="rows">At most 2048.</param>
    /// <param name="present">By row of the block.</param>
    /// <param name="isAllPresent">No bit of <paramref name="present"/> is clear.</param>
    public void Add(ColumnView view, RowSet rows, ulong* present, bool isAllPresent)
    {
        values += rows.Count;
        if (!isAllPresent)
        {
            for (int word = 0, words = (rows.Count + 63) >> 6; word < words; word++)
            {
                nulls += 64 - BitOperations.PopCount(present[word]);
            }
        }
        bounds?.Add(view, rows, isAllPresent ? null : present);
    }

    public void Collect(Dictionary<int, FieldStatistics> results)
    {
        if (bounds is not null)
        {
            results[field.FieldId] = new FieldStatistics(field.FieldId, values, nulls, bounds.NanCount, bounds.Lower(), bounds.Upper());
        }
        foreach (var child in Children)
        {
            child.Collect(results);
        }
    }
}
