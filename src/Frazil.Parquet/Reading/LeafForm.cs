using Frazil.Columnar;

namespace Frazil.Parquet.Reading;

/// <summary>Parquet's storage types, the retired one too; the numbers are the format's own.</summary>
internal enum StoredType
{
    Boolean = 0, Int32 = 1, Int64 = 2, Int96 = 3, Float = 4, Double = 5, Bytes = 6, FixedBytes = 7,
}

/// <summary>What has to be done to a stored value.</summary>
internal enum ReadStep
{
    None,
    /// <summary>Bytes of 0 and 1 to bits.</summary>
    PackBits,
    /// <summary>32 unsigned bits to 64.</summary>
    WidenUnsigned,
    /// <summary>64 unsigned bits to a decimal.</summary>
    UnsignedToDecimal,
    /// <summary>Milliseconds of 32 bits to microseconds.</summary>
    IntMillis,
    /// <summary>Milliseconds to microseconds.</summary>
    LongMillis,
    /// <summary>A Julian day and nanoseconds to microseconds; what is finer is cut, as everywhere.</summary>
    Int96Micros,
    IntToDecimal,
    LongToDecimal,
    /// <summary>Big-endian bytes of one width to a decimal.</summary>
    FixedToDecimal,
    /// <summary>Big-endian bytes of any width to a decimal.</summary>
    BytesToDecimal,
    HalfToFloat,
}

/// <summary>How a leaf's values are stored, and what column they become.</summary>
internal sealed record LeafForm(StoredType Stored, int Width, ColumnType Type, ReadStep Step)
{
    /// <summary>Bytes of a stored value while it is read; 0 for byte arrays, which have offsets.</summary>
    public int Stride => Stored switch
    {
        StoredType.Boolean => 1,
        StoredType.Int32 or StoredType.Float => 4,
        StoredType.Int64 or StoredType.Double => 8,
        StoredType.Int96 => 12,
        StoredType.FixedBytes => Width,
        _ => 0,
    };

    /// <exception cref="InvalidDataException">The annotation does not fit the storage type.</exception>
    /// <exception cref="NotSupportedException">There is no column type for it.</exception>
    public static LeafForm Of(SchemaElement element)
    {
        if (element.Physical == (int)StoredType.FixedBytes && element.TypeLength is < 1 or > 1 << 20)
        {
            throw new InvalidDataException($"The Parquet column '{element.Name}' has values of {element.TypeLength} bytes.");
        }
        var form = (StoredType)element.Physical switch
        {
            StoredType.Boolean => Plain(ColumnType.Boolean, ReadStep.PackBits),
            StoredType.Int32 => OfInt32(element),
            StoredType.Int64 => OfInt64(element),
            StoredType.Int96 => Plain(ColumnType.TimestampTz, ReadStep.Int96Micros),
            StoredType.Float => Plain(ColumnType.Float32),
            StoredType.Double => Plain(ColumnType.Float64),
            StoredType.Bytes => OfBytes(element),
            StoredType.FixedBytes => OfFixed(element),
            _ => throw new InvalidDataException($"The Parquet column '{element.Name}' has the storage type {element.Physical}, which there is not."),
        };
        return form with { Stored = (StoredType)element.Physical, Width = element.TypeLength };
    }

    private static LeafForm Plain(ColumnType type, ReadStep step = ReadStep.None) => new(default, 0, type, step);

    private static LeafForm OfInt32(SchemaElement element) => (element.Logical, element.Converted) switch
    {
        (LogicalKind.Date, _) or ( < 0, ConvertedKind.Date) => Plain(ColumnType.Date32),
        (LogicalKind.Decimal, _) or ( < 0, ConvertedKind.Decimal) => Plain(DecimalOf(element), ReadStep.IntToDecimal),
        (LogicalKind.Time, _) when element.Unit == 1 => Plain(ColumnType.Time64, ReadStep.IntMillis),
        ( < 0, ConvertedKind.TimeMillis) => Plain(ColumnType.Time64, ReadStep.IntMillis),
        (LogicalKind.Integer, _) when !element.IsSigned && element.BitWidth == 32 => Plain(ColumnType.Int64, ReadStep.WidenUnsigned),
        ( < 0, ConvertedKind.UInt32) => Plain(ColumnType.Int64, ReadStep.WidenUnsigned),
        (LogicalKind.Integer or LogicalKind.Null, _) or ( < 0, < 0 or (>= ConvertedKind.UInt8 and <= ConvertedKind.Int64)) => Plain(ColumnType.Int32),
        _ => throw Unknown(element),
    };

    private static LeafForm OfInt64(SchemaElement element) => (element.Logical, element.Converted) switch
    {
        (LogicalKind.Decimal, _) or ( < 0, ConvertedKind.Decimal) => Plain(DecimalOf(element), ReadStep.LongToDecimal),
        (LogicalKind.Time, _) when element.Unit == 2 => Plain(ColumnType.Time64),
        ( < 0, ConvertedKind.TimeMicros) => Plain(ColumnType.Time64),
        (LogicalKind.Timestamp, _) when element.Unit is 1 or 2 => Plain(
            element.IsUtc ? ColumnType.TimestampTz : ColumnType.Timestamp, element.Unit == 1 ? ReadStep.LongMillis : ReadStep.None),
        (LogicalKind.Timestamp, _) when element.Unit == 3 => Plain(element.IsUtc ? ColumnType.TimestampTzNs : ColumnType.TimestampNs),
        ( < 0, ConvertedKind.TimestampMillis) => Plain(ColumnType.TimestampTz, ReadStep.LongMillis),
        ( < 0, ConvertedKind.TimestampMicros) => Plain(ColumnType.TimestampTz),
        (LogicalKind.Integer, _) when !element.IsSigned && element.BitWidth == 64 => Plain(ColumnType.Decimal128(20, 0), ReadStep.UnsignedToDecimal),
        ( < 0, ConvertedKind.UInt64) => Plain(ColumnType.Decimal128(20, 0), ReadStep.UnsignedToDecimal),
        (LogicalKind.Integer or LogicalKind.Null, _) or ( < 0, < 0 or (>= ConvertedKind.UInt8 and <= ConvertedKind.Int64)) => Plain(ColumnType.Int64),
        _ => throw Unknown(element),
    };

    private static LeafForm OfBytes(SchemaElement element) => (element.Logical, element.Converted) switch
    {
        (LogicalKind.Text or LogicalKind.Enum or LogicalKind.Json, _) => Plain(ColumnType.Utf8),
        ( < 0, ConvertedKind.Utf8 or ConvertedKind.Enum or ConvertedKind.Json) => Plain(ColumnType.Utf8),
        (LogicalKind.Decimal, _) or ( < 0, ConvertedKind.Decimal) => Plain(DecimalOf(element), ReadStep.BytesToDecimal),
        _ => Plain(ColumnType.Binary),
    };

    private static LeafForm OfFixed(SchemaElement element) => (element.Logical, element.Converted) switch
    {
        (LogicalKind.Uuid, _) when element.TypeLength == 16 => Plain(ColumnType.Uuid),
        (LogicalKind.Float16, _) when element.TypeLength == 2 => Plain(ColumnType.Float32, ReadStep.HalfToFloat),
        (LogicalKind.Decimal, _) or ( < 0, ConvertedKind.Decimal) => Plain(DecimalOf(element), ReadStep.FixedToDecimal),
        _ => Plain(ColumnType.FixedBinary(element.TypeLength)),
    };

    private static ColumnType DecimalOf(SchemaElement element)
        => element.Precision is < 1 or > 38 || element.Scale < 0 || element.Scale > element.Precision
            ? throw new NotSupportedException(
                $"The Parquet column '{element.Name}' is a decimal({element.Precision},{element.Scale}); at most 38 digits can be read.")
            : ColumnType.Decimal128(element.Precision, element.Scale);

    private static NotSupportedException Unknown(SchemaElement element)
        => new($"The Parquet column '{element.Name}' has a type that cannot be read (storage {element.Physical}, annotation {element.Logical}, "
            + $"older annotation {element.Converted}, unit {element.Unit}): times of day in nanoseconds, for one.");
}
