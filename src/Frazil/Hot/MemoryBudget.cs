using Frazil.Columnar;

namespace Frazil.Hot;

/// <summary>The bytes of native memory that hot rows of all tables may hold (invariant 9). At the limit fetching pauses; flushing makes
/// room.</summary>
public sealed class MemoryBudget(long limitBytes)
{
    /// <summary>Every native buffer of every hot chunk is counted here, exactly.</summary>
    public MemoryAccount Account { get; } = new();

    /// <summary>In bytes.</summary>
    public long Limit { get; } = limitBytes;

    /// <summary>Bytes of records after which a chunk of rows ends. Its buffers double when they grow: what one record can add to the
    /// account stays a small part of the limit.</summary>
    public long ChunkBytes { get; } = Math.Clamp(limitBytes / 16, 1L << 20, 64L << 20);

    /// <summary>No further record may be appended until memory was freed.</summary>
    public bool IsFull => Account.Bytes >= Limit;

    /// <summary>Time to flush whatever is there.</summary>
    public bool IsUnderPressure => Account.Bytes >= Limit / 4 * 3;

    /// <summary>Time to give up what is only kept for speed.</summary>
    public bool IsHalfFull => Account.Bytes >= Limit / 2;
}
