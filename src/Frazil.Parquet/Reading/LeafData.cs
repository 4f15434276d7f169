namespace Frazil.Parquet.Reading;

/// <summary>Levels and values of one leaf for some rows.</summary>
internal sealed unsafe class LeafData(ReadLeaf leaf, ReadBudget budget) : IDisposable
{
    private readonly NativeBuffer definitions = new();
    private readonly NativeBuffer repetitions = new();
    private int entries;

    public ReadLeaf Leaf => leaf;

    public StoredValues Values { get; } = new(leaf.Form.Stride, budget);

    /// <summary>Entries of the wanted rows.</summary>
    public int Count { get; private set; }

    /// <summary>Where the wanted rows' values begin among <see cref="Values"/>.</summary>
    public int FirstValue { get; private set; }

    /// <summary>Values of the wanted rows.</summary>
    public int ValueCount { get; private set; }

    /// <summary>The first wanted entry among all; 0 until <see cref="Cut"/>.</summary>
    private int FirstEntry { get; set; }

    /// <summary>A level for each wanted entry; null where all are present at the only level there is.</summary>
    public byte* Definitions => leaf.MaxDefinition == 0 ? null : definitions.Data + FirstEntry;

    /// <summary>Null where nothing repeats.</summary>
    public byte* Repetitions => leaf.MaxRepetition == 0 ? null : repetitions.Data + FirstEntry;

    /// <summary>Entries read so far.</summary>
    public int Entries => entries;

    /// <summary>Room for the levels of so many entries more.</summary>
    public void Append(int count, out byte* definitionRoom, out byte* repetitionRoom)
    {
        definitionRoom = Room(definitions, leaf.MaxDefinition > 0 ? count : 0);
        repetitionRoom = Room(repetitions, leaf.MaxRepetition > 0 ? count : 0);
        entries += count;
    }

    /// <summary>Says which of the rows read are wanted.</summary>
    /// <exception cref="InvalidDataException">There are not so many.</exception>
    public void Cut(long skip, long rows)
    {
        var first = EntryOf(skip, 0, 0);
        var end = EntryOf(skip + rows, first, skip);
        if (end < 0 || first < 0)
        {
            throw new InvalidDataException($"Column {leaf} has fewer rows than the Parquet footer says.");
        }
        FirstValue = CountPresent(0, first);
        ValueCount = CountPresent(first, end);
        (FirstEntry, Count) = (first, end - first);
    }

    public void Dispose()
    {
        definitions.Dispose();
        repetitions.Dispose();
        Values.Dispose();
    }

    /// <summary>Where a row begins, or the end where it is just behind the last; -1 where it is beyond.</summary>
    private int EntryOf(long row, int from, long fromRow)
    {
        if (from < 0 || leaf.MaxRepetition == 0)
        {
            return from < 0 || row > entries ? -1 : (int)row;
        }
        var at = from;
        for (; at < entries; at++)
        {
            if (repetitions.Data[at] == 0 && fromRow++ == row)
            {
                return at;
            }
        }
        return fromRow == row ? at : -1;
    }

    private int CountPresent(int from, int end) => leaf.MaxDefinition == 0
        ? end - from
        : new ReadOnlySpan<byte>(definitions.Data + from, end - from).Count((byte)leaf.MaxDefinition);

    private byte* Room(NativeBuffer buffer, int count)
    {
        budget.Take(count);
        var room = buffer.Reserve(count);
        buffer.Advance(count);
        return room;
    }
}
