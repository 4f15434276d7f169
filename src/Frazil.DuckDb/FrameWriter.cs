using System.Runtime.InteropServices;
using System.Text;

namespace Frazil.DuckDb;

/// <summary>
/// Writes vectors one after the other: whether there is a validity, its words, the values, then the children. Only what rows refer to is
/// written: elements of no list and members of null structs, in which DuckDB may leave anything, are never looked at. Pointers become
/// offsets. Everything stands at multiples of 16 bytes.
/// </summary>
internal sealed unsafe class FrameWriter(long maxBytes) : IDisposable
{
    private const int InlineBytes = 12;
    private byte* memory;
    private long capacity;
    private long at;

    public void WriteLong(long value) => *(long*)Take(sizeof(long)) = value;

    public void Write(DuckDbVector vector) => Write(vector, null, vector.Length);

    public void WriteTexts(IReadOnlyList<string> values)
    {
        WriteLong(0);
        var references = Reserve(values.Count * 16L);
        var heap = BeginHeap();
        for (var row = 0; row < values.Count; row++)
        {
            WriteReference(references + (row * 16L), Encoding.UTF8.GetBytes(values[row]), heap);
        }
        EndHeap(heap);
    }

    /// <summary>The memory goes over to what is returned.</summary>
    public ChunkFrame Finish()
    {
        var frame = ChunkFrame.Own(memory, at);
        memory = null;
        return frame;
    }

    public void Dispose() => NativeMemory.AlignedFree(memory);

    /// <param name="vector">What to write.</param>
    /// <param name="rows">Rows wanted, -1 for null; null for the first <paramref name="count"/>.</param>
    /// <param name="count">How many.</param>
    private void Write(DuckDbVector vector, long[]? rows, long count)
    {
        var width = VectorLayout.Width(vector.Type);
        var hasNulls = WriteValidity(vector, rows, count);
        if (VectorLayout.IsBytes(vector.Type))
        {
            WriteBytes(vector, rows, count);
            return;
        }
        if (vector.Type.Id is DuckDbTypeId.List or DuckDbTypeId.Map or DuckDbTypeId.Array)
        {
            WriteLists(vector, rows, count);
            return;
        }
        if (width > 0)
        {
            WriteFixed(vector, rows, count, width);
        }
        if (vector.Children.Length > 0)
        {
            var present = hasNulls ? Present(vector, rows, count) : rows;
            foreach (var child in vector.Children)
            {
                Write(child, present, count);
            }
        }
    }

    private bool WriteValidity(DuckDbVector vector, long[]? rows, long count)
    {
        if (rows is null && vector.Validity == null && vector.Type.Id != DuckDbTypeId.SqlNull)
        {
            WriteLong(0);
            return false;
        }
        WriteLong(1);
        var words = Reserve(((count + 63) >> 6) * 8);
        var hasNulls = false;
        for (var index = 0L; index < count; index++)
        {
            if (IsNull(vector, rows, index))
            {
                hasNulls = true;
            }
            else
            {
                ((ulong*)(memory + words))[index >> 6] |= 1UL << (int)(index & 63);
            }
        }
        return hasNulls;
    }

    private void WriteFixed(DuckDbVector vector, long[]? rows, long count, int width)
    {
        var start = Reserve(count * width);
        if (rows is null && vector.Validity == null)
        {
            Buffer.MemoryCopy(vector.Data, memory + start, count * width, count * width);
            return;
        }
        for (var index = 0L; index < count; index++)
        {
            if (!IsNull(vector, rows, index))
            {
                Buffer.MemoryCopy(vector.Data + (Row(rows, index) * width), memory + start + (index * width), width, width);
            }
        }
    }

    private void WriteBytes(DuckDbVector vector, long[]? rows, long count)
    {
        var references = Reserve(count * 16);
        var heap = BeginHeap();
        for (var index = 0L; index < count; index++)
        {
            if (!IsNull(vector, rows, index))
            {
                WriteReference(references + (index * 16), vector.Bytes(Row(rows, index)), heap);
            }
        }
        EndHeap(heap);
    }

    private void WriteReference(long reference, ReadOnlySpan<byte> bytes, long heap)
    {
        if (bytes.Length <= InlineBytes)
        {
            *(int*)(memory + reference) = bytes.Length;
            bytes.CopyTo(new Span<byte>(memory + reference + 4, InlineBytes));
            return;
        }
        var place = at;
        Grow(bytes.Length);
        bytes.CopyTo(new Span<byte>(memory + place, bytes.Length));
        *(int*)(memory + reference) = bytes.Length;
        *(int*)(memory + reference + 4) = *(int*)(memory + place);
        *(long*)(memory + reference + 8) = place - heap;
    }

    /// <summary>Where the bytes of long values begin; their number stands before it.</summary>
    private long BeginHeap()
    {
        WriteLong(0);
        return at;
    }

    private void EndHeap(long heap) => *(long*)(memory + heap - 16) = at - heap;

    private void WriteLists(DuckDbVector vector, long[]? rows, long count)
    {
        var isArray = vector.Type.Id == DuckDbTypeId.Array;
        var entries = isArray ? 0 : Reserve(count * 16);
        var elements = new List<long>();
        for (var index = 0L; index < count; index++)
        {
            var entry = IsNull(vector, rows, index) ? default : vector.Entry(Row(rows, index));
            Charge(elements.Count + (long)entry.Length);
            if (!isArray)
            {
                *(ListEntry*)(memory + entries + (index * 16)) = new ListEntry((ulong)elements.Count, entry.Length);
            }
            for (var element = 0UL; element < entry.Length; element++)
            {
                elements.Add((long)(entry.Offset + element));
            }
            for (var missing = entry.Length; isArray && missing < (ulong)vector.Type.ArraySize; missing++)
            {
                elements.Add(-1);
            }
        }
        WriteLong(elements.Count);
        var wanted = elements.ToArray();
        foreach (var child in vector.Children)
        {
            Write(child, wanted, wanted.Length);
        }
    }

    /// <summary>Elements take memory while they are counted, before any of them is written.</summary>
    private void Charge(long elements)
    {
        if (elements > maxBytes / sizeof(long))
        {
            throw TooMany();
        }
    }

    private static long[] Present(DuckDbVector vector, long[]? rows, long count)
    {
        var present = new long[count];
        for (var index = 0L; index < count; index++)
        {
            present[index] = IsNull(vector, rows, index) ? -1 : Row(rows, index);
        }
        return present;
    }

    private static bool IsNull(DuckDbVector vector, long[]? rows, long index) => Row(rows, index) is var row && (row < 0 || vector.IsNull(row));

    private static long Row(long[]? rows, long index) => rows is null ? index : rows[index];

    private byte* Take(long bytes)
    {
        var start = Reserve(bytes);
        return memory + start;
    }

    /// <summary>Zeroed bytes at the next multiple of 16, which end at one.</summary>
    private long Reserve(long bytes)
    {
        var start = (at + 15) & -16;
        Grow(start - at + ((bytes + 15) & -16));
        new Span<byte>(memory + start, checked((int)(at - start))).Clear();
        return start;
    }

    private void Grow(long bytes)
    {
        var needed = at + bytes;
        if (needed > maxBytes)
        {
            throw TooMany();
        }
        if (needed > capacity)
        {
            var larger = Math.Max(needed, Math.Max(capacity * 2, 4096));
            memory = (byte*)NativeMemory.AlignedRealloc(memory, (nuint)larger, 16);
            capacity = larger;
        }
        at = needed;
    }

    private static ValueBudgetException TooMany() => new("The values of a chunk take more bytes than allowed.");
}
