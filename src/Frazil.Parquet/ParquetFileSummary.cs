using Frazil.Columnar.Statistics;
using Frazil.Parquet.Levels;
using Frazil.Parquet.Schema;
using Frazil.Parquet.Statistics;

namespace Frazil.Parquet;

/// <summary>What a written file is, for a manifest: nothing has to be read again.</summary>
public sealed record ParquetFileSummary
{
    public required long RecordCount { get; init; }

    public required long FileSizeBytes { get; init; }

    /// <summary>By field id of each leaf column.</summary>
    public required IReadOnlyDictionary<int, ParquetColumnSummary> Columns { get; init; }

    /// <summary>Where row groups begin, ascending.</summary>
    public required IReadOnlyList<long> SplitOffsets { get; init; }

    /// <summary>SHA-256 of the whole file, 64 lower-case hexadecimal digits.</summary>
    public required string Sha256 { get; init; }
}

/// <param name="SizeBytes">Compressed bytes of its pages, headers included.</param>
/// <param name="Statistics">Counts, and exact bounds in Iceberg's single-value form; none inside lists and maps.</param>
public sealed record ParquetColumnSummary(long SizeBytes, FieldStatistics Statistics);

/// <summary>Statistics of one leaf over all row groups.</summary>
internal sealed class LeafTotals(LeafColumn leaf)
{
    private readonly ValueBounds bounds = ValueBounds.Create(leaf.Field.Type);
    private long values;
    private long nulls;
    private long bytes;

    /// <summary>Counts as Iceberg does: inside lists the elements that exist, not the lists that are empty.</summary>
    public unsafe void Add(LeafColumn column, ColumnLevels levels, int present, ValueBounds chunk, long chunkBytes)
    {
        var count = levels.Count;
        if (column.IsRepeated && levels.HasDefinitions)
        {
            var definitions = new ReadOnlySpan<byte>(levels.Definitions, levels.Count);
            for (var definition = 0; definition < column.ElementDefinition; definition++)
            {
                count -= definitions.Count((byte)definition);
            }
        }
        values += count;
        nulls += count - present;
        bytes += chunkBytes;
        bounds.Merge(chunk);
        bounds.Own();
    }

    public ParquetColumnSummary ToSummary() => new(bytes, new(
        leaf.Field.FieldId, values, nulls, bounds.NanCount,
        leaf.IsRepeated ? null : bounds.ToIceberg(isUpper: false), leaf.IsRepeated ? null : bounds.ToIceberg(isUpper: true)));
}
