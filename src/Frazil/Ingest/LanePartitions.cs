using System.Collections.Immutable;
using Frazil.Commit;
using Frazil.Config;
using Frazil.DeadLetters;
using Frazil.Hot;
using Frazil.Kafka;
using Frazil.Maintain;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil.Ingest;

/// <summary>
/// The partitions of one table: from where they are read, and what happens when that changes. A position is always the table's own
/// progress, asked for at the moment of assignment; Kafka's group offsets are written as a courtesy and never read.
/// </summary>
internal sealed class LanePartitions(LanePartitionsParts parts)
{
    private ImmutableDictionary<TopicPartition, SeenOffsets> letters = ImmutableDictionary<TopicPartition, SeenOffsets>.Empty;

    public int Count => parts.Hot.PartitionCount;

    /// <summary>Records between what was read and the ends of the partitions; -1 while any end is unknown.</summary>
    public long Lag()
    {
        long lag = 0;
        foreach (var partition in parts.Hot.Partitions)
        {
            if (parts.Source.Consumer?.CachedWatermarks(partition.Partition) is not { } ends || partition.NextOffset < 0)
            {
                return -1;
            }
            lag += Math.Max(0, ends.High - partition.NextOffset);
        }
        return lag;
    }

    /// <summary>What must be known before the table's partitions can begin: its progress, and whether the topics are still those it was fed
    /// from.</summary>
    /// <exception cref="PipelineFailedException">A topic is not the one that the table was fed from.</exception>
    public async Task<TableProgress?> PrepareAsync(IReadOnlyList<string> topics)
    {
        await parts.Retry.RunAsync("opening the table", OpenAsync, parts.Lane.Ending);
        var policies = parts.Policies.AskAsync(topics);
        var version = await ReadProgressAsync();
        await VerifyAsync(topics);
        if (version is not null)
        {
            version = await parts.Retry.RunAsync(
                "looking for a rollback", token => parts.Table.Committer.CheckRollbackAsync(topics, token), parts.Lane.Ending);
        }
        await policies;
        await FindLettersAsync(topics, version?.Progress);
        return version?.Progress;
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

    /// <summary>Another writer moved the table past us, or set it back: forget what is buffered of these partitions and read again from where the
    /// table is.</summary>
    public void ReadAgain(IReadOnlyCollection<TopicPartition> partitions)
    {
        foreach (var partition in partitions)
        {
            parts.Hot.Abandon(partition);
            parts.Hot.DropBeyond(partition, parts.Table.Current?.Progress.NextOffset(partition) ?? 0);
        }
        Task.Run(() => ReadAgainAsync([.. partitions.Where(partition => Find(partition) is not null)])).Forget(parts.Lane.Fail);
    }

    /// <summary>The log does not hold the offset that comes next. Below its beginning (retention): the gap is told and reading goes on
    /// there. Beyond its end: the topic is another one or was cut, and nothing is spliced.</summary>
    public void RecoverPosition(TopicPartition partition, long nextOffset)
        => Task.Run(() => RecoverPositionAsync(partition, nextOffset)).Forget(parts.Lane.Fail);

    /// <summary>Tells the group how far the table is: for lag tools only.</summary>
    public void NoteCommitted(IReadOnlyList<HotBatch> batches)
        => parts.Source.Consumer?.CommitOffsets([.. batches.Where(batch => Find(batch.Partition) is not null)
            .Select(static batch => new TopicPartitionOffset(batch.Partition, batch.NextOffset))]);

    private async Task ReadAgainAsync(List<TopicPartition> again)
    {
        if (again.Count == 0 || parts.Source.Consumer is not { } consumer)
        {
            return; // nothing of them is held
        }
        await consumer.PauseAsync(again);
        var version = await ReadProgressAsync();
        await FindLettersAsync([.. again.Select(static partition => partition.Topic).Distinct()], version?.Progress);
        await consumer.RestartWhereAsync(
            () => [.. again.Where(partition => Find(partition) is not null).Select(partition => Hold(partition, version?.Progress))]);
    }

    private async Task RecoverPositionAsync(TopicPartition partition, long nextOffset)
    {
        await VerifyAsync([partition.Topic]);
        var consumer = parts.Source.Consumer!;
        var description = consumer.DescribeOutOfRange(partition, nextOffset);
        if (description.Watermarks is { } held && nextOffset > held.High)
        {
            throw new PipelineFailedException(
                $"table {parts.Options.Name}: {description}. Nothing is spliced: if the topic was recreated on purpose, give it a table of its own, or remove "
                + $"the property {TableProgress.PropertyPrefix}{partition.Topic} from the table and start with on_rollback = \"go_on\" to read it from the beginning");
        }
        await consumer.RestartWhereAsync(() => Find(partition) is { NextOffset: >= 0 } held
            ? [new(partition, StartPosition.At(PassRemoved(held, description.Watermarks?.Low ?? 0)), WorkerOf(partition).Queue)]
            : []); // given up, or about to begin by itself
    }

    /// <summary>Progress moves past what was removed at once, also when no record follows: it is in the table with the next commit. On the
    /// consumer's thread: the partition may have been given up and assigned anew since the brokers were asked, and what is passed must be
    /// what this holder has not read.</summary>
    /// <returns>Where it is read on: where its rows and gaps end.</returns>
    private long PassRemoved(HotPartition held, long low)
    {
        WorkerOf(held.Partition).Between(() =>
        {
            if (held.SkipRemoved(low) is { } removed)
            {
                parts.Logger.OffsetsLost(parts.Options.Name, held.Partition.ToString(), removed.First, removed.Last);
            }
        });
        return held.NextOffset;
    }

    /// <summary>What of the records to be read is a dead letter already.</summary>
    private async Task FindLettersAsync(IReadOnlyList<string> topics, TableProgress? progress)
    {
        var found = await parts.Retry.RunAsync(
            "reading dead letters", token => parts.DeadLetters.LettersBeyondAsync(topics, progress, token), parts.Lane.Ending);
        ImmutableInterlocked.Update(
            ref letters, before => before.RemoveRange(before.Keys.Where(partition => topics.Contains(partition.Topic))).SetItems(found));
    }

    private async Task<bool> OpenAsync(CancellationToken cancellationToken)
    {
        await parts.Lane.OpenAsync(cancellationToken);
        return true;
    }

    private Task<TableVersion?> ReadProgressAsync() => parts.Retry.RunAsync("reading progress", parts.Table.RefreshAsync, parts.Lane.Ending);

    /// <exception cref="PipelineFailedException">A topic is not the one that the table was fed from.</exception>
    private Task VerifyAsync(IReadOnlyList<string> topics) => parts.Retry.WaitAsync(
        "asking for topic ids",
        async token =>
        {
            await parts.Table.Identities!.VerifyAsync(topics, parts.Table.Current, token);
            return true;
        },
        parts.Lane.Ending);

    /// <summary>The partition is the table's from now on. On the consumer's thread.</summary>
    public PartitionStart Hold(TopicPartition partition, TableProgress? progress)
    {
        var recorded = progress?.NextOffset(partition);
        var isLater = parts.Lane.CameLater || (progress is not null && IsLater(partition.Topic, progress));
        var first = isLater ? StartPosition.Earliest : ConfiguredStart();
        var held = new HotPartition(partition, recorded, new()
        {
            Hot = parts.Hot,
            Memory = parts.Memory,
            Time = parts.Shared.Time,
            Schema = () => parts.Table.Schemas.Current,
            Declared = () => parts.Table.Schemas.Declared,
            Format = parts.Table.Schemas.Format,
            OnBadRecord = parts.Options.OnBadRecord,
            EvolveSchema = parts.Options.EvolveSchema,
            PinsStart = first != StartPosition.Earliest,
            IsLetter = letters.TryGetValue(partition, out var known) ? known.Contains : null,
            KindOfGap = parts.Policies.KindOf,
        });
        parts.Lane.IsHeldBack = false;
        parts.Hot.Hold(held);
        var worker = WorkerOf(partition);
        worker.Between(() => worker.Set(held, parts.Lane));
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

    private IngestWorker WorkerOf(TopicPartition partition) => parts.Source.WorkerOf(partition);

    private HotPartition? Find(TopicPartition partition) => parts.Hot.Find(partition);
}

/// <summary>What the partitions of one table work with.</summary>
internal sealed record LanePartitionsParts
{
    public required Pipeline Lane { get; init; }
    public required SourceMember Source { get; init; }
    public required TableOptions Options { get; init; }
    public required PipelineShared Shared { get; init; }
    public required LakeTable Table { get; init; }
    public required TopicPolicies Policies { get; init; }
    public required DeadLetterSink DeadLetters { get; init; }
    public required HotBuffer Hot { get; init; }
    public required TableMemory Memory { get; init; }
    public required StepRetry Retry { get; init; }
    public required ILogger Logger { get; init; }
}
