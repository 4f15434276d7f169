using System.Collections.Immutable;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Telemetry;

namespace Frazil.Commit;

/// <summary>Commits of flushes: files and progress, fenced by contiguity.</summary>
internal sealed partial class TableCommitter
{
    private sealed class FlushChange(TableCommitter owner, TableCommit commit) : CommitterChange<CommitOutcome>(owner, commit.FlushId, "commit")
    {
        public override bool MayHaveHappened => commit.MayHaveHappened;

        public override bool IsTriedAgainByCaller => true;

        private IEnumerable<string> Topics
            => commit.Units.SelectMany(static unit => unit.Steps).Select(static step => step.Partition.Topic);

        /// <summary>By its flush id in any snapshot that the table still has; where a foreign expiry removed that, by progress that only a
        /// contiguous commit could have made, or by a file that only this commit can have added.</summary>
        public override async Task<CommitOutcome?> FindAsync(LoadedTable loaded, CancellationToken cancellationToken)
        {
            var version = See(loaded);
            var snapshot = SnapshotOf(commit.FlushId, version.Metadata);
            var covered = commit.Units.Where(unit => IsCovered(unit, version.Progress)).ToImmutableArray();
            var isFound = snapshot is not null || (covered.Length == commit.Units.Length && commit.MadeFrom is null)
                || await Owner.IsAnyNamedAsync(commit.Units.SelectMany(static unit => unit.Files), cancellationToken);
            if (!isFound)
            {
                return null;
            }
            var snapshotId = snapshot?.SnapshotId ?? version.Metadata.CurrentSnapshotId;
            NoteFound(snapshotId);
            return new(snapshotId, commit.Units.RemoveRange(covered), FencedFilesAreOurs: false);
        }

        public override async Task<PlannedChange<CommitOutcome>> PlanAsync(
            LoadedTable loaded, bool mayHaveHappened, CancellationToken cancellationToken)
        {
            var version = See(loaded);
            return await Owner.FindPutBackAsync(version, Topics, cancellationToken) is { } back
                ? NewMetadata(back.Requirements, back.Updates)
                : Plan(version, mayHaveHappened);
        }

        private PlannedChange<CommitOutcome> Plan(TableVersion version, bool mayHaveHappened)
        {
            var isStale = commit.MadeFrom is { } seen && seen.Metadata.CurrentSnapshotId != version.Metadata.CurrentSnapshotId;
            var contiguous = commit.Units.Where(unit => !isStale && IsContiguous(unit, version.Progress)).ToImmutableArray();
            var fenced = commit.Units.RemoveRange(contiguous);
            foreach (var step in fenced.SelectMany(static unit => unit.Steps).Where(step => version.Progress.NextOffset(step.Partition) != step.Recorded))
            {
                Owner.logger.CommitFenced(
                    Owner.state.Identifier.ToString(), step.Partition.ToString(), step.Recorded ?? -1,
                    version.Progress.NextOffset(step.Partition) ?? -1);
            }
            return contiguous.IsEmpty
                ? Nothing(new(null, fenced, FencedFilesAreOurs: !mayHaveHappened))
                : NewSnapshot(
                    Append(contiguous, version), snapshot => new(snapshot.SnapshotId, fenced, FencedFilesAreOurs: !mayHaveHappened));
        }

        private AppendFiles Append(ImmutableArray<CommitUnit> units, TableVersion version)
        {
            var steps = units.SelectMany(static unit => unit.Steps).ToList();
            var topics = steps.Select(static step => step.Partition.Topic).Distinct().ToList();
            var progress = version.Progress.With(steps.Select(static step => KeyValuePair.Create(step.Partition, step.Next)));
            var append = Owner.state.Table.NewAppend().SetSummary(TableProgress.FlushIdKey, commit.FlushId);
            foreach (var file in units.SelectMany(static unit => unit.Files))
            {
                append.Add(file);
            }
            foreach (var (key, value) in progress.ToProperties(topics))
            {
                append.SetProperty(key, value).SetSummary(key, value);
            }
            foreach (var (key, value) in TableGaps.Parse(version.Metadata.Properties).ChangedBy(steps))
            {
                append.SetProperty(key, value).SetSummary(key, value);
            }
            Identify(append, topics, version);
            return append;
        }

        /// <summary>Which topics these are, and which snapshot it is that moves their progress.</summary>
        private void Identify(AppendFiles append, IReadOnlyCollection<string> topics, TableVersion version)
        {
            var ids = Owner.identities?.Known(topics, version).ToDictionary() ?? [];
            foreach (var (key, value) in Owner.identities?.Unrecorded(topics, version) ?? [])
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

        private static bool IsContiguous(CommitUnit unit, TableProgress progress)
            => unit.Steps.All(step => progress.NextOffset(step.Partition) == step.Recorded);

        private static bool IsCovered(CommitUnit unit, TableProgress progress)
            => unit.Steps.All(step => progress.NextOffset(step.Partition) >= step.Next);
    }
}
