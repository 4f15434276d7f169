using System.Text;
using Frazil.Kafka;
using Xunit;

namespace Frazil.Tests.Kafka;

internal static class MockClusterProducing
{
    /// <summary>Writes values <c>PARTITION:NUMBER</c>, in turn over the partitions.</summary>
    public static Task ProduceAsync(this MockCluster cluster, string topic, int partitions, int perPartition) => Task.Run(async () =>
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
    });
}
