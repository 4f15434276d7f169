using System.Numerics;
using Frazil.Parquet.Statistics;

namespace Frazil.Parquet.Encodings;

/// <summary>A dictionary of integers of a narrow range: a table by value instead of hashing.</summary>
/// <param name="stride">Bytes of a value: 4 or 8.</param>
internal sealed unsafe class NarrowDictionary(int stride) : ColumnDictionary
{
    private const long WidestRange = 1 << 16;

    /// <summary>Values for which a table of <see cref="LeastRange"/> entries is worth clearing.</summary>
    private const int LeastRange = 1024;

    private readonly NativeBuffer table = new();
    private long least;
    private int range;

    /// <summary>Whether the values lie close enough together; <see cref="TryBuild"/> takes only such ones.</summary>
    public bool Suits(byte* values, int count)
    {
        if (count == 0)
        {
            return false;
        }
        var (low, high) = stride == sizeof(int) ? Range((int*)values, count) : Range((long*)values, count);
        var wide = unchecked((ulong)(high - low));
        (least, range) = (low, (int)Math.Min(wide, int.MaxValue - 1) + 1);
        return wide < WidestRange && wide < (ulong)Math.Max(count, LeastRange);
    }

    public override bool TryBuild(byte* values, int count, int* codes, long maxBytes)
    {
        Clear();
        table.Clear();
        var numbers = (int*)table.Reserve((long)range * sizeof(int));
        new Span<int>(numbers, range).Clear();
        EntryBuffer.Reserve((long)Math.Min(range, count) * stride);
        for (var index = 0; index < count; index++)
        {
            var value = stride == sizeof(int) ? ((int*)values)[index] : ((long*)values)[index];
            ref var code = ref numbers[value - least];
            if (code == 0)
            {
                if (PlainBytes + stride > maxBytes)
                {
                    return false;
                }
                *(long*)EntryBuffer.Reserve(sizeof(long)) = value;
                EntryBuffer.Advance(stride);
                PlainBytes += stride;
                code = ++Count;
            }
            codes[index] = code - 1;
        }
        return true;
    }

    public override void AppendEntries(NativeBuffer output) => output.Append(EntryBuffer.Span);

    public override void Trim(long keptBytes)
    {
        base.Trim(keptBytes);
        table.Trim(keptBytes);
    }

    public override void Dispose()
    {
        base.Dispose();
        table.Dispose();
    }

    private static (long Least, long Greatest) Range<T>(T* values, int count)
        where T : unmanaged, INumber<T>
    {
        var (low, high) = MinMax.Of(values, count);
        return (long.CreateTruncating(low), long.CreateTruncating(high));
    }
}
