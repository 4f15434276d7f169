using Frazil.Parquet.Metadata;

namespace Frazil.Parquet.Reading;

/// <summary>One entry of a footer's schema, as the file says it.</summary>
internal sealed class SchemaElement
{
    public const int Required = 0, Optional = 1, Repeated = 2;

    /// <summary>The format's number; -1 for groups.</summary>
    public int Physical { get; private set; } = -1;

    /// <summary>Bytes of a fixed-width byte array.</summary>
    public int TypeLength { get; private set; }

    public int Repetition { get; private set; }

    public string Name { get; private set; } = "";

    /// <summary>Children that follow.</summary>
    public int ChildCount { get; private set; }

    /// <summary>The older annotation; -1 where there is none.</summary>
    public int Converted { get; private set; } = -1;

    public int Scale { get; private set; }

    public int Precision { get; private set; }

    /// <summary>Null where there is none.</summary>
    public int? FieldId { get; private set; }

    /// <summary>The annotation's number in the format's union; -1 where there is none.</summary>
    public int Logical { get; private set; } = -1;

    /// <summary>Of times: whether they are in UTC.</summary>
    public bool IsUtc { get; private set; }

    /// <summary>Of times: 1 milli-, 2 micro-, 3 nanoseconds.</summary>
    public int Unit { get; private set; }

    /// <summary>Of integers.</summary>
    public int BitWidth { get; private set; }

    /// <summary>Of integers.</summary>
    public bool IsSigned { get; private set; }

    public List<SchemaElement> Children { get; } = [];

    public static SchemaElement Read(ref ThriftReader reader)
    {
        var element = new SchemaElement();
        for (var field = 0; reader.NextField(ref field, out var type);)
        {
            element.ReadField(ref reader, field, type);
        }
        return element;
    }

    private void ReadField(ref ThriftReader reader, int field, ThriftType type)
    {
        switch (field)
        {
            case 1:
                Physical = reader.ReadInt32();
                break;
            case 2:
                TypeLength = reader.ReadInt32();
                break;
            case 3:
                Repetition = reader.ReadInt32();
                break;
            case 4:
                Name = reader.ReadText();
                break;
            case 5:
                ChildCount = reader.ReadInt32();
                break;
            case 6:
                Converted = reader.ReadInt32();
                break;
            case 7:
                Scale = reader.ReadInt32();
                break;
            case 8:
                Precision = reader.ReadInt32();
                break;
            case 9:
                FieldId = reader.ReadInt32();
                break;
            case 10 when type == ThriftType.Struct:
                ReadLogical(ref reader);
                break;
            default:
                reader.Skip(type);
                break;
        }
    }

    /// <summary>A union: one field whose number is the annotation, holding a struct of parameters.</summary>
    private void ReadLogical(ref ThriftReader reader)
    {
        for (var kind = 0; reader.NextField(ref kind, out var kindType);)
        {
            Logical = kind;
            if (kindType != ThriftType.Struct)
            {
                reader.Skip(kindType);
                continue;
            }
            for (var field = 0; reader.NextField(ref field, out var type);)
            {
                ReadParameter(ref reader, field, type);
            }
        }
    }

    private void ReadParameter(ref ThriftReader reader, int field, ThriftType type)
    {
        switch (Logical, field, type)
        {
            case (LogicalKind.Decimal, 1, ThriftType.I32):
                Scale = reader.ReadInt32();
                break;
            case (LogicalKind.Decimal, 2, ThriftType.I32):
                Precision = reader.ReadInt32();
                break;
            case (LogicalKind.Time or LogicalKind.Timestamp, 1, ThriftType.True):
                IsUtc = true;
                break;
            case (LogicalKind.Time or LogicalKind.Timestamp, 2, ThriftType.Struct):
                for (var unit = 0; reader.NextField(ref unit, out var unitType);)
                {
                    Unit = unit;
                    reader.Skip(unitType);
                }
                break;
            case (LogicalKind.Integer, 1, ThriftType.Byte):
                BitWidth = reader.ReadByte();
                break;
            case (LogicalKind.Integer, 2, ThriftType.True):
                IsSigned = true;
                break;
            default:
                reader.Skip(type);
                break;
        }
    }
}

/// <summary>Numbers of the format's LogicalType.</summary>
internal static class LogicalKind
{
    public const int Text = 1, Map = 2, List = 3, Enum = 4, Decimal = 5, Date = 6, Time = 7, Timestamp = 8, Integer = 10, Null = 11, Json = 12,
        Bson = 13, Uuid = 14, Float16 = 15;
}

/// <summary>Numbers of the format's ConvertedType.</summary>
internal static class ConvertedKind
{
    public const int Utf8 = 0, Map = 1, MapOfPairs = 2, List = 3, Enum = 4, Decimal = 5, Date = 6, TimeMillis = 7, TimeMicros = 8,
        TimestampMillis = 9, TimestampMicros = 10, UInt8 = 11, UInt16 = 12, UInt32 = 13, UInt64 = 14, Int8 = 15, Int64 = 18, Json = 19;
}
