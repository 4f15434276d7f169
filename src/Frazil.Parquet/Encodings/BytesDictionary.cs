using System.Runtime.CompilerServices;
using Frazil.Parquet.Values;

namespace Frazil.Parquet.Encodings;

/// <summary>A dictionary of byte arrays. Its entries are references to where a value was first seen.</summary>
internal sealed unsafe class BytesDictionary : ColumnDictionary
{
    private const int FirstSlots = 4096;
    private const ulong SeedOne = 0xA0761D6478BD642F, SeedTwo = 0xE7037ED1A0B428DB;

    private readonly NativeBuffer slots = new();
    private readonly NativeBuffer entries = new();
    private readonly NativeBuffer keys = new();
    private int slotCount;
    private long bytes;

    public override long PlainBytes => bytes + (long)Count * sizeof(int);

    public override byte* Entries => entries.Data;

    public override bool TryBuild(byte* values, int count, int* codes, long maxBytes)
    {
        (Count, bytes) = (0, 0);
        entries.Clear();
        keys.Clear();
        ResetSlots(FirstSlots);
        for (int seen = 0, look = DictionaryPolicy.NextLook(0); seen < count; look = DictionaryPolicy.NextLook(look))
        {
            var end = Math.Min(look, count);
            if (!TryNumber((ByteRef*)values, seen, end, codes, maxBytes) || DictionaryPolicy.IsHopeless(end, Count))
            {
                return false;
            }
            seen = end;
        }
        return count > 0;
    }

    public override void AppendEntries(NativeBuffer output) => ValueEncoders.AppendBytes(output, (ByteRef*)entries.Data, Count);

    public override void Trim(long keptBytes)
    {
        slots.Trim(keptBytes);
        entries.Trim(keptBytes);
        keys.Trim(keptBytes);
    }

    public override void Dispose()
    {
        slots.Dispose();
        entries.Dispose();
        keys.Dispose();
    }

    private bool TryNumber(ByteRef* values, int first, int end, int* codes, long maxBytes)
    {
        var table = (Slot*)slots.Data;
        var known = (Key*)keys.Data;
        var mask = slotCount - 1;
        for (var index = first; index < end; index++)
        {
            var key = KeyOf(values[index]);
            var tag = (uint)(key.Hash >> 32);
            var at = (int)key.Hash & mask;
            for (var probes = 0; ; at = (at + 1) & mask)
            {
                var code = table[at].Code;
                if (code == 0)
                {
                    if (!TryAdd(values[index], key, maxBytes))
                    {
                        return false;
                    }
                    known = (Key*)keys.Data;
                    table[at] = new() { Tag = tag, Code = Count };
                    break;
                }
                if (table[at].Tag == tag && IsEqual(key, known[code - 1], values[index], code - 1))
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
                mask = slotCount - 1;
            }
        }
        return true;
    }

    private bool TryAdd(ByteRef value, in Key key, long maxBytes)
    {
        if (Count == DictionaryPolicy.MaxEntries || PlainBytes + sizeof(int) + value.Length > maxBytes)
        {
            return false;
        }
        *(ByteRef*)entries.Reserve(sizeof(ByteRef)) = value;
        entries.Advance(sizeof(ByteRef));
        *(Key*)keys.Reserve(sizeof(Key)) = key;
        keys.Advance(sizeof(Key));
        bytes += value.Length;
        Count++;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsEqual(in Key left, in Key right, ByteRef value, int code)
        => left.First == right.First && left.Last == right.Last && left.Length == right.Length
            && (left.Length <= 16 || value.Span.SequenceEqual(((ByteRef*)entries.Data)[code].Span));

    /// <summary>The first and last eight bytes, which are the whole value where it is short, and a hash of all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Key KeyOf(ByteRef value)
    {
        var first = *(ulong*)value.Data;
        ulong last = 0;
        if (value.Length < 8)
        {
            first &= (1UL << (8 * value.Length)) - 1;
        }
        else
        {
            last = *(ulong*)(value.Data + value.Length - 8);
        }
        var seed = value.Length <= 16 ? SeedTwo : HashMiddle(value);
        var hash = Mix(first ^ SeedOne ^ (uint)value.Length, last ^ seed);
        return new() { First = first, Last = last, Length = value.Length, Hash = hash };
    }

    private static ulong HashMiddle(ByteRef value)
    {
        var hash = SeedTwo;
        for (var at = 8; at < value.Length - 8; at += 8)
        {
            hash = Mix(hash ^ *(ulong*)(value.Data + at), SeedOne);
        }
        return hash;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong left, ulong right)
    {
        var high = Math.BigMul(left, right, out var low);
        return high ^ low;
    }

    private void Rehash(int newCount)
    {
        ResetSlots(newCount);
        var table = (Slot*)slots.Data;
        var known = (Key*)keys.Data;
        for (var code = 0; code < Count; code++)
        {
            var at = (int)known[code].Hash & (newCount - 1);
            while (table[at].Code != 0)
            {
                at = (at + 1) & (newCount - 1);
            }
            table[at] = new() { Tag = (uint)(known[code].Hash >> 32), Code = code + 1 };
        }
    }

    private void ResetSlots(int count)
    {
        slotCount = count;
        slots.Clear();
        new Span<byte>(slots.Reserve((long)count * sizeof(Slot)), count * sizeof(Slot)).Clear();
    }

    private struct Key
    {
        public ulong First;
        public ulong Last;
        public ulong Hash;
        public int Length;
    }

    private struct Slot
    {
        public uint Tag;

        /// <summary>The entry's number plus one; 0 where empty.</summary>
        public int Code;
    }
}
