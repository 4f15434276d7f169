using System.Buffers.Binary;
using Frazil.Parquet.Values;

namespace Frazil.Parquet.Statistics;

/// <summary>Text, binary, fixed-width bytes, uuids: by unsigned bytes (for UTF-8 the order of code points). Long decimals: the same with
/// the sign turned over.</summary>
/// <param name="width">Bytes of each value; 0 for <see cref="ByteRef"/>s.</param>
/// <param name="isSigned">The first byte has a sign.</param>
/// <param name="isText">A cut bound must be valid UTF-8 again.</param>
internal sealed unsafe class BytesBounds(int width, bool isSigned, bool isText) : ValueBounds
{
    private const int PrefixBytes = 8;

    private Bound least;
    private Bound greatest;
    private byte[]? ownedLeast;
    private byte[]? ownedGreatest;

    private bool hasAny;

    public override bool IsEmpty => !hasAny;

    public override void Clear()
    {
        hasAny = false;
        ownedLeast = ownedGreatest = null;
    }

    public override void Add(byte* values, int first, int count)
    {
        for (var index = first; index < first + count; index++)
        {
            var data = width > 0 ? values + (long)index * width : ((ByteRef*)values)[index].Data;
            var length = width > 0 ? width : ((ByteRef*)values)[index].Length;
            Add(new(data, length, PrefixOf(data, length)));
        }
    }

    public override void Merge(ValueBounds other)
    {
        var bounds = (BytesBounds)other;
        if (bounds.hasAny)
        {
            Add(bounds.least);
            Add(bounds.greatest);
        }
    }

    public override int Compare(ValueBounds other, bool isUpper)
        => isUpper ? Compare(greatest, ((BytesBounds)other).greatest) : Compare(least, ((BytesBounds)other).least);

    public override void Own()
    {
        least = hasAny ? Pin(least, ref ownedLeast) : default;
        greatest = hasAny ? Pin(greatest, ref ownedGreatest) : default;
    }

    public override bool Append(NativeBuffer output, bool isUpper)
    {
        var value = (isUpper ? greatest : least).Span;
        if (width > 0 || value.Length <= CutBytes)
        {
            output.Append(value);
            return true;
        }
        if (!isUpper)
        {
            output.Append(value[..CutLength(value)]);
            return false;
        }
        var cut = value[..CutLength(value)].ToArray();
        var length = Increment(cut);
        output.Append(length > 0 ? cut.AsSpan(0, length) : value);
        return length == 0;
    }

    protected override byte[] Serialize(bool isUpper)
    {
        var bytes = (isUpper ? greatest : least).Span.ToArray();
        return isSigned ? TwosComplement.Shorten(bytes) : bytes;
    }

    private void Add(in Bound value)
    {
        if (!hasAny)
        {
            (least, greatest, hasAny) = (value, value, true);
            return;
        }
        // Eight bytes decide nearly always; only their ties need the whole value.
        if (value.Prefix <= least.Prefix && Compare(value, least) < 0)
        {
            least = value;
        }
        if (value.Prefix >= greatest.Prefix && Compare(value, greatest) > 0)
        {
            greatest = value;
        }
    }

    private int Compare(in Bound left, in Bound right)
    {
        if (left.Prefix != right.Prefix)
        {
            return left.Prefix < right.Prefix ? -1 : 1;
        }
        if (left.Length <= PrefixBytes && right.Length <= PrefixBytes)
        {
            return left.Length - right.Length;
        }
        return left.Span.SequenceCompareTo(right.Span);
    }

    private ulong PrefixOf(byte* data, int length)
    {
        ulong prefix;
        if (width is 0 or >= PrefixBytes)
        {
            prefix = BinaryPrimitives.ReverseEndianness(*(ulong*)data);
            prefix = length >= PrefixBytes ? prefix : length == 0 ? 0 : prefix & (ulong.MaxValue << (8 * (PrefixBytes - length)));
        }
        else
        {
            prefix = 0;
            Buffer.MemoryCopy(data, &prefix, PrefixBytes, length);
            prefix = BinaryPrimitives.ReverseEndianness(prefix);
        }
        return isSigned ? prefix ^ (1UL << 63) : prefix;
    }

    // In the pinned heap, so that its address is good as long as the array is held.
    private Bound Pin(in Bound bound, ref byte[]? owned)
    {
        var copy = GC.AllocateUninitializedArray<byte>(Math.Max(PrefixBytes, bound.Length), pinned: true);
        bound.Span.CopyTo(copy);
        owned = copy;
        fixed (byte* data = copy)
        {
            return new(data, bound.Length, bound.Prefix);
        }
    }

    /// <summary>Of text, not within a character.</summary>
    private int CutLength(ReadOnlySpan<byte> value)
    {
        var length = CutBytes;
        while (isText && length > CutBytes - 4 && (value[length] & 0xC0) == 0x80)
        {
            length--;
        }
        return length;
    }

    /// <summary>Makes the bytes greater than all that begin with them. Returns how many of them stay; 0 where it cannot be.</summary>
    private int Increment(byte[] bytes)
    {
        for (var last = bytes.Length - 1; last >= 0; last--)
        {
            // Of text only what stays one ASCII character: a greater one of more bytes would have to be built.
            if (isText ? bytes[last] < 0x7F : bytes[last] < 0xFF)
            {
                bytes[last]++;
                return last + 1;
            }
        }
        return 0;
    }

    private readonly struct Bound(byte* data, int length, ulong prefix)
    {
        private readonly byte* data = data;

        public int Length { get; } = length;

        public ulong Prefix { get; } = prefix;

        public ReadOnlySpan<byte> Span => new(data, Length);
    }
}
