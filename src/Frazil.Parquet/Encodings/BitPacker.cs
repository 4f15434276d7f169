using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Frazil.Parquet.Encodings;

/// <summary>Packs values of few bits, least significant first. Values must fit their width.</summary>
internal static unsafe class BitPacker
{
    private const ulong LowBytes = 0x00FF00FF00FF00FF, LowShorts = 0x0000FFFF0000FFFF;

    /// <summary>Packs 8 bytes, one a value, into <paramref name="width"/> (at most 8) bytes; 8 are written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pack8Bytes(ulong bytes, int width, byte* target) => *(ulong*)target = FoldBytes(bytes, width);

    /// <summary>Packs 8 ints into <paramref name="width"/> (1 to 32) bytes; up to 32 are written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pack8(int* values, int width, byte* target)
    {
        if (width <= 8)
        {
            *(ulong*)target = FoldBytes(NarrowToBytes(values), width);
        }
        else if (width <= 16)
        {
            var shorts = Vector128.Narrow(Vector128.Load((uint*)values), Vector128.Load((uint*)values + 4)).AsUInt64();
            Join(FoldShorts(shorts.GetElement(0), width), FoldShorts(shorts.GetElement(1), width), 4 * width, target);
        }
        else
        {
            PackWide(values, width, target);
        }
    }

    /// <summary>Packs 64-bit values; up to 8 bytes beyond the packed ones are written.</summary>
    /// <param name="width">1 to 64.</param>
    public static byte* Pack(ulong* values, int count, int width, byte* target)
    {
        ulong open = 0;
        var filled = 0;
        for (var index = 0; index < count; index++)
        {
            open |= values[index] << filled;
            filled += width;
            if (filled >= 64)
            {
                *(ulong*)target = open;
                target += 8;
                filled -= 64;
                open = filled == 0 ? 0 : values[index] >> (width - filled);
            }
        }
        *(ulong*)target = open;
        return target + ((filled + 7) >> 3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong NarrowToBytes(int* values)
    {
        var shorts = Vector128.Narrow(Vector128.Load((uint*)values), Vector128.Load((uint*)values + 4));
        return Vector128.Narrow(shorts, shorts).AsUInt64().ToScalar();
    }

    // Neighbours are moved together: pairs of bytes, then of shorts, then of ints.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong FoldBytes(ulong bytes, int width)
    {
        bytes = (bytes & LowBytes) | ((bytes & ~LowBytes) >> (8 - width));
        bytes = (bytes & LowShorts) | ((bytes & ~LowShorts) >> (16 - 2 * width));
        return (bytes & uint.MaxValue) | (bytes >> 32 << (4 * width));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong FoldShorts(ulong shorts, int width)
    {
        shorts = (shorts & LowShorts) | ((shorts & ~LowShorts) >> (16 - width));
        return (shorts & uint.MaxValue) | (shorts >> 32 << (2 * width));
    }

    /// <summary>Writes two words of <paramref name="bits"/> (32 to 64) bits each behind one another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Join(ulong low, ulong high, int bits, byte* target)
    {
        ((ulong*)target)[0] = bits == 64 ? low : low | (high << bits);
        ((ulong*)target)[1] = bits == 64 ? high : high >> (64 - bits);
    }

    private static void PackWide(int* values, int width, byte* target)
    {
        var wide = stackalloc ulong[8];
        for (var index = 0; index < 8; index++)
        {
            wide[index] = (uint)values[index];
        }
        Pack(wide, 8, width, target);
    }
}
