using System.Buffers.Binary;
using Frazil.Columnar;
using Frazil.Parquet.Levels;
using Frazil.Parquet.Schema;

namespace Frazil.Parquet.Values;

/// <summary>A value of variable width where it lies. At least <see cref="ColumnValues.SafeBytes"/> bytes may be read from its
/// start.</summary>
internal unsafe struct ByteRef
{
    public byte* Data;
    public int Length;

    public readonly ReadOnlySpan<byte> Span => new(Data, Length);
}

/// <summary>
/// The present values of one column chunk, one after another as the file's type: booleans as bytes, numbers and fixed-width bytes as they
/// are stored, byte arrays as <see cref="ByteRef"/>s into the slices. Where one run of a slice is all there is, nothing is copied.
/// </summary>
internal sealed unsafe class ColumnValues : IDisposable
{
    /// <summary>Bytes that may be read from the start of any byte array.</summary>
    public const int SafeBytes = 16;

    private readonly NativeBuffer owned = new();
    private readonly TailBytes tails = new();
    private byte* borrowed;
    private Conversion conversion;

    public int Count { get; private set; }

    /// <summary>Bytes of one in <see cref="Data"/>.</summary>
    public int Stride { get; private set; }

    public byte* Data => borrowed != null ? borrowed : owned.Data;

    public ByteRef* Refs => (ByteRef*)owned.Data;

    public void Begin(LeafColumn leaf)
    {
        Stride = leaf.Physical switch
        {
            PhysicalType.Boolean => 1,
            PhysicalType.ByteArray => sizeof(ByteRef),
            _ => leaf.Width,
        };
        Count = 0;
        borrowed = null;
        owned.Clear();
        owned.Reserve(0);
        tails.Clear();
    }

    /// <summary>What is appended from now on is of this source.</summary>
    public void BindTo(LeafSource source) => conversion = source.Conversion;

    /// <summary>Appends values that lie next to each other.</summary>
    public void AppendRun(ColumnView view, long first, int count)
    {
        if (conversion == Conversion.Copy && Count == 0 && count > 0)
        {
            borrowed = view.Values + first * Stride;
            Count = count;
            return;
        }
        Append(view, null, first, count);
    }

    /// <summary>Appends the values of these rows.</summary>
    public void AppendPicked(ColumnView view, int* rows, int count) => Append(view, rows, 0, count);

    public long HeldBytes => owned.HeldBytes;

    public void Trim(long keptBytes)
    {
        owned.Trim(keptBytes);
        tails.Clear();
        borrowed = null;
        Count = 0;
    }

    public void Dispose()
    {
        owned.Dispose();
        tails.Dispose();
    }

    private void Append(ColumnView view, int* rows, long first, int count)
    {
        if (borrowed != null)
        {
            var lent = borrowed;
            borrowed = null;
            owned.Append(new ReadOnlySpan<byte>(lent, checked(Count * Stride)));
        }
        var target = owned.Reserve((long)count * Stride);
        switch (conversion)
        {
            case Conversion.Bits:
                GatherBits(view.Values, rows, first, count, target);
                break;
            case Conversion.Copy:
                GatherCopies(view.Values, rows, first, count, target);
                break;
            case Conversion.Bytes or Conversion.FixedToBytes:
                GatherRefs(view, rows, first, count, (ByteRef*)target);
                break;
            default:
                GatherConverted(view.Values, rows, first, count, target);
                break;
        }
        owned.Advance((long)count * Stride);
        Count += count;
    }

    private static void GatherBits(byte* bits, int* rows, long first, int count, byte* target)
    {
        if (rows == null)
        {
            for (var done = 0; done < count; done += 64)
            {
                var size = Math.Min(64, count - done);
                Bits.ExpandToBytes(Bits.Read(bits, first + done, size), target + done, size);
            }
            return;
        }
        for (var index = 0; index < count; index++)
        {
            target[index] = (byte)((bits[rows[index] >> 3] >> (rows[index] & 7)) & 1);
        }
    }

    private void GatherCopies(byte* values, int* rows, long first, int count, byte* target)
    {
        if (rows == null)
        {
            Buffer.MemoryCopy(values + first * Stride, target, (long)count * Stride, (long)count * Stride);
            return;
        }
        switch (Stride)
        {
            case 4:
                for (var index = 0; index < count; index++)
                {
                    ((int*)target)[index] = ((int*)values)[rows[index]];
                }
                break;
            case 8:
                for (var index = 0; index < count; index++)
                {
                    ((long*)target)[index] = ((long*)values)[rows[index]];
                }
                break;
            default:
                for (var index = 0; index < count; index++)
                {
                    Buffer.MemoryCopy(values + (long)rows[index] * Stride, target + (long)index * Stride, Stride, Stride);
                }
                break;
        }
    }

    private void GatherConverted(byte* values, int* rows, long first, int count, byte* target)
    {
        for (var index = 0; index < count; index++)
        {
            var row = rows == null ? first + index : rows[index];
            switch (conversion)
            {
                case Conversion.IntToLong:
                    ((long*)target)[index] = ((int*)values)[row];
                    break;
                case Conversion.FloatToDouble:
                    ((double*)target)[index] = ((float*)values)[row];
                    break;
                case Conversion.DecimalTo4:
                    ((int*)target)[index] = (int)((long*)values)[2 * row];
                    break;
                case Conversion.DecimalTo8:
                    ((long*)target)[index] = ((long*)values)[2 * row];
                    break;
                default:
                    WriteBigEndian(((Int128*)values)[row], target + (long)index * Stride);
                    break;
            }
        }
    }

    private void WriteBigEndian(Int128 value, byte* target)
    {
        var bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt128BigEndian(new Span<byte>(bytes, 16), value);
        Buffer.MemoryCopy(bytes + 16 - Stride, target, Stride, Stride);
    }

    private void GatherRefs(ColumnView view, int* rows, long first, int count, ByteRef* target)
    {
        var width = conversion == Conversion.FixedToBytes ? view.Type.ValueSize : 0;
        // From any start up to here the safe bytes are in what is visible.
        var safeStart = (width > 0 ? view.Length * width : view.Offsets[view.Length]) - SafeBytes;
        for (var index = 0; index < count; index++)
        {
            var row = rows == null ? first + index : rows[index];
            var begin = width > 0 ? row * width : view.Offsets[row];
            var length = width > 0 ? width : view.Offsets[row + 1] - (int)begin;
            target[index].Data = begin <= safeStart || length > SafeBytes ? view.Values + begin : tails.Copy(view.Values + begin, length);
            target[index].Length = length;
        }
    }
}
