using Frazil.Decode;
using Frazil.Kafka;
using Frazil.Telemetry;

namespace Frazil.Hot;

/// <summary>
/// One thread that takes message batches from its queue, decodes them into their partitions' hot batches and publishes. The only writer of
/// its partitions. Allocates nothing per record.
/// </summary>
internal sealed class IngestWorker
{
    private static readonly TimeSpan PollWait = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan FullWait = TimeSpan.FromMilliseconds(5);

    private readonly IngestWorkerParts parts;
    private readonly Thread thread;
    private readonly Dictionary<TopicPartition, HotPartition> partitions = [];
    private readonly Dictionary<(int Topic, int Partition), HotPartition?> routes = [];
    private readonly Lock partitionsGate = new();
    private readonly Turnstile turnstile = new();
    private volatile bool stopping;

    public IngestWorker(IngestWorkerParts parts)
    {
        this.parts = parts;
        thread = new Thread(Run) { IsBackground = true, Name = $"frazil-ingest {parts.Table}" };
    }

    public MessageQueue Queue => parts.Queue;

    /// <summary>True while the memory limit holds reading back.</summary>
    public bool IsPaused { get; private set; }

    public void Start() => thread.Start();

    /// <summary>Ends the thread; returns when it is gone. Idempotent.</summary>
    public void Stop()
    {
        stopping = true;
        turnstile.Open();
        Queue.Wake();
        if (thread.IsAlive && Thread.CurrentThread != thread)
        {
            thread.Join();
        }
    }

    /// <summary>Runs <paramref name="change"/> while the worker holds no message, so that none of an older assignment is in
    /// flight.</summary>
    public void Between(Action change)
    {
        if (!thread.IsAlive || Thread.CurrentThread == thread)
        {
            change();
            return;
        }
        turnstile.Between(change, Queue.Wake, () => thread.IsAlive);
    }

    /// <summary>Routes a partition's messages. Call it between batches.</summary>
    public void Set(HotPartition partition)
    {
        lock (partitionsGate)
        {
            partitions[partition.Partition] = partition;
            routes.Clear();
        }
    }

    /// <summary>Messages of the partition are ignored from now on.</summary>
    public void Remove(TopicPartition partition)
    {
        lock (partitionsGate)
        {
            partitions.Remove(partition);
            routes.Clear();
        }
    }

    private void Run()
    {
        try
        {
            while (!stopping)
            {
                turnstile.Pass();
                if (!HasRoom())
                {
                    continue;
                }
                using var batch = parts.Queue.ConsumeBatch(PollWait);
                if (batch.Count > 0)
                {
                    Append(batch);
                    parts.OnAppended();
                }
            }
        }
        catch (Exception error)
        {
            parts.OnFailed(error);
        }
    }

    /// <summary>False, after a short wait, while the memory limit is reached.</summary>
    private bool HasRoom()
    {
        IsPaused = parts.Memory.IsFull;
        if (IsPaused)
        {
            parts.OnMemoryFull();
            Thread.Sleep(FullWait);
        }
        return !IsPaused;
    }

    private void Append(MessageBatch batch)
    {
        HotPartition? current = null;
        var (topic, number) = (-1, -1);
        long bytes = 0;
        var records = 0;
        try
        {
            for (var i = 0; i < batch.Count; i++)
            {
                var message = batch[i];
                if (message.Partition != number || message.TopicIndex != topic)
                {
                    current?.EndRun();
                    (topic, number) = (message.TopicIndex, message.Partition);
                    current = Find(message);
                    current?.BeginRun();
                }
                if (current is null)
                {
                    continue;
                }
                if (!message.IsRecord)
                {
                    TakeEvent(current, message);
                    continue;
                }
                if (parts.Memory.IsFull && !AwaitRoom(ref current))
                {
                    break;
                }
                records++;
                bytes += message.Size;
                Append(ref current, batch, i);
            }
        }
        finally
        {
            current?.EndRun();
            parts.Metrics.CountRecords(records, bytes);
        }
    }

    /// <summary>In the middle of a batch: what was appended is published, and may be flushed, while the rest waits. A change of the
    /// assignments does not wait for memory: the rest of the batch is appended then.</summary>
    /// <returns>False when the worker stops: what is left of the batch was not appended, and no progress moves past it.</returns>
    private bool AwaitRoom(ref HotPartition? current)
    {
        var paused = current!;
        paused.EndRun();
        current = null;
        var waits = true;
        while (waits)
        {
            waits = !HasRoom() && !stopping && !turnstile.IsWanted;
        }
        paused.BeginRun();
        current = paused;
        return !stopping;
    }

    private void Append(ref HotPartition? current, MessageBatch batch, int index)
    {
        var message = batch[index];
        var partition = current!;
        var status = partition.Append(message);
        if (status == AppendStatus.UnknownField)
        {
            // The schema changes through the catalog: let readers and flushes go on meanwhile.
            partition.EndRun();
            current = null;
            var problem = Evolve(batch, index);
            partition.BeginRun();
            current = partition;
            status = problem is null ? partition.Append(message) : partition.Reject(message, problem.Code, problem.Message);
            if (status == AppendStatus.UnknownField)
            {
                status = partition.Reject(
                    message, "unknown_field", "the record has a field that no column holds, and the schema did not take it up");
            }
        }
        if (status == AppendStatus.DeadLetter)
        {
            parts.Metrics.CountBadRecord();
        }
    }

    /// <summary>Offers this record, and those behind it, as samples for new columns. Null when the table now holds every field of this
    /// record.</summary>
    private DecodeError? Evolve(MessageBatch batch, int index)
    {
        var samples = new SchemaSamples();
        samples.Add(batch[index].Value);
        for (var i = index + 1; i < batch.Count && samples.Count < SchemaSamples.Most; i++)
        {
            var message = batch[i];
            if (message.IsRecord && !message.IsValueNull)
            {
                samples.Add(message.Value);
            }
        }
        return parts.Evolve(samples);
    }

    private void TakeEvent(HotPartition partition, in KafkaMessage message)
    {
        switch (message.Kind)
        {
            case KafkaMessageKind.PartitionEnd:
                partition.AdvanceTo(message.Offset);
                break;
            case KafkaMessageKind.OffsetOutOfRange:
                parts.OnOutOfRange(partition.Partition, partition.NextOffset);
                break;
            default:
                parts.OnPartitionError(message.ToError()!);
                break;
        }
    }

    private HotPartition? Find(in KafkaMessage message)
    {
        var route = (message.TopicIndex, message.Partition);
        lock (partitionsGate)
        {
            if (!routes.TryGetValue(route, out var partition))
            {
                partitions.TryGetValue(new(message.Topic, message.Partition), out partition);
                routes[route] = partition;
            }
            return partition;
        }
    }
}

/// <summary>What a worker works with; all of one table.</summary>
internal sealed record IngestWorkerParts
{
    public required string Table { get; init; }
    public required MessageQueue Queue { get; init; }
    public required TableMemory Memory { get; init; }
    public required TableMetrics Metrics { get; init; }
    /// <summary>Makes the table hold the samples' fields; blocks. Null, or why it cannot.</summary>
    public required Func<SchemaSamples, DecodeError?> Evolve { get; init; }
    /// <summary>Something was published.</summary>
    public required Action OnAppended { get; init; }
    /// <summary>The memory limit is reached: flush.</summary>
    public required Action OnMemoryFull { get; init; }
    /// <summary>The log of the partition does not hold the offset to be read.</summary>
    public required Action<TopicPartition, long> OnOutOfRange { get; init; }
    public required Action<KafkaError> OnPartitionError { get; init; }
    /// <summary>The thread ended with an error.</summary>
    public required Action<Exception> OnFailed { get; init; }
}
