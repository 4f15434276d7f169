namespace Frazil.Columnar;

/// <summary>
/// Some rows of one chunk, as a scan takes them: rows <see cref="Start"/> … <see cref="Start"/> + <see cref="Count"/>, or just those that
/// <see cref="Selection"/> names. The chunk must stay pinned by the caller until the scan's result is disposed.
/// </summary>
public sealed class BatchSlice
{
    /// <summary>The chunk's own schema. A scan maps it to the schema it was asked for by field id, so chunks of different schema versions
    /// can stand in one scan: an absent field reads as null, int widens to long, float to double.</summary>
    public required ColumnFields Schema { get; init; }

    /// <summary>One view a field of <see cref="Schema"/>.</summary>
    public required IReadOnlyList<ColumnView> Columns { get; init; }

    /// <summary>First row. Ignored where <see cref="Selection"/> is given.</summary>
    public long Start { get; init; }

    /// <summary>Rows in the slice.</summary>
    public required long Count { get; init; }

    /// <summary>Row numbers of the chunk in the order wanted, <see cref="Count"/> of them; null for a plain range.</summary>
    public int[]? Selection { get; init; }
}
