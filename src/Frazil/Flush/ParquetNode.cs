using Frazil.Columnar;
using Frazil.Parquet.Metadata;

namespace Frazil.Flush;

/// <summary>A column or group of a Parquet file's schema, without its children, which follow it in the file.</summary>
internal sealed class ParquetNode
{
    // Numbers of Parquet's Type, ConvertedType and LogicalType that are looked at.
    private const int Int96 = 3, ByteArray = 6, FixedBytes = 7;
    private const int ConvertedUtf8 = 0, ConvertedMap = 1, ConvertedMapOfPairs = 2, ConvertedList = 3, ConvertedDecimal = 5;
    private const int LogicalString =
        1, LogicalMap = 2, LogicalList = 3, LogicalDecimal = 5, LogicalDate = 6, LogicalTime = 7, LogicalTimestamp = 8, LogicalInteger = 10, LogicalUuid = 14;
    private const int Microseconds = 2;

    private int physical = -1;
    private int converted = -1;
    private int precision;
    private int scale;
    private int logical = -1;
    private bool isUtc;
    private int unit;
    private int bitWidth;
    private bool isSigned;

    private ParquetNode()
    {
    }

    /// <summary>As the file names it.</summary>
    public string Name { get; private set; } = "";

    /// <summary>-1 where it has none.</summary>
    public int FieldId { get; private set; } = -1;

    /// <summary>Children that the file announces.</summary>
    public int ChildCount { get; private set; }

    public List<ParquetNode> Children { get; } = [];

    /// <summary>Some row group has a Bloom filter of it; of leaves only.</summary>
    public bool HasBloomFilter { get; set; }

    /// <summary>What a list is a list of; null where this is none, or has not the standard three levels.</summary>
    public ParquetNode? Element => logical == LogicalList || converted == ConvertedList ? Repeated(1)?[0] : null;

    /// <summary>A map's two children; null where this is none, or has not the standard three levels.</summary>
    public List<ParquetNode>? KeyAndValue
        => logical == LogicalMap || converted is ConvertedMap or ConvertedMapOfPairs ? Repeated(2) : null;

    private List<ParquetNode>? Repeated(int count) =>
        Children.Count == 1 && Children[0].Children.Count == count ? Children[0].Children : null;

    /// <summary>Read by name, without being told a type, the column comes out as exactly this field: same name, id, type, and children.
    /// False also where that is not certain.</summary>
    public bool Is(ColumnField field) => FieldId == field.FieldId && Name == field.Name && HasType(field.Type);

    /// <summary>Its values need no cast.</summary>
    public bool HasType(ColumnType type) => type.Kind switch
    {
        ColumnKind.Struct => Children.Count == type.Fields.Count && Children.Zip(type.Fields).All(pair => pair.First.Is(pair.Second)),
        ColumnKind.List => Element is { } element && element.FieldId == type.Fields[0].FieldId && element.HasType(type.Fields[0].Type),
        ColumnKind.Map => KeyAndValue is { } pair
            && pair.Zip(type.Fields).All(item => item.First.FieldId == item.Second.FieldId && item.First.HasType(item.Second.Type)),
        _ => Children.Count == 0 && HasLeafType(type),
    };

    private bool HasLeafType(ColumnType type) => type.Kind switch
    {
        ColumnKind.Boolean => physical == 0,
        ColumnKind.Int32 => physical == 1 && IsInteger(32, convertedNumber: 17),
        ColumnKind.Int64 => physical == 2 && IsInteger(64, convertedNumber: 18),
        ColumnKind.Float32 => physical == 4 && IsPlain,
        ColumnKind.Float64 => physical == 5 && IsPlain,
        ColumnKind.Decimal128 => physical is not ByteArray && (logical == LogicalDecimal || converted == ConvertedDecimal)
            && precision == type.Precision && scale == type.Scale,
        ColumnKind.Date32 => physical == 1 && (logical == LogicalDate || converted == 6),
        ColumnKind.Time64 => physical == 2 && logical == LogicalTime && unit == Microseconds && !isUtc,
        ColumnKind.Timestamp => physical == 2 && logical == LogicalTimestamp && unit == Microseconds && !isUtc,
        ColumnKind.TimestampTz => physical == 2 && logical == LogicalTimestamp && unit == Microseconds && isUtc,
        ColumnKind.Utf8 => physical == ByteArray && (logical == LogicalString || (logical < 0 && converted == ConvertedUtf8)),
        ColumnKind.Binary => physical == ByteArray && IsPlain,
        ColumnKind.Uuid => physical == FixedBytes && logical == LogicalUuid,
        _ => false,
    };

    private bool IsPlain => logical < 0 && converted < 0 && physical != Int96;

    private bool IsInteger(int bits, int convertedNumber)
        => IsPlain || (logical < 0 && converted == convertedNumber) || (logical == LogicalInteger && bitWidth == bits && isSigned);

    public static ParquetNode Read(ref ThriftReader reader)
    {
        var node = new ParquetNode();
        for (var field = 0; reader.NextField(ref field, out var type);)
        {
            switch (field)
            {
                case 1:
                    node.physical = (int)reader.ReadInteger();
                    break;
                case 4:
                    node.Name = reader.ReadText();
                    break;
                case 5:
                    node.ChildCount = (int)reader.ReadInteger();
                    break;
                case 6:
                    node.converted = (int)reader.ReadInteger();
                    break;
                case 7:
                    node.scale = (int)reader.ReadInteger();
                    break;
                case 8:
                    node.precision = (int)reader.ReadInteger();
                    break;
                case 9:
                    node.FieldId = (int)reader.ReadInteger();
                    break;
                case 10:
                    node.ReadLogicalType(ref reader);
                    break;
                default:
                    reader.Skip(type);
                    break;
            }
        }
        return node;
    }

    /// <summary>A union: one field whose number is the type, holding a struct of parameters.</summary>
    private void ReadLogicalType(ref ThriftReader reader)
    {
        for (var kind = 0; reader.NextField(ref kind, out var kindType);)
        {
            logical = kind;
            if (kindType != ThriftType.Struct)
            {
                reader.Skip(kindType);
                continue;
            }
            for (var field = 0; reader.NextField(ref field, out var type);)
            {
                ReadParameter(ref reader, kind, field, type);
            }
        }
    }

    private void ReadParameter(ref ThriftReader reader, int kind, int field, ThriftType type)
    {
        switch (kind, field, type)
        {
            case (LogicalTime or LogicalTimestamp, 1, ThriftType.True):
                isUtc = true;
                break;
            case (LogicalTime or LogicalTimestamp, 2, ThriftType.Struct):
                for (var inner = 0; reader.NextField(ref inner, out var innerType);)
                {
                    unit = inner;
                    reader.Skip(innerType);
                }
                break;
            case (LogicalInteger, 1, ThriftType.Byte):
                bitWidth = reader.ReadByte();
                break;
            case (LogicalInteger, 2, ThriftType.True):
                isSigned = true;
                break;
            default:
                reader.Skip(type);
                break;
        }
    }
}
