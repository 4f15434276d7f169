using System.Buffers.Binary;
using Frazil.Columnar;

namespace Frazil.DuckDb;

/// <summary>
/// Copies values of a result's vector into a column, bit for bit. The vector's type is what <see cref="SqlText.TypeName"/> says of the
/// column's, nested fields in the same order. The vector must outlive this.
/// </summary>
internal sealed unsafe class VectorCopy
{
    private readonly ColumnWriter writer;
    private readonly ColumnType type;
    private readonly DuckDbVector vector;
    private readonly byte* data;
    private readonly VectorCopy[] children;

    public VectorCopy(ColumnWriter writer, DuckDbVector vector)
    {
        (this.writer, this.vector) = (writer, vector);
        type = writer.Field.Type;
        data = vector.Data;
        children = [.. writer.Children.Zip(vector.Children, static (child, values) => new VectorCopy(child, values))];
    }

    /// <summary>Appends the value of one row.</summary>
    public void Append(long row)
    {
        if (vector.IsNull(row))
        {
            writer.AppendNull();
            return;
        }
        switch (type.Kind)
        {
            case ColumnKind.Boolean:
                ((BooleanWriter)writer).Append(data[row] != 0);
                break;
            case ColumnKind.Int32 or ColumnKind.Date32:
                ((FixedWriter<int>)writer).Append(((int*)data)[row]);
                break;
            case ColumnKind.Int64 or ColumnKind.Time64 or ColumnKind.Timestamp or ColumnKind.TimestampTz:
                ((FixedWriter<long>)writer).Append(((long*)data)[row]);
                break;
            case ColumnKind.Float32:
                ((FixedWriter<float>)writer).Append(((float*)data)[row]);
                break;
            case ColumnKind.Float64:
                ((FixedWriter<double>)writer).Append(((double*)data)[row]);
                break;
            case ColumnKind.Decimal128:
                ((FixedWriter<Int128>)writer).Append(Decimal(row));
                break;
            case ColumnKind.Utf8 or ColumnKind.Binary:
                ((BytesWriter)writer).Append(vector.Bytes(row));
                break;
            case ColumnKind.FixedBinary:
                ((FixedBytesWriter)writer).Append(vector.Bytes(row));
                break;
            case ColumnKind.Uuid:
                AppendUuid((FixedBytesWriter)writer, row);
                break;
            default:
                AppendNested(row);
                break;
        }
    }

    private void AppendNested(long row)
    {
        if (type.Kind == ColumnKind.Struct)
        {
            foreach (var child in children)
            {
                child.Append(row);
            }
            ((StructWriter)writer).EndStruct();
            return;
        }
        var entry = ((ListEntry*)data)[row];
        for (var at = (long)entry.Offset; at < (long)(entry.Offset + entry.Length); at++)
        {
            foreach (var child in children)
            {
                child.Append(at);
            }
        }
        ((ListWriter)writer).EndList();
    }

    private Int128 Decimal(long row) => type.Precision switch
    {
        <= 4 => ((short*)data)[row],
        <= 9 => ((int*)data)[row],
        <= 18 => ((long*)data)[row],
        _ => ((Int128*)data)[row],
    };

    /// <summary>DuckDB keeps UUIDs as signed 128-bit integers that sort right, so their first bit is flipped.</summary>
    private void AppendUuid(FixedBytesWriter uuids, long row)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, ((UInt128*)data)[row] ^ ((UInt128)1 << 127));
        uuids.Append(bytes);
    }
}
