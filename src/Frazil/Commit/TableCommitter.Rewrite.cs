using Frazil.Faults;
using Frazil.Iceberg;
using Frazil.Telemetry;

namespace Frazil.Commit;

/// <summary>Commits that replace files and move no progress: the same queue, the same retries, the same look for a lost answer.</summary>
internal sealed partial class TableCommitter
{
    /// <summary>Replaces files in one commit, validated against the very version it is built on, at every attempt. On return it is
    /// durable.</summary>
    /// <returns>The snapshot that holds it.</returns>
    /// <exception cref="StaleRewriteException">The rewrite no longer fits the table; nothing was committed.</exception>
    /// <exception cref="CommitConflictException">Others kept winning; nothing was committed, try again.</exception>
    /// <exception cref="CommitStateUnknownException">The answer was lost and the catalog cannot be asked now; it may be in the
    /// table.</exception>
    public async Task<long> RewriteAsync(TableRewrite rewrite, CancellationToken cancellationToken)
    {
        var done = await EnqueueAsync(token => KnownRewriteAsync(rewrite, token), cancellationToken);
        return done.SnapshotId;
    }

    /// <summary>Where an attempt went unanswered, no later failure says that it did not happen.</summary>
    private async Task<Snapshot> KnownRewriteAsync(TableRewrite rewrite, CancellationToken cancellationToken)
    {
        try
        {
            return await RetryAsync((version, next) => TryRewriteAsync(rewrite, version, next), cancellationToken);
        }
        catch (Exception error) when (error is StaleRewriteException or CommitConflictException && unanswered.Contains(rewrite.FlushId))
        {
            throw new CommitStateUnknownException(
                $"the catalog did not answer the commit {rewrite.FlushId} of {state.Identifier}, and then: {error.Message}", error);
        }
    }

    private async Task<Snapshot?> TryRewriteAsync(TableRewrite rewrite, TableVersion version, CancellationToken cancellationToken)
    {
        if (unanswered.Contains(rewrite.FlushId) && await FindRewriteAsync(rewrite, version, cancellationToken) is { } found)
        {
            unanswered.Remove(rewrite.FlushId);
            logger.CommitFoundAfterLostAnswer(state.Identifier.ToString(), rewrite.FlushId, found.SnapshotId);
            return found;
        }
        await rewrite.Validate(version, cancellationToken);
        var overwrite = new OverwriteFiles(manifests, rewrite.Start, time) { Branch = rewrite.Branch }.SetSummary(
            TableProgress.FlushIdKey, rewrite.FlushId);
        foreach (var (key, value) in rewrite.Summary)
        {
            overwrite.SetSummary(key, value);
        }
        foreach (var file in rewrite.Removed)
        {
            overwrite.Remove(file);
        }
        foreach (var file in rewrite.Added)
        {
            overwrite.Add(file);
        }
        return await OfferAsync(rewrite, overwrite, version, cancellationToken);
    }

    private async Task<Snapshot?> OfferAsync(
        TableRewrite rewrite, OverwriteFiles overwrite, TableVersion version, CancellationToken cancellationToken)
    {
        try
        {
            var staged = await StageAsync(overwrite, version, cancellationToken);
            FaultPoint.Reach($"{rewrite.Kind}.staged");
            return await OfferAsync(overwrite, staged, rewrite.FlushId, rewrite.Kind, cancellationToken) ? staged.Snapshot : null;
        }
        catch (ValidationException error)
        {
            throw new StaleRewriteException(error.Message, error);
        }
        catch (Exception error) when (unanswered.Contains(rewrite.FlushId) && CommitErrors.KindOf(error) == CommitError.Unknown)
        {
            return null; // nobody tries a rewrite again from outside: it is looked for here
        }
    }

    /// <summary>By its flush id; or, where a foreign expiry removed that snapshot, by a file that only this commit can have added.</summary>
    private async Task<Snapshot?> FindRewriteAsync(TableRewrite rewrite, TableVersion version, CancellationToken cancellationToken)
        => SnapshotOf(rewrite.FlushId, version.Metadata)
            ?? (version.Metadata.SnapshotByRef(rewrite.Branch) is { } head && await IsAnyNamedAsync(rewrite.Added, cancellationToken) ? head : null);
}
