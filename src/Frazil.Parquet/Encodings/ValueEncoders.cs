using Frazil.Parquet.Values;

namespace Frazil.Parquet.Encodings;

/// <summary>The encodings that keep values as they are: one after another, or taken apart byte by byte.</summary>
internal static unsafe class ValueEncoders
{
    /// <summary>PLAIN for numbers and fixed-width bytes.</summary>
    public static void AppendFixed(NativeBuffer output, byte* values, int stride, int count)
    {
        var bytes = (long)stride * count;
        Buffer.MemoryCopy(values, output.Reserve(bytes), bytes, bytes);
        output.Advance(bytes);
    }

    /// <summary>PLAIN for booleans, which come as bytes: a bit each.</summary>
    public static void AppendBooleans(NativeBuffer output, byte* values, int count)
    {
        var target = output.Reserve((count + 7) >> 3);
        var index = 0;
        for (; index + 8 <= count; index += 8)
        {
            BitPacker.Pack8Bytes(*(ulong*)(values + index), 1, target++);
        }
        if (index < count)
        {
            ulong rest = 0;
            Buffer.MemoryCopy(values + index, &rest, sizeof(ulong), count - index);
            BitPacker.Pack8Bytes(rest, 1, target++);
        }
        output.AdvanceTo(target);
    }

    /// <summary>PLAIN for byte arrays: the length, then the bytes.</summary>
    public static void AppendBytes(NativeBuffer output, ByteRef* values, int count)
    {
        var target = output.Reserve(SumLengths(values, count) + (long)sizeof(int) * count);
        for (var index = 0; index < count; index++)
        {
            *(int*)target = values[index].Length;
            target = CopyValue(values[index], target + sizeof(int));
        }
        output.AdvanceTo(target);
    }

    /// <summary>DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes.</summary>
    public static void AppendDeltaLength(NativeBuffer output, ByteRef* values, int count, NativeBuffer scratch)
    {
        scratch.Clear();
        var lengths = (int*)scratch.Reserve((long)sizeof(int) * count);
        for (var index = 0; index < count; index++)
        {
            lengths[index] = values[index].Length;
        }
        DeltaEncoder.Append(output, (byte*)lengths, sizeof(int), count);
        var target = output.Reserve(SumLengths(values, count));
        for (var index = 0; index < count; index++)
        {
            target = CopyValue(values[index], target);
        }
        output.AdvanceTo(target);
    }

    /// <summary>BYTE_STREAM_SPLIT: the first bytes of all values, then the second ones, and so on.</summary>
    public static void AppendSplit(NativeBuffer output, byte* values, int stride, int count)
    {
        var target = output.Reserve((long)stride * count);
        for (var part = 0; part < stride; part++)
        {
            var source = values + part;
            for (var index = 0; index < count; index++, source += stride)
            {
                target[index] = *source;
            }
            target += count;
        }
        output.AdvanceTo(target);
    }

    public static long SumLengths(ByteRef* values, int count)
    {
        long sum = 0;
        for (var index = 0; index < count; index++)
        {
            sum += values[index].Length;
        }
        return sum;
    }

    private static byte* CopyValue(ByteRef value, byte* target)
    {
        if (value.Length <= ColumnValues.SafeBytes)
        {
            // Short ones, which most are, by two words: no call, no branch on the length.
            ((ulong*)target)[0] = ((ulong*)value.Data)[0];
            ((ulong*)target)[1] = ((ulong*)value.Data)[1];
        }
        else
        {
            Buffer.MemoryCopy(value.Data, target, value.Length, value.Length);
        }
        return target + value.Length;
    }
}
