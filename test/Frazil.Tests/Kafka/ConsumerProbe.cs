using System.Collections.Concurrent;
using System.Text;
using Frazil.Kafka;
using Xunit;

namespace Frazil.Tests.Kafka;

/// <summary>What a probe saw of one partition.</summary>
public sealed class SeenPartition
{
    public List<long> Offsets { get; } = [];
    public List<string?> Values { get; } = [];
    public long Start { get; set; } = -1;
    public long End { get; set; } = -1;
    public HashSet<int> Workers { get; } = [];
}

/// <summary>A consumer with worker threads that write down everything they are given, the way the engine reads: it waits on revocation
/// until every worker has passed its batch, and ignores partitions that are not its own.</summary>
public sealed class ConsumerProbe : IAsyncDisposable
{
    /// <summary>Far more than a loaded machine takes; only a failure waits so long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly Lock _gate = new();
    private readonly Dictionary<TopicPartition, SeenPartition> _seen = [];
    private readonly HashSet<TopicPartition> _owned = [];
    private readonly MessageQueue[] _queues;
    private readonly Thread[] _threads;
    private readonly long[] _passes;
    private readonly Func<TopicPartition, StartPosition> _startOf;
    private volatile bool _stopping;

    public ConsumerProbe(string bootstrapServers, IReadOnlyList<string> topics, Func<TopicPartition, StartPosition>? startOf = null,
        int workers = 1,
        IReadOnlyDictionary<string, string>? properties = null, string? group = null, Func<KafkaConsumerOptions,
        KafkaConsumerOptions>? change = null,
        bool start = true)
    {
        _startOf = startOf ?? (static _ => StartPosition.Earliest);
        var options = new KafkaConsumerOptions
        {
            BootstrapServers = bootstrapServers,
            GroupId = group ?? $"probe-{Guid.NewGuid():N}",
            Topics = topics is [['^', ..]] ? [] : topics,
            Pattern = topics is [['^', ..] expression] ? TopicPattern.Parse(expression) : null,
            Properties = properties ?? new Dictionary<string, string>(),
        };
        Consumer = new KafkaConsumer(change is null ? options : change(options), new KafkaConsumerEvents
        {
            Assigned = OnAssigned,
            Kept = OnKept,
            Positioned = OnPositioned,
            Revoked = OnRevoked,
            Error = Errors.Enqueue,
            Statistics = statistics => Statistics = statistics,
            Log = (l, f, t) => Logs.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {f} {t}"),
        });
        _queues = [.. Enumerable.Range(0, workers).Select(_ => Consumer.CreateWorkerQueue())];
        _passes = new long[workers];
        _threads = [.. Enumerable.Range(0, workers).Select(worker => new Thread(() => Work(worker)) { IsBackground = true })];
        Array.ForEach(_threads, thread => thread.Start());
        if (start)
        {
            Consumer.Start();
        }
    }

    public KafkaConsumer Consumer { get; }

    /// <summary>Where partitions that stay go on, instead of behind what was seen of them.</summary>
    public Func<TopicPartition, StartPosition>? KeptAt { get; init; }

    public ConcurrentQueue<KafkaError> Errors { get; } = new();
    public ConcurrentQueue<KafkaError> PartitionErrors { get; } = new();
    public ConcurrentQueue<OffsetOutOfRange> OutOfRange { get; } = new();
    public ConcurrentQueue<PartitionsRevoked> Revocations { get; } = new();
    public ConcurrentQueue<string> Trouble { get; } = new();
    public KafkaStatistics? Statistics { get; private set; }

    public ConcurrentQueue<string> Logs { get; } = new();
    public long Count { get { lock (_gate) { return _seen.Values.Sum(seen => (long)seen.Offsets.Count); } } }

    public IReadOnlyList<TopicPartition> Owned { get { lock (_gate) { return [.. _owned]; } } }

    /// <summary>A copy of what was seen of a partition.</summary>
    public SeenPartition Seen(string topic, int partition)
    {
        lock (_gate)
        {
            var copy = new SeenPartition();
            if (_seen.TryGetValue(new(topic, partition), out var seen))
            {
                copy.Offsets.AddRange(seen.Offsets);
                copy.Values.AddRange(seen.Values);
                copy.Workers.UnionWith(seen.Workers);
                (copy.Start, copy.End) = (seen.Start, seen.End);
            }
            return copy;
        }
    }

    /// <summary>The next offset to read of a partition: what a table would have recorded.</summary>
    public long? Next(TopicPartition partition)
    {
        lock (_gate)
        {
            return !_seen.TryGetValue(partition, out var seen)
                ? null
                : seen.Offsets.Count > 0
                ? seen.Offsets[^1] + 1
                : seen.Start >= 0
                ? seen.Start
                : null;
        }
    }

    public async Task UntilAsync(Func<bool> condition, string what)
    {
        var deadline = DateTime.UtcNow + Patience;
        while (!condition())
        {
            if (DateTime.UtcNow > deadline)
            {
                Assert.Fail($"Waited in vain for: {what}. Records {Count}, owned [{string.Join(", ", Owned)}], errors [{string.Join("; ", Errors)}], "
                    + $"partition errors [{string.Join("; ", PartitionErrors)}], trouble [{string.Join("; ", Trouble)}], consumer {Consumer.Completion.Status} {Consumer.Completion.Exception?.InnerException?.Message}");
            }
            await Task.Delay(20);
        }
    }

    public Task UntilCountAsync(long records) => UntilAsync(() => Count >= records, $"{records} records");

    /// <summary>Waits until every worker has passed the batch it holds now.</summary>
    public Task PassAsync() => Task.Run(() => WaitForPasses());

    public async ValueTask DisposeAsync()
    {
        await Consumer.StopAsync().ContinueWith(static _ => { }, TaskScheduler.Default);
        _stopping = true;
        Array.ForEach(_threads, thread => thread.Join());
        await Consumer.DisposeAsync();
    }

    private IReadOnlyList<PartitionStart> OnAssigned(IReadOnlyList<TopicPartition> partitions) =>
        [.. partitions.Select(partition => new PartitionStart(partition, _startOf(partition), QueueOf(partition)))];

    private IReadOnlyList<PartitionStart> OnKept(IReadOnlyList<TopicPartition> partitions)
    {
        WaitForPasses();
        return [.. partitions.Select(partition => new PartitionStart(
            partition, KeptAt?.Invoke(partition) ?? StartPosition.At(Next(partition)!.Value), QueueOf(partition)))];
    }

    public MessageQueue QueueOf(TopicPartition partition) => _queues[partition.Partition % _queues.Length];

    private void OnPositioned(IReadOnlyList<TopicPartitionOffset> positions)
    {
        lock (_gate)
        {
            foreach (var position in positions)
            {
                _owned.Add(position.Partition);
                if (!_seen.TryGetValue(position.Partition, out var seen))
                {
                    _seen.Add(position.Partition, seen = new());
                }
                seen.Start = position.Offset;
                seen.End = -1;
            }
        }
    }

    private void OnRevoked(PartitionsRevoked revoked)
    {
        Revocations.Enqueue(revoked);
        lock (_gate)
        {
            _owned.ExceptWith(revoked.Partitions);
        }
        WaitForPasses();
    }

    private void WaitForPasses()
    {
        for (var worker = 0; worker < _passes.Length; worker++)
        {
            var before = Interlocked.Read(ref _passes[worker]);
            _queues[worker].Wake();
            SpinWait.SpinUntil(() => Interlocked.Read(ref _passes[worker]) > before || _stopping);
        }
    }

    private void Work(int worker)
    {
        while (!_stopping)
        {
            using (var batch = _queues[worker].ConsumeBatch(TimeSpan.FromMilliseconds(50)))
            {
                foreach (var message in batch)
                {
                    Note(message, worker);
                }
            }
            Interlocked.Increment(ref _passes[worker]);
        }
    }

    private void Note(KafkaMessage message, int worker)
    {
        var partition = new TopicPartition(message.Topic, message.Partition);
        if (message.Kind == KafkaMessageKind.OffsetOutOfRange)
        {
            OutOfRange.Enqueue(Consumer.DescribeOutOfRange(partition, message.Offset));
            return;
        }
        if (message.ToError() is { } error)
        {
            PartitionErrors.Enqueue(error);
            return;
        }
        lock (_gate)
        {
            if (!_owned.Contains(partition))
            {
                return;
            }
            var seen = _seen[partition];
            seen.Workers.Add(worker);
            if (message.Kind == KafkaMessageKind.PartitionEnd)
            {
                seen.End = message.Offset;
                return;
            }
            if (message.Offset < seen.Start
                || (seen.Offsets.Count > 0 && seen.Offsets[^1] >= message.Offset && seen.Offsets[^1] >= seen.Start))
            {
                Trouble.Enqueue(
                    $"{partition}@{message.Offset} came after {(seen.Offsets.Count > 0 ? seen.Offsets[^1] : -1)}, begun at {seen.Start}");
            }
            seen.Offsets.Add(message.Offset);
            seen.Values.Add(message.IsValueNull ? null : Encoding.UTF8.GetString(message.Value));
        }
    }
}
