using Frazil.Columnar;

namespace Frazil.Parquet.Schema;

/// <summary>Parquet's storage types; the numbers are the format's own.</summary>
internal enum PhysicalType : byte
{
    Boolean = 0, Int32 = 1, Int64 = 2, Float = 4, Double = 5, ByteArray = 6, FixedBytes = 7,
}

/// <summary>One leaf of the schema: what becomes a column chunk in every row group.</summary>
internal sealed class LeafColumn
{
    /// <summary>Fields from the top-level column down to the leaf.</summary>
    public required IReadOnlyList<ColumnField> Path { get; init; }

    /// <summary>Names from the top down, those of repeated groups included.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>For every field of <see cref="Path"/> below the first: its position among its parent's children.</summary>
    public required IReadOnlyList<int> Positions { get; init; }

    public required int MaxDefinition { get; init; }

    public required int MaxRepetition { get; init; }

    /// <summary>The definition level from which on an entry is an element of the innermost list; 0 outside of lists.</summary>
    public required int ElementDefinition { get; init; }

    public ColumnField Field => Path[^1];

    public PhysicalType Physical => PhysicalTypes.Of(Field.Type);

    /// <summary>Bytes of a value; 0 for bits and byte arrays.</summary>
    public int Width => PhysicalTypes.WidthOf(Field.Type);

    public bool IsRepeated => MaxRepetition > 0;

    public override string ToString() => $"'{string.Join('.', Names)}' (field {Field.FieldId})";
}

/// <summary>What Iceberg says each type is in Parquet.</summary>
internal static class PhysicalTypes
{
    // Digits that fit into 1, 2, … 16 bytes with a sign.
    private static readonly int[] DigitsOfBytes = [2, 4, 6, 9, 11, 14, 16, 18, 21, 23, 26, 28, 31, 33, 35, 38];

    public static PhysicalType Of(ColumnType type) => type.Kind switch
    {
        ColumnKind.Boolean => PhysicalType.Boolean,
        ColumnKind.Int32 or ColumnKind.Date32 => PhysicalType.Int32,
        ColumnKind.Int64 or ColumnKind.Time64 or ColumnKind.Timestamp or ColumnKind.TimestampTz
            or ColumnKind.TimestampNs or ColumnKind.TimestampTzNs => PhysicalType.Int64,
        ColumnKind.Float32 => PhysicalType.Float,
        ColumnKind.Float64 => PhysicalType.Double,
        ColumnKind.Decimal128 when type.Precision <= 9 => PhysicalType.Int32,
        ColumnKind.Decimal128 when type.Precision <= 18 => PhysicalType.Int64,
        ColumnKind.Decimal128 => PhysicalType.FixedBytes,
        ColumnKind.Utf8 or ColumnKind.Binary => PhysicalType.ByteArray,
        ColumnKind.FixedBinary or ColumnKind.Uuid => PhysicalType.FixedBytes,
        _ => throw new NotSupportedException($"Column kind {type.Kind} is no leaf."),
    };

    public static int WidthOf(ColumnType type) => Of(type) switch
    {
        PhysicalType.Int32 or PhysicalType.Float => 4,
        PhysicalType.Int64 or PhysicalType.Double => 8,
        PhysicalType.FixedBytes when type.Kind == ColumnKind.Decimal128 => BytesOfDigits(type.Precision),
        PhysicalType.FixedBytes => type.ValueSize,
        _ => 0,
    };

    private static int BytesOfDigits(int digits) => Array.FindIndex(DigitsOfBytes, most => digits <= most) + 1;
}
