using System.Text;
using Frazil.Iceberg;
using Frazil.Iceberg.Manifests;
using Frazil.Maintain;
using Xunit;

namespace Frazil.Tests.Maintain;

public sealed class KafkaRangeTests
{
    private static readonly Schema Columns = new(0,
    [
        new(
            1, "kafka_partition", false,
            IcebergType.Int), new(2, "kafka_offset", false, IcebergType.Long), new(3, "kafka_topic", false, IcebergType.String),
    ]);

    [Theory]
    [InlineData(3, 3, 100, 199, 0, nameof(RangePlace.Inside))]
    [InlineData(3, 3, 99, 199, 0, nameof(RangePlace.Straddling))]
    [InlineData(3, 3, 100, 200, 0, nameof(RangePlace.Straddling))]
    [InlineData(3, 3, 200, 300, 0, nameof(RangePlace.Outside))]
    [InlineData(3, 3, 0, 99, 0, nameof(RangePlace.Outside))]
    [InlineData(2, 3, 100, 199, 0, nameof(RangePlace.Straddling))]
    [InlineData(0, 2, 100, 199, 0, nameof(RangePlace.Outside))]
    [InlineData(3, 3, 100, 199, 1, nameof(RangePlace.Straddling))]
    public void The_bounds_of_a_file_say_where_its_rows_stand(
        int lowPartition, int highPartition, long first, long last, long nulls, string place)
    {
        var file = FileOf(lowPartition, highPartition, first, last, "a", "a", nulls);
        Assert.Equal(place, new KafkaRange(null, 3, 100, 199).PlaceOf(file, Columns).ToString());
    }

    [Theory]
    [InlineData("a", "a", nameof(RangePlace.Inside))]
    [InlineData("a", "b", nameof(RangePlace.Straddling))]
    [InlineData("b", "c", nameof(RangePlace.Outside))]
    public void The_topic_counts_where_a_table_has_several(string lower, string upper, string place)
        => Assert.Equal(place, new KafkaRange("a", 3, 100, 199).PlaceOf(FileOf(3, 3, 100, 199, lower, upper, 0), Columns).ToString());

    [Fact]
    public void A_file_without_bounds_has_to_be_read()
    {
        var file = new DataFile { Path = "f", SpecId = 0, RecordCount = 1, FileSizeBytes = 1 };
        Assert.Equal(RangePlace.Straddling, new KafkaRange(null, 3, 100, 199).PlaceOf(file, Columns));
        Assert.Equal(RangePlace.Straddling, new KafkaRange("a", 3, 100, 199).PlaceOf(file, Columns));
    }

    private static DataFile FileOf(
        int lowPartition, int highPartition, long first, long last, string lowTopic, string highTopic, long nulls)
        => new()
        {
            Path = "f",
            SpecId = 0,
            RecordCount = 100,
            FileSizeBytes = 1,
            NullValueCounts = new([new(1, 0), new(2, nulls), new(3, 0)]),
            LowerBounds = new([new(1, SingleValue.Serialize(IcebergType.Int, lowPartition)), new(2, SingleValue.Serialize(IcebergType.Long, first)), new(3, Encoding.UTF8.GetBytes(lowTopic))]),
            UpperBounds = new([new(1, SingleValue.Serialize(IcebergType.Int, highPartition)), new(2, SingleValue.Serialize(IcebergType.Long, last)), new(3, Encoding.UTF8.GetBytes(highTopic))]),
        };
}
