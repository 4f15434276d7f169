namespace Frazil.Columnar;

/// <summary>The physical and logical kind of a column, named as in the Arrow specification.</summary>
public enum ColumnKind : byte
{
    /// <summary>One bit a value, least significant bit first.</summary>
    Boolean,
    /// <summary>32-bit signed.</summary>
    Int32,
    /// <summary>64-bit signed.</summary>
    Int64,
    /// <summary>IEEE 754 single.</summary>
    Float32,
    /// <summary>IEEE 754 double.</summary>
    Float64,
    /// <summary>128-bit two's complement, little endian, scaled by <see cref="ColumnType.Scale"/>.</summary>
    Decimal128,
    /// <summary>Days since 1970-01-01, 32-bit signed.</summary>
    Date32,
    /// <summary>Microseconds since midnight, 64-bit signed.</summary>
    Time64,
    /// <summary>Microseconds since 1970-01-01T00:00:00 without a zone, 64-bit signed.</summary>
    Timestamp,
    /// <summary>Microseconds since 1970-01-01T00:00:00Z, 64-bit signed.</summary>
    TimestampTz,
    /// <summary>UTF-8 bytes with 32-bit offsets.</summary>
    Utf8,
    /// <summary>Bytes with 32-bit offsets.</summary>
    Binary,
    /// <summary><see cref="ColumnType.Width"/> bytes a value.</summary>
    FixedBinary,
    /// <summary>16 bytes a value, big endian as RFC 9562 prints it.</summary>
    Uuid,
    /// <summary>One child column per field, each as long as the parent.</summary>
    Struct,
    /// <summary>32-bit offsets into one child column named <c>element</c>.</summary>
    List,
    /// <summary>32-bit offsets into two child columns named <c>key</c> and <c>value</c>.</summary>
    Map,
    /// <summary>Nanoseconds since 1970-01-01T00:00:00 without a zone, 64-bit signed. In Parquet files and Arrow only: SQL and tables do not take
    /// it.</summary>
    TimestampNs,
    /// <summary>Nanoseconds since 1970-01-01T00:00:00Z, 64-bit signed. As <see cref="TimestampNs"/>.</summary>
    TimestampTzNs,
}

/// <summary>An immutable column type. Equality is structural.</summary>
public sealed record ColumnType
{
    private ColumnType(ColumnKind kind) => Kind = kind;

    /// <summary>The kind; decides which of the other properties mean something.</summary>
    public ColumnKind Kind { get; private init; }

    /// <summary>Decimal digits in all, 1 to 38; <see cref="ColumnKind.Decimal128"/> only.</summary>
    public int Precision { get; private init; }

    /// <summary>Decimal digits after the point; <see cref="ColumnKind.Decimal128"/> only.</summary>
    public int Scale { get; private init; }

    /// <summary>Bytes a value; <see cref="ColumnKind.FixedBinary"/> only.</summary>
    public int Width { get; private init; }

    /// <summary>Struct fields; or the one <c>element</c> of a list; or <c>key</c> and <c>value</c> of a map. Empty for others.</summary>
    public ColumnFields Fields { get; private init; } = ColumnFields.Empty;

    public static ColumnType Boolean { get; } = new(ColumnKind.Boolean);
    public static ColumnType Int32 { get; } = new(ColumnKind.Int32);
    public static ColumnType Int64 { get; } = new(ColumnKind.Int64);
    public static ColumnType Float32 { get; } = new(ColumnKind.Float32);
    public static ColumnType Float64 { get; } = new(ColumnKind.Float64);
    public static ColumnType Date32 { get; } = new(ColumnKind.Date32);
    public static ColumnType Time64 { get; } = new(ColumnKind.Time64);
    public static ColumnType Timestamp { get; } = new(ColumnKind.Timestamp);
    public static ColumnType TimestampTz { get; } = new(ColumnKind.TimestampTz);
    public static ColumnType TimestampNs { get; } = new(ColumnKind.TimestampNs);
    public static ColumnType TimestampTzNs { get; } = new(ColumnKind.TimestampTzNs);
    public static ColumnType Utf8 { get; } = new(ColumnKind.Utf8);
    public static ColumnType Binary { get; } = new(ColumnKind.Binary);
    public static ColumnType Uuid { get; } = new(ColumnKind.Uuid);

    public static ColumnType Decimal128(int precision, int scale)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(precision, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(precision, 38);
        ArgumentOutOfRangeException.ThrowIfNegative(scale);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(scale, precision);
        return new(ColumnKind.Decimal128) { Precision = precision, Scale = scale };
    }

    public static ColumnType FixedBinary(int width)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        return new(ColumnKind.FixedBinary) { Width = width };
    }

    public static ColumnType Struct(params IReadOnlyList<ColumnField> fields) => new(ColumnKind.Struct) { Fields = new(fields) };

    public static ColumnType List(ColumnField element) => new(ColumnKind.List) { Fields = new([element]) };

    public static ColumnType Map(ColumnField key, ColumnField value) => new(ColumnKind.Map) { Fields = new([key, value]) };

    /// <summary>Bytes of one value in the values buffer; 0 for bits, variable-width and nested kinds.</summary>
    public int ValueSize => Kind switch
    {
        ColumnKind.Int32 or ColumnKind.Float32 or ColumnKind.Date32 => 4,
        ColumnKind.Int64 or ColumnKind.Float64 or ColumnKind.Time64 or ColumnKind.Timestamp or ColumnKind.TimestampTz
            or ColumnKind.TimestampNs or ColumnKind.TimestampTzNs => 8,
        ColumnKind.Decimal128 or ColumnKind.Uuid => 16,
        ColumnKind.FixedBinary => Width,
        _ => 0,
    };

    public override string ToString() => Kind switch
    {
        ColumnKind.Decimal128 => $"decimal({Precision},{Scale})",
        ColumnKind.FixedBinary => $"fixed({Width})",
        ColumnKind.Struct => $"struct<{string.Join(", ", Fields)}>",
        ColumnKind.List => $"list<{Fields[0].Type}>",
        ColumnKind.Map => $"map<{Fields[0].Type}, {Fields[1].Type}>",
        _ => Kind.ToString().ToLowerInvariant(),
    };
}

/// <summary>A named column with the Iceberg field id it is matched by.</summary>
/// <param name="Name">Any text; unique among its siblings.</param>
/// <param name="Type">The column's type.</param>
/// <param name="FieldId">Iceberg field id; positive; unique in the whole schema.</param>
/// <param name="Nullable">False only where the table's schema says required.</param>
public sealed record ColumnField(string Name, ColumnType Type, int FieldId, bool Nullable = true)
{
    public override string ToString() => $"{FieldId}: {Name} {Type}{(Nullable ? "" : " not null")}";
}
