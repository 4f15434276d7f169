using System.Buffers.Binary;
using Frazil.Columnar.DuckDb;

namespace Frazil.Columnar.Statistics;

/// <summary>Strings, binary and uuids, ordered by unsigned bytes (for UTF-8 that is the order of code points).</summary>
internal sealed unsafe class BytesBounds : Bounds
{
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
        for (var index = 0; index < rows.Count; index++)
        {
            if (!IsPresent(present, index))
            {
                continue;
            }
            var row = rows[index];
            var begin = width > 0 ? row * width : view.Offsets[row];
            Add(view.Values + begin, width > 0 ? width : view.Offsets[row + 1] - (int)begin);
        }
    }

    public override byte[]? Lower() => leastLength < 0 ? null : new ReadOnlySpan<byte>(least, leastLength).ToArray();

    public override byte[]? Upper() => leastLength < 0 ? null : new ReadOnlySpan<byte>(greatest, greatestLength).ToArray();

    private void Add(byte* bytes, int length)
    {
        // Eight bytes decide nearly always; only their ties need the whole value.
        var value = new ReadOnlySpan<byte>(bytes, length);
        var prefix = Prefix(value);
        var isFirst = leastLength < 0;
        if (isFirst || prefix < leastPrefix || (prefix == leastPrefix && value.SequenceCompareTo(new(least, leastLength)) < 0))
        {
            least = bytes;
            leastLength = length;
            leastPrefix = prefix;
        }
        if (isFirst || prefix > greatestPrefix || (prefix == greatestPrefix && value.SequenceCompareTo(new(greatest, greatestLength)) > 0))
        {
            greatest = bytes;
            greatestLength = length;
            greatestPrefix = prefix;
        }
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
