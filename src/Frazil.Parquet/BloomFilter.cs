using System.IO.Hashing;
using System.Runtime.Intrinsics;
using Frazil.Parquet.Metadata;
using Frazil.Parquet.Schema;
using Frazil.Parquet.Values;

namespace Frazil.Parquet;

/// <summary>A split-block Bloom filter of one column chunk, over the XXH64 of each value's PLAIN bytes.</summary>
internal sealed unsafe class BloomFilter
{
    private const int BlockBytes = 32;

    private static readonly Vector256<uint> Salt = Vector256.Create(
        0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU, 0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U);

    private readonly byte[] bits;

    /// <param name="distinct">Distinct values, or an upper bound.</param>
    /// <param name="falsePositives">Share of absent values taken for present.</param>
    /// <param name="maxBytes">Bytes at most.</param>
    public BloomFilter(long distinct, double falsePositives, int maxBytes)
    {
        var wanted = -distinct / Math.Log(1 - Math.Pow(falsePositives, 1 / 8.0));
        var bytes = (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)Math.Max(BlockBytes, wanted));
        var limit = 1L << (63 - System.Numerics.BitOperations.LeadingZeroCount((ulong)maxBytes));
        bits = new byte[Math.Min(bytes, limit)];
    }

    /// <param name="bits">A whole filter, as it stands behind its header.</param>
    public BloomFilter(byte[] bits) => this.bits = bits;

    /// <summary>Reads the header of a filter in a file. Returns its length.</summary>
    /// <param name="header">Bytes from the filter's place on.</param>
    /// <param name="bytes">Bytes of the filter that follow it.</param>
    /// <exception cref="InvalidDataException">It is broken, or of a kind that there is not.</exception>
    public static int ReadHeader(ReadOnlySpan<byte> header, out int bytes)
    {
        var reader = new ThriftReader(header);
        bytes = -1;
        for (var field = 0; reader.NextField(ref field, out var type);)
        {
            if (field == 1)
            {
                bytes = reader.ReadInt32();
                continue;
            }
            reader.Skip(type);
        }
        return bytes > 0 && bytes % BlockBytes == 0
            ? reader.Position
            : throw new InvalidDataException($"A Bloom filter of {bytes} bytes is none.");
    }

    /// <summary>Adds values as <see cref="ColumnValues.Data"/> has them.</summary>
    public void Add(LeafColumn leaf, byte* values, int stride, int count)
    {
        for (var index = 0; index < count; index++)
        {
            var value = leaf.Physical == PhysicalType.ByteArray
                ? ((ByteRef*)values)[index].Span
                : new ReadOnlySpan<byte>(values + (long)index * stride, stride);
            Insert(XxHash64.HashToUInt64(value));
        }
    }

    /// <summary>Whether a value of this hash may have been added.</summary>
    public bool MayContain(ulong hash)
    {
        fixed (byte* start = bits)
        {
            var mask = MaskOf((uint)hash);
            return (Vector256.Load((uint*)(start + BlockOf(hash))) & mask) == mask;
        }
    }

    public void Write(ThriftWriter header, FileSink sink)
    {
        header.Output.Clear();
        header.BeginStruct();
        header.WriteInt32(1, bits.Length);
        for (short union = 2; union <= 4; union++)
        {
            // The only algorithm, hash and compression that there are.
            header.BeginStruct(union);
            header.WriteEmptyStruct(1);
            header.EndStruct();
        }
        header.EndStruct();
        sink.Append(header.Output);
        sink.Append(bits);
    }

    private void Insert(ulong hash)
    {
        fixed (byte* start = bits)
        {
            var block = (uint*)(start + BlockOf(hash));
            (Vector256.Load(block) | MaskOf((uint)hash)).Store(block);
        }
    }

    private long BlockOf(ulong hash) => (long)((hash >> 32) * (ulong)(bits.Length / BlockBytes) >> 32) * BlockBytes;

    private static Vector256<uint> MaskOf(uint key)
    {
        var which = Vector256.ShiftRightLogical(Vector256.Create(key) * Salt, 27);
        Span<uint> lanes = stackalloc uint[8];
        for (var lane = 0; lane < lanes.Length; lane++)
        {
            lanes[lane] = 1U << (int)which[lane];
        }
        return Vector256.Create<uint>(lanes);
    }
}
