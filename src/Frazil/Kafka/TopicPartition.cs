namespace Frazil.Kafka;

/// <summary>A partition of a topic.</summary>
public readonly record struct TopicPartition(string Topic, int Partition)
{
    /// <summary><c>topic[3]</c>.</summary>
    public override string ToString() => $"{Topic}[{Partition}]";
}

/// <summary>A position in a partition: the offset of the next record to read, unless the context says otherwise.</summary>
public readonly record struct TopicPartitionOffset(TopicPartition Partition, long Offset)
{
    /// <summary><c>topic[3]@1234</c>.</summary>
    public override string ToString() => $"{Partition}@{Offset}";
}

/// <summary>The offsets that a partition holds: the first that can be read, and the one that the next record will get.</summary>
public readonly record struct Watermarks(long Low, long High);

/// <summary>Where reading of a partition begins.</summary>
public readonly record struct StartPosition
{
    private StartPosition(long value, bool isTimestamp) => (Value, IsTimestamp) = (value, isTimestamp);

    internal long Value { get; }

    internal bool IsTimestamp { get; }

    internal bool IsConcrete => !IsTimestamp && Value >= 0;

    /// <summary>The first record that the partition still holds.</summary>
    public static StartPosition Earliest { get; } = new(-2, false);

    /// <summary>The next record to be written (committed, where transactions are open).</summary>
    public static StartPosition Latest { get; } = new(-1, false);

    /// <summary>This offset exactly; when the partition does not hold it, that is reported and nothing is read.</summary>
    public static StartPosition At(long offset) => offset >= 0
        ? new(offset, false)
        : throw new ArgumentOutOfRangeException(nameof(offset), offset, "an offset is 0 or more; use Earliest or Latest");

    /// <summary>The first record whose timestamp is at or after this instant; the end when there is none.</summary>
    public static StartPosition AtTime(DateTimeOffset instant) => new(Math.Max(0, instant.ToUnixTimeMilliseconds()), true);
}

/// <summary>The engine's answer to an assignment: where to begin in a partition and which queue its records go to.</summary>
public readonly record struct PartitionStart(TopicPartition Partition, StartPosition Position, MessageQueue Queue);

/// <summary>Partitions that are taken away.</summary>
/// <param name="Partitions">Which.</param>
/// <param name="Lost">True: the group gave them to somebody else already (we were too slow or cut off); what is buffered of them can
/// still be committed, because the table's own progress is the fence, but another instance may be ahead.</param>
public sealed record PartitionsRevoked(IReadOnlyList<TopicPartition> Partitions, bool Lost);

/// <summary>An offset was asked for that the partition does not hold.</summary>
/// <param name="Partition">Which.</param>
/// <param name="RequestedOffset">The offset that was to be read.</param>
/// <param name="Watermarks">What the partition holds now; null when no broker said so in time.</param>
public sealed record OffsetOutOfRange(TopicPartition Partition, long RequestedOffset, Watermarks? Watermarks)
{
    /// <summary>Says what happened, for logs.</summary>
    public override string ToString() => Watermarks is { } held
        ? RequestedOffset < held.Low
            ? $"{Partition}: offset {RequestedOffset} is gone, the log begins at {held.Low} (retention or deletion removed {held.Low - RequestedOffset} offsets before they were read)"
            : $"{Partition}: offset {RequestedOffset} is beyond the end {held.High} of the log (the topic was truncated or recreated)"
        : $"{Partition}: offset {RequestedOffset} is not in the log, and no broker said in time what is";
}
