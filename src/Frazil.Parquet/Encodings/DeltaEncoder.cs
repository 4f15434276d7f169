using System.Numerics;

namespace Frazil.Parquet.Encodings;

/// <summary>DELTA_BINARY_PACKED: differences of neighbours, less the smallest of each block, in as few bits as each quarter block
/// needs.</summary>
internal static unsafe class DeltaEncoder
{
    private const int BlockValues = 128;
    private const int MiniBlocks = 4;
    private const int MiniValues = BlockValues / MiniBlocks;
    private const int BlockHeaderBytes = 10 + MiniBlocks;

    /// <summary>Bytes that a block of so many bits a value takes at most, with its header.</summary>
    private const int BlockBytes = BlockHeaderBytes + BlockValues * sizeof(ulong);

    public static void Append(NativeBuffer output, byte* values, int stride, int count)
    {
        output.AppendVarint(BlockValues);
        output.AppendVarint(MiniBlocks);
        output.AppendVarint((uint)count);
        output.AppendVarint(ZigZag(count == 0 ? 0 : ValueAt(values, stride, 0)));
        var deltas = stackalloc ulong[BlockValues];
        for (var first = 1; first < count; first += BlockValues)
        {
            var size = Math.Min(BlockValues, count - first);
            var least = Subtract(values, stride, first, size, deltas);
            output.AdvanceTo(WriteBlock(output.Reserve(BlockBytes), deltas, size, least));
        }
    }

    /// <summary>Bytes that values would take, from a sample of their blocks.</summary>
    public static long Estimate(byte* values, int stride, int count)
    {
        const int Samples = 16;
        var blocks = Math.Max(1, (count - 1) / BlockValues);
        var (step, sampled, bytes) = (Math.Max(1, blocks / Samples), 0L, 0L);
        var deltas = stackalloc ulong[BlockValues];
        for (var block = 0; block < blocks; block += step)
        {
            var first = 1 + block * BlockValues;
            var size = Math.Min(BlockValues, count - first);
            if (size <= 0)
            {
                break;
            }
            Subtract(values, stride, first, size, deltas);
            for (var mini = 0; mini < size; mini += MiniValues)
            {
                bytes += WidthOf(deltas + mini, Math.Min(MiniValues, size - mini)) * MiniValues / 8;
            }
            bytes += 8;
            sampled += size;
        }
        return sampled == 0 ? 0 : bytes * count / sampled;
    }

    private static byte* WriteBlock(byte* target, ulong* deltas, int size, long least)
    {
        target = NativeBuffer.WriteVarint(target, ZigZag(least));
        var widths = target;
        target += MiniBlocks;
        for (var mini = 0; mini < MiniBlocks; mini++)
        {
            var present = Math.Clamp(size - mini * MiniValues, 0, MiniValues);
            var width = present == 0 ? 0 : WidthOf(deltas + mini * MiniValues, present);
            widths[mini] = (byte)width;
            if (width > 0)
            {
                new Span<ulong>(deltas + mini * MiniValues + present, MiniValues - present).Clear();
                target = BitPacker.Pack(deltas + mini * MiniValues, MiniValues, width, target);
            }
        }
        return target;
    }

    /// <summary>Writes the differences from <paramref name="first"/> on, less the smallest, which is returned.</summary>
    private static long Subtract(byte* values, int stride, int first, int size, ulong* deltas)
        => stride == sizeof(int) ? SubtractInts((int*)values + first, size, deltas) : SubtractLongs((long*)values + first, size, deltas);

    private static long SubtractLongs(long* values, int size, ulong* deltas)
    {
        var least = long.MaxValue;
        var index = 0;
        if (size >= Vector<long>.Count)
        {
            var leasts = new Vector<long>(long.MaxValue);
            for (; index <= size - Vector<long>.Count; index += Vector<long>.Count)
            {
                var delta = Vector.Load(values + index) - Vector.Load(values + index - 1);
                leasts = Vector.Min(leasts, delta);
                delta.Store((long*)deltas + index);
            }
            for (var lane = 0; lane < Vector<long>.Count; lane++)
            {
                least = Math.Min(least, leasts[lane]);
            }
        }
        for (; index < size; index++)
        {
            var delta = unchecked(values[index] - values[index - 1]);
            least = Math.Min(least, delta);
            deltas[index] = (ulong)delta;
        }
        for (index = 0; index < size; index++)
        {
            deltas[index] = unchecked(deltas[index] - (ulong)least);
        }
        return least;
    }

    // In 32 bits throughout: a difference that wraps must not need more bits than a value has.
    private static long SubtractInts(int* values, int size, ulong* deltas)
    {
        var least = int.MaxValue;
        for (var index = 0; index < size; index++)
        {
            var delta = unchecked(values[index] - values[index - 1]);
            least = Math.Min(least, delta);
            deltas[index] = (uint)delta;
        }
        for (var index = 0; index < size; index++)
        {
            deltas[index] = unchecked((uint)deltas[index] - (uint)least);
        }
        return least;
    }

    private static int WidthOf(ulong* values, int count)
    {
        ulong all = 0;
        for (var index = 0; index < count; index++)
        {
            all |= values[index];
        }
        return 64 - BitOperations.LeadingZeroCount(all);
    }

    private static long ValueAt(byte* values, int stride, int index)
        => stride == sizeof(int) ? ((int*)values)[index] : ((long*)values)[index];

    private static ulong ZigZag(long value) => (ulong)((value << 1) ^ (value >> 63));
}
