using System.Collections.Immutable;
using Frazil.Config;
using Frazil.Hot;
using Frazil.Kafka;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil.Ingest;

/// <summary>
/// One entry of <c>[[tables]]</c>: one member of a consumer group, whose records go to the tables that the entry makes
/// (<c>{topic}</c>), each of which is a <see cref="Pipeline"/> of its own. A table that fails, or falls behind, is detached: its
/// partitions are paused, and read on from where its rows end once it can take them. It never holds the others up. The events come on
/// the consumer's thread, one at a time.
/// </summary>
internal sealed partial class TableSource : IAsyncDisposable
{
    /// <summary>How long a rebalance waits for what is buffered of a revoked partition to be committed; its next owner reads it again
    /// otherwise.</summary>
    private static readonly TimeSpan RevokeFlushLimit = TimeSpan.FromSeconds(30);

    /// <summary>How long an assignment waits for the tables that cannot begin, before those begin that can.</summary>
    private static readonly TimeSpan AssignPatience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan RoomWait = TimeSpan.FromMilliseconds(100);

    /// <summary>Tables that are opened, or ask for their progress, at the same time.</summary>
    private const int MostBeginning = 16;

    private readonly TableOptions entry;
    private readonly PipelineShared shared;
    private readonly ILogger logger;
    private readonly SourceMember member;
    private readonly RepeatedProblems problems;
    private readonly SemaphoreSlim beginning = new(MostBeginning);
    private readonly TaskCompletionSource completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Assigned partitions that no table has begun to read yet, each with the assignment that gave it. Touched by the consumer's
    /// thread only.</summary>
    private readonly Dictionary<TopicPartition, object> waiting = [];

    private ImmutableList<Pipeline> lanes = [];
    private ImmutableDictionary<string, Pipeline?> laneOf = ImmutableDictionary<string, Pipeline?>.Empty;
    private bool wasAssigned;
    private volatile string? waitReason = "for the broker to assign partitions";
    private Exception? failure;
    private int stopped;

    public TableSource(TableOptions entry, PipelineShared shared)
    {
        this.entry = entry;
        this.shared = shared;
        logger = shared.Loggers.CreateLogger($"Frazil.{entry.Name}");
        problems = new(shared.Time);
        member = new(new()
        {
            Name = entry.Name,
            Consumer = ConsumerOptions(),
            Events = new() { Assigned = Assign, Kept = Keep, Positioned = Position, Revoked = Revoke, Error = TakeError },
            Workers = shared.WorkersPerTable,
            Time = shared.Time,
            Logger = logger,
            OnWaiting = SayWaiting,
            OnFailed = FailAll,
        });
        foreach (var table in TableNames.Expand([entry]))
        {
            _ = shared.TryTakeName(table.Name); // the configuration was checked for names that stand twice
            Add(table, table.Topics);
        }
    }

    /// <summary>The tables, each with a life of its own. Grows where a pattern finds topics.</summary>
    public ImmutableList<Pipeline> Lanes => Volatile.Read(ref lanes);

    /// <summary>True where the entry's tables follow from the topics that its pattern finds.</summary>
    public bool MakesTables => TableNames.MakesTables(entry);

    /// <summary>Completes when the source has stopped; faults with the failures of its tables.</summary>
    public Task Completion => completion.Task;

    /// <summary>Opens the tables that are known, then joins the group. Does not wait for a broker.</summary>
    /// <returns>The tables that were refused, which have failed now.</returns>
    /// <exception cref="KafkaException">A Kafka property is wrong.</exception>
    public async Task<IReadOnlyList<(Pipeline Lane, PipelineFailedException Error)>> StartAsync(CancellationToken cancellationToken)
    {
        var refused = new List<(Pipeline, PipelineFailedException)>();
        foreach (var lane in Lanes)
        {
            if (await TryOpenAsync(lane, cancellationToken) is { } error)
            {
                refused.Add((lane, error));
            }
        }
        if (MakesTables || refused.Count < Lanes.Count)
        {
            member.Start();
        }
        return refused;
    }

    /// <summary>What each table is doing; of an entry whose tables are not known yet, that it waits.</summary>
    public IEnumerable<TableStatus> Status() => Lanes.IsEmpty ? [StatusWithoutTables()] : Lanes.Select(static lane => lane.Status());

    private TableStatus StatusWithoutTables() => new()
    {
        Name = entry.Name,
        Topic = entry.TopicPattern ?? string.Join(",", entry.Topics),
        State = failure is not null ? "failed" : stopped != 0 ? "stopped" : "waiting",
        Reason = failure?.Message ?? waitReason,
    };

    /// <summary>Stops reading, flushes and commits every table, leaves the group. Idempotent.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref stopped, 1) != 0)
        {
            await completion.Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }
        try
        {
            await Task.Run(member.Stop, CancellationToken.None);
            await Task.WhenAll(Lanes.Select(lane => lane.StopAsync(cancellationToken)));
            await LeaveAsync();
        }
        finally
        {
            SetCompleted();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        await member.DisposeAsync();
        foreach (var lane in Lanes)
        {
            await lane.DisposeAsync();
        }
        beginning.Dispose();
    }

    /// <summary>A table has ended by itself: the last one ends the source.</summary>
    public void TakeEnd()
    {
        if (stopped == 0 && (!MakesTables || failure is not null) && Lanes.All(static lane => lane.HasEnded))
        {
            Task.Run(() => StopAsync(CancellationToken.None)).Forget(error => logger.KafkaProblem(entry.Name, error.Message));
        }
    }

    /// <summary>The table takes no records any more: what comes of its partitions is not read.</summary>
    public async Task ReleaseAsync(Pipeline lane)
    {
        var partitions = lane.Hot.Partitions.Select(static partition => partition.Partition).ToList();
        Unroute(partitions);
        if (partitions.Count > 0 && member.Consumer is { } consumer)
        {
            await consumer.PauseAsync(partitions).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // cancelled where it ends as well
        }
    }

    /// <summary>Returns when no worker holds a message of the partitions, and none takes another.</summary>
    private void Unroute(IEnumerable<TopicPartition> partitions)
    {
        foreach (var group in partitions.GroupBy(member.WorkerOf))
        {
            group.Key.Between(() => group.ToList().ForEach(group.Key.Remove));
        }
    }

    /// <summary>A worker has taken the partition out of its hands: it is read on, where its rows end, once the table can take more.</summary>
    public void Detach(Pipeline lane, HotPartition partition, Task until)
        => Task.Run(() => CatchUpAsync(lane, partition, until)).Forget(lane.Fail);

    private async Task CatchUpAsync(Pipeline lane, HotPartition partition, Task until)
    {
        logger.LaneDetached(lane.Name, partition.Partition.ToString(), partition.NextOffset);
        var consumer = member.Consumer!;
        await consumer.PauseAsync([partition.Partition]);
        await until;
        while (lane.Memory.IsUnderPressure)
        {
            lane.Wake();
            await Task.Delay(RoomWait, shared.Time, lane.Ending);
        }
        await consumer.RestartWhereAsync(() => Resume(lane, partition));
    }

    /// <summary>On the consumer's thread: none of its records is on the way, and no rebalance comes in between.</summary>
    private IReadOnlyCollection<PartitionStart> Resume(Pipeline lane, HotPartition partition)
    {
        if (lane.HasEnded || lane.Hot.Find(partition.Partition) != partition)
        {
            return []; // given up, or begun anew, meanwhile
        }
        lane.IsHeldBack = false;
        var worker = member.WorkerOf(partition.Partition);
        worker.Between(() => worker.Set(partition, lane));
        logger.LaneAttached(lane.Name, partition.Partition.ToString(), partition.NextOffset);
        return [new(partition.Partition, StartPosition.At(partition.NextOffset), worker.Queue)];
    }

    private async Task<PipelineFailedException?> TryOpenAsync(Pipeline lane, CancellationToken cancellationToken)
    {
        try
        {
            await lane.OpenAsync(cancellationToken);
            return null;
        }
        catch (PipelineFailedException error)
        {
            return error;
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // Metadata or progress that cannot be read, a log folder that cannot be written: other tables may be sound.
            return new($"table {lane.Name} cannot be opened: {error.Message}", error);
        }
    }

    private async Task LeaveAsync()
    {
        try
        {
            await member.LeaveAsync();
        }
        catch (Exception error) when (Lanes.Any(static lane => lane.HasFailed))
        {
            logger.KafkaProblem(entry.Name, error.Message); // the failure that stopped the table was told already
        }
    }

    private void SetCompleted()
    {
        var failures = Lanes.Select(static lane => lane.Failure).Append(Lanes.IsEmpty ? failure : null).OfType<Exception>().ToList();
        if (failures.Count == 0)
        {
            completion.TrySetResult();
        }
        else
        {
            completion.TrySetException(failures);
        }
    }

    private void SayWaiting(string reason)
    {
        waitReason = reason;
        Lanes.ForEach(lane => lane.SayWaiting(reason));
    }

    private void FailAll(Exception error)
    {
        failure ??= error;
        Lanes.ForEach(lane => lane.Fail(error));
        TakeEnd();
    }

    private void TakeError(KafkaError error)
    {
        if (error.Kind == KafkaErrorKind.Fatal)
        {
            return; // the member ends, and tells it
        }
        if (error.Topic is { } topic && Known(topic) is { } lane)
        {
            lane.TakeError(error);
            return;
        }
        if (problems.TextOf((error.Code, error.Topic), error.ToString()) is { } text)
        {
            logger.KafkaProblem(entry.Name, text);
        }
        waitReason = error.ToString();
        Lanes.ForEach(one => one.SayWaitingUnlessAssigned(error.ToString()));
    }

    private KafkaConsumerOptions ConsumerOptions() => new()
    {
        BootstrapServers = shared.Options.Kafka.BootstrapServers,
        GroupId = $"{shared.Options.Kafka.GroupId}.{entry.Name}",
        GroupInstanceId = shared.InstanceId,
        HasPredecessor = shared.HasPredecessor,
        Topics = entry.TopicPattern is null ? entry.Topics : [],
        Pattern = entry.TopicPattern is { } pattern ? TopicPattern.Parse(pattern) : null,
        Properties = shared.Options.Kafka.Properties,
    };

    private Pipeline? Known(string topic) => Volatile.Read(ref laneOf).GetValueOrDefault(topic);

    /// <summary>The table that takes the topic's records; made where the entry says so. Null where there can be none.</summary>
    private Pipeline? LaneOf(string topic)
    {
        if (Volatile.Read(ref laneOf).TryGetValue(topic, out var known))
        {
            return known;
        }
        if (!MakesTables)
        {
            // One table for all topics of a pattern, or a predecessor's topic of one of several.
            var only = Lanes.Count == 1 && entry.TopicPattern is not null ? Lanes[0] : null;
            laneOf = laneOf.SetItem(topic, only);
            return only;
        }
        var table = TableNames.For(entry, topic);
        if (!TableNames.IsSound(table.Name) || TableNames.IsOfSql(table.Name) || !shared.TryTakeName(table.Name))
        {
            logger.TopicWithoutTable(topic, table.Name);
            laneOf = laneOf.SetItem(topic, null);
            return null;
        }
        return Add(table, [topic]);
    }

    private Pipeline Add(TableOptions table, IReadOnlyList<string> topics)
    {
        var lane = new Pipeline(table, shared, this, member) { CameLater = MakesTables && wasAssigned };
        lanes = lanes.Add(lane);
        foreach (var topic in topics)
        {
            laneOf = laneOf.SetItem(topic, lane);
        }
        return lane;
    }
}
