using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Frazil.Parquet.Levels;

/// <summary>Bits that lie least significant first, at any place.</summary>
internal static unsafe class Bits
{
    /// <summary>Up to 64 bits from <paramref name="start"/> on, the others clear; all set where there is no buffer. The buffer is padded to
    /// whole words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Read(byte* bits, long start, int count)
    {
        var wanted = count == 64 ? ulong.MaxValue : (1UL << count) - 1;
        if (bits == null)
        {
            return wanted;
        }
        var words = (ulong*)bits + (start >> 6);
        var shift = (int)(start & 63);
        var value = words[0] >> shift;
        if (shift + count > 64)
        {
            value |= words[1] << (64 - shift);
        }
        return value & wanted;
    }

    /// <summary>A byte of 0 or 1 for each bit; may write up to 64.</summary>
    public static void ExpandToBytes(ulong word, byte* target, int count)
    {
        if (Vector256.IsHardwareAccelerated)
        {
            for (var done = 0; done < count; done += 32)
            {
                Expand32((uint)(word >> done)).Store(target + done);
            }
            return;
        }
        for (var index = 0; index < count; index++)
        {
            target[index] = (byte)((word >> index) & 1);
        }
    }

    /// <summary>A bit for each byte: set where it is at least so much.</summary>
    /// <param name="bytes">So many as are counted.</param>
    /// <param name="least">What sets the bit.</param>
    /// <param name="bits">Clear; whole words.</param>
    /// <param name="count">Bytes.</param>
    public static void PackAtLeast(byte* bytes, byte least, byte* bits, int count)
    {
        var index = 0;
        for (; index <= count - Vector256<byte>.Count; index += Vector256<byte>.Count)
        {
            var isEnough = Vector256.GreaterThanOrEqual(Vector256.Load(bytes + index), Vector256.Create(least));
            *(uint*)(bits + index / 8) = isEnough.ExtractMostSignificantBits();
        }
        for (; index < count; index++)
        {
            bits[index >> 3] |= (byte)(bytes[index] >= least ? 1 << (index & 7) : 0);
        }
    }

    private static Vector256<byte> Expand32(uint bits)
    {
        var which = Vector256.Create((byte)0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
        var bit = Vector256.Create(0x8040201008040201UL).AsByte();
        var spread = Vector256.Shuffle(Vector256.Create(bits).AsByte(), which);
        return Vector256.Equals(spread & bit, bit) & Vector256<byte>.One;
    }
}
