using System.Buffers.Binary;
using Frazil.Columnar;
using Frazil.DuckDb;

namespace Frazil.Tests.Parquet;

/// <summary>Strings, binary and uuids, ordered by unsigned bytes (for UTF-8 that is the order of code points).</summary>
internal sealed unsafe class BytesBounds : Bounds
{
    private const int PrefixBytes = 8;

    // Into the chunks, which stay pinned while they are measured: a sorted column would otherwise allocate at every value.
    private byte* least;
    private byte* greatest;
    private int leastLength = -1;
    private int greatestLength;
    private ulong leastPrefix;
    private ulong greatestPrefix;

    public override void Add(ColumnView view, RowSet rows, ulong* present)
    {
        var width = view.Type.ValueSize;
        // From any start up to here eight bytes may be read without leaving what is visible.
        var safeEnd = (width > 0 ? view.Length * width : view.Offsets[view.Length]) - PrefixBytes;
        for (var index = 0; index < rows.Count; index++)
        {
            if (!IsPresent(present, index))
            {
                continue;
            }
            var row = rows[index];
            var begin = width > 0 ? row * width : view.Offsets[row];
            var length = width > 0 ? width : view.Offsets[row + 1] - (int)begin;
            var bytes = view.Values + begin;
            Add(bytes, length, begin <= safeEnd ? Masked(*(ulong*)bytes, length) : Prefix(new ReadOnlySpan<byte>(bytes, length)));
        }
    }

    public override byte[]? Lower() => leastLength < 0 ? null : new ReadOnlySpan<byte>(least, leastLength).ToArray();

    public override byte[]? Upper() => leastLength < 0 ? null : new ReadOnlySpan<byte>(greatest, greatestLength).ToArray();

    private void Add(byte* bytes, int length, ulong prefix)
    {
        // Eight bytes decide nearly always; only their ties need the whole value.
        if (leastLength < 0)
        {
            SetLeast(bytes, length, prefix);
            SetGreatest(bytes, length, prefix);
            return;
        }
        if (prefix < leastPrefix || (prefix == leastPrefix && Compare(bytes, length, least, leastLength) < 0))
        {
            SetLeast(bytes, length, prefix);
        }
        if (prefix > greatestPrefix || (prefix == greatestPrefix && Compare(bytes, length, greatest, greatestLength) > 0))
        {
            SetGreatest(bytes, length, prefix);
        }
    }

    private void SetLeast(byte* bytes, int length, ulong prefix)
    {
        least = bytes;
        leastLength = length;
        leastPrefix = prefix;
    }

    private void SetGreatest(byte* bytes, int length, ulong prefix)
    {
        greatest = bytes;
        greatestLength = length;
        greatestPrefix = prefix;
    }

    /// <summary>Of values with the same prefix: without a look at them where the prefix was all there is.</summary>
    private static int Compare(byte* left, int leftLength, byte* right, int rightLength) =>
        leftLength <= PrefixBytes && rightLength <= PrefixBytes
            ? leftLength - rightLength
            : new ReadOnlySpan<byte>(left, leftLength).SequenceCompareTo(new ReadOnlySpan<byte>(right, rightLength));

    private static ulong Masked(ulong littleEndian, int length)
    {
        var bigEndian = BinaryPrimitives.ReverseEndianness(littleEndian);
        return length >= PrefixBytes ? bigEndian : length == 0 ? 0 : bigEndian & (ulong.MaxValue << (8 * (PrefixBytes - length)));
    }

    private static ulong Prefix(ReadOnlySpan<byte> value)
    {
        if (value.Length >= 8)
        {
            return BinaryPrimitives.ReadUInt64BigEndian(value);
        }
        ulong prefix = 0;
        for (var index = 0; index < value.Length; index++)
        {
            prefix |= (ulong)value[index] << (56 - (8 * index));
        }
        return prefix;
    }
}
