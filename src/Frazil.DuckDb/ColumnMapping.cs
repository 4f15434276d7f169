using Frazil.Columnar;

namespace Frazil.DuckDb;

/// <summary>How the values of one column of a chunk become those of the column that a scan promised.</summary>
internal enum FillKind : byte
{
    /// <summary>The chunk does not have it: every value is null.</summary>
    Absent,
    /// <summary>Bits to bytes.</summary>
    Bits,
    /// <summary>The same 4 bytes.</summary>
    Copy4,
    /// <summary>The same 8 bytes.</summary>
    Copy8,
    /// <summary>The same 16 bytes.</summary>
    Copy16,
    /// <summary>int to long.</summary>
    WidenInt,
    /// <summary>float to double.</summary>
    WidenFloat,
    /// <summary>128-bit to 16-bit integers.</summary>
    Narrow2,
    /// <summary>128-bit to 32-bit integers.</summary>
    Narrow4,
    /// <summary>128-bit to 64-bit integers.</summary>
    Narrow8,
    /// <summary>Big-endian bytes to a little-endian number with its top bit flipped.</summary>
    Uuid,
    /// <summary>Offsets and bytes to 16-byte string references.</summary>
    Bytes,
    /// <summary>Fixed-width bytes to 16-byte string references.</summary>
    FixedBytes,
    /// <summary>Child by child.</summary>
    Struct,
    /// <summary>Offsets to entries, and one child.</summary>
    List,
    /// <summary>Offsets to entries, and the two children of one struct.</summary>
    Map,
}

/// <summary>One column of a chunk mapped by field id to the column that a scan promised; nested columns recursively.</summary>
internal sealed class ColumnMapping
{
    private ColumnMapping(int source, FillKind fill, ColumnKind targetKind, params ColumnMapping[] children) =>
        (Source, Fill, TargetKind, Children) = (source, fill, targetKind, children);

    /// <summary>Position among the source's siblings; -1 where absent.</summary>
    public int Source { get; }

    public FillKind Fill { get; }

    /// <summary>The promised kind, which an absent column needs to fill nested nulls.</summary>
    public ColumnKind TargetKind { get; }

    /// <summary>Children of the promised type, in its order.</summary>
    public ColumnMapping[] Children { get; }

    /// <summary>Maps the field <paramref name="target"/> out of <paramref name="sources"/>.</summary>
    /// <exception cref="DuckDbException">The source's type cannot become the target's.</exception>
    public static ColumnMapping Create(ColumnField target, ColumnFields sources)
    {
        var source = sources.IndexOfId(target.FieldId);
        return source < 0
            ? new(-1, FillKind.Absent, target.Type.Kind, [.. target.Type.Fields.Select(child => Create(child, ColumnFields.Empty))])
            : Create(target, sources[source], source);
    }

    private static ColumnMapping Create(ColumnField target, ColumnField field, int source)
    {
        var (from, to) = (field.Type, target.Type);
        var fill = (from.Kind, to.Kind) switch
        {
            (ColumnKind.Int32, ColumnKind.Int64) => FillKind.WidenInt,
            (ColumnKind.Float32, ColumnKind.Float64) => FillKind.WidenFloat,
            (ColumnKind.Decimal128, ColumnKind.Decimal128) when from.Scale == to.Scale && from.Precision <= to.Precision => DecimalFill(to),
            (ColumnKind.FixedBinary, ColumnKind.FixedBinary) when from.Width == to.Width => FillKind.FixedBytes,
            (ColumnKind.FixedBinary, ColumnKind.Binary) => FillKind.FixedBytes,
            (ColumnKind.Utf8, ColumnKind.Binary) => FillKind.Bytes,
            _ when from.Kind == to.Kind && from.Kind is not (ColumnKind.Decimal128 or ColumnKind.FixedBinary) => SameFill(to.Kind),
            _ => throw new DuckDbException($"Column '{field.Name}' (field {field.FieldId}) of type {from} cannot be read as {to}."),
        };
        return fill switch
        {
            FillKind.Struct => new(source, fill, to.Kind, [.. to.Fields.Select(child => Create(child, from.Fields))]),
            // Elements, keys and values match by their place: a list has just one.
            FillKind.List
                or FillKind.Map => new(
                    source, fill, to.Kind, [.. to.Fields.Select((child, index) => Create(child, from.Fields[index], index))]),
            _ => new(source, fill, to.Kind),
        };
    }

    private static FillKind DecimalFill(ColumnType type) => type.Precision switch
    {
        <= 4 => FillKind.Narrow2,
        <= 9 => FillKind.Narrow4,
        <= 18 => FillKind.Narrow8,
        _ => FillKind.Copy16,
    };

    private static FillKind SameFill(ColumnKind kind) => kind switch
    {
        ColumnKind.Boolean => FillKind.Bits,
        ColumnKind.Int32 or ColumnKind.Float32 or ColumnKind.Date32 => FillKind.Copy4,
        ColumnKind.Int64 or ColumnKind.Float64 or ColumnKind.Time64 or ColumnKind.Timestamp or ColumnKind.TimestampTz => FillKind.Copy8,
        ColumnKind.Utf8 or ColumnKind.Binary => FillKind.Bytes,
        ColumnKind.Uuid => FillKind.Uuid,
        ColumnKind.Struct => FillKind.Struct,
        ColumnKind.List => FillKind.List,
        ColumnKind.Map => FillKind.Map,
        _ => throw new NotSupportedException($"Column kind {kind} has no copy of itself."),
    };
}
