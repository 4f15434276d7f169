using Frazil.Kafka;

namespace Frazil.EndToEnd.Hostile;

/// <summary>What must become of a record.</summary>
internal enum RecordKind
{
    /// <summary>A row, with its values.</summary>
    Plain,
    /// <summary>A row with its values or a dead letter; whichever is right for the table as it is.</summary>
    Odd,
    /// <summary>A dead letter.</summary>
    Broken,
}

/// <summary>One record as it is produced.</summary>
/// <param name="Shape">What is odd about it.</param>
/// <param name="Value">Null for a tombstone.</param>
internal sealed record OddRecord(string Shape, RecordKind Kind, long Seq, byte[]? Value)
{
    public byte[]? Key { get; init; }

    public IReadOnlyList<ProducedHeader> Headers { get; init; } = [];

    /// <summary>Milliseconds; 0 takes the clock.</summary>
    public long TimestampMs { get; init; }
}
