using Frazil.Columnar;
using Frazil.Parquet.Schema;

namespace Frazil.Parquet.Levels;

/// <summary>How a stored value becomes the file's.</summary>
internal enum Conversion : byte
{
    /// <summary>Bits to one byte each.</summary>
    Bits,
    /// <summary>The same bytes, of a fixed width.</summary>
    Copy,
    IntToLong,
    FloatToDouble,
    /// <summary>128-bit to 32-bit integers.</summary>
    DecimalTo4,
    /// <summary>128-bit to 64-bit integers.</summary>
    DecimalTo8,
    /// <summary>128-bit integers to big-endian bytes.</summary>
    DecimalToFixed,
    /// <summary>Offsets and bytes to references.</summary>
    Bytes,
    /// <summary>Fixed-width bytes to references.</summary>
    FixedToBytes,
}

/// <summary>One step from a row down to a leaf.</summary>
/// <param name="View">Null where the slice lacks the field: every value is null.</param>
internal readonly record struct PathNode(ColumnField Field, ColumnView? View)
{
    public bool IsRepeated => Field.Type.Kind is ColumnKind.List or ColumnKind.Map;
}

/// <summary>Where the values of one leaf are in one slice, found by field id.</summary>
internal sealed class LeafSource
{
    private LeafSource(PathNode[] nodes, Conversion conversion) => (Nodes, Conversion) = (nodes, conversion);

    public IReadOnlyList<PathNode> Nodes { get; }

    public Conversion Conversion { get; }

    /// <summary>The leaf's own view; null where the slice lacks it.</summary>
    public ColumnView? Leaf => Nodes[^1].View;

    /// <exception cref="ParquetRowsException">The slice's column has a type that cannot become the file's.</exception>
    public static LeafSource Resolve(LeafColumn leaf, BatchSlice slice)
    {
        var nodes = new PathNode[leaf.Path.Count];
        var top = slice.Schema.IndexOfId(leaf.Path[0].FieldId);
        var view = top < 0 ? null : slice.Columns[top];
        var type = top < 0 ? null : slice.Schema[top].Type;
        for (var depth = 0; ; depth++)
        {
            var field = leaf.Path[depth];
            nodes[depth] = new(field, view);
            if (depth == nodes.Length - 1)
            {
                return new(nodes, type is null ? default : ConversionOf(field, type));
            }
            if (type is null)
            {
                continue;
            }
            if (type.Kind != field.Type.Kind)
            {
                throw Refused(field, type);
            }
            var child = type.Kind == ColumnKind.Struct ? type.Fields.IndexOfId(leaf.Path[depth + 1].FieldId) : leaf.Positions[depth];
            view = child < 0 ? null : view!.Children[child];
            type = child < 0 ? null : type.Fields[child].Type;
        }
    }

    private static Conversion ConversionOf(ColumnField field, ColumnType from)
    {
        var to = field.Type;
        return (from.Kind, to.Kind) switch
        {
            (ColumnKind.Int32, ColumnKind.Int64) => Conversion.IntToLong,
            (ColumnKind.Float32, ColumnKind.Float64) => Conversion.FloatToDouble,
            (ColumnKind.Decimal128, ColumnKind.Decimal128) when from.Scale == to.Scale && from.Precision <= to.Precision
                => PhysicalTypes.Of(to) switch
                {
                    PhysicalType.Int32 => Conversion.DecimalTo4,
                    PhysicalType.Int64 => Conversion.DecimalTo8,
                    _ => Conversion.DecimalToFixed,
                },
            (ColumnKind.FixedBinary, ColumnKind.FixedBinary) when from.Width == to.Width => Conversion.Copy,
            (ColumnKind.FixedBinary, ColumnKind.Binary) => Conversion.FixedToBytes,
            (ColumnKind.Utf8, ColumnKind.Binary) => Conversion.Bytes,
            _ when from.Kind != to.Kind || from.Kind is ColumnKind.Decimal128 or ColumnKind.FixedBinary => throw Refused(field, from),
            (ColumnKind.Boolean, _) => Conversion.Bits,
            (ColumnKind.Utf8 or ColumnKind.Binary, _) => Conversion.Bytes,
            _ => Conversion.Copy,
        };
    }

    private static ParquetRowsException Refused(ColumnField field, ColumnType from)
        => new($"Column '{field.Name}' (field {field.FieldId}) of type {from} cannot be read as {field.Type}.");
}
