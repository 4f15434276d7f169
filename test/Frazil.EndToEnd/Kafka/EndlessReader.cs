using System.Collections.Concurrent;
using Frazil.Kafka;

namespace Frazil.EndToEnd.Kafka;

/// <summary>A member that reads a topic without gaps from its beginning to its end, again and again, as fast as it can, and writes down every
/// record that does not follow the one before.</summary>
internal sealed class EndlessReader : IAsyncDisposable
{
    private readonly KafkaConsumer consumer;
    private readonly MessageQueue queue;
    private readonly Thread thread;
    private readonly ConcurrentDictionary<TopicPartition, long> next = [];
    private readonly ConcurrentDictionary<TopicPartition, bool> ended = [];
    private long passes;
    private volatile bool stopping;

    public EndlessReader(string bootstrap, string topic, IReadOnlyDictionary<string, string> properties)
    {
        MessageQueue? created = null;
        PartitionStart At(TopicPartition partition, long offset) => new(partition, StartPosition.At(offset), created!);
        consumer = new(new() { BootstrapServers = bootstrap, GroupId = topic, Topics = [topic], Properties = properties }, new()
        {
            Assigned = partitions => [.. partitions.Select(partition => At(partition, next[partition] = 0))],
            Kept = partitions =>
            {
                Pass();
                Kept += partitions.Count;
                return [.. partitions.Select(partition => At(partition, next[partition]))];
            },
            Revoked = revoked =>
            {
                foreach (var partition in revoked.Partitions)
                {
                    next.TryRemove(partition, out _);
                }
                Pass();
            },
        });
        queue = created = consumer.CreateWorkerQueue(batchCapacity: 100_000);
        thread = new(Read) { IsBackground = true };
        thread.Start();
        consumer.Start();
    }

    /// <summary>Partitions that stayed, in all rebalances together.</summary>
    public int Kept { get; private set; }

    public ConcurrentQueue<string> Gaps { get; } = new();

    public async Task ReadAgainAndAgainAsync(CancellationToken cancellationToken)
    {
        while (!stopping)
        {
            TopicPartition[] done = [.. ended.Keys];
            await consumer.PauseAsync(done);
            await Task.Run(Pass, cancellationToken);
            foreach (var partition in done)
            {
                ended.TryRemove(partition, out _);
                if (next.TryGetValue(partition, out var reached))
                {
                    next.TryUpdate(partition, 0, reached);
                }
            }
            await consumer.RestartAsync([.. done.Select(partition => new PartitionStart(partition, StartPosition.At(0), queue))]);
            await Task.Delay(1, cancellationToken);
        }
    }

    public void Stop() => stopping = true;

    public async ValueTask DisposeAsync()
    {
        Stop();
        await consumer.StopAsync();
        thread.Join();
        await consumer.DisposeAsync();
    }

    private void Pass()
    {
        var before = Interlocked.Read(ref passes);
        queue.Wake();
        SpinWait.SpinUntil(() => Interlocked.Read(ref passes) > before + 1 || stopping);
    }

    /// <summary>Spends most of its time in filling batches: that is the moment which matters.</summary>
    private void Read()
    {
        while (!stopping)
        {
            using (var batch = queue.ConsumeBatch(TimeSpan.FromMilliseconds(10)))
            {
                var (partition, expected) = (new TopicPartition("", -1), -1L);
                foreach (var message in batch)
                {
                    if (message.Partition != partition.Partition)
                    {
                        Note(partition, expected);
                        partition = new(message.Topic, message.Partition);
                        expected = next.GetValueOrDefault(partition, long.MaxValue);
                    }
                    if (message.Offset > expected)
                    {
                        Gaps.Enqueue($"{partition}: {message.Offset} came where {expected} was due");
                    }
                    if (message.Kind == KafkaMessageKind.PartitionEnd)
                    {
                        ended[partition] = true;
                    }
                    else if (message.IsRecord && message.Offset >= expected)
                    {
                        expected = message.Offset + 1;
                    }
                }
                Note(partition, expected);
            }
            Interlocked.Increment(ref passes);
            Thread.Sleep(5); // lets a backlog grow
        }
    }

    private void Note(TopicPartition partition, long expected)
    {
        if (next.TryGetValue(partition, out var before))
        {
            next.TryUpdate(partition, expected, before);
        }
    }
}
