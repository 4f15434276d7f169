using System.Text;
using Frazil.Kafka;
using Xunit;

namespace Frazil.Tests.Kafka;

/// <summary>The data plane against librdkafka's mock brokers: fast, in-process; what those cannot show is tested end to end.</summary>
public sealed class MockClusterTests
{
    [Fact]
    public async Task Records_of_every_partition_arrive_once_and_in_order()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 6);
        await ProduceAsync(cluster, "t", partitions: 6, perPartition: 500);
        await using var probe = new ConsumerProbe(cluster.BootstrapServers, ["t"]);
        await probe.UntilCountAsync(3000);
        for (var partition = 0; partition < 6; partition++)
        {
            var seen = probe.Seen("t", partition);
            Assert.Equal(Enumerable.Range(0, 500).Select(i => (long)i), seen.Offsets);
            Assert.Equal(Enumerable.Range(0, 500).Select(i => $"{partition}:{i}"), seen.Values);
        }
        await probe.UntilAsync(() => Enumerable.Range(0, 6).All(p => probe.Seen("t", p).End == 500), "the end of every partition");
        Assert.Empty(probe.Trouble);
    }

    internal static async Task ProduceAsync(MockCluster cluster, string topic, int partitions, int perPartition)
    {
        await using var producer = new KafkaProducer(new() { BootstrapServers = cluster.BootstrapServers });
        for (var i = 0; i < perPartition; i++)
        {
            for (var partition = 0; partition < partitions; partition++)
            {
                producer.Produce(topic, partition, "k"u8, Encoding.UTF8.GetBytes($"{partition}:{i}"));
            }
        }
        await producer.FlushAsync();
        Assert.Equal(partitions * (long)perPartition, producer.Delivered);
    }
}
