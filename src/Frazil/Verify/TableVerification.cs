using Frazil.Commit;
using Frazil.Kafka;

namespace Frazil.Verify;

/// <summary>What is wrong, or cannot be shown to be right.</summary>
public enum FindingKind
{
    /// <summary>The same Kafka position twice: in the table, in the dead-letter table, or in both.</summary>
    Duplicate,
    /// <summary>Kafka has records at these offsets, the table has passed them, and has neither rows nor dead letters.</summary>
    Lost,
    /// <summary>Neither row nor dead letter nor recorded gap, and Kafka does not explain it (any more).</summary>
    Missing,
    /// <summary>More rows than positions, or fewer gaps than recorded.</summary>
    Excess,
    /// <summary>Rows at or behind the offset that the table says it reads next: they would be read again.</summary>
    BeyondProgress,
    /// <summary>Rows before the offset at which the table says its reading began.</summary>
    BeforeFirst,
    /// <summary>The topic is another one than the table was fed from.</summary>
    TopicReplaced,
    /// <summary>The topic ends before the table's progress.</summary>
    TopicCut,
    /// <summary>The table is written in a way that leaves this open.</summary>
    CannotTell,
}

/// <summary>One thing that keeps a table from being proven right.</summary>
/// <param name="Kind">What.</param>
/// <param name="Text">In words, with what to do where something can be done.</param>
/// <param name="Offsets">Exactly where, ascending; empty where it is about no offsets.</param>
/// <param name="Count">How many rows or positions it is about.</param>
public sealed record VerifyFinding(FindingKind Kind, string Text, IReadOnlyList<OffsetRange> Offsets, long Count);

/// <summary>One Kafka partition's part of a table. Sound means: rows + dead letters + skipped = next - first, no position twice, nothing
/// lost.</summary>
public sealed record PartitionVerification
{
    public required TopicPartition Partition { get; init; }
    /// <summary>The first offset that was ever read.</summary>
    public required long First { get; init; }
    /// <summary>The offset that is read next.</summary>
    public required long Next { get; init; }
    /// <summary>Rows; null where files mix partitions, so that only a deep look can count them.</summary>
    public required long? Rows { get; init; }
    public required long DeadLetters { get; init; }
    /// <summary>The gaps that the table records.</summary>
    public required PartitionGaps Gaps { get; init; }
    public required int Files { get; init; }
    /// <summary>What Kafka holds now; null where it does not have the partition.</summary>
    public required Watermarks? Kafka { get; init; }
    public IReadOnlyList<VerifyFinding> Findings { get; init; } = [];
    public IReadOnlyList<string> Notes { get; init; } = [];

    public bool IsProven => Findings.Count == 0;
}

/// <summary>What <see cref="TableVerifier"/> found out about one version of a table.</summary>
public sealed record TableVerification
{
    public required string Table { get; init; }
    /// <summary>The version that was looked at; null where nothing was ever committed.</summary>
    public required long? SnapshotId { get; init; }
    /// <summary>Whether rows were read, or only what the manifests say of files.</summary>
    public required bool IsDeep { get; init; }
    public required IReadOnlyList<PartitionVerification> Partitions { get; init; }
    /// <summary>What concerns the table as a whole.</summary>
    public IReadOnlyList<VerifyFinding> Findings { get; init; } = [];
    /// <summary>Worth knowing, and no fault.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>True when the table holds every record exactly once, as far as this look goes; false when it does not, or that cannot be
    /// shown.</summary>
    public bool IsProven => Findings.Count == 0 && Partitions.All(static partition => partition.IsProven);
}

/// <summary>How far a verification is.</summary>
/// <param name="Stage">What is being done.</param>
/// <param name="Done">Of <paramref name="Total"/>; files, offsets or partitions.</param>
/// <param name="Total">0 where it is not known.</param>
public readonly record struct VerifyProgress(string Stage, long Done, long Total);
