using Frazil.Iceberg;
using Frazil.Iceberg.Manifests;

namespace Frazil.Log;

/// <summary>What a manifest says about a data file, in a form that survives any schema: bounds and partition values in Iceberg's binary
/// single-value form (base64 in JSON), keyed by field id.</summary>
internal sealed record LoggedFile
{
    public required string Path { get; init; }
    public required long Rows { get; init; }
    public required long Bytes { get; init; }
    public required int SpecId { get; init; }
    /// <summary>One a field of the spec; null where the value is null.</summary>
    public IReadOnlyList<byte[]?>? Partition { get; init; }
    public IReadOnlyDictionary<int, long>? ColumnSizes { get; init; }
    public IReadOnlyDictionary<int, long>? ValueCounts { get; init; }
    public IReadOnlyDictionary<int, long>? NullValueCounts { get; init; }
    public IReadOnlyDictionary<int, long>? NanValueCounts { get; init; }
    public IReadOnlyDictionary<int, byte[]>? LowerBounds { get; init; }
    public IReadOnlyDictionary<int, byte[]>? UpperBounds { get; init; }
    public IReadOnlyList<long>? SplitOffsets { get; init; }

    public static LoggedFile Of(DataFile file, TableMetadata table) => new()
    {
        Path = file.Path,
        Rows = file.RecordCount,
        Bytes = file.FileSizeBytes,
        SpecId = file.SpecId,
        Partition = file.Partition.Count == 0
            ? null
            : [.. PartitionTypes(file.SpecId, table).Select((type, i) => Serialize(type, file.Partition[i]))],
        ColumnSizes = file.ColumnSizes,
        ValueCounts = file.ValueCounts,
        NullValueCounts = file.NullValueCounts,
        NanValueCounts = file.NanValueCounts,
        LowerBounds = file.LowerBounds,
        UpperBounds = file.UpperBounds,
        SplitOffsets = file.SplitOffsets,
    };

    /// <summary>The file as it was.</summary>
    /// <exception cref="InvalidOperationException">The table no longer has the spec it was written with.</exception>
    public DataFile ToDataFile(TableMetadata table) => new()
    {
        Path = Path,
        RecordCount = Rows,
        FileSizeBytes = Bytes,
        SpecId = SpecId,
        Partition = Partition is null ? PartitionTuple.Empty
            : new([.. PartitionTypes(SpecId, table).Select((type, i) => Partition[i] is { } bytes ? SingleValue.Deserialize(type, bytes) : IcebergValue.Null)]),
        ColumnSizes = Map(ColumnSizes),
        ValueCounts = Map(ValueCounts),
        NullValueCounts = Map(NullValueCounts),
        NanValueCounts = Map(NanValueCounts),
        LowerBounds = Map(LowerBounds),
        UpperBounds = Map(UpperBounds),
        SplitOffsets = SplitOffsets,
    };

    private static byte[]? Serialize(PrimitiveType type, IcebergValue value) => value.IsNull ? null : SingleValue.Serialize(type, value);

    private static FieldMap<T>? Map<T>(IReadOnlyDictionary<int, T>? values) => values is null ? null : new(values);

    private static IEnumerable<PrimitiveType> PartitionTypes(int specId, TableMetadata table)
    {
        var spec = table.SpecById(specId) ?? throw new InvalidOperationException($"table {table.Location} has no partition spec {specId}");
        return spec.PartitionType(table.CurrentSchema).Fields.Select(static field => (PrimitiveType)field.Type);
    }
}
