using Frazil.Kafka;

namespace Frazil.Bench;

/// <summary>A consumer of one topic with one queue, read on the caller's thread, the way the engine reads.</summary>
internal sealed class TopicReader : IAsyncDisposable
{
    private readonly KafkaConsumer consumer;
    private readonly MessageQueue queue;

    public TopicReader(Topic topic, string purpose)
    {
        MessageQueue? created = null;
        consumer = new KafkaConsumer(
            new KafkaConsumerOptions
            {
                BootstrapServers = topic.Bootstrap,
                GroupId = $"bench-{purpose}-{Guid.NewGuid():N}",
                Topics = [topic.Name],
            },
            new KafkaConsumerEvents
            {
                Assigned = partitions => [
                    .. partitions.Select(partition => new PartitionStart(partition, StartPosition.Earliest, created!))],
                Kept = kept => [.. kept.Select(partition => new PartitionStart(partition, StartPosition.At(0), created!))],
                Revoked = _ => { },
            });
        queue = created = consumer.CreateWorkerQueue();
        consumer.Start();
    }

    /// <summary>What is done with a record. The message is good until the call returns.</summary>
    public delegate void Visit(in KafkaMessage message);

    /// <summary>Reads at least so many records.</summary>
    public void Read(long count, Visit visit, CancellationToken cancellationToken)
    {
        for (var seen = 0L; seen < count;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var batch = queue.ConsumeBatch(TimeSpan.FromSeconds(1));
            foreach (var message in batch)
            {
                if (message.IsRecord)
                {
                    visit(in message);
                    seen++;
                }
            }
        }
    }

    public async ValueTask DisposeAsync() => await consumer.DisposeAsync();
}
