using System.Collections.Concurrent;
using Frazil.Columnar;
using Frazil.Flush;

namespace Frazil.Query;

/// <summary>
/// Knows when matching fields inside structs by name, as DuckDB does, would read the wrong ones, and what a file calls them itself.
/// Files never change, so that what was read once is kept. Thread-safe.
/// </summary>
internal sealed class NestedNames
{
    private const int MaxFiles = 100_000;
    private readonly ConcurrentDictionary<string, IReadOnlyList<ParquetNode>> columnsByPath = new();

    /// <summary>Some name inside a struct means another field in one of the past schemas than it does now.</summary>
    public static bool HaveChanged(ColumnFields now, IReadOnlyList<ColumnFields> past)
    {
        if (past.Count == 0 || now.All(field => field.Type.Fields.Count == 0))
        {
            return false;
        }
        var idByName = new Dictionary<(int Parent, string Name), int>();
        var nameById = new Dictionary<int, string>();
        foreach (var (parent, field) in past.Append(now).SelectMany(schema => schema.SelectMany(Inside)))
        {
            var isSame = idByName.TryAdd((parent, field.Name), field.FieldId) || idByName[(parent, field.Name)] == field.FieldId;
            isSame &= nameById.TryAdd(field.FieldId, field.Name) || nameById[field.FieldId] == field.Name;
            if (!isSame)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The file's own columns.</summary>
    /// <exception cref="SqlException">The file cannot be read.</exception>
    public IReadOnlyList<ParquetNode> Read(string path)
    {
        if (columnsByPath.TryGetValue(path, out var known))
        {
            return known;
        }
        try
        {
            using var file = File.OpenRead(path);
            var columns = ParquetFooter.Read(file).Columns;
            if (columnsByPath.Count >= MaxFiles)
            {
                columnsByPath.Clear();
            }
            return columnsByPath.GetOrAdd(path, columns);
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new SqlException($"The data file {path} cannot be read: {failure.Message}", null, failure);
        }
    }

    private static IEnumerable<(int Parent, ColumnField Field)> Inside(ColumnField field) =>
        field.Type.Fields.SelectMany(child => Inside(child).Prepend((field.FieldId, child)));
}
