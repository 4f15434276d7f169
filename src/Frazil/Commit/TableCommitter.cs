using System.Collections.Immutable;
using Frazil.Config;
using Frazil.Faults;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil.Commit;

/// <summary>
/// The only place that commits to a table. What it holds:
/// (1) files and progress are one atomic commit (invariant 1);
/// (2) a unit is committed only while the table records exactly the offset that the unit begins at, checked against the very version that
/// the
///     commit is built on, at every attempt (invariant 2); whoever is not contiguous is fenced, for ever;
/// (3) a commit whose answer was lost is looked up by its flush id, by the progress it would have made and by its files, before anything
/// else (invariant 3); what an error means is said in one place (<see cref="CommitErrors"/>), and nothing throws after the swap;
/// (4) one commit of a table at a time in this process: ingest, schema changes and maintenance pass through one queue (invariant 7);
/// (5) no file is deleted that a version of the table names, whatever the answer to its commit was (<see cref="ReferencedFiles"/>);
/// (6) progress that is ahead of the rows, because other hands set the table back, is never built on.
/// </summary>
internal sealed partial class TableCommitter(
    ICatalog catalog, TableState state, TableMetrics metrics, TimeProvider time, ILogger logger, TopicIdentities? identities = null,
    OnRollback onRollback = OnRollback.Stop)
{
    private readonly ManifestCache manifests = new(catalog.FileIO);
    private readonly SemaphoreSlim queue = new(1, 1);

    /// <summary>Flushes whose commit may have reached the catalog without an answer. Guarded by <see cref="queue"/>.</summary>
    private readonly HashSet<string> unanswered = [];

    /// <summary>Commits what is contiguous and names what is fenced. On return the committed units are durable and visible to every
    /// engine.</summary>
    /// <exception cref="CommitConflictException">Others kept winning for as long as the table's <c>commit.retry.*</c> properties allow; try
    /// again.</exception>
    /// <exception cref="CommitStateUnknownException">The answer was lost and the catalog cannot be asked now; try again with the same flush
    /// id.</exception>
    /// <exception cref="PipelineFailedException">The table is gone, another one, of a version that cannot be written, or was set
    /// back.</exception>
    public Task<CommitOutcome> CommitAsync(TableCommit commit, CancellationToken cancellationToken)
        => EnqueueAsync(token => RetryAsync((version, next) => TryCommitAsync(commit, version, next), token), cancellationToken);

    /// <summary>Commits metadata changes that move no progress: <paramref name="change"/> sees each version tried, and returns null when it
    /// needs nothing changed.</summary>
    public Task<TableVersion> ChangeAsync(
        Func<TableVersion, (IReadOnlyList<TableRequirement> Requirements, IReadOnlyList<TableUpdate> Updates)?> change,
        CancellationToken cancellationToken)
        => EnqueueAsync(token => RetryAsync<TableVersion>(async (version, next) =>
        {
            if (change(version) is not { } wanted)
            {
                return version;
            }
            try
            {
                var table = await catalog.CommitTableAsync(state.Identifier, wanted.Requirements, wanted.Updates, next);
                FaultPoint.Reach("schema.swapped");
                return state.Set(table);
            }
            catch (CommitStateUnknownException)
            {
                return null; // the change is looked for in the next version, and made only if it is not there
            }
        }, token), cancellationToken);

    private async Task<T> EnqueueAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        await queue.WaitAsync(cancellationToken);
        try
        {
            return await work(cancellationToken);
        }
        finally
        {
            queue.Release();
        }
    }

    /// <summary>Runs attempts, each on a fresh version, until one returns something; conflicts wait as the table's properties
    /// say.</summary>
    private async Task<T> RetryAsync<T>(Func<TableVersion, CancellationToken, Task<T?>> attempt, CancellationToken cancellationToken)
        where T : class
    {
        var started = time.GetTimestamp();
        for (var retries = 0; ; retries++)
        {
            var version = await state.RefreshAsync(cancellationToken)
                ?? throw new PipelineFailedException($"table {state.Identifier} does not exist; it was never created here");
            TableCompatibility.CheckVersion(version.Metadata, state.Identifier);
            var limits = version.Metadata.TableProperties;
            var isLast = retries >= limits.CommitRetries || time.GetElapsedTime(started) >= limits.CommitRetryTotal;
            try
            {
                if (await attempt(version, cancellationToken) is { } done)
                {
                    return done;
                }
                if (isLast)
                {
                    throw new CommitStateUnknownException(
                        $"the catalog took {retries + 1} commits of {state.Identifier} without an answer that can be trusted");
                }
            }
            catch (CommitConflictException error) when (!isLast)
            {
                logger.CommitConflict(state.Identifier.ToString(), retries + 1, error.Message);
            }
            await Task.Delay(RetryDelay(limits, retries + 1), time, cancellationToken);
        }
    }

    private async Task<CommitOutcome?> TryCommitAsync(TableCommit commit, TableVersion version, CancellationToken cancellationToken)
    {
        var isUnanswered = commit.MayHaveHappened || unanswered.Contains(commit.FlushId);
        if (isUnanswered && await FindCommittedAsync(commit, version, cancellationToken) is { } found)
        {
            unanswered.Remove(commit.FlushId);
            logger.CommitFoundAfterLostAnswer(state.Identifier.ToString(), commit.FlushId, found.SnapshotId ?? 0);
            return found;
        }
        version = await AgreeingAsync(
            version, commit.Units.SelectMany(static unit => unit.Steps).Select(static step => step.Partition.Topic), cancellationToken);
        var isStale = commit.MadeFrom is { } seen && seen.Metadata.CurrentSnapshotId != version.Metadata.CurrentSnapshotId;
        var contiguous = commit.Units.Where(unit => !isStale && IsContiguous(unit, version.Progress)).ToImmutableArray();
        var fenced = commit.Units.RemoveRange(contiguous);
        foreach (var step in fenced.SelectMany(static unit => unit.Steps).Where(step => version.Progress.NextOffset(step.Partition) != step.Recorded))
        {
            logger.CommitFenced(
                state.Identifier.ToString(), step.Partition.ToString(), step.Recorded ?? -1,
                version.Progress.NextOffset(step.Partition) ?? -1);
        }
        if (contiguous.IsEmpty)
        {
            return new(null, fenced, FencedFilesAreOurs: !isUnanswered);
        }
        var snapshotId = await AppendAsync(commit.FlushId, contiguous, version, cancellationToken);
        return snapshotId is null ? null : new(snapshotId, fenced, FencedFilesAreOurs: !isUnanswered);
    }

    /// <summary>One attempt. Null when its answer was lost: the next round looks for it.</summary>
    private async Task<long?> AppendAsync(
        string flushId, ImmutableArray<CommitUnit> units, TableVersion version, CancellationToken cancellationToken)
    {
        var steps = units.SelectMany(static unit => unit.Steps).ToList();
        var progress = version.Progress.With(steps.Select(static step => KeyValuePair.Create(step.Partition, step.Next)));
        var properties = progress.ToProperties(steps.Select(static step => step.Partition.Topic));
        var append = new AppendFiles(manifests, time).SetSummary(TableProgress.FlushIdKey, flushId);
        foreach (var file in units.SelectMany(static unit => unit.Files))
        {
            append.Add(file);
        }
        foreach (var (key, value) in properties)
        {
            append.SetProperty(key, value).SetSummary(key, value);
        }
        foreach (var (key, value) in TableGaps.Parse(version.Metadata.Properties).ChangedBy(steps))
        {
            append.SetProperty(key, value).SetSummary(key, value);
        }
        Identify(append, steps, version);
        var staged = await StageAsync(append, version, cancellationToken);
        FaultPoint.Reach("commit.staged");
        return await OfferAsync(append, staged, flushId, "commit", cancellationToken) ? append.SnapshotId : null;
    }

    /// <summary>Which topics these are, and which snapshot it is that moves their progress.</summary>
    private void Identify(AppendFiles append, IReadOnlyCollection<ProgressStep> steps, TableVersion version)
    {
        var topics = steps.Select(static step => step.Partition.Topic).Distinct().ToList();
        var ids = identities?.Known(topics, version).ToDictionary() ?? [];
        foreach (var (key, value) in identities?.Unrecorded(topics, version) ?? [])
        {
            append.SetProperty(key, value);
        }
        foreach (var (key, value) in ids)
        {
            append.SetSummary(key, value);
        }
        foreach (var topic in topics)
        {
            var mark = new ProgressSnapshot(
                append.SnapshotId, version.Metadata.LastSequenceNumber + 1, ids.GetValueOrDefault(TopicIdentities.PropertyPrefix + topic));
            append.SetProperty(ProgressSnapshot.PropertyPrefix + topic, mark.ToJson());
        }
    }

    /// <summary>Looks for an unanswered commit: by its flush id in any snapshot that the table still has; where a foreign expiry removed
    /// that, by progress that only a contiguous commit could have made, or by a file that only this commit can have added.</summary>
    private async Task<CommitOutcome?> FindCommittedAsync(TableCommit commit, TableVersion version, CancellationToken cancellationToken)
    {
        var snapshot = SnapshotOf(commit.FlushId, version.Metadata);
        var covered = commit.Units.Where(unit => IsCovered(unit, version.Progress)).ToImmutableArray();
        var isFound = snapshot is not null || (covered.Length == commit.Units.Length && commit.MadeFrom is null)
            || await IsAnyNamedAsync(commit.Units.SelectMany(static unit => unit.Files), cancellationToken);
        return isFound
            ? new(snapshot?.SnapshotId ?? version.Metadata.CurrentSnapshotId, commit.Units.RemoveRange(covered), FencedFilesAreOurs: false)
            : null;
    }

    private static bool IsContiguous(CommitUnit unit, TableProgress progress)
        => unit.Steps.All(step => progress.NextOffset(step.Partition) == step.Recorded);

    private static bool IsCovered(CommitUnit unit, TableProgress progress)
        => unit.Steps.All(step => progress.NextOffset(step.Partition) >= step.Next);

    /// <summary>Doubles from the least wait to the most, with jitter so that rivals do not meet again.</summary>
    private static TimeSpan RetryDelay(TableProperties properties, int conflicts)
    {
        var longest = Math.Min(
            properties.CommitRetryMinWait.TotalMilliseconds * Math.Pow(2, conflicts - 1), properties.CommitRetryMaxWait.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(longest * (0.5 + (Random.Shared.NextDouble() / 2)));
    }
}
