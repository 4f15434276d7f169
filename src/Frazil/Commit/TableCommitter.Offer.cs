using Frazil.Config;
using Frazil.Faults;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Frazil.Telemetry;

namespace Frazil.Commit;

/// <summary>What every commit has in common: staging, the swap and what its errors mean, what is cleared away after it, and the look at a
/// table that was set back.</summary>
internal sealed partial class TableCommitter
{
    private readonly ReferencedFiles references = new(catalog, state.Identifier, new(catalog.FileIO, 16 * 1024 * 1024));

    /// <summary>Deletes data files of a commit that did not happen: only those that no version of the table names, and none where that
    /// cannot be told. Never throws: what stays is left for the sweep.</summary>
    public async Task DeleteUnusedAsync(IEnumerable<DataFile> files)
    {
        var locations = files.Select(static file => file.Path).ToList();
        try
        {
            if (await references.DeleteOthersAsync(locations) is var deleted && deleted < locations.Count)
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
        => references.DeleteOthersAsync(locations, ReferencedFiles.Always, cancellationToken);

    /// <summary>Looks at a table before anything is read for it: whether other hands set it back, and what the configuration says about
    /// that.</summary>
    /// <param name="topics">Topics that are about to be read, whose ids were asked for; null for all that the table has progress of.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="PipelineFailedException">They did, and it says to stop.</exception>
    public Task<TableVersion> CheckRollbackAsync(IReadOnlyCollection<string>? topics, CancellationToken cancellationToken)
        => EnqueueAsync(
            token => RetryAsync<TableVersion>(async (version, next) => await AgreeingAsync(version, topics, next), token), cancellationToken);

    /// <summary>The version, or the one after it in which progress and rows of these topics agree.</summary>
    private async Task<TableVersion> AgreeingAsync(TableVersion version, IEnumerable<string>? topics, CancellationToken cancellationToken)
    {
        var asked = topics?.ToHashSet(StringComparer.Ordinal);
        while (await PutBackAsync(version, asked, cancellationToken))
        {
            version = (await state.RefreshAsync(cancellationToken))!;
        }
        return version;
    }

    /// <returns>True where progress was put back to what the rows reach to, or may have been: look at the table anew.</returns>
    private async Task<bool> PutBackAsync(TableVersion version, IReadOnlySet<string>? topics, CancellationToken cancellationToken)
    {
        if (onRollback == OnRollback.GoOn || TableRollback.Find(version, topics, IsAnother) is not { Count: > 0 } parted)
        {
            return false;
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
        bool IsAnother(string topic, string? id) => identities?.IsAnother(topic, id) ?? false;
        logger.ReadingAgain(what);
        var (requirements, updates) = TableRollback.PutBack(version, parted);
        try
        {
            state.Set(await catalog.CommitTableAsync(state.Identifier, requirements, updates, cancellationToken));
        }
        catch (CommitStateUnknownException)
        {
            // It is looked for in the next version, and made only if it is not there.
        }
        return true;
    }

    /// <summary>Writes the manifests of one attempt. Where that fails nothing was offered yet, and nothing stays.</summary>
    private static async Task<StagedSnapshot> StageAsync(SnapshotOperation operation, TableVersion version, CancellationToken cancellationToken)
    {
        try
        {
            return await operation.StageAsync(version.Metadata, cancellationToken);
        }
        catch
        {
            try
            {
                await operation.DiscardAsync(CancellationToken.None);
            }
            catch (Exception second) when (second is IOException or UnauthorizedAccessException)
            {
                // The store fails either way; manifests that nothing names are left for the sweep.
            }
            throw;
        }
    }

    /// <summary>Asks the catalog for the swap. True: it is made, durable, and whatever else fails now changes nothing about it. False:
    /// nobody knows, and the next round looks for it. Thrown: it was certainly not made, and what was staged is gone.</summary>
    /// <exception cref="CommitConflictException">Another was first.</exception>
    /// <exception cref="ValidationException">It never can be.</exception>
    private async Task<bool> OfferAsync(
        SnapshotOperation operation, StagedSnapshot staged, string flushId, string point, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        try
        {
            var table = await catalog.CommitTableAsync(state.Identifier, staged.Requirements, staged.Updates, cancellationToken);
            FaultPoint.Reach($"{point}.swapped");
            await SettleAsync(operation, staged, table, time.GetElapsedTime(started));
            return true;
        }
        catch (Exception error)
        {
            var kind = CommitErrors.KindOf(error);
            if (kind != CommitError.Unknown && await IsCertainlyNotThereAsync(operation))
            {
                throw;
            }
            unanswered.Add(flushId);
            logger.CommitAnswerLost(state.Identifier.ToString(), flushId, error.Message);
            if (kind == CommitError.Unknown && error is not CommitStateUnknownException)
            {
                throw;
            }
            return false;
        }
    }

    /// <summary>The commit stands. What follows from it is done as far as it can be, and told where it cannot.</summary>
    private async Task SettleAsync(SnapshotOperation operation, StagedSnapshot staged, LoadedTable table, TimeSpan elapsed)
    {
        try
        {
            state.Set(table);
            metrics.CountCommit(elapsed);
            await operation.CleanAsync(staged, CancellationToken.None);
        }
        catch (Exception error)
        {
            logger.AfterCommitFailed(state.Identifier.ToString(), staged.Snapshot.SnapshotId, error.Message);
        }
    }

    /// <summary>Also a definite answer is looked up before anything is deleted: a proxy that sent the commit twice answers the second one
    /// with a conflict.</summary>
    private async Task<bool> IsCertainlyNotThereAsync(SnapshotOperation operation)
    {
        try
        {
            return await operation.TryDiscardAsync(catalog, state.Identifier, CancellationToken.None);
        }
        catch (Exception error)
        {
            logger.UnusedFilesLeft(state.Identifier.ToString(), 1, error.Message);
            return false;
        }
    }

    private async Task<bool> IsAnyNamedAsync(IEnumerable<DataFile> files, CancellationToken cancellationToken)
        => (await references.FindAsync([.. files.Select(static file => file.Path)], ReferencedFiles.Always, cancellationToken)).Count > 0;

    private static Snapshot? SnapshotOf(string flushId, TableMetadata metadata)
        => metadata.Snapshots.LastOrDefault(one => one.Summary.GetValueOrDefault(TableProgress.FlushIdKey) == flushId);
}
