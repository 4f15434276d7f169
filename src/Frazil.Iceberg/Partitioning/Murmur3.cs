using System.Buffers.Binary;
using System.Numerics;

namespace Frazil.Iceberg;

/// <summary>The 32-bit hash of the specification's Appendix B: Murmur3, x86 variant, seed 0.</summary>
public static class Murmur3
{
    private const uint C1 = 0xcc9e2d51;
    private const uint C2 = 0x1b873593;

    /// <summary>int and date: hashed as a long, so that promotion to long changes no bucket.</summary>
    public static int HashInt(int value) => HashLong(value);

    /// <summary>long, time and the timestamps in microseconds.</summary>
    public static int HashLong(long value)
    {
        var hash = MixBlock(0, (uint)value);
        hash = MixBlock(hash, (uint)((ulong)value >> 32));
        return Finish(hash, 8);
    }

    /// <summary>string (its UTF-8 bytes), uuid (16 bytes, big endian), fixed and binary.</summary>
    public static int HashBytes(ReadOnlySpan<byte> bytes)
    {
        uint hash = 0;
        var rest = bytes;
        for (; rest.Length >= 4; rest = rest[4..])
            hash = MixBlock(hash, BinaryPrimitives.ReadUInt32LittleEndian(rest));
        uint tail = 0;
        for (var i = rest.Length - 1; i >= 0; i--)
            tail = (tail << 8) | rest[i];
        if (rest.Length > 0)
            hash ^= BitOperations.RotateLeft(tail * C1, 15) * C2;
        return Finish(hash, bytes.Length);
    }

    /// <summary>decimal: the unscaled value as the shortest big-endian two's complement.</summary>
    public static int HashDecimal(Int128 unscaled)
    {
        Span<byte> bytes = stackalloc byte[16];
        return HashBytes(SingleValue.MinimalBigEndian(unscaled, bytes));
    }

    private static uint MixBlock(uint hash, uint block) =>
        BitOperations.RotateLeft(hash ^ (BitOperations.RotateLeft(block * C1, 15) * C2), 13) * 5 + 0xe6546b64;

    private static int Finish(uint hash, int length)
    {
        hash ^= (uint)length;
        hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
        hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
        return (int)(hash ^ (hash >> 16));
    }
}
