using Frazil.Iceberg;
using Frazil.Iceberg.Manifests;
using Frazil.Iceberg.Metrics;

namespace Frazil.Flush;

/// <summary>Turns what a writer says of a file into what a manifest says of it, by the table's <c>write.metadata.metrics.*</c>
/// properties.</summary>
internal static class DataFileMetrics
{
    public static DataFile ToDataFile(
        WrittenDataFile file, string location, int specId, PartitionTuple partition, Schema schema, MetricsConfig metrics)
    {
        var columns = file.Columns.Where(column => metrics.ModeOf(column.Key).HasCounts).ToList();
        return new()
        {
            Path = location,
            SpecId = specId,
            Partition = partition,
            RecordCount = file.RecordCount,
            FileSizeBytes = file.FileSizeBytes,
            SplitOffsets = file.SplitOffsets,
            ColumnSizes = Map(columns, static column => column.SizeBytes),
            ValueCounts = Map(columns, static column => column.Statistics.ValueCount),
            NullValueCounts = Map(columns, static column => column.Statistics.NullCount),
            NanValueCounts = new(columns.Where(static column => column.Value.Statistics.NanCount is not null)
                .Select(static column => KeyValuePair.Create(column.Key, column.Value.Statistics.NanCount!.Value))),
            LowerBounds = Bounds(columns, schema, metrics, isUpper: false),
            UpperBounds = Bounds(columns, schema, metrics, isUpper: true),
        };
    }

    private static FieldMap<long> Map(List<KeyValuePair<int, ColumnMetrics>> columns, Func<ColumnMetrics, long> value)
        => new(columns.Select(column => KeyValuePair.Create(column.Key, value(column.Value))));

    private static FieldMap<byte[]> Bounds(
        List<KeyValuePair<int, ColumnMetrics>> columns, Schema schema, MetricsConfig metrics, bool isUpper)
    {
        var bounds = new List<KeyValuePair<int, byte[]>>();
        foreach (var (fieldId, column) in columns)
        {
            var bound = isUpper ? column.Statistics.Upper : column.Statistics.Lower;
            // Java compares bounds of uuids as signed numbers (apache/iceberg#14216): it would pass over files that have the value.
            if (bound is not null && schema.FindField(fieldId)?.Type is PrimitiveType { Id: not TypeId.Uuid } type && metrics.ModeOf(fieldId) is { HasBounds: true } mode
                && BoundsTruncation.Apply(mode, type, SingleValue.Deserialize(type, bound), isUpper) is { } cut)
            {
                bounds.Add(KeyValuePair.Create(fieldId, cut));
            }
        }
        return new(bounds);
    }
}
