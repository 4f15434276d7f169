using System.Collections.Immutable;
using Frazil.Commit;
using Frazil.Config;
using Frazil.Decode;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Kafka;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil;

/// <summary>
/// Which partitions a pipeline holds, from where they are read, and what happens when that changes. A position is always the table's own
/// progress, asked for at the moment of assignment; Kafka's group offsets are written as a courtesy and never read. The rebalance methods
/// run on the consumer's thread and may block: the group waits for them.
/// </summary>
internal sealed class PipelineAssignments(PipelineAssignmentsParts parts)
{
    /// <summary>How long a rebalance waits for what is buffered of a revoked partition to be committed; its next owner reads it again
    /// otherwise.</summary>
    private static readonly TimeSpan RevokeFlushLimit = TimeSpan.FromSeconds(30);

    private readonly PartitionSpread spread = new(parts.Shared.WorkersPerTable);
    private KafkaConsumer? consumer;
    private ImmutableArray<IngestWorker> workers = [];

    public int Count => parts.Hot.PartitionCount;

    public void Attach(KafkaConsumer kafka, ImmutableArray<IngestWorker> ingest) => (consumer, workers) = (kafka, ingest);

    /// <summary>Records between what was read and the ends of the partitions; -1 while any end is unknown.</summary>
    public long Lag()
    {
        long lag = 0;
        foreach (var partition in parts.Hot.Partitions)
        {
            if (consumer?.CachedWatermarks(partition.Partition) is not { } ends || partition.NextOffset < 0)
            {
                return -1;
            }
            lag += Math.Max(0, ends.High - partition.NextOffset);
        }
        return lag;
    }

    /// <summary>New partitions: each begins where the table says.</summary>
    public IReadOnlyList<PartitionStart> Assign(IReadOnlyList<TopicPartition> assigned)
    {
        var topics = assigned.Select(static partition => partition.Topic).Distinct().ToList();
        var policies = parts.Policies.AskAsync(topics);
        var version = Blocking.Wait(ReadProgressAsync());
        Blocking.Wait(VerifyAsync(topics));
        if (version is not null)
        {
            Blocking.Wait(parts.Retry.RunAsync("looking for a rollback", token => parts.CheckRollback(topics, token), parts.Stopping()));
            version = parts.State.Current;
        }
        Blocking.Wait(policies);
        var starts = assigned.Select(partition => Hold(partition, version?.Progress)).ToList();
        parts.OnAssigned();
        return starts;
    }

    /// <summary>Partitions that stay through a rebalance: each goes on behind what its worker has taken.</summary>
    public IReadOnlyList<PartitionStart> Keep(IReadOnlyList<TopicPartition> kept)
    {
        var starts = new List<PartitionStart>(kept.Count);
        foreach (var group in kept.GroupBy(WorkerOf))
        {
            // Between two batches: what the worker was given before is appended then.
            group.Key.Between(() => starts.AddRange(group.Select(
                partition => new PartitionStart(partition, StartPosition.At(Find(partition)!.NextOffset), group.Key.Queue))));
        }
        return starts;
    }

    /// <summary>Where reading really begins, for partitions of which the table records nothing.</summary>
    public void Position(IReadOnlyList<TopicPartitionOffset> positions)
    {
        foreach (var position in positions)
        {
            if (Find(position.Partition) is { } partition)
            {
                partition.BeginAt(position.Offset);
                parts.Logger.PartitionPositioned(parts.Options.Name, position.Partition.ToString(), position.Offset);
            }
        }
    }

    /// <summary>Gives partitions up: what is buffered of them is committed first, unless another instance owns them already.</summary>
    public void Revoke(PartitionsRevoked revoked)
    {
        var leaving = revoked.Partitions.Select(Find).OfType<HotPartition>().ToList();
        foreach (var partition in leaving)
        {
            WorkerOf(partition.Partition).Between(() => WorkerOf(partition.Partition).Remove(partition.Partition));
            partition.Close();
        }
        if (!revoked.Lost)
        {
            FlushBeforeLeaving();
        }
        foreach (var partition in leaving)
        {
            parts.Hot.Release(partition.Partition);
            spread.Forget(partition.Partition);
            parts.Logger.PartitionReleased(parts.Options.Name, partition.Partition.ToString(), revoked.Lost);
        }
    }

    /// <summary>Another writer moved the table past us: forget what is buffered of these partitions and read again from where the table
    /// is.</summary>
    public void Fence(FlushedUnit unit)
    {
        foreach (var batch in unit.Batches)
        {
            parts.Hot.Abandon(batch.Partition);
            parts.Hot.DropBeyond(batch.Partition, parts.State.Current?.Progress.NextOffset(batch.Partition) ?? 0);
        }
        var fenced = unit.Batches.Select(static batch => batch.Partition).ToList();
        Task.Run(() => ReadAgainAsync(fenced)).Forget(parts.OnFailed);
    }

    /// <summary>The log does not hold the offset that comes next. Below its beginning (retention): the gap is told and reading goes on
    /// there. Beyond its end: the topic is another one or was cut, and nothing is spliced.</summary>
    public void RecoverPosition(TopicPartition partition, long nextOffset)
        => Task.Run(() => RecoverPositionAsync(partition, nextOffset)).Forget(parts.OnFailed);

    /// <summary>Tells the group how far the table is: for lag tools only.</summary>
    public void NoteCommitted(IReadOnlyList<HotBatch> batches)
        => consumer?.CommitOffsets([.. batches.Where(batch => Find(batch.Partition) is not null)
            .Select(static batch => new TopicPartitionOffset(batch.Partition, batch.NextOffset))]);

    private async Task ReadAgainAsync(List<TopicPartition> fenced)
    {
        await consumer!.PauseAsync(fenced);
        var version = await ReadProgressAsync();
        var starts = fenced.Where(partition => Find(partition) is not null)
            .Select(partition => Hold(partition, version?.Progress)).ToList();
        await consumer.RestartAsync(starts);
    }

    private async Task RecoverPositionAsync(TopicPartition partition, long nextOffset)
    {
        await VerifyAsync([partition.Topic]);
        var description = consumer!.DescribeOutOfRange(partition, nextOffset);
        if (description.Watermarks is { } held && nextOffset > held.High)
        {
            throw new PipelineFailedException(
                $"table {parts.Options.Name}: {description}. Nothing is spliced: if the topic was recreated on purpose, give it a table of its own, or remove "
                + $"the property {TableProgress.PropertyPrefix}{partition.Topic} from the table to read it from the beginning");
        }
        if (description.Watermarks is { } ends && nextOffset >= 0 && nextOffset < ends.Low)
        {
            parts.Logger.OffsetsLost(parts.Options.Name, partition.ToString(), nextOffset, ends.Low - 1);
            RecordRemoved(partition, new(nextOffset, ends.Low - 1));
        }
        var start = description.Watermarks is { } log ? Math.Max(log.Low, nextOffset) : nextOffset;
        await consumer.RestartAsync([new(partition, StartPosition.At(Math.Max(0, start)), WorkerOf(partition).Queue)]);
    }

    private Task<TableVersion?> ReadProgressAsync() => parts.Retry.RunAsync("reading progress", parts.State.RefreshAsync, parts.Stopping());

    /// <exception cref="PipelineFailedException">A topic is not the one that the table was fed from.</exception>
    private Task VerifyAsync(IReadOnlyList<string> topics) => parts.Retry.WaitAsync(
        "asking for topic ids",
        async token =>
        {
            await parts.Identities.VerifyAsync(topics, parts.State.Current, token);
            return true;
        },
        parts.Stopping());

    /// <summary>Progress moves past the gap at once, also when no record follows: it is in the table with the next commit.</summary>
    private void RecordRemoved(TopicPartition partition, OffsetRange removed)
    {
        var worker = WorkerOf(partition);
        worker.Between(() =>
        {
            if (Find(partition) is { } held)
            {
                held.SkipRemoved(removed);
            }
        });
    }

    private PartitionStart Hold(TopicPartition partition, TableProgress? progress)
    {
        var recorded = progress?.NextOffset(partition);
        var first = progress is not null && IsLater(partition.Topic, progress) ? StartPosition.Earliest : ConfiguredStart();
        var held = new HotPartition(partition, recorded, new()
        {
            Hot = parts.Hot,
            Memory = parts.Memory,
            Time = parts.Shared.Time,
            Schema = () => parts.Schemas.Current,
            Declared = () => parts.Schemas.Declared,
            CreateDecoder = static () => new JsonDecoder(),
            OnBadRecord = parts.Options.OnBadRecord,
            EvolveSchema = parts.Options.EvolveSchema,
            PinsStart = first != StartPosition.Earliest,
            KindOfGap = parts.Policies.KindOf,
        });
        parts.Hot.Hold(held);
        var worker = WorkerOf(partition);
        worker.Between(() => worker.Set(held));
        return new(partition, recorded is { } offset ? StartPosition.At(offset) : first, worker.Queue);
    }

    /// <summary>Whether a partition without progress came after reading began: its topic is known, or began to match the pattern since. It is read from
    /// its beginning then, whatever the configuration says: nothing of it may be missed.</summary>
    private bool IsLater(string topic, TableProgress progress)
        => progress.Knows(topic) || (parts.Options.TopicPattern is not null && progress.NextOffsets.Count > 0);

    private StartPosition ConfiguredStart() => parts.Shared.Options.Kafka.StartFrom switch
    {
        { Instant: { } instant } => StartPosition.AtTime(instant),
        { Kind: "latest" } => StartPosition.Latest,
        _ => StartPosition.Earliest,
    };

    private void FlushBeforeLeaving()
    {
        using var limit = new CancellationTokenSource(RevokeFlushLimit, parts.Shared.Time);
        try
        {
            Blocking.Wait(parts.FlushAsync(CancellationToken.None).WaitAsync(limit.Token));
        }
        catch (Exception error) when (error is OperationCanceledException or PipelineFailedException)
        {
            parts.Logger.RevokedUnflushed(parts.Options.Name, error.Message);
        }
    }

    /// <summary>A partition always has the same worker: it is the only writer of the partition's batches.</summary>
    private IngestWorker WorkerOf(TopicPartition partition) => workers[spread.Of(partition)];

    private HotPartition? Find(TopicPartition partition) => parts.Hot.Find(partition);
}

/// <summary>What the assignments of one pipeline work with.</summary>
internal sealed record PipelineAssignmentsParts
{
    public required TableOptions Options { get; init; }
    public required PipelineShared Shared { get; init; }
    public required TableState State { get; init; }
    /// <summary>Whether other hands set the table back. Throws where that is to stop it.</summary>
    public required Func<IReadOnlyCollection<string>, CancellationToken, Task<TableVersion>> CheckRollback { get; init; }
    public required TopicIdentities Identities { get; init; }
    public required TopicPolicies Policies { get; init; }
    public required SchemaKeeper Schemas { get; init; }
    public required HotBuffer Hot { get; init; }
    public required TableMemory Memory { get; init; }
    public required FlushRetry Retry { get; init; }
    public required ILogger Logger { get; init; }
    public required Func<CancellationToken, Task> FlushAsync { get; init; }
    /// <summary>Cancelled when reading stops: nothing need be assigned any more.</summary>
    public required Func<CancellationToken> Stopping { get; init; }
    public required Action<Exception> OnFailed { get; init; }
    public required Action OnAssigned { get; init; }
}
