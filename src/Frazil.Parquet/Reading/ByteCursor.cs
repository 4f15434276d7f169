using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Frazil.Parquet.Reading;

/// <summary>Goes through bytes that may be anything. What is handed out has been checked to be there; behind the end,
/// <see cref="NativeBuffer.Slack"/> bytes may be read and mean nothing.</summary>
internal unsafe struct ByteCursor(byte* start, long length)
{
    private byte* at = start;
    private readonly byte* end = start + length;

    public readonly long Left => end - at;

    public readonly byte* Position => at;

    /// <summary>Passes over so many bytes and returns where they are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Take(long count)
    {
        if (count < 0 || count > end - at)
        {
            Throw(count);
        }
        var taken = at;
        at += count;
        return taken;
    }

    /// <summary>The next bytes as a cursor of their own.</summary>
    public ByteCursor Split(long count) => new(Take(count), count);

    /// <summary>Bytes that are there, of those that are wanted at the end of a run: some writers leave padding out.</summary>
    public byte* TakePadded(long needed, long padded)
    {
        var taken = Take(needed);
        at = taken + Math.Min(padded, end - taken);
        return taken;
    }

    public int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(new ReadOnlySpan<byte>(Take(4), 4));

    public byte ReadByte() => *Take(1);

    public ulong ReadVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var part = ReadByte();
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
        throw new InvalidDataException("A number in a Parquet page does not end.");
    }

    public long ReadZigZag()
    {
        var value = ReadVarint();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    private readonly void Throw(long count)
        => throw new InvalidDataException($"A Parquet page ends early: {count} bytes should follow, and {end - at} are left.");
}
