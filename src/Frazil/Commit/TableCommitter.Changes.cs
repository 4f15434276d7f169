using Frazil.Faults;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Telemetry;

namespace Frazil.Commit;

/// <summary>What all changes have in common, and the two that are of metadata alone.</summary>
internal sealed partial class TableCommitter
{
    /// <summary>Logs, counts and fault points of a change.</summary>
    /// <param name="owner">The committer.</param>
    /// <param name="id">Names it for ever: its flush id.</param>
    /// <param name="kind">Names its fault points: <c>KIND.staged</c>, <c>KIND.swapped</c>.</param>
    private abstract class CommitterChange<T>(TableCommitter owner, string id, string kind) : TableChange<T> where T : class
    {
        public override string Id => id;

        protected TableCommitter Owner => owner;

        private string Table => owner.state.Identifier.ToString();

        public override void OnStaged() => FaultPoint.Reach($"{kind}.staged");

        public override void OnAnswered() => FaultPoint.Reach($"{kind}.swapped");

        public override void OnCommitted(LoadedTable table, TimeSpan elapsed)
        {
            owner.state.Set(table);
            owner.metrics.CountCommit(elapsed);
        }

        public override void OnConflict(int attempt, CommitConflictException error) => owner.logger.CommitConflict(Table, attempt, error.Message);

        public override void OnAnswerLost(Exception error) => owner.logger.CommitAnswerLost(Table, id, error.Message);

        public override void OnAfterwardsFailed(Snapshot snapshot, Exception error)
            => owner.logger.AfterCommitFailed(Table, snapshot.SnapshotId, error.Message);

        public override void OnFilesLeft(Exception error) => owner.logger.UnusedFilesLeft(Table, 1, error.Message);

        /// <summary>The very version, with its progress.</summary>
        /// <exception cref="PipelineFailedException">Tables of its format version are not written.</exception>
        protected TableVersion See(LoadedTable version)
        {
            TableCompatibility.CheckVersion(version.Metadata, version.Identifier);
            return owner.state.Of(version);
        }

        protected void NoteFound(long? snapshotId) => owner.logger.CommitFoundAfterLostAnswer(Table, id, snapshotId ?? 0);
    }

    /// <summary>A change of metadata is found by planning it again: it is made where a version shows that it is not there.</summary>
    private abstract class MetadataChange(TableCommitter owner, string kind) : CommitterChange<TableVersion>(owner, kind, kind)
    {
        public override Task<TableVersion?> FindAsync(LoadedTable version, CancellationToken cancellationToken)
            => Task.FromResult<TableVersion?>(null);

        public override Task<PlannedChange<TableVersion>> PlanAsync(LoadedTable version, bool mayHaveHappened, CancellationToken cancellationToken)
            => PlanAsync(See(version), cancellationToken);

        protected abstract Task<PlannedChange<TableVersion>> PlanAsync(TableVersion version, CancellationToken cancellationToken);
    }

    private sealed class SchemaChange(
        TableCommitter owner, Func<TableVersion, (IReadOnlyList<TableRequirement> Requirements, IReadOnlyList<TableUpdate> Updates)?> change)
        : MetadataChange(owner, "schema")
    {
        protected override Task<PlannedChange<TableVersion>> PlanAsync(TableVersion version, CancellationToken cancellationToken)
            => Task.FromResult(change(version) is { } wanted ? NewMetadata(wanted.Requirements, wanted.Updates, Owner.state.Set) : Nothing(version));

        public override void OnUpdated() => FaultPoint.Reach("schema.swapped");
    }

    /// <summary>A look for rows that other hands set back; what it commits, if anything, puts the progress back.</summary>
    private sealed class RollbackLook(TableCommitter owner, IReadOnlyCollection<string>? topics) : MetadataChange(owner, "rollback")
    {
        protected override async Task<PlannedChange<TableVersion>> PlanAsync(TableVersion version, CancellationToken cancellationToken)
            => await Owner.FindPutBackAsync(version, topics, cancellationToken) is { } back ? NewMetadata(back.Requirements, back.Updates) : Nothing(version);
    }
}
