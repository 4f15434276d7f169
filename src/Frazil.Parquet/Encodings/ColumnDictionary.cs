namespace Frazil.Parquet.Encodings;

/// <summary>When a dictionary is given up while it is being built, and what it may hold.</summary>
internal static class DictionaryPolicy
{
    public const int MaxEntries = 1 << 16;

    /// <summary>A chain of full slots longer than this is no chance: the values are made to collide.</summary>
    public const int MaxProbes = 256;

    private const int FirstLook = 4096;

    /// <summary>Values to look at before the next question whether it pays.</summary>
    public static int NextLook(int seen) => seen == 0 ? FirstLook : seen * 2;

    /// <summary>Among values seen so far, too many are new for their number to end below what pays.</summary>
    public static bool IsHopeless(int seen, int distinct) => distinct > seen * (seen switch
    {
        < FirstLook => 1.0,
        < 4 * FirstLook => 0.9,
        < 16 * FirstLook => 0.7,
        _ => 0.5,
    });
}

/// <summary>The distinct values of a column chunk in order of appearance, and for each value its number.</summary>
internal abstract unsafe class ColumnDictionary : IDisposable
{
    /// <summary>Distinct values.</summary>
    public int Count { get; protected set; }

    /// <summary>Bytes of the distinct values in PLAIN encoding.</summary>
    public long PlainBytes { get; protected set; }

    /// <summary>The distinct values as they stand in <see cref="Values.ColumnValues.Data"/>.</summary>
    public byte* Entries => EntryBuffer.Data;

    protected NativeBuffer EntryBuffer { get; } = new();

    /// <summary>Numbers the values.</summary>
    /// <param name="values">As they stand in <see cref="Values.ColumnValues.Data"/>.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="codes">Gets a number for each value.</param>
    /// <param name="maxBytes">Bytes of distinct values in PLAIN encoding at most.</param>
    /// <returns>False where it was given up.</returns>
    public abstract bool TryBuild(byte* values, int count, int* codes, long maxBytes);

    /// <summary>Appends the distinct values in PLAIN encoding.</summary>
    public abstract void AppendEntries(NativeBuffer output);

    public virtual void Trim(long keptBytes) => EntryBuffer.Trim(keptBytes);

    public virtual void Dispose() => EntryBuffer.Dispose();

    protected void Clear()
    {
        (Count, PlainBytes) = (0, 0);
        EntryBuffer.Clear();
    }
}
