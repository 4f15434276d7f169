using System.Collections.Immutable;
using Frazil.Config;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Manifests;
using Frazil.Kafka;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil.Commit;

/// <summary>
/// The only place that commits to a table. What it holds:
/// (1) files and progress are one atomic commit (invariant 1);
/// (2) a unit is committed only while the table records exactly the offset that the unit begins at, checked against the very version that
/// the commit is built on, at every attempt (invariant 2); whoever is not contiguous is fenced, for ever;
/// (3) a commit whose answer was lost is looked up by its flush id, by the progress it would have made and by its files, before anything
/// else (invariant 3);
/// (4) one commit of a table at a time in this process: ingest, schema changes and maintenance pass through one queue (invariant 7);
/// (5) no file is deleted that a version of the table names, whatever the answer to its commit was;
/// (6) progress that is ahead of the rows, because other hands set the table back, is never built on.
/// The loop over attempts, the queue, what errors mean and what is cleared away are the <see cref="Table"/>'s.
/// </summary>
internal sealed partial class TableCommitter
{
    private readonly TableState state;
    private readonly TableMetrics metrics;
    private readonly ILogger logger;
    private readonly TopicIdentities? identities;
    private readonly OnRollback onRollback;
    private ImmutableHashSet<TopicPartition> setBack = [];

    public TableCommitter(
        TableState state, TableMetrics metrics, ILogger logger, TopicIdentities? identities = null, OnRollback onRollback = OnRollback.Stop)
        => (this.state, this.metrics, this.logger, this.identities, this.onRollback) = (state, metrics, logger, identities, onRollback);

    /// <summary>Told, before the commit returns that found it out, of which partitions the progress was put back to where the rows end: whoever
    /// holds them reads them again from there, also those that nothing is to be committed of.</summary>
    public Action<IReadOnlyCollection<TopicPartition>> OnSetBack { get; set; } = static _ => { };

    /// <summary>Whether rows from Kafka stop the table of which neither its progress nor its history says what they are: reading from the
    /// beginning would double them. Not in a dead-letter table: a replay files letters and moves no progress.</summary>
    public bool StopsAtUntoldRows { get; init; } = true;

    /// <summary>Commits what is contiguous and names what is fenced. On return the committed units are durable and visible to every
    /// engine.</summary>
    /// <exception cref="CommitConflictException">Others kept winning for as long as the table's <c>commit.retry.*</c> properties allow; try
    /// again.</exception>
    /// <exception cref="CommitStateUnknownException">The answer was lost and the catalog cannot be asked now; try again with the same flush
    /// id.</exception>
    /// <exception cref="PipelineFailedException">The table is gone, another one, of a version that cannot be written, or was set
    /// back.</exception>
    public Task<CommitOutcome> CommitAsync(TableCommit commit, CancellationToken cancellationToken)
        => RunAsync(new FlushChange(this, commit), cancellationToken);

    /// <summary>Commits metadata changes that move no progress: <paramref name="change"/> sees each version tried, and returns null when it
    /// needs nothing changed.</summary>
    public Task<TableVersion> ChangeAsync(
        Func<TableVersion, (IReadOnlyList<TableRequirement> Requirements, IReadOnlyList<TableUpdate> Updates)?> change,
        CancellationToken cancellationToken)
        => RunAsync(new SchemaChange(this, change), cancellationToken);

    /// <summary>Looks at a table before anything is read for it: whether other hands set it back, and what the configuration says about
    /// that.</summary>
    /// <param name="topics">Topics that are about to be read, whose ids were asked for; null for all that the table has progress of.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="PipelineFailedException">They did, and it says to stop.</exception>
    public Task<TableVersion> CheckRollbackAsync(IReadOnlyCollection<string>? topics, CancellationToken cancellationToken)
        => RunAsync(new RollbackLook(this, topics), cancellationToken);

    /// <summary>Deletes data files of a commit that did not happen: only those that no version of the table names, and none where that
    /// cannot be told. Never throws: what stays is left for the sweep.</summary>
    public async Task DeleteUnusedAsync(IEnumerable<DataFile> files)
    {
        var locations = files.Select(static file => file.Path).ToList();
        if (locations.Count == 0)
        {
            return;
        }
        try
        {
            if (await state.Table.DeleteUnnamedAsync(locations) is var deleted && deleted < locations.Count)
            {
                logger.FilesInUse(state.Identifier.ToString(), locations.Count - deleted);
            }
        }
        catch (Exception error)
        {
            logger.UnusedFilesLeft(state.Identifier.ToString(), locations.Count, error.Message);
        }
    }

    /// <summary>Deletes those of some data files that no version of the table names.</summary>
    /// <exception cref="IOException">Store or catalog do not answer; files that are named are there whatever happens.</exception>
    public Task<int> DeleteOthersAsync(IReadOnlyCollection<string> locations, CancellationToken cancellationToken)
        => state.Table.DeleteUnnamedAsync(locations, cancellationToken);

    private async Task<T> RunAsync<T>(TableChange<T> change, CancellationToken cancellationToken) where T : class
    {
        if (state.Current is null && await state.RefreshAsync(cancellationToken) is null)
        {
            throw new PipelineFailedException($"table {state.Identifier} does not exist; it was never created here");
        }
        try
        {
            var result = await state.Table.CommitAsync(change, cancellationToken);
            if (Interlocked.Exchange(ref setBack, []) is { IsEmpty: false } partitions)
            {
                OnSetBack(partitions);
            }
            return result;
        }
        catch (TableLostException error)
        {
            throw TableState.ToFailure(error);
        }
    }

    /// <summary>What puts progress back to what the rows reach to; null where they agree, or where the configuration says to go on as it
    /// is.</summary>
    /// <exception cref="PipelineFailedException">They do not, and it says to stop.</exception>
    private async Task<(IReadOnlyList<TableRequirement> Requirements, IReadOnlyList<TableUpdate> Updates)?> FindPutBackAsync(
        TableVersion version, IEnumerable<string>? topics, CancellationToken cancellationToken)
    {
        var asked = topics?.ToHashSet(StringComparer.Ordinal);
        if (onRollback == OnRollback.GoOn || await FindPartedAsync(version, asked, cancellationToken) is not { Count: > 0 } parted)
        {
            return null;
        }
        var what = $"table {state.Identifier}: its rows were set back or its progress was removed by other hands (snapshot {version.Metadata.CurrentSnapshotId?.ToString() ?? "none"}), "
            + $"so that progress and rows no longer agree: {string.Join(", ", parted)}";
        if (onRollback == OnRollback.Stop)
        {
            throw new PipelineFailedException(
                $"{what}. Set on_rollback = \"read_again\" to read the missing records again, or \"go_on\" to go on with the progress as it is, and restart");
        }
        if (parted.Any(static one => !one.IsHeldKnown))
        {
            throw new PipelineFailedException(
                $"{what}. on_rollback = \"read_again\" cannot tell where the rows end, because no snapshot is left that says it: see with `frazil verify --deep` what is missing, "
                + $"set {TableProgress.PropertyPrefix}<topic> to where reading shall go on, remove {ProgressSnapshot.PropertyPrefix}<topic>, and restart");
        }
        logger.ReadingAgain(what);
        ImmutableInterlocked.Update(
            ref setBack, static (known, found) => known.Union(found.Select(static one => one.Partition).Where(static one => one.Partition >= 0)), parted);
        return TableRollback.PutBack(version, parted);
    }

    private async Task<IReadOnlyList<PartedProgress>> FindPartedAsync(
        TableVersion version, HashSet<string>? topics, CancellationToken cancellationToken)
    {
        var parted = TableRollback.Find(version, topics, (topic, id) => identities?.IsAnother(topic, id) ?? false);
        return parted.Count == 0 && StopsAtUntoldRows && topics is not null && TableRollback.IsUntold(version, topics)
            && await HoldsKafkaRowsAsync(version, cancellationToken)
                ? [.. topics.Select(static topic => new PartedProgress(new(topic, -1), null, null, IsHeldKnown: false))]
                : parted;
    }

    /// <summary>Whether rows stand in the table that have an offset. Read from its manifests, and only where nothing else tells.</summary>
    private async Task<bool> HoldsKafkaRowsAsync(TableVersion version, CancellationToken cancellationToken)
    {
        if (version.Metadata.CurrentSchema.FindField(KafkaColumns.Offset) is not { } offset)
        {
            return false;
        }
        var live = await state.Table.Manifests.ReadLiveAsync(version.Metadata.CurrentSnapshot, version.Metadata, cancellationToken);
        return live.Any(entry => entry.File is { Content: FileContent.Data, LowerBounds: { } bounds } && bounds.ContainsKey(offset.Id));
    }

    private async Task<bool> IsAnyNamedAsync(IEnumerable<DataFile> files, CancellationToken cancellationToken)
        => (await state.Table.FindNamedAsync([.. files.Select(static file => file.Path)], cancellationToken)).Count > 0;

    private static Snapshot? SnapshotOf(string flushId, TableMetadata metadata)
        => metadata.Snapshots.LastOrDefault(one => one.Summary.GetValueOrDefault(TableProgress.FlushIdKey) == flushId);
}
