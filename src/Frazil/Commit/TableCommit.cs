using System.Collections.Immutable;
using Frazil.Hot;
using Frazil.Iceberg.Manifests;
using Frazil.Kafka;

namespace Frazil.Commit;

/// <summary>One partition's step: the table must record <paramref name="Recorded"/> now, and records <paramref name="Next"/>
/// after.</summary>
/// <param name="Partition">Topic and partition number.</param>
/// <param name="Recorded">The next offset that the table must record for the commit to be valid; null: none.</param>
/// <param name="Next">The next offset recorded with the commit; not below <paramref name="Recorded"/>.</param>
/// <param name="First">Where reading of the partition ever began, of use only where nothing is recorded yet.</param>
/// <param name="Skipped">Offsets from the recorded one to the next that hold neither a row nor a dead letter; null where there are
/// none.</param>
internal readonly record struct ProgressStep(
    TopicPartition Partition, long? Recorded, long Next, long First = 0, SkippedOffsets? Skipped = null);

/// <summary>Data files and the progress they stand for: committed together or not at all.</summary>
/// <param name="Steps">One a Kafka partition whose rows the files hold.</param>
/// <param name="Files">Files already written and durable; may be empty when only control records were passed.</param>
internal sealed record CommitUnit(ImmutableArray<ProgressStep> Steps, ImmutableArray<DataFile> Files);

/// <summary>What one commit carries.</summary>
/// <param name="FlushId">Names the flush for ever: a commit whose answer was lost is looked up by it.</param>
/// <param name="Units">Accepted or fenced one by one.</param>
internal sealed record TableCommit(string FlushId, ImmutableArray<CommitUnit> Units)
{
    /// <summary>True for a commit that a process before this one may have made: it is looked for before it is tried.</summary>
    public bool MayHaveHappened { get; init; }

    /// <summary>The version whose rows the units were made from, where progress alone does not fence them: they are fenced once the table
    /// has another snapshot.</summary>
    public TableVersion? MadeFrom { get; init; }
}

/// <summary>How a commit ended. A unit is either covered by the table now, or fenced.</summary>
/// <param name="SnapshotId">The snapshot that holds the committed units; null when every unit was fenced.</param>
/// <param name="Fenced">Units that must never be committed: their partitions moved on without us.</param>
/// <param name="FencedFilesAreOurs">True when the fenced units' files are certainly in no snapshot and may be deleted.</param>
internal sealed record CommitOutcome(long? SnapshotId, ImmutableArray<CommitUnit> Fenced, bool FencedFilesAreOurs)
{
    public bool IsFenced(TopicPartition partition) => Fenced.Any(unit => unit.Steps.Any(step => step.Partition == partition));
}
