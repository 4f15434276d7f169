namespace Frazil.DuckDb;

/// <summary>Finds the vectors of a frame. Trusts nothing that stands in it: a frame may come from a process in which a user's statement has
/// done what it likes. Values must lie just as <see cref="FrameWriter"/> lays them, each in its place after the one before: places that
/// overlap could make a few bytes stand for more values than any reader ends.</summary>
internal sealed unsafe class FrameReader(ChunkFrame frame)
{
    private const int InlineBytes = 12;
    private readonly byte* memory = frame.Memory;
    private readonly long end = frame.Bytes;
    private long at;

    /// <param name="columns">What the frame was written from.</param>
    /// <param name="rowCount">Rows in it.</param>
    /// <exception cref="DuckDbException">It is damaged.</exception>
    public DuckDbVector[] Read(IReadOnlyList<DuckDbColumn> columns, out int rowCount)
    {
        var rows = ReadLong();
        rowCount = rows is >= 0 and <= int.MaxValue ? (int)rows : throw Damaged("its number of rows");
        var vectors = new DuckDbVector[columns.Count];
        for (var column = 0; column < vectors.Length; column++)
        {
            vectors[column] = Read(columns[column].Type, rows);
        }
        return vectors;
    }

    private DuckDbVector Read(DuckDbType type, long count)
    {
        var width = VectorLayout.Width(type);
        var validity = ReadLong() == 0 ? null : (ulong*)Take(((count + 63) >> 6) * 8);
        if (VectorLayout.IsBytes(type))
        {
            var references = Take(count * 16);
            var length = ReadLong();
            Resolve(references, count, validity, TakeHeap(length), length);
            CheckBits(type, references, count, validity);
            return new(type, count, references, validity, []);
        }
        var data = Take(count * width);
        switch (type.Id)
        {
            case DuckDbTypeId.List or DuckDbTypeId.Map or DuckDbTypeId.Array:
                var elements = ReadLong();
                CheckEntries(type, data, count, elements);
                return new(type, count, data, validity, [.. type.Children.Select(child => Read(child.Type, elements))]);
            case DuckDbTypeId.Struct:
                return new(type, count, data, validity, [.. type.Children.Select(child => Read(child.Type, count))]);
            case DuckDbTypeId.Union:
                var members = type.Children.Select(child => Read(child.Type, count)).ToList();
                members.Add(ReadTags(count, type.Children.Count));
                return new(type, count, data, validity, [.. members]);
            case DuckDbTypeId.Enum:
                CheckLabels(data, count, width, type.Labels.Count);
                break;
        }
        return new(type, count, data, validity, []);
    }

    /// <summary>Offsets become pointers again.</summary>
    private static void Resolve(byte* references, long count, ulong* validity, byte* heap, long heapBytes)
    {
        var used = 0L;
        for (var row = 0L; row < count; row++)
        {
            var reference = references + (row * 16);
            var length = *(int*)reference;
            if (length < 0 || (validity != null && (validity[row >> 6] & (1UL << (int)(row & 63))) == 0))
            {
                *(int*)reference = length < 0 ? throw Damaged("the length of a text") : 0;
            }
            else if (length > InlineBytes)
            {
                *(byte**)(reference + 8) = *(long*)(reference + 8) == used && length <= heapBytes - used ? heap + used : throw Damaged("the place of a text");
                used += length;
            }
        }
    }

    /// <summary>A BIT begins with a byte that says how many bits of the next one are none.</summary>
    private static void CheckBits(DuckDbType type, byte* references, long count, ulong* validity)
    {
        var bits = new DuckDbVector(type, count, references, validity, []);
        for (var row = 0L; type.Id == DuckDbTypeId.Bit && row < count; row++)
        {
            if (!bits.IsNull(row) && (bits.Bytes(row).Length < 2 || bits.Bytes(row)[0] > 7))
            {
                throw Damaged("a text of bits");
            }
        }
    }

    private DuckDbVector ReadTags(long count, int members)
    {
        var tags = Read(DuckDbType.Tag, count);
        CheckLabels(tags.Data, count, 1, members);
        return tags;
    }

    private void CheckEntries(DuckDbType type, byte* data, long count, long elements)
    {
        // Each element has at least the one bit that says whether it is null.
        if (elements < 0 || elements > end * 8 || (type.Id == DuckDbTypeId.Array && elements != count * type.ArraySize))
        {
            throw Damaged("its number of elements");
        }
        var used = 0UL;
        for (var row = 0L; type.Id != DuckDbTypeId.Array && row < count; row++)
        {
            var entry = ((ListEntry*)data)[row];
            if (entry.Offset != used || entry.Length > (ulong)elements - used)
            {
                throw Damaged("the place of a list");
            }
            used += entry.Length;
        }
    }

    private static void CheckLabels(byte* data, long count, int width, int labels)
    {
        for (var row = 0L; row < count; row++)
        {
            var label = width == 1 ? data[row] : width == 2 ? ((ushort*)data)[row] : ((uint*)data)[row];
            if (label >= (uint)Math.Max(labels, 1))
            {
                throw Damaged("a label");
            }
        }
    }

    private long ReadLong() => *(long*)Take(sizeof(long));

    private byte* TakeHeap(long bytes)
    {
        var start = at;
        if (bytes < 0 || bytes > end - start)
        {
            throw Damaged("its length");
        }
        at += bytes;
        return memory + start;
    }

    private byte* Take(long bytes)
    {
        var start = (at + 15) & -16;
        if (bytes < 0 || start > end || bytes > end - start)
        {
            throw Damaged("its length");
        }
        at = start + ((bytes + 15) & -16);
        return memory + start;
    }

    private static DuckDbException Damaged(string what) => new($"An answer of a query is damaged: {what} cannot be.", "INTERNAL");
}
