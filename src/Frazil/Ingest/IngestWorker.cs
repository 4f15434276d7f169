using System.Diagnostics;
using Frazil.Formats;
using Frazil.Hot;
using Frazil.Kafka;
using Frazil.Telemetry;

namespace Frazil.Ingest;

/// <summary>
/// One thread that takes message batches from its queue, decodes them into their partitions' hot batches and publishes. The only writer of
/// its partitions, which may be of many tables: what stops one of them (a record, a full memory, a catalog that does not answer) takes its
/// partitions out of the worker's hands and leaves the others alone. Allocates nothing per record.
/// </summary>
internal sealed class IngestWorker
{
    private static readonly TimeSpan PollWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan FullWait = TimeSpan.FromMilliseconds(5);

    /// <summary>How long a table may hold up the others of its worker: what an ordinary flush or schema change takes, so that not every one
    /// costs fetching again.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly Action<Exception> onFailed;
    private readonly Thread thread;
    private readonly Dictionary<TopicPartition, Route> partitions = [];
    private readonly Dictionary<(int Topic, int Partition), Route?> routes = [];
    private readonly Lock partitionsGate = new();
    private readonly Turnstile turnstile = new();
    private volatile bool stopping;

    /// <summary>The partition whose run of records is being appended; null where nobody takes the records.</summary>
    private Route? run;
    private bool isOpen;
    private long runRecords;
    private long runBytes;
    private long runOldest; // the timestamp of its first record, in milliseconds

    public IngestWorker(string source, MessageQueue queue, Action<Exception> onFailed)
    {
        Queue = queue;
        this.onFailed = onFailed;
        thread = new Thread(Run) { IsBackground = true, Name = $"frazil-ingest {source}" };
    }

    public MessageQueue Queue { get; }

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
    public void Set(HotPartition partition, Pipeline lane)
    {
        lock (partitionsGate)
        {
            partitions[partition.Partition] = new(partition, lane);
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
                using var batch = Queue.ConsumeBatch(PollWait);
                if (batch.Count > 0 && !stopping)
                {
                    Append(batch);
                }
            }
        }
        catch (Exception error)
        {
            onFailed(error);
        }
    }

    private void Append(MessageBatch batch)
    {
        var (topic, number) = (-1, -1);
        try
        {
            for (var i = 0; i < batch.Count; i++)
            {
                var message = batch[i];
                if (message.Partition != number || message.TopicIndex != topic)
                {
                    EndRun();
                    (topic, number) = (message.TopicIndex, message.Partition);
                    run = Find(message);
                    Open();
                }
                if (run is not null && !Take(batch, i))
                {
                    break;
                }
            }
        }
        finally
        {
            EndRun();
        }
    }

    private void Open()
    {
        if (run is not null)
        {
            run.Partition.BeginRun();
            isOpen = true;
        }
    }

    /// <summary>What was appended is published, and may be flushed.</summary>
    private void Publish()
    {
        if (isOpen)
        {
            isOpen = false;
            run!.Partition.EndRun();
        }
    }

    private void EndRun()
    {
        Publish();
        if (run is { } ended && runRecords > 0)
        {
            ended.Lane.Metrics.CountRecords(runRecords, runBytes);
            ended.Lane.Metrics.RecordVisible(runOldest);
            ended.Lane.Appended();
        }
        (run, runRecords, runBytes) = (null, 0, 0);
    }

    /// <returns>False when the worker stops: what is left of the batch was not appended, and no progress moves past it.</returns>
    private bool Take(MessageBatch batch, int index)
    {
        var route = run!;
        try
        {
            return TakeMessage(route, batch, index);
        }
        catch (Exception error)
        {
            // What stands before the record is sound, and published. One poison record stops its own table.
            EndRun();
            Remove(route.Partition.Partition);
            route.Lane.Fail(error);
            return true;
        }
    }

    private bool TakeMessage(Route route, MessageBatch batch, int index)
    {
        var message = batch[index];
        if (!message.IsRecord)
        {
            TakeEvent(route, message);
            return true;
        }
        if (route.Lane.Memory.IsFull && !AwaitRoom(route))
        {
            return !stopping;
        }
        var status = route.Partition.Append(message);
        while (status == AppendStatus.Waits)
        {
            status = Fulfil(route, batch, index);
        }
        if (run is not null)
        {
            runOldest = runRecords == 0 ? message.TimestampMs : runOldest;
            runRecords++;
            runBytes += message.Size;
        }
        if (status == AppendStatus.DeadLetter)
        {
            route.Lane.Metrics.CountBadRecord();
        }
        return true;
    }

    /// <summary>In the middle of a batch: what was appended is published, and may be flushed, while the rest waits. A change of the
    /// assignments does not wait for memory: the rest of the batch is appended then.</summary>
    /// <returns>False when the worker stops or the partition was detached: the record was not appended.</returns>
    private bool AwaitRoom(Route route)
    {
        Publish();
        var (lane, since) = (route.Lane, Stopwatch.GetTimestamp());
        lane.IsHeldBack = true;
        while (lane.Memory.IsFull && !stopping && !turnstile.IsWanted)
        {
            if (!lane.IsAlone && (lane.IsFailing || Stopwatch.GetElapsedTime(since) > Patience))
            {
                Detach(route, Task.CompletedTask);
                return false;
            }
            lane.Wake();
            Thread.Sleep(FullWait);
        }
        lane.IsHeldBack = false;
        Open();
        return !stopping;
    }

    /// <summary>The schema changes through the catalog, or comes from a registry: readers and flushes go on meanwhile.</summary>
    private AppendStatus Fulfil(Route route, MessageBatch batch, int index)
    {
        Publish();
        var fulfilling = route.Lane.FulfilAsync(WithThoseBehind(route, batch, index));
        if (!route.Lane.IsAlone && !Blocking.Wait(fulfilling, Patience))
        {
            Detach(route, fulfilling);
            return AppendStatus.Ignored;
        }
        var problem = Blocking.Wait(fulfilling);
        Open();
        route.Partition.Answer(batch[index].Offset, problem);
        return route.Partition.Append(batch[index]);
    }

    /// <summary>The table's records behind it most often want the same.</summary>
    private SchemaNeed WithThoseBehind(Route route, MessageBatch batch, int index)
    {
        var need = route.Partition.TakeNeed();
        for (var i = index + 1; i < batch.Count && !need.IsComplete; i++)
        {
            var message = batch[i];
            if (message.IsRecord && Find(message)?.Lane == route.Lane)
            {
                need.Add(new(message));
            }
        }
        return need;
    }

    /// <summary>The partition's records are ignored from here on, and read again where its rows end once <paramref name="until"/> is done
    /// and there is room.</summary>
    private void Detach(Route route, Task until)
    {
        EndRun();
        Remove(route.Partition.Partition);
        route.Lane.Detach(route.Partition, until);
    }

    private static void TakeEvent(Route route, in KafkaMessage message)
    {
        switch (message.Kind)
        {
            case KafkaMessageKind.PartitionEnd:
                route.Partition.AdvanceTo(message.Offset);
                break;
            case KafkaMessageKind.OffsetOutOfRange:
                route.Lane.RecoverPosition(route.Partition.Partition, route.Partition.NextOffset);
                break;
            default:
                route.Lane.TakeError(message.ToError()!);
                break;
        }
    }

    private Route? Find(in KafkaMessage message)
    {
        var place = (message.TopicIndex, message.Partition);
        lock (partitionsGate)
        {
            if (!routes.TryGetValue(place, out var route))
            {
                partitions.TryGetValue(new(message.Topic, message.Partition), out route);
                routes[place] = route;
            }
            return route;
        }
    }

    /// <summary>Whose records a partition's are, and where they go.</summary>
    private sealed record Route(HotPartition Partition, Pipeline Lane);
}
