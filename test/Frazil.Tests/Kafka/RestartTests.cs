using System.Collections.Concurrent;
using Frazil.Kafka;
using Xunit;

namespace Frazil.Tests.Kafka;

/// <summary>Partitions that begin after their assignment.</summary>
public sealed class RestartTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Partitions_that_come_to_begin_while_the_consumer_is_at_work_are_assigned_in_one_go()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 3);
        await cluster.ProduceAsync("t", partitions: 3, perPartition: 10);
        var positioned = new ConcurrentQueue<IReadOnlyList<TopicPartitionOffset>>();
        var asked = new TaskCompletionSource<Task[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        (KafkaConsumer? Consumer, MessageQueue? Queue) own = default;
        await using var consumer = new KafkaConsumer(
            new() { BootstrapServers = cluster.BootstrapServers, GroupId = "late", Topics = ["t"] },
            new()
            {
                Assigned = _ =>
                {
                    asked.TrySetResult([
                        Begin(own, 0, StartPosition.Earliest), Begin(own, 1, StartPosition.Latest), Begin(own, 2, StartPosition.At(3)),
                        Begin(own, 1, StartPosition.At(7))]);
                    return [];
                },
                Kept = static _ => [],
                Positioned = positioned.Enqueue,
                Revoked = static _ => { },
            });
        own = (consumer, consumer.CreateWorkerQueue());
        consumer.Start();

        await Task.WhenAll(await asked.Task.WaitAsync(Patience)).WaitAsync(Patience);
        Assert.Equal(
            [new(new("t", 0), 0), new(new("t", 1), 7), new(new("t", 2), 3)],
            Assert.Single(positioned).OrderBy(static position => position.Partition.Partition));
        Assert.Equal([10, 3, 7], await CountAsync(own.Queue!, 10 + 3 + 7));
    }

    private static Task Begin((KafkaConsumer? Consumer, MessageQueue? Queue) own, int partition, StartPosition position)
        => own.Consumer!.RestartAsync([new(new("t", partition), position, own.Queue!)]);

    /// <summary>How many records came of each partition.</summary>
    private static async Task<IEnumerable<int>> CountAsync(MessageQueue queue, int total)
    {
        var counts = new int[3];
        await Task.Run(() =>
        {
            while (counts.Sum() < total)
            {
                using var batch = queue.ConsumeBatch(TimeSpan.FromMilliseconds(100));
                foreach (var message in batch)
                {
                    counts[message.Partition] += message.IsRecord ? 1 : 0;
                }
            }
        }, TestContext.Current.CancellationToken).WaitAsync(Patience);
        return counts;
    }
}
