using System.Numerics;

namespace Frazil.Parquet.Encodings;

/// <summary>A dictionary of 4- or 8-byte values; floating point by its bits, so that -0.0 and every NaN stay what they are.</summary>
internal sealed unsafe class FixedDictionary(int stride, bool isInteger) : ColumnDictionary
{
    private const int FirstSlots = 4096;
    private const ulong Multiplier = 0x9E3779B97F4A7C15;
    private const long DirectRange = 1 << 16;

    private readonly NativeBuffer slots = new();
    private readonly NativeBuffer entries = new();
    private int slotCount;

    public override long PlainBytes => (long)Count * stride;

    public override byte* Entries => entries.Data;

    public override bool TryBuild(byte* values, int count, int* codes, long maxBytes)
    {
        Count = 0;
        entries.Clear();
        var maxEntries = (int)Math.Min(DictionaryPolicy.MaxEntries, maxBytes / stride);
        if (count == 0 || maxEntries == 0)
        {
            return false;
        }
        if (isInteger)
        {
            var (least, greatest) = stride == sizeof(int) ? Range((int*)values, count) : Range((long*)values, count);
            var range = unchecked((ulong)(greatest - least));
            if (range < DirectRange && range < (ulong)Math.Max(count, 1024))
            {
                return TryBuildDirect(values, count, codes, maxEntries, least, (int)range + 1);
            }
        }
        ResetSlots(FirstSlots);
        for (int seen = 0, look = DictionaryPolicy.NextLook(0); seen < count; look = DictionaryPolicy.NextLook(look))
        {
            var end = Math.Min(look, count);
            if (!TryNumber(values, seen, end, codes, maxEntries) || DictionaryPolicy.IsHopeless(end, Count))
            {
                return false;
            }
            seen = end;
        }
        return true;
    }

    public override void AppendEntries(NativeBuffer output) => output.Append(entries.Span);

    public override void Trim(long keptBytes)
    {
        slots.Trim(keptBytes);
        entries.Trim(keptBytes);
    }

    public override void Dispose()
    {
        slots.Dispose();
        entries.Dispose();
    }

    private static (long Least, long Greatest) Range<T>(T* values, int count)
        where T : unmanaged, INumber<T>
    {
        var (least, greatest) = Statistics.MinMax.Of(values, count);
        return (long.CreateTruncating(least), long.CreateTruncating(greatest));
    }

    /// <summary>Values of a narrow range: a table by value instead of hashing.</summary>
    private bool TryBuildDirect(byte* values, int count, int* codes, int maxEntries, long least, int range)
    {
        slots.Clear();
        var table = (int*)slots.Reserve((long)range * sizeof(int));
        new Span<int>(table, range).Clear();
        entries.Reserve((long)Math.Min(range, count) * stride);
        for (var index = 0; index < count; index++)
        {
            var value = stride == sizeof(int) ? ((int*)values)[index] : ((long*)values)[index];
            ref var code = ref table[value - least];
            if (code == 0)
            {
                if (Count == maxEntries)
                {
                    return false;
                }
                code = AddEntry((ulong)value);
            }
            codes[index] = code - 1;
        }
        return true;
    }

    private bool TryNumber(byte* values, int first, int end, int* codes, int maxEntries)
    {
        var table = (Slot*)slots.Data;
        var (shift, mask) = (64 - BitOperations.Log2((uint)slotCount), slotCount - 1);
        for (var index = first; index < end; index++)
        {
            var value = stride == sizeof(int) ? ((uint*)values)[index] : ((ulong*)values)[index];
            var at = (int)((value * Multiplier) >> shift);
            for (var probes = 0; ; at = (at + 1) & mask)
            {
                if (table[at].Code == 0)
                {
                    if (Count == maxEntries || ++probes > DictionaryPolicy.MaxProbes)
                    {
                        return false;
                    }
                    table[at] = new() { Key = value, Code = AddEntry(value) };
                    break;
                }
                if (table[at].Key == value)
                {
                    break;
                }
                if (++probes > DictionaryPolicy.MaxProbes)
                {
                    return false;
                }
            }
            codes[index] = table[at].Code - 1;
            if (Count * 2 > slotCount)
            {
                Rehash(slotCount * 4);
                table = (Slot*)slots.Data;
                (shift, mask) = (64 - BitOperations.Log2((uint)slotCount), slotCount - 1);
            }
        }
        return true;
    }

    /// <returns>The number of the new entry, plus one.</returns>
    private int AddEntry(ulong value)
    {
        *(ulong*)entries.Reserve(sizeof(ulong)) = value;
        entries.Advance(stride);
        return ++Count;
    }

    private void Rehash(int newCount)
    {
        ResetSlots(newCount);
        var table = (Slot*)slots.Data;
        var shift = 64 - BitOperations.Log2((uint)newCount);
        for (var code = 0; code < Count; code++)
        {
            var value = stride == sizeof(int) ? ((uint*)entries.Data)[code] : ((ulong*)entries.Data)[code];
            var at = (int)((value * Multiplier) >> shift);
            while (table[at].Code != 0)
            {
                at = (at + 1) & (newCount - 1);
            }
            table[at] = new() { Key = value, Code = code + 1 };
        }
    }

    private void ResetSlots(int count)
    {
        slotCount = count;
        slots.Clear();
        new Span<byte>(slots.Reserve((long)count * sizeof(Slot)), count * sizeof(Slot)).Clear();
    }

    private struct Slot
    {
        public ulong Key;

        /// <summary>The entry's number plus one; 0 where empty.</summary>
        public int Code;
    }
}
