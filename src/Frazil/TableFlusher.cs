using System.Collections.Immutable;
using Frazil.Commit;
using Frazil.Config;
using Frazil.DeadLetters;
using Frazil.Faults;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil;

/// <summary>
/// Decides when sealed batches become files, writes several flushes at once, and commits them strictly in the order they were sealed, so
/// that the table only ever covers a contiguous prefix of each partition. A failed flush keeps its rows and retries while ingest and
/// queries go on.
/// </summary>
internal sealed class TableFlusher
{
    /// <summary>Flushes being written or committed at once; the next one waits, which lets the flush size adapt to a slow store.</summary>
    private const int MostInFlight = 2;

    /// <summary>How long a step that was cancelled may take to notice: a store that hangs must not keep the process.</summary>
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(5);

    /// <summary>While the table holds anything: memory that other tables take makes it due earlier, which nobody tells.</summary>
    private static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(1);

    private readonly TableFlusherParts parts;
    private readonly HotBufferOptions limits;
    private readonly TimeProvider time;
    private readonly TimeSpan flushAge;
    private readonly Lock gate = new();
    private Task commitTail = Task.CompletedTask;
    private int inFlight;

    public TableFlusher(TableFlusherParts parts, HotBufferOptions limits, TimeProvider time)
    {
        this.parts = parts;
        this.limits = limits;
        this.time = time;
        flushAge = TimeSpan.FromSeconds(limits.FlushIntervalSeconds);
    }

    /// <summary>How long what was committed is kept for lookups. It is a cache: it gives way before fetching has to pause.</summary>
    private TimeSpan KeptFor => parts.Memory.IsHalfFull ? TimeSpan.Zero : TimeSpan.FromSeconds(limits.TtlSeconds);

    /// <summary>Looks at the buffer soon: it may have reached the flush size or the memory limit. Never blocks.</summary>
    public void Wake() => parts.Hot.FlushSignal.Raise();

    /// <summary>The loop that flushes by size, age and memory pressure, and evicts what was committed long enough ago. It sleeps until one of
    /// them is due; a table that holds nothing costs nothing.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var alarm = time.CreateTimer(
            static signal => ((ChangeSignal)signal!).Raise(), parts.Hot.FlushSignal, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        while (!cancellationToken.IsCancellationRequested)
        {
            var raised = parts.Hot.FlushSignal.Next(); // before looking: what comes between a look and the sleep ends the sleep
            EvictExpired();
            if (CanFlush && IsFlushDue())
            {
                Start(cancellationToken).Forget(parts.OnFailed);
            }
            alarm.Change(UntilDue(), Timeout.InfiniteTimeSpan);
            await raised.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Seals everything appended so far; completes when it is committed.</summary>
    public Task FlushAsync(CancellationToken cancellationToken) => Start(cancellationToken);

    /// <summary>Waits, after the loop and the flushes were told to end, until none is under way any more. How they ended was told by them.</summary>
    public async Task EndAsync() => await commitTail.WaitAsync(EndLimit, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>Otherwise the end of a flush is what is waited for.</summary>
    private bool CanFlush => Volatile.Read(ref inFlight) < MostInFlight;

    private bool IsFlushDue()
    {
        var open = parts.Hot.OpenBatches();
        return open.Count > 0
            && (UntilOld(open) <= TimeSpan.Zero
                || parts.Hot.OpenBytes >= (long)limits.FlushSizeMb << 20
                || (parts.Memory.IsUnderPressure && open.Sum(static batch => batch.Bytes) >= parts.Memory.WorthFlushing)
                || (parts.Table.Current is not null && open.Any(static batch => batch.HoldsUnrecordedStart)));
    }

    /// <summary>Until the oldest of some open batches is old enough for a flush.</summary>
    private TimeSpan UntilOld(IReadOnlyList<HotBatch> open) => flushAge - time.GetElapsedTime(open.Min(static batch => batch.PendingSince));

    /// <summary>Until something is due by its age; for ever where nothing is held.</summary>
    private TimeSpan UntilDue()
    {
        var soonest = TimeSpan.MaxValue;
        if (CanFlush && parts.Hot.OpenBatches() is { Count: > 0 } open)
        {
            soonest = UntilOld(open);
        }
        var committed = parts.Hot.Batches.Select(static batch => batch.CommittedAt).Where(static at => at != 0).DefaultIfEmpty(long.MaxValue).Min();
        if (committed != long.MaxValue && KeptFor - time.GetElapsedTime(committed) is var kept && kept < soonest)
        {
            soonest = kept;
        }
        return soonest == TimeSpan.MaxValue ? Timeout.InfiniteTimeSpan
            : soonest >= LongestSleep ? LongestSleep
            : TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(soonest.TotalMilliseconds))); // rounded down it would wake too early, again and again
    }

    private Task Start(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            // Sealing and joining the commit order are one step: two flushes can never swap.
            var flush = new SealedFlush(Guid.CreateVersion7().ToString(), parts.Hot.Seal());
            if (flush.Batches.IsEmpty) // nothing was sealed, or a fence has dropped all of it meanwhile
            {
                return commitTail;
            }
            Interlocked.Increment(ref inFlight);
            var write = Task.Run(() => WriteAsync(flush, cancellationToken), cancellationToken);
            commitTail = CommitInOrderAsync(commitTail, flush, write, cancellationToken);
            return commitTail;
        }
    }

    private async Task<ImmutableArray<FlushedUnit>> WriteAsync(SealedFlush flush, CancellationToken cancellationToken)
    {
        await LogAsync(token => parts.Journal.SealedAsync(flush, token), cancellationToken);
        await parts.Table.Identities!.ConfirmAsync(
            [.. flush.Batches.Select(static batch => batch.Partition.Topic).Distinct()], parts.Table.Current, cancellationToken);
        var units = await parts.Retry.RunAsync("write", token => parts.Writer.WriteAsync(flush, token), cancellationToken);
        await LogAsync(token => parts.Journal.WrittenAsync(flush, units, token), cancellationToken);
        flush.IsLogged = true;
        return units;
    }

    private async Task CommitInOrderAsync(
        Task previous, SealedFlush flush, Task<ImmutableArray<FlushedUnit>> write, CancellationToken cancellationToken)
    {
        try
        {
            var started = time.GetTimestamp();
            var units = await write;
            await previous;
            var lettersDone = await parts.Retry.RunAsync("dead letters", token => parts.DeadLetters.CommitAsync(flush, token), cancellationToken);
            FaultPoint.Reach("deadletters.committed");
            await LogAsync(token => parts.Journal.CommittingAsync(flush, units, token), cancellationToken);
            var outcome = await parts.Retry.RunAsync("commit", token => CommitAsync(flush, units, token), cancellationToken);
            await CompleteAsync(flush, units, outcome, cancellationToken);
            parts.Metrics.CountFlush(time.GetElapsedTime(started));
            parts.Logger.FlushDone(
                parts.Table.Name, flush.Id, flush.Batches.Sum(static batch => batch.RowCount), units.Sum(static unit => unit.Files.Length),
                lettersDone, outcome.SnapshotId, (long)time.GetElapsedTime(started).TotalMilliseconds);
        }
        catch (RowsOutgrownException error)
        {
            await previous;
            await ReadAgainAsync(flush, error, cancellationToken);
        }
        catch when (!flush.IsLogged)
        {
            // Never offered to the catalog, and a restart would not know of the files.
            await parts.Writer.DiscardAsync(flush);
            throw;
        }
        finally
        {
            flush.Dispose();
            Interlocked.Decrement(ref inFlight);
            Wake();
        }
    }

    /// <summary>In its turn, when what was read before it is in the table.</summary>
    private async Task ReadAgainAsync(SealedFlush flush, RowsOutgrownException error, CancellationToken cancellationToken)
    {
        parts.Logger.RowsOutgrown(parts.Table.Name, flush.Id, error.Message);
        await parts.Writer.DiscardAsync(flush);
        parts.OnFenced(new([.. flush.Batches.Where(static batch => !batch.IsDropped)], []));
        await LogAsync(token => parts.Journal.CompletedAsync(flush.Id, "outgrown", 0, token), cancellationToken);
    }

    /// <summary>The commit is made, whatever the log says from here on: a failure to write it down is tried again, but commits nothing
    /// again.</summary>
    private async Task CompleteAsync(
        SealedFlush flush, ImmutableArray<FlushedUnit> units, CommitOutcome outcome, CancellationToken cancellationToken)
    {
        var committed = units.Where(unit => unit.Batches.All(static batch => batch.CommittedAt != 0)).ToList();
        if (outcome.SnapshotId is { } snapshotId)
        {
            await LogAsync(
                token => parts.Journal.CommittedAsync(flush.Id, snapshotId, committed.Select(static unit => unit.ToCommitUnit()), token),
                cancellationToken);
        }
        var rows = committed.Sum(static unit => unit.Batches.Sum(static batch => batch.RowCount));
        await LogAsync(
            token => parts.Journal.CompletedAsync(flush.Id, committed.Count > 0 ? "committed" : "fenced", rows, token), cancellationToken);
    }

    private Task LogAsync(Func<CancellationToken, Task> append, CancellationToken cancellationToken) => parts.Retry.RunAsync<bool>(
        "transaction log",
        async token =>
        {
            await append(token);
            return true;
        },
        cancellationToken);

    private async Task<CommitOutcome> CommitAsync(SealedFlush flush, ImmutableArray<FlushedUnit> units, CancellationToken cancellationToken)
    {
        var live = units.Where(static unit => unit.Batches.All(static batch => !batch.IsDropped)).ToImmutableArray();
        if (!flush.WasOffered)
        {
            await parts.Writer.DeleteAsync(units.Except(live).SelectMany(static unit => unit.Files).Select(static file => file.File));
        }
        ReadAgainWhatIsLeft(units.Except(live));
        if (live.IsEmpty)
        {
            return new(null, [], FencedFilesAreOurs: true);
        }
        flush.WasOffered = true;
        var outcome = await parts.Table.Committer.CommitAsync(
            new(flush.Id, [.. live.Select(static unit => unit.ToCommitUnit())]), cancellationToken);
        foreach (var unit in live)
        {
            Settle(unit, outcome);
        }
        if (outcome.FencedFilesAreOurs)
        {
            await parts.Table.Committer.DeleteUnusedAsync(outcome.Fenced.SelectMany(static unit => unit.Files));
        }
        return outcome;
    }

    /// <summary>A unit of several partitions goes with any of them that moved on without us. The others did not, and their rows are nowhere
    /// else.</summary>
    private void ReadAgainWhatIsLeft(IEnumerable<FlushedUnit> dropped)
    {
        foreach (var unit in dropped)
        {
            var left = unit.Batches.RemoveAll(static batch => batch.IsDropped);
            if (!left.IsEmpty)
            {
                parts.OnFenced(unit with { Batches = left });
            }
        }
    }

    private void Settle(FlushedUnit unit, CommitOutcome outcome)
    {
        if (outcome.IsFenced(unit.Batches[0].Partition))
        {
            parts.OnFenced(unit);
            return;
        }
        parts.OnCommitted(unit.Batches);
        foreach (var batch in unit.Batches)
        {
            batch.MarkCommitted(outcome.SnapshotId, time.GetTimestamp());
            parts.Metrics.CountCommittedRows(batch.RowCount);
        }
    }

    private void EvictExpired()
    {
        parts.Hot.EvictCommitted(time.GetTimestamp() - (long)(KeptFor.TotalSeconds * time.TimestampFrequency));
    }
}

/// <summary>What a flusher works with; all of one table.</summary>
internal sealed record TableFlusherParts
{
    public required LakeTable Table { get; init; }
    public required HotBuffer Hot { get; init; }
    public required StepRetry Retry { get; init; }
    public required FlushWriter Writer { get; init; }
    public required DeadLetterSink DeadLetters { get; init; }
    public required FlushJournal Journal { get; init; }
    public required TableMemory Memory { get; init; }
    public required TableMetrics Metrics { get; init; }
    public required ILogger Logger { get; init; }
    /// <summary>These batches are in the table now.</summary>
    public required Action<IReadOnlyList<HotBatch>> OnCommitted { get; init; }
    /// <summary>A unit's partitions moved on without us: drop what is buffered of them and read again from where the table is.</summary>
    public required Action<FlushedUnit> OnFenced { get; init; }
    /// <summary>The pipeline cannot go on.</summary>
    public required Action<Exception> OnFailed { get; init; }
}
