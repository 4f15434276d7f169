using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Frazil.Parquet.Reading;

/// <summary>Values one after another as they are stored: of a fixed width, or bytes with offsets.</summary>
internal sealed unsafe class StoredValues : IDisposable
{
    /// <summary>Values up to this length are copied by whole vectors, which is less than a call.</summary>
    private const int ShortBytes = 64;

    private readonly ReadBudget budget;
    private readonly NativeBuffer data = new();
    private readonly NativeBuffer offsets = new();

    /// <param name="stride">Bytes of a value; 0 where they differ.</param>
    /// <param name="budget">What memory is counted in.</param>
    public StoredValues(int stride, ReadBudget budget)
    {
        (Stride, this.budget) = (stride, budget);
        data.Reserve(0);
        if (stride == 0)
        {
            *(int*)offsets.Reserve(sizeof(int)) = 0;
            offsets.Advance(sizeof(int));
        }
    }

    public int Count { get; private set; }

    /// <summary>Bytes of a value; 0 where they differ.</summary>
    public int Stride { get; }

    public byte* Data => data.Data;

    public long DataBytes => data.Length;

    /// <summary>Where each value begins in <see cref="Data"/>, and where the last one ends. Null where all are of one width.</summary>
    public int* Offsets => Stride == 0 ? (int*)offsets.Data : null;

    /// <summary>Makes room at once for what a whole column chunk is said to hold, so that nothing is copied again and again while it is
    /// read. What is said is not believed further than the bytes of the file make likely.</summary>
    /// <param name="values">Values at most.</param>
    /// <param name="bytes">Bytes of them, as they are before compression.</param>
    /// <param name="storedBytes">Bytes in the file.</param>
    public void Expect(long values, long bytes, long storedBytes)
    {
        const long LikelyRatio = 16;
        var likely = Math.Min(Math.Min(Math.Max(bytes, 0), storedBytes * LikelyRatio), budget.Left / LikelyRatio);
        if (Stride == 0)
        {
            data.Reserve(likely);
            offsets.Reserve(Math.Min(values, likely) * sizeof(int));
            return;
        }
        data.Reserve(Math.Min(values * Stride, likely));
    }

    /// <summary>Room for values of a fixed width, which are then to be written.</summary>
    public byte* Append(int count)
    {
        Reserve(data, (long)count * Stride);
        var room = data.End;
        data.Advance((long)count * Stride);
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
        Reserve(offsets, (long)count * sizeof(int));
        Reserve(data, bytes);
    }

    /// <summary>Appends a value for which room was made. At least <see cref="NativeBuffer.Slack"/> bytes may be read behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AppendReserved(byte* value, int length)
    {
        Copy(value, data.End, length);
        data.Advance(length);
        *(int*)offsets.End = (int)data.Length;
        offsets.Advance(sizeof(int));
        Count++;
    }

    /// <summary>Appends values that have their lengths before them.</summary>
    /// <exception cref="InvalidDataException">The bytes end before the values.</exception>
    public void AppendPrefixed(ref ByteCursor bytes, int count)
    {
        var size = bytes.Left - (long)count * sizeof(int);
        if (size < 0)
        {
            throw new InvalidDataException($"A Parquet page of {bytes.Left} bytes cannot have {count} values with their lengths.");
        }
        ReserveBytes(count, size);
        var source = bytes.Position;
        var start = data.Data;
        var target = data.End;
        var ends = (int*)offsets.End;
        // All lengths that are taken leave room for those to come, so that nothing is read or written beyond the end.
        var left = size;
        for (var index = 0; index < count; index++)
        {
            var length = *(uint*)source;
            if (length > left)
            {
                throw new InvalidDataException($"A Parquet page ends early: a value of {length} bytes should follow, and {left} are left for all.");
            }
            source += sizeof(int);
            Copy(source, target, (int)length);
            source += length;
            target += length;
            left -= length;
            ends[index] = (int)(target - start);
        }
        bytes.Take(source - bytes.Position);
        Complete(target, count);
    }

    /// <summary>Appends values of these lengths, whose bytes stand one behind the other.</summary>
    /// <param name="source">As many bytes as the lengths sum up to.</param>
    /// <param name="lengths">None of them negative.</param>
    /// <param name="count">Values.</param>
    /// <param name="size">The sum of the lengths.</param>
    public void AppendJoined(byte* source, int* lengths, int count, long size)
    {
        ReserveBytes(count, size);
        Buffer.MemoryCopy(source, data.End, size, size);
        var ends = (int*)offsets.End;
        var end = (int)data.Length;
        for (var index = 0; index < count; index++)
        {
            end += lengths[index];
            ends[index] = end;
        }
        Complete(data.End + size, count);
    }

    /// <summary>Appends values of a dictionary.</summary>
    /// <param name="dictionary">Of the same width.</param>
    /// <param name="codes">Numbers of values that are in it.</param>
    /// <param name="count">Values.</param>
    public void AppendCoded(StoredValues dictionary, int* codes, int count)
    {
        var starts = dictionary.Offsets;
        var source = dictionary.Data;
        var size = 0L;
        for (var index = 0; index < count; index++)
        {
            size += starts[codes[index] + 1] - starts[codes[index]];
        }
        ReserveBytes(count, size);
        var start = data.Data;
        var target = data.End;
        var ends = (int*)offsets.End;
        for (var index = 0; index < count; index++)
        {
            var from = starts[codes[index]];
            var length = starts[codes[index] + 1] - from;
            Copy(source + from, target, length);
            target += length;
            ends[index] = (int)(target - start);
        }
        Complete(target, count);
    }

    public void Dispose()
    {
        data.Dispose();
        offsets.Dispose();
    }

    /// <summary>Copies a value, and for a short one what lies behind it: both sides have <see cref="NativeBuffer.Slack"/> for that.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(byte* value, byte* target, int length)
    {
        if (length <= Vector256<byte>.Count)
        {
            Vector256.Load(value).Store(target);
        }
        else if (length <= ShortBytes)
        {
            Vector256.Load(value).Store(target);
            Vector256.Load(value + Vector256<byte>.Count).Store(target + Vector256<byte>.Count);
        }
        else
        {
            Buffer.MemoryCopy(value, target, length, length);
        }
    }

    private void Complete(byte* end, int count)
    {
        data.AdvanceTo(end);
        offsets.Advance((long)count * sizeof(int));
        Count += count;
    }

    private void Reserve(NativeBuffer buffer, long bytes)
    {
        // A buffer that grows takes twice what it holds at most.
        budget.Take(bytes);
        buffer.Reserve(bytes);
    }
}
