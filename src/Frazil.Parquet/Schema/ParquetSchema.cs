using Frazil.Columnar;
using Frazil.Parquet.Metadata;

namespace Frazil.Parquet.Schema;

/// <summary>The columns of a file: its leaves, and the schema as the footer lists it.</summary>
internal sealed class ParquetSchema
{
    private const int Required = 0, Optional = 1, Repeated = 2;

    private readonly ColumnFields fields;
    private readonly List<LeafColumn> leaves = [];
    private int elements = 1;

    /// <exception cref="ParquetRowsException">A field has no form in Parquet.</exception>
    public ParquetSchema(ColumnFields fields)
    {
        this.fields = fields;
        if (fields.Count == 0)
        {
            throw new ParquetRowsException("A Parquet file needs one column at least; the schema has none.");
        }
        foreach (var field in fields)
        {
            Collect(new Branch([field], [field.Name], [], 0, 0, 0));
        }
    }

    public IReadOnlyList<LeafColumn> Leaves => leaves;

    /// <summary>Writes the list of schema elements, depth first.</summary>
    public void Write(ThriftWriter thrift, short listField)
    {
        thrift.BeginStructList(listField, elements);
        thrift.BeginStruct();
        thrift.WriteText(4, "table");
        thrift.WriteInt32(5, fields.Count);
        thrift.EndStruct();
        foreach (var field in fields)
        {
            WriteField(thrift, field, field.Name);
        }
    }

    private void Collect(Branch branch)
    {
        var field = branch.Path[^1];
        var definition = branch.Definition + (field.Nullable ? 1 : 0);
        elements++;
        switch (field.Type.Kind)
        {
            case ColumnKind.Struct:
                if (field.Type.Fields.Count == 0)
                {
                    throw new ParquetRowsException(
                        $"The struct '{field.Name}' (field {field.FieldId}) has no fields: leave it out, as Parquet cannot hold it.");
                }
                for (var child = 0; child < field.Type.Fields.Count; child++)
                {
                    Collect(branch.Below(child, [field.Type.Fields[child].Name], definition, branch.Repetition, branch.ElementDefinition));
                }
                break;
            case ColumnKind.List:
                elements++;
                Collect(branch.Below(0, ["list", "element"], definition + 1, branch.Repetition + 1, definition + 1));
                break;
            case ColumnKind.Map:
                elements++;
                Collect(branch.Below(0, ["key_value", "key"], definition + 1, branch.Repetition + 1, definition + 1));
                Collect(branch.Below(1, ["key_value", "value"], definition + 1, branch.Repetition + 1, definition + 1));
                break;
            default:
                leaves.Add(branch.ToLeaf(definition));
                break;
        }
    }

    private static void WriteField(ThriftWriter thrift, ColumnField field, string name)
    {
        switch (field.Type.Kind)
        {
            case ColumnKind.Struct:
                BeginElement(thrift, field.Nullable ? Optional : Required, name, field.Type.Fields.Count);
                thrift.WriteInt32(9, field.FieldId);
                thrift.EndStruct();
                foreach (var child in field.Type.Fields)
                {
                    WriteField(thrift, child, child.Name);
                }
                break;
            case ColumnKind.List:
                WriteCollection(thrift, field, name, LogicalTypes.List, LogicalTypes.ConvertedList);
                BeginElement(thrift, Repeated, "list", 1);
                thrift.EndStruct();
                WriteField(thrift, field.Type.Fields[0], "element");
                break;
            case ColumnKind.Map:
                WriteCollection(thrift, field, name, LogicalTypes.Map, LogicalTypes.ConvertedMap);
                BeginElement(thrift, Repeated, "key_value", 2);
                thrift.EndStruct();
                WriteField(thrift, field.Type.Fields[0], "key");
                WriteField(thrift, field.Type.Fields[1], "value");
                break;
            default:
                WriteLeaf(thrift, field, name);
                break;
        }
    }

    private static void BeginElement(ThriftWriter thrift, int repetition, string name, int children)
    {
        thrift.BeginStruct();
        thrift.WriteInt32(3, repetition);
        thrift.WriteText(4, name);
        thrift.WriteInt32(5, children);
    }

    private static void WriteCollection(ThriftWriter thrift, ColumnField field, string name, short logical, int converted)
    {
        BeginElement(thrift, field.Nullable ? Optional : Required, name, 1);
        thrift.WriteInt32(6, converted);
        thrift.WriteInt32(9, field.FieldId);
        thrift.BeginStruct(10);
        thrift.WriteEmptyStruct(logical);
        thrift.EndStruct();
        thrift.EndStruct();
    }

    private static void WriteLeaf(ThriftWriter thrift, ColumnField field, string name)
    {
        var physical = PhysicalTypes.Of(field.Type);
        thrift.BeginStruct();
        thrift.WriteInt32(1, (int)physical);
        if (physical == PhysicalType.FixedBytes)
        {
            thrift.WriteInt32(2, PhysicalTypes.WidthOf(field.Type));
        }
        thrift.WriteInt32(3, field.Nullable ? Optional : Required);
        thrift.WriteText(4, name);
        if (LogicalTypes.ConvertedOf(field.Type) is { } converted)
        {
            thrift.WriteInt32(6, converted);
        }
        if (field.Type.Kind == ColumnKind.Decimal128)
        {
            thrift.WriteInt32(7, field.Type.Scale);
            thrift.WriteInt32(8, field.Type.Precision);
        }
        thrift.WriteInt32(9, field.FieldId);
        LogicalTypes.Write(thrift, 10, field.Type);
        thrift.EndStruct();
    }

    /// <summary>The way down to a field, and the levels above it.</summary>
    private sealed record Branch(
        ColumnField[] Path, string[] Names, int[] Positions, int Definition, int Repetition, int ElementDefinition)
    {
        public Branch Below(int child, string[] names, int definition, int repetition, int elementDefinition) => new(
            [.. Path, Path[^1].Type.Fields[child]], [.. Names, .. names], [.. Positions, child], definition, repetition, elementDefinition);

        public LeafColumn ToLeaf(int maxDefinition) => new()
        {
            Path = Path,
            Names = Names,
            Positions = Positions,
            MaxDefinition = maxDefinition,
            MaxRepetition = Repetition,
            ElementDefinition = ElementDefinition,
        };
    }
}
