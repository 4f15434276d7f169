using Frazil.Columnar;
using Frazil.Parquet.Metadata;

namespace Frazil.Parquet.Schema;

/// <summary>The annotations that say what stored values mean: the present ones, and the older ones for old readers.</summary>
internal static class LogicalTypes
{
    public const short Map = 2, List = 3;
    public const int ConvertedMap = 1, ConvertedList = 3;

    private const short String = 1, Decimal = 5, Date = 6, Time = 7, Timestamp = 8, Uuid = 14;
    private const short Microseconds = 2, Nanoseconds = 3;
    private const int ConvertedUtf8 = 0, ConvertedDecimal = 5, ConvertedDate = 6, ConvertedTimestampMicros = 10;

    /// <summary>Null where the old annotation would say something else: it knows times in UTC only.</summary>
    public static int? ConvertedOf(ColumnType type) => type.Kind switch
    {
        ColumnKind.Utf8 => ConvertedUtf8,
        ColumnKind.Decimal128 => ConvertedDecimal,
        ColumnKind.Date32 => ConvertedDate,
        ColumnKind.TimestampTz => ConvertedTimestampMicros,
        _ => null,
    };

    public static void Write(ThriftWriter thrift, short field, ColumnType type)
    {
        if (type.Kind is not (ColumnKind.Utf8 or ColumnKind.Decimal128 or ColumnKind.Date32 or ColumnKind.Time64 or ColumnKind.Timestamp
            or ColumnKind.TimestampTz or ColumnKind.TimestampNs or ColumnKind.TimestampTzNs or ColumnKind.Uuid))
        {
            return;
        }
        thrift.BeginStruct(field);
        switch (type.Kind)
        {
            case ColumnKind.Utf8:
                thrift.WriteEmptyStruct(String);
                break;
            case ColumnKind.Date32:
                thrift.WriteEmptyStruct(Date);
                break;
            case ColumnKind.Uuid:
                thrift.WriteEmptyStruct(Uuid);
                break;
            case ColumnKind.Decimal128:
                thrift.BeginStruct(Decimal);
                thrift.WriteInt32(1, type.Scale);
                thrift.WriteInt32(2, type.Precision);
                thrift.EndStruct();
                break;
            default:
                thrift.BeginStruct(type.Kind == ColumnKind.Time64 ? Time : Timestamp);
                thrift.WriteBoolean(1, type.Kind is ColumnKind.TimestampTz or ColumnKind.TimestampTzNs);
                thrift.BeginStruct(2);
                thrift.WriteEmptyStruct(type.Kind is ColumnKind.TimestampNs or ColumnKind.TimestampTzNs ? Nanoseconds : Microseconds);
                thrift.EndStruct();
                thrift.EndStruct();
                break;
        }
        thrift.EndStruct();
    }
}
