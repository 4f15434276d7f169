using Frazil.Columnar;

namespace Frazil.Hot;

/// <summary>The bytes of native memory that hot rows of all tables may hold (invariant 9). At the limit fetching pauses; flushing makes room.</summary>
public sealed class MemoryBudget(long limitBytes)
{
    /// <summary>Every native buffer of every hot chunk is counted here, exactly.</summary>
    public MemoryAccount Account { get; } = new();

    /// <summary>In bytes.</summary>
    public long Limit { get; } = limitBytes;

    /// <summary>No further record may be appended until memory was freed.</summary>
    public bool IsFull => Account.Bytes >= Limit;

    /// <summary>Time to flush whatever is there.</summary>
    public bool IsUnderPressure => Account.Bytes >= Limit / 4 * 3;

    /// <summary>Time to give up what is only kept for speed.</summary>
    public bool IsHalfFull => Account.Bytes >= Limit / 2;
}
