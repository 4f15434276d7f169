using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Frazil.DuckDb;

/// <summary>
/// Reads the values of one vector as .NET objects: null, bool, int (up to INTEGER), long (BIGINT, UINTEGER), BigInteger (UBIGINT and
/// wider), float, double, decimal (<see cref="WideDecimal"/> where a DECIMAL has more than 96 bits), string, byte[], Guid, DateOnly,
/// TimeOnly, DateTime (TIMESTAMP), DateTimeOffset (TIMESTAMPTZ, offset zero), <c>object?[]</c> (LIST, ARRAY),
/// <c>IReadOnlyDictionary&lt;string, object?&gt;</c> (STRUCT), <c>KeyValuePair&lt;object, object?&gt;[]</c> (MAP). A value that its .NET
/// type cannot hold exactly (years beyond 9999, infinity, nanoseconds) is text, as are INTERVAL, ENUM, BIT and times with a zone. The
/// vector must outlive this.
/// </summary>
internal sealed unsafe class DuckDbValues
{
    private readonly DuckDbVector vector;
    private readonly DuckDbType type;
    private readonly byte* data;
    private readonly DuckDbValues[] children;
    private readonly ValueBudget? budget;

    /// <param name="vector">What to read.</param>
    /// <param name="budget">Charged for every value before it is read; null for no limit.</param>
    public DuckDbValues(DuckDbVector vector, ValueBudget? budget)
    {
        (this.vector, this.budget) = (vector, budget);
        type = vector.Type;
        data = vector.Data;
        children = Array.ConvertAll(vector.Children, child => new DuckDbValues(child, budget));
    }

    /// <exception cref="DuckDbException">The type has no .NET form; says to cast.</exception>
    /// <exception cref="ValueBudgetException">The budget is used up.</exception>
    public object? Read(long row)
    {
        budget?.Take(ValueBudget.ValueBytes);
        if (vector.IsNull(row))
        {
            return null;
        }
        return type.Id switch
        {
            DuckDbTypeId.Boolean => data[row] != 0,
            DuckDbTypeId.TinyInt => (int)((sbyte*)data)[row],
            DuckDbTypeId.SmallInt => (int)((short*)data)[row],
            DuckDbTypeId.Integer => ((int*)data)[row],
            DuckDbTypeId.UTinyInt => (int)data[row],
            DuckDbTypeId.USmallInt => (int)((ushort*)data)[row],
            DuckDbTypeId.UInteger => (long)((uint*)data)[row],
            DuckDbTypeId.BigInt => ((long*)data)[row],
            DuckDbTypeId.UBigInt => new BigInteger(((ulong*)data)[row]),
            DuckDbTypeId.HugeInt => (BigInteger)((Int128*)data)[row],
            DuckDbTypeId.UHugeInt => (BigInteger)((UInt128*)data)[row],
            DuckDbTypeId.Float => ((float*)data)[row],
            DuckDbTypeId.Double => ((double*)data)[row],
            DuckDbTypeId.Decimal => ReadDecimal(row),
            DuckDbTypeId.Varchar => Encoding.UTF8.GetString(Charged(row)),
            DuckDbTypeId.Blob or DuckDbTypeId.Geometry => Charged(row).ToArray(),
            DuckDbTypeId.Uuid => ReadUuid(row),
            DuckDbTypeId.SqlNull => null,
            DuckDbTypeId.Enum => ReadLabel(row),
            DuckDbTypeId.List or DuckDbTypeId.Array => ReadList(row),
            DuckDbTypeId.Struct => ReadStruct(row),
            DuckDbTypeId.Map => ReadMap(row),
            DuckDbTypeId.Union => children[((byte*)children[^1].data)[row]].Read(row),
            DuckDbTypeId.Bit => DuckDbTimes.Bits(Charged(row, perByte: 8)),
            _ => DuckDbTimes.Read(type, data, row),
        };
    }

    private ReadOnlySpan<byte> Charged(long row, int perByte = 1)
    {
        var bytes = vector.Bytes(row);
        budget?.Take((long)bytes.Length * perByte);
        return bytes;
    }

    /// <summary>A list of nothing but nulls takes memory as well, and before its first element is read.</summary>
    private ListEntry ChargedEntry(long row)
    {
        var entry = vector.Entry(row);
        budget?.Take((long)entry.Length * sizeof(long));
        return entry;
    }

    private object ReadDecimal(long row)
    {
        var unscaled = type.Width switch
        {
            <= 4 => ((short*)data)[row],
            <= 9 => ((int*)data)[row],
            <= 18 => ((long*)data)[row],
            _ => ((Int128*)data)[row],
        };
        var magnitude = (UInt128)(unscaled < 0 ? -unscaled : unscaled);
        if (type.Scale <= 28 && magnitude >> 96 == 0)
        {
            return new decimal(
                (int)(uint)magnitude, (int)(uint)(magnitude >> 32), (int)(uint)(magnitude >> 64), unscaled < 0, (byte)type.Scale);
        }
        return new WideDecimal(unscaled, type.Scale);
    }

    private Guid ReadUuid(long row)
    {
        // DuckDB keeps UUIDs as signed 128-bit integers that sort right, so their first bit is flipped.
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, ((UInt128*)data)[row] ^ ((UInt128)1 << 127));
        return new Guid(bytes, bigEndian: true);
    }

    private string ReadLabel(long row) => type.Labels[type.LabelStorage switch
    {
        DuckDbTypeId.UTinyInt => data[row],
        DuckDbTypeId.USmallInt => ((ushort*)data)[row],
        _ => (int)((uint*)data)[row],
    }];

    private object?[] ReadList(long row)
    {
        var entry = ChargedEntry(row);
        var values = new object?[entry.Length];
        for (var index = 0; index < values.Length; index++)
        {
            values[index] = children[0].Read((long)entry.Offset + index);
        }
        return values;
    }

    private StructValue ReadStruct(long row)
    {
        var value = new StructValue(children.Length);
        for (var index = 0; index < children.Length; index++)
        {
            value.Add(type.Children[index].Name, children[index].Read(row));
        }
        return value;
    }

    private KeyValuePair<object, object?>[] ReadMap(long row)
    {
        var entry = ChargedEntry(row);
        var values = new KeyValuePair<object, object?>[entry.Length];
        for (var index = 0; index < values.Length; index++)
        {
            var at = (long)entry.Offset + index;
            values[index] = new(children[0].Read(at)!, children[1].Read(at));
        }
        return values;
    }
}
