using Frazil.Columnar.Statistics;
using Frazil.Flush;
using Frazil.Iceberg;
using Frazil.Iceberg.Metrics;
using Xunit;

namespace Frazil.Tests.Flush;

public sealed class DataFileMetricsTests
{
    [Fact]
    public void Uuids_have_counts_and_no_bounds_because_Java_compares_them_as_signed()
    {
        var schema = new Schema(0, [new(1, "u", false, IcebergType.Uuid), new(2, "n", false, IcebergType.Int)]);
        var bound = SingleValue.Serialize(IcebergType.Uuid, IcebergValue.From(Guid.NewGuid()));
        var number = SingleValue.Serialize(IcebergType.Int, 7);
        var written = new WrittenDataFile
        {
            Location = "file:///x",
            RecordCount = 3,
            FileSizeBytes = 100,
            Columns = new Dictionary<int, ColumnMetrics>
            {
                [1] = new(10, new FieldStatistics(1, 3, 1, null, bound, bound)),
                [2] = new(20, new FieldStatistics(2, 3, 0, null, number, number)),
            },
            SplitOffsets = [4],
            Sha256 = "",
        };

        var file = DataFileMetrics.ToDataFile(written, "file:///x", 0, PartitionTuple.Empty, schema, new MetricsConfig(schema, new Dictionary<string, string>()));

        Assert.Equal([1, 2], file.ValueCounts!.Select(static one => one.Key).Order());
        Assert.Equal([2], file.LowerBounds!.Select(static one => one.Key));
        Assert.Equal([2], file.UpperBounds!.Select(static one => one.Key));
    }
}
