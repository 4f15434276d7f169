using Apache.Arrow;
using Apache.Arrow.Types;

namespace Frazil.DuckDb.Arrow;

/// <summary>Arrow's names for the types of a result. What Arrow has no type for (ENUM, BIT, times with a zone) is text there, as in JSON;
/// HUGEINT and UHUGEINT are 256-bit decimals, for 128 bits hold one digit less than they may have.</summary>
public static class ArrowSchemas
{
    private const int HugeDigits = 39;

    /// <summary>The extension type of UUIDs (16 bytes, big endian), by which readers know them.</summary>
    private static readonly Dictionary<string, string> Uuid = new()
    {
        ["ARROW:extension:name"] = "arrow.uuid",
        ["ARROW:extension:metadata"] = "",
    };

    /// <exception cref="DuckDbException">A column's type has no place in Arrow; says to cast.</exception>
    public static Schema Of(IReadOnlyList<DuckDbColumn> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        return new Schema([.. columns.Select(static column => FieldOf(column.Name, column.Type))], null);
    }

    internal static IArrowType TypeOf(DuckDbType type) => type.Id switch
    {
        DuckDbTypeId.Boolean => BooleanType.Default,
        DuckDbTypeId.TinyInt => Int8Type.Default,
        DuckDbTypeId.SmallInt => Int16Type.Default,
        DuckDbTypeId.Integer => Int32Type.Default,
        DuckDbTypeId.BigInt => Int64Type.Default,
        DuckDbTypeId.UTinyInt => UInt8Type.Default,
        DuckDbTypeId.USmallInt => UInt16Type.Default,
        DuckDbTypeId.UInteger => UInt32Type.Default,
        DuckDbTypeId.UBigInt => UInt64Type.Default,
        DuckDbTypeId.HugeInt or DuckDbTypeId.UHugeInt => new Decimal256Type(HugeDigits, 0),
        DuckDbTypeId.Float => FloatType.Default,
        DuckDbTypeId.Double => DoubleType.Default,
        DuckDbTypeId.Decimal => new Decimal128Type(type.Width, type.Scale),
        DuckDbTypeId.Varchar or DuckDbTypeId.Enum or DuckDbTypeId.Bit or DuckDbTypeId.TimeTz => StringType.Default,
        DuckDbTypeId.Blob or DuckDbTypeId.Geometry => BinaryType.Default,
        DuckDbTypeId.Uuid => new FixedSizeBinaryType(16),
        DuckDbTypeId.SqlNull => NullType.Default,
        DuckDbTypeId.Interval => IntervalType.FromIntervalUnit(IntervalUnit.MonthDayNanosecond),
        DuckDbTypeId.List => new ListType(FieldOf("element", type.Children[0].Type)),
        DuckDbTypeId.Array => new FixedSizeListType(FieldOf("element", type.Children[0].Type), type.ArraySize),
        DuckDbTypeId.Map => new MapType(FieldOf("key", type.Children[0].Type, nullable: false), FieldOf("value", type.Children[1].Type)),
        DuckDbTypeId.Struct => new StructType([.. type.Children.Select(static child => FieldOf(child.Name, child.Type))]),
        _ => TimeOf(type),
    };

    private static IArrowType TimeOf(DuckDbType type) => type.Id switch
    {
        DuckDbTypeId.Date => Date32Type.Default,
        DuckDbTypeId.Time => new Time64Type(TimeUnit.Microsecond),
        DuckDbTypeId.TimeNs => new Time64Type(TimeUnit.Nanosecond),
        DuckDbTypeId.Timestamp => new TimestampType(TimeUnit.Microsecond, (string?)null),
        DuckDbTypeId.TimestampTz => new TimestampType(TimeUnit.Microsecond, "UTC"),
        DuckDbTypeId.TimestampS => new TimestampType(TimeUnit.Second, (string?)null),
        DuckDbTypeId.TimestampMs => new TimestampType(TimeUnit.Millisecond, (string?)null),
        DuckDbTypeId.TimestampNs => new TimestampType(TimeUnit.Nanosecond, (string?)null),
        _ => throw new DuckDbException($"A result column of type {type} cannot be sent as Arrow. Cast it in the query, for example to VARCHAR."),
    };

    private static Field FieldOf(string name, DuckDbType type, bool nullable = true)
        => new(name, TypeOf(type), nullable, type.Id == DuckDbTypeId.Uuid ? Uuid : null);
}
