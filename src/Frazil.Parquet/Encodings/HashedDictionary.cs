using System.Numerics;

namespace Frazil.Parquet.Encodings;

/// <summary>A dictionary of values of any kind, found again by hashing.</summary>
internal sealed unsafe class HashedDictionary<TKey> : ColumnDictionary
    where TKey : unmanaged, IDictionaryKey<TKey>
{
    private const int FirstSlots = 4096;

    private readonly NativeBuffer slots = new();
    private readonly NativeBuffer keys = new();
    private int slotCount;

    public override bool TryBuild(byte* values, int count, int* codes, long maxBytes)
    {
        Clear();
        keys.Clear();
        ResetSlots(FirstSlots);
        for (int seen = 0, look = DictionaryPolicy.NextLook(0); seen < count; look = DictionaryPolicy.NextLook(look))
        {
            var end = Math.Min(look, count);
            if (!TryNumber(values, seen, end, codes, maxBytes) || DictionaryPolicy.IsHopeless(end, Count))
            {
                return false;
            }
            seen = end;
        }
        return count > 0;
    }

    public override void AppendEntries(NativeBuffer output) => TKey.AppendPlain(output, Entries, Count);

    public override void Trim(long keptBytes)
    {
        base.Trim(keptBytes);
        slots.Trim(keptBytes);
        keys.Trim(keptBytes);
    }

    public override void Dispose()
    {
        base.Dispose();
        slots.Dispose();
        keys.Dispose();
    }

    private bool TryNumber(byte* values, int first, int end, int* codes, long maxBytes)
    {
        var table = (Slot*)slots.Data;
        var known = (TKey*)keys.Data;
        var entries = Entries;
        var (shift, mask) = (ShiftOf(slotCount), slotCount - 1);
        for (var index = first; index < end; index++)
        {
            var value = values + (long)index * TKey.Stride;
            var key = TKey.Of(value);
            var tag = (uint)key.Hash;
            var at = (int)(key.Hash >> shift);
            for (var probes = 0; ; at = (at + 1) & mask)
            {
                var code = table[at].Code;
                if (code == 0)
                {
                    if (!TryAdd(value, key, maxBytes))
                    {
                        return false;
                    }
                    known = (TKey*)keys.Data;
                    entries = Entries;
                    table[at] = new() { Tag = tag, Code = Count };
                    break;
                }
                if (table[at].Tag == tag && TKey.AreEqual(key, known[code - 1], value, entries + (code - 1L) * TKey.Stride))
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
                (shift, mask) = (ShiftOf(slotCount), slotCount - 1);
            }
        }
        return true;
    }

    private bool TryAdd(byte* value, in TKey key, long maxBytes)
    {
        if (Count == DictionaryPolicy.MaxEntries || PlainBytes + key.PlainBytes > maxBytes)
        {
            return false;
        }
        EntryBuffer.Append(new ReadOnlySpan<byte>(value, TKey.Stride));
        *(TKey*)keys.Reserve(sizeof(TKey)) = key;
        keys.Advance(sizeof(TKey));
        PlainBytes += key.PlainBytes;
        Count++;
        return true;
    }

    private void Rehash(int newCount)
    {
        ResetSlots(newCount);
        var table = (Slot*)slots.Data;
        var known = (TKey*)keys.Data;
        var shift = ShiftOf(newCount);
        for (var code = 0; code < Count; code++)
        {
            var hash = known[code].Hash;
            var at = (int)(hash >> shift);
            while (table[at].Code != 0)
            {
                at = (at + 1) & (newCount - 1);
            }
            table[at] = new() { Tag = (uint)hash, Code = code + 1 };
        }
    }

    private void ResetSlots(int count)
    {
        slotCount = count;
        slots.Clear();
        new Span<byte>(slots.Reserve((long)count * sizeof(Slot)), count * sizeof(Slot)).Clear();
    }

    private static int ShiftOf(int slotCount) => 64 - BitOperations.Log2((uint)slotCount);

    private struct Slot
    {
        public uint Tag;

        /// <summary>The entry's number plus one; 0 where empty.</summary>
        public int Code;
    }
}
