using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Frazil.Parquet.Reading;

/// <summary>Values one after another as they are stored: of a fixed width, or bytes with offsets.</summary>
internal sealed unsafe class StoredValues(int stride, ReadBudget budget) : IDisposable
{
    private readonly NativeBuffer data = new();
    private readonly NativeBuffer ends = new();

    public int Count { get; private set; }

    /// <summary>Bytes of a value; 0 where they differ.</summary>
    public int Stride => stride;

    public byte* Data => data.Data;

    public long DataBytes => data.Length;

    /// <summary>Where each value ends in <see cref="Data"/>; the first begins at 0.</summary>
    public int* Ends => (int*)ends.Data;

    public NativeBuffer DataBuffer => data;

    public NativeBuffer EndsBuffer => ends;

    /// <summary>Room for values of a fixed width, which are then to be written.</summary>
    public byte* Append(int count)
    {
        Reserve(data, (long)count * stride);
        var room = data.End;
        data.Advance((long)count * stride);
        Count += count;
        return room;
    }

    /// <summary>Makes room for so many values of so many bytes together.</summary>
    public void ReserveBytes(int count, long bytes)
    {
        if (data.Length + bytes > int.MaxValue)
        {
            throw new InvalidDataException("A column has more than 2 GiB of text: read fewer rows at once.");
        }
        Reserve(ends, (long)count * sizeof(int));
        Reserve(data, bytes);
    }

    /// <summary>Appends a value for which room was made. At least <see cref="NativeBuffer.Slack"/> bytes may be read behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AppendReserved(byte* value, int length)
    {
        if (length <= Vector128<byte>.Count)
        {
            // Most text is short: one vector is less than a call.
            Vector128.Load(value).Store(data.End);
        }
        else
        {
            Buffer.MemoryCopy(value, data.End, length, length);
        }
        data.Advance(length);
        ((int*)ends.Data)[Count++] = (int)data.Length;
        ends.Advance(sizeof(int));
    }

    public ReadOnlySpan<byte> Last(int begin) => new(data.Data + begin, (int)data.Length - begin);

    public void Dispose()
    {
        data.Dispose();
        ends.Dispose();
    }

    private void Reserve(NativeBuffer buffer, long bytes)
    {
        // A buffer that grows takes twice what it holds at most.
        budget.Take(bytes);
        buffer.Reserve(bytes);
    }
}
