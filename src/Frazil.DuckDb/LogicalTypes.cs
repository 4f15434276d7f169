using System.Text;
using Frazil.Columnar;

namespace Frazil.DuckDb;

/// <summary>Makes DuckDB's logical types out of column types. The caller destroys what is returned.</summary>
internal static unsafe class LogicalTypes
{
    public static nint Create(ColumnType type) => type.Kind switch
    {
        ColumnKind.Decimal128 => DuckDbNative.duckdb_create_decimal_type((byte)type.Precision, (byte)type.Scale),
        ColumnKind.List => CreateList(type),
        ColumnKind.Map => CreateMap(type),
        ColumnKind.Struct => CreateStruct(type.Fields),
        _ => DuckDbNative.duckdb_create_logical_type((int)Basic(type.Kind)),
    };

    public static DuckDbTypeId Basic(ColumnKind kind) => kind switch
    {
        ColumnKind.Boolean => DuckDbTypeId.Boolean,
        ColumnKind.Int32 => DuckDbTypeId.Integer,
        ColumnKind.Int64 => DuckDbTypeId.BigInt,
        ColumnKind.Float32 => DuckDbTypeId.Float,
        ColumnKind.Float64 => DuckDbTypeId.Double,
        ColumnKind.Date32 => DuckDbTypeId.Date,
        ColumnKind.Time64 => DuckDbTypeId.Time,
        ColumnKind.Timestamp => DuckDbTypeId.Timestamp,
        ColumnKind.TimestampTz => DuckDbTypeId.TimestampTz,
        ColumnKind.Utf8 => DuckDbTypeId.Varchar,
        ColumnKind.Binary or ColumnKind.FixedBinary => DuckDbTypeId.Blob,
        ColumnKind.Uuid => DuckDbTypeId.Uuid,
        _ => throw new NotSupportedException($"Column kind {kind} has no basic DuckDB type."),
    };

    private static nint CreateList(ColumnType type)
    {
        var element = Create(type.Fields[0].Type);
        var list = DuckDbNative.duckdb_create_list_type(element);
        DuckDbNative.duckdb_destroy_logical_type(ref element);
        return list;
    }

    private static nint CreateMap(ColumnType type)
    {
        var key = Create(type.Fields[0].Type);
        var value = Create(type.Fields[1].Type);
        var map = DuckDbNative.duckdb_create_map_type(key, value);
        DuckDbNative.duckdb_destroy_logical_type(ref key);
        DuckDbNative.duckdb_destroy_logical_type(ref value);
        return map;
    }

    private static nint CreateStruct(ColumnFields fields)
    {
        // Names are copied by the call; one buffer of zero-terminated texts serves them all.
        var text = Encoding.UTF8.GetBytes(string.Concat(fields.Select(field => field.Name + '\0')));
        var types = new nint[fields.Count];
        var names = stackalloc byte*[fields.Count];
        try
        {
            fixed (byte* start = text)
            fixed (nint* children = types)
            {
                var name = start;
                for (var index = 0; index < fields.Count; index++)
                {
                    types[index] = Create(fields[index].Type);
                    names[index] = name;
                    name += Encoding.UTF8.GetByteCount(fields[index].Name) + 1;
                }
                return DuckDbNative.duckdb_create_struct_type(children, names, (ulong)fields.Count);
            }
        }
        finally
        {
            for (var index = 0; index < types.Length; index++)
            {
                DuckDbNative.duckdb_destroy_logical_type(ref types[index]);
            }
        }
    }
}
