namespace Frazil.Parquet.Reading;

/// <summary>DELTA_BINARY_PACKED, and the lengths of byte arrays that are stored by it.</summary>
internal static unsafe class DeltaDecoder
{
    private const int MaxBlock = 1 << 20;

    /// <summary>Decodes all values; there must be as many as wanted. Differences wrap, so 32 bits are the low half of 64.</summary>
    /// <param name="stride">4 or 8.</param>
    public static void Decode(ref ByteCursor bytes, byte* target, int stride, int count)
    {
        var block = bytes.ReadVarint();
        var minis = bytes.ReadVarint();
        var total = bytes.ReadVarint();
        var last = bytes.ReadZigZag();
        if (block is 0 or > MaxBlock || minis is 0 || minis > block || block % minis != 0 || block / minis % 8 != 0 || total != (ulong)count)
        {
            throw new InvalidDataException(
                $"Differences in a Parquet page have blocks of {block} values in {minis} parts, {total} in all; there should be {count}.");
        }
        if (count == 0)
        {
            return;
        }
        Store(target, stride, 0, last);
        var size = (int)(block / minis);
        var unpacked = new ulong[size];
        fixed (ulong* deltas = unpacked)
        {
            for (var done = 1; done < count;)
            {
                var least = bytes.ReadZigZag();
                var widths = bytes.Take((long)minis);
                for (ulong mini = 0; mini < minis && done < count; mini++)
                {
                    var taken = Math.Min(size, count - done);
                    int width = widths[mini];
                    if (width > 64)
                    {
                        throw new InvalidDataException($"Differences in a Parquet page have {width} bits.");
                    }
                    HybridDecoder.Unpack(
                        bytes.TakePadded(((long)taken * width + 7) / 8, (long)size * width / 8), width, deltas, taken);
                    last = Add(target, stride, done, taken, deltas, last, least);
                    done += taken;
                }
            }
        }
    }

    /// <summary>Decodes lengths, none of them negative. Returns their sum.</summary>
    public static long DecodeLengths(ref ByteCursor bytes, int* lengths, int count)
    {
        Decode(ref bytes, (byte*)lengths, sizeof(int), count);
        var sum = 0L;
        for (var index = 0; index < count; index++)
        {
            sum += lengths[index] >= 0 ? lengths[index] : throw new InvalidDataException("A Parquet page has a value of negative length.");
        }
        return sum;
    }

    private static long Add(byte* target, int stride, int first, int count, ulong* deltas, long last, long least)
    {
        if (stride == sizeof(int))
        {
            for (var index = 0; index < count; index++)
            {
                last = unchecked(last + least + (long)deltas[index]);
                ((int*)target)[first + index] = unchecked((int)last);
            }
            return last;
        }
        for (var index = 0; index < count; index++)
        {
            last = unchecked(last + least + (long)deltas[index]);
            ((long*)target)[first + index] = last;
        }
        return last;
    }

    private static void Store(byte* target, int stride, int index, long value)
    {
        if (stride == sizeof(int))
        {
            ((int*)target)[index] = unchecked((int)value);
            return;
        }
        ((long*)target)[index] = value;
    }
}
