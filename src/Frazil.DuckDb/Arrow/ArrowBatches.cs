using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Apache.Arrow;
using Apache.Arrow.Types;

namespace Frazil.DuckDb.Arrow;

/// <summary>Copies chunks into Arrow's record batches, in managed memory: the chunk may go afterwards.</summary>
public static unsafe class ArrowBatches
{
    /// <param name="schema">From <see cref="ArrowSchemas.Of"/>, of the chunk's columns.</param>
    /// <param name="chunk">Stays the caller's.</param>
    /// <exception cref="DuckDbException">A value does not fit Arrow's type; says to cast.</exception>
    public static RecordBatch Of(Schema schema, DuckDbChunk chunk)
    {
        ArgumentNullException.ThrowIfNull(schema);
        ArgumentNullException.ThrowIfNull(chunk);
        var arrays = chunk.Vectors.Select((vector, column) => ArrowArrayFactory.BuildArray(DataOf(vector, schema.FieldsList[column].DataType)));
        return new RecordBatch(schema, arrays.ToList(), chunk.RowCount);
    }

    private static ArrayData DataOf(DuckDbVector vector, IArrowType type)
    {
        var count = checked((int)vector.Length);
        if (vector.Type.Id == DuckDbTypeId.SqlNull)
        {
            return new ArrayData(type, count, count, 0, []);
        }
        var (validity, nulls) = ValidityOf(vector, count);
        switch (vector.Type.Id)
        {
            case DuckDbTypeId.List:
                var list = ((ListType)type).ValueDataType;
                return new ArrayData(type, count, nulls, 0, [validity, OffsetsOf(vector, count)], [DataOf(vector.Children[0], list)]);
            case DuckDbTypeId.Array:
                var element = ((FixedSizeListType)type).ValueDataType;
                return new ArrayData(type, count, nulls, 0, [validity], [DataOf(vector.Children[0], element)]);
            case DuckDbTypeId.Map:
                var entries = ((MapType)type).KeyValueType;
                var elements = new ArrayData(
                    entries, checked((int)vector.Children[0].Length), 0, 0, [ArrowBuffer.Empty], MembersOf(vector, entries));
                return new ArrayData(type, count, nulls, 0, [validity, OffsetsOf(vector, count)], [elements]);
            case DuckDbTypeId.Struct:
                return new ArrayData(type, count, nulls, 0, [validity], MembersOf(vector, (StructType)type));
            case DuckDbTypeId.Varchar or DuckDbTypeId.Blob or DuckDbTypeId.Geometry:
                return Texts(vector, type, validity, nulls, row => vector.Bytes(row));
            case DuckDbTypeId.Enum or DuckDbTypeId.Bit or DuckDbTypeId.TimeTz:
                var values = new DuckDbValues(vector, null);
                return Texts(vector, type, validity, nulls, row => Encoding.UTF8.GetBytes((string)values.Read(row)!));
            default:
                return new ArrayData(type, count, nulls, 0, [validity, FixedOf(vector, count)]);
        }
    }

    private delegate ReadOnlySpan<byte> BytesOf(long row);

    private static ArrayData[] MembersOf(DuckDbVector vector, StructType type)
        => [.. vector.Children.Select((child, index) => DataOf(child, type.Fields[index].DataType))];

    private static (ArrowBuffer Validity, int Nulls) ValidityOf(DuckDbVector vector, int count)
    {
        if (vector.Validity == null)
        {
            return (ArrowBuffer.Empty, 0);
        }
        var bits = new byte[(count + 7) / 8];
        var nulls = 0;
        for (var row = 0; row < count; row++)
        {
            if (vector.IsNull(row))
            {
                nulls++;
            }
            else
            {
                bits[row >> 3] |= (byte)(1 << (row & 7));
            }
        }
        return nulls == 0 ? (ArrowBuffer.Empty, 0) : (new ArrowBuffer(bits), nulls);
    }

    /// <summary>Of lists whose elements stand one after the other, as frames have them.</summary>
    private static ArrowBuffer OffsetsOf(DuckDbVector vector, int count)
    {
        var offsets = new int[count + 1];
        for (var row = 0; row < count; row++)
        {
            var entry = vector.IsNull(row) ? default : vector.Entry(row);
            if (entry.Length > 0 && entry.Offset != (ulong)offsets[row])
            {
                throw new InvalidOperationException("the elements of lists do not follow each other; copy the chunk into a frame first");
            }
            offsets[row + 1] = checked(offsets[row] + (int)entry.Length);
        }
        return new ArrowBuffer(MemoryMarshal.AsBytes(offsets.AsSpan()).ToArray());
    }

    private static ArrayData Texts(DuckDbVector vector, IArrowType type, ArrowBuffer validity, int nulls, BytesOf bytesOf)
    {
        var count = (int)vector.Length;
        var offsets = new int[count + 1];
        var bytes = new MemoryStream();
        for (var row = 0; row < count; row++)
        {
            if (!vector.IsNull(row))
            {
                bytes.Write(bytesOf(row));
            }
            offsets[row + 1] = checked((int)bytes.Length);
        }
        var buffers = new[] { validity, new ArrowBuffer(MemoryMarshal.AsBytes(offsets.AsSpan()).ToArray()), new ArrowBuffer(bytes.ToArray()) };
        return new ArrayData(type, count, nulls, 0, buffers);
    }

    private static ArrowBuffer FixedOf(DuckDbVector vector, int count) => new(vector.Type.Id switch
    {
        DuckDbTypeId.Boolean => Bits(vector, count),
        DuckDbTypeId.Decimal => Widen(vector, count, bytes: 16),
        DuckDbTypeId.HugeInt or DuckDbTypeId.UHugeInt => Widen(vector, count, bytes: 32),
        DuckDbTypeId.Uuid => Uuids(vector, count),
        DuckDbTypeId.Interval => Intervals(vector, count),
        _ => new ReadOnlySpan<byte>(vector.Data, checked(count * VectorLayout.Width(vector.Type))).ToArray(),
    });

    private static byte[] Bits(DuckDbVector vector, int count)
    {
        var bits = new byte[(count + 7) / 8];
        for (var row = 0; row < count; row++)
        {
            bits[row >> 3] |= (byte)((vector.Data[row] == 0 ? 0 : 1) << (row & 7));
        }
        return bits;
    }

    /// <summary>Two's complement, little endian, of more bytes.</summary>
    private static byte[] Widen(DuckDbVector vector, int count, int bytes)
    {
        var (width, isSigned) = (VectorLayout.Width(vector.Type), vector.Type.Id != DuckDbTypeId.UHugeInt);
        var wide = new byte[checked(count * bytes)];
        for (var row = 0; row < count; row++)
        {
            var value = new ReadOnlySpan<byte>(vector.Data + ((long)row * width), width);
            var target = wide.AsSpan(row * bytes, bytes);
            value.CopyTo(target);
            target[width..].Fill(isSigned && (value[^1] & 0x80) != 0 ? (byte)0xFF : (byte)0);
        }
        return wide;
    }

    private static byte[] Uuids(DuckDbVector vector, int count)
    {
        var bytes = new byte[checked(count * 16)];
        for (var row = 0; row < count; row++)
        {
            BinaryPrimitives.WriteUInt128BigEndian(bytes.AsSpan(row * 16), ((UInt128*)vector.Data)[row] ^ ((UInt128)1 << 127));
        }
        return bytes;
    }

    private static byte[] Intervals(DuckDbVector vector, int count)
    {
        var bytes = new ReadOnlySpan<byte>(vector.Data, checked(count * 16)).ToArray();
        for (var row = 0; row < count; row++)
        {
            var micros = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan((row * 16) + 8));
            if (micros is > long.MaxValue / 1000 or < long.MinValue / 1000)
            {
                throw new DuckDbException("An INTERVAL of more than 292 years of microseconds cannot be sent as Arrow. Cast it to VARCHAR.");
            }
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan((row * 16) + 8), vector.IsNull(row) ? 0 : micros * 1000);
        }
        return bytes;
    }
}
