using System.Text;
using Frazil.Kafka;
using Xunit;

namespace Frazil.Tests.Kafka;

public sealed class PartitionReaderTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_range_is_delivered_exactly_and_in_order()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("ranges", 2);
        await cluster.ProduceAsync("ranges", 2, 5_000);
        await using var reader = new PartitionReader(cluster.BootstrapServers);

        foreach (var (partition, from, end) in new[] { (0, 0L, 5_000L), (1, 17L, 18L), (1, 4_000L, 4_999L), (0, 4_990L, 5_000L), (0, 100L, 3_000L) })
        {
            var seen = new List<string>();
            var read = reader.Read(new("ranges", partition), from, end, (in KafkaMessage message) =>
            {
                Assert.Equal("ranges", message.Topic);
                seen.Add($"{message.Partition}@{message.Offset}={Encoding.UTF8.GetString(message.Value)}");
            }, Cancellation);

            Assert.Equal(new PartitionRead(end, ReachedEnd: false), read);
            Assert.Equal(
                Enumerable.Range((int)from, (int)(end - from)).Select(offset => $"{partition}@{offset}={partition}:{offset}"), seen);
        }
        Assert.Equal(new(0, 5_000), reader.QueryWatermarks(new("ranges", 1)));
    }

    [Fact]
    public async Task A_range_beyond_the_end_stops_at_the_end()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("short", 1);
        await cluster.ProduceAsync("short", 1, 10);
        await using var reader = new PartitionReader(cluster.BootstrapServers);
        var count = 0;

        var read = reader.Read(new("short", 0), 4, 100, (in KafkaMessage _) => count++, Cancellation);

        Assert.Equal(new PartitionRead(10, ReachedEnd: true), read);
        Assert.Equal(6, count);
        Assert.Equal(
            new PartitionRead(10, ReachedEnd: true), reader.Read(new("short", 0), 10, 11, (in KafkaMessage _) => count++, Cancellation));
        Assert.Equal(
            new PartitionRead(3, ReachedEnd: false), reader.Read(new("short", 0), 3, 3, (in KafkaMessage _) => count++, Cancellation));
        Assert.Equal(6, count);
    }

    [Fact]
    public async Task A_topic_that_does_not_exist_and_a_broker_that_does_not_answer_are_errors()
    {
        using var cluster = new MockCluster();
        await using var reader = new PartitionReader("127.0.0.1:1", patience: TimeSpan.FromSeconds(1));
        var unreachable = Assert.Throws<KafkaException>(
            () => reader.Read(new("t", 0), 0, 1, static (in KafkaMessage _) => { }, Cancellation));
        Assert.Contains("127.0.0.1:1", unreachable.Message);
        Assert.Throws<KafkaException>(() => reader.QueryWatermarks(new("t", 0)));
    }
}
