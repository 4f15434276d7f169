using System.Runtime.CompilerServices;

namespace Frazil.Parquet.Reading;

/// <summary>Runs and bit-packed groups in turn, as levels, dictionary codes and booleans are stored.</summary>
internal static unsafe class HybridDecoder
{
    /// <summary>Values of at most 32 bits.</summary>
    public static void Decode(ref ByteCursor bytes, int width, int* target, int count)
    {
        for (var done = 0; done < count;)
        {
            var run = NextRun(ref bytes, width, count - done, out var isPacked, out var value);
            if (isPacked)
            {
                Unpack(bytes.TakePadded(BytesOf(run, width), PaddedBytes(value, width)), width, target + done, run);
            }
            else
            {
                new Span<int>(target + done, run).Fill((int)value);
            }
            done += run;
        }
    }

    /// <summary>Values of at most 8 bits, into a byte each.</summary>
    public static void DecodeBytes(ref ByteCursor bytes, int width, byte* target, int count)
    {
        var unpacked = stackalloc int[256];
        for (var done = 0; done < count;)
        {
            var run = NextRun(ref bytes, width, count - done, out var isPacked, out var value);
            if (!isPacked)
            {
                new Span<byte>(target + done, run).Fill((byte)value);
                done += run;
                continue;
            }
            var packed = bytes.TakePadded(BytesOf(run, width), PaddedBytes(value, width));
            for (var part = 0; part < run; part += 256)
            {
                // 256 values end at a whole byte, whatever their width.
                var size = Math.Min(256, run - part);
                Unpack(packed + (long)part * width / 8, width, unpacked, size);
                for (var index = 0; index < size; index++)
                {
                    target[done + part + index] = (byte)unpacked[index];
                }
            }
            done += run;
        }
    }

    /// <summary>The retired way of levels: packed from the most significant bit on.</summary>
    public static void DecodeOldPacked(ref ByteCursor bytes, int width, byte* target, int count)
    {
        var packed = bytes.Take(BytesOf(count, width));
        for (var index = 0; index < count; index++)
        {
            var value = 0;
            for (var bit = (long)index * width; bit < (index + 1L) * width; bit++)
            {
                value = (value << 1) | ((packed[bit >> 3] >> (7 - (int)(bit & 7))) & 1);
            }
            target[index] = (byte)value;
        }
    }

    /// <summary>Bits, least significant first, into bytes of 0 and 1.</summary>
    public static void UnpackBits(byte* bits, byte* target, int count)
    {
        for (var index = 0; index < count; index++)
        {
            target[index] = (byte)((bits[index >> 3] >> (index & 7)) & 1);
        }
    }

    /// <summary>Unpacks values of 0 to 32 bits, least significant first; reads up to 8 bytes beyond them.</summary>
    public static void Unpack(byte* packed, int width, int* target, int count)
    {
        var mask = width == 32 ? uint.MaxValue : (1UL << width) - 1;
        long bit = 0;
        for (var index = 0; index < count; index++, bit += width)
        {
            target[index] = (int)((*(ulong*)(packed + (bit >> 3)) >> (int)(bit & 7)) & mask);
        }
    }

    /// <summary>Unpacks values of 0 to 64 bits.</summary>
    public static void Unpack(byte* packed, int width, ulong* target, int count)
    {
        var mask = width == 64 ? ulong.MaxValue : (1UL << width) - 1;
        long bit = 0;
        for (var index = 0; index < count; index++, bit += width)
        {
            var start = packed + (bit >> 3);
            var shift = (int)(bit & 7);
            var value = *(ulong*)start >> shift;
            target[index] = (shift + width > 64 ? value | ((ulong)start[8] << (64 - shift)) : value) & mask;
        }
    }

    /// <summary>Values of the next run, no more than are wanted.</summary>
    /// <param name="value">The run's value, or the number of packed groups of 8.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int NextRun(ref ByteCursor bytes, int width, int wanted, out bool isPacked, out ulong value)
    {
        var header = bytes.ReadVarint();
        isPacked = (header & 1) != 0;
        value = header >> 1;
        if (isPacked)
        {
            return (int)Math.Min((ulong)wanted, Math.Min(value, int.MaxValue) * 8);
        }
        var run = (int)Math.Min((ulong)wanted, value);
        value = 0;
        for (var part = 0; part < (width + 7) / 8; part++)
        {
            value |= (ulong)bytes.ReadByte() << (8 * part);
        }
        return run;
    }

    private static long BytesOf(int count, int width) => ((long)count * width + 7) / 8;

    private static long PaddedBytes(ulong groups, int width) => (long)Math.Min(groups, int.MaxValue) * width;
}
