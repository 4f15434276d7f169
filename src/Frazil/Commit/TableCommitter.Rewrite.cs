using System.Collections.Immutable;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;

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
        try
        {
            return (await RunAsync(new RewriteChange(this, rewrite), cancellationToken)).SnapshotId;
        }
        catch (ValidationException error)
        {
            throw new StaleRewriteException(error.Message, error);
        }
    }

    private sealed class RewriteChange(TableCommitter owner, TableRewrite rewrite) : CommitterChange<Snapshot>(owner, rewrite.FlushId, rewrite.Kind)
    {
        /// <summary>By its flush id; or, where a foreign expiry removed that snapshot, by a file that only this commit can have
        /// added.</summary>
        public override async Task<Snapshot?> FindAsync(LoadedTable loaded, CancellationToken cancellationToken)
        {
            var version = See(loaded);
            var found = SnapshotOf(rewrite.FlushId, version.Metadata);
            if (found is null && version.Metadata.SnapshotByRef(rewrite.Branch) is { } head
                && await Owner.IsAnyNamedAsync(rewrite.Added, cancellationToken))
            {
                found = head;
            }
            if (found is not null)
            {
                NoteFound(found.SnapshotId);
            }
            return found;
        }

        public override async Task<PlannedChange<Snapshot>> PlanAsync(
            LoadedTable loaded, bool mayHaveHappened, CancellationToken cancellationToken)
        {
            try
            {
                await rewrite.Validate(See(loaded), cancellationToken);
            }
            catch (StaleRewriteException error) when (mayHaveHappened)
            {
                // Where an attempt went unanswered, no later failure says that it did not happen.
                throw new CommitStateUnknownException(
                    $"the catalog did not answer the commit {rewrite.FlushId} of {loaded.Identifier}, and then: {error.Message}", error);
            }
            return NewSnapshot(rewrite.HoldsSameRows ? Replace() : Overwrite(), static snapshot => snapshot);
        }

        private RewriteFiles Replace()
        {
            var replace = Owner.state.Table.NewRewrite(rewrite.Start!).DropDanglingDeletes();
            foreach (var (key, value) in Summary)
            {
                replace.SetSummary(key, value);
            }
            foreach (var file in rewrite.Removed)
            {
                replace.Remove(file);
            }
            foreach (var file in rewrite.Added)
            {
                replace.Add(file);
            }
            return replace;
        }

        private OverwriteFiles Overwrite()
        {
            var overwrite = Owner.state.Table.NewOverwrite(rewrite.Start, rewrite.Branch);
            foreach (var (key, value) in Summary)
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
            return overwrite;
        }

        private ImmutableDictionary<string, string> Summary => rewrite.Summary.SetItem(TableProgress.FlushIdKey, rewrite.FlushId);
    }
}
