using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Flush;
using Frazil.Schemas;

namespace Frazil.Cold;

/// <summary>
/// How one top-level column is read from some Parquet files: the type that is asked of them and the expression that makes of it what the
/// table's schema says. Fields are found by the ids that the files themselves give them, at every level; their names say nothing, for a
/// name may have been another field's when the file was written.
/// </summary>
/// <param name="SourceType">SQL type in the files' own names; null where the files are not asked.</param>
/// <param name="Expression">In terms of the column's name.</param>
internal readonly record struct ColdColumn(string? SourceType, string Expression)
{
    /// <summary>DuckDB's Parquet reader takes twice as long for each list within a list, and cannot be interrupted.</summary>
    private const int MostLists = 20;

    /// <summary>The file's column is just what the table has.</summary>
    public static ColdColumn AsItIs(ColumnField field, ParquetNode own)
        => ListDepth(field.Type) > MostLists ? TooDeep(field) : new(SqlText.TypeName(field.Type), WithoutPushdown(field, own, SqlText.Identifier(field.Name)));

    /// <summary>Of files that do not have it.</summary>
    public static ColdColumn Absent(ColumnField field, ColumnDefaults partition, ColumnDefaults defaults)
        => new(null, partition.Has(field) ? partition.SqlOf(field) : defaults.SqlOf(field));

    /// <summary>Of files that have it, in some shape.</summary>
    public static ColdColumn ById(ColumnField field, ParquetNode own, ColumnDefaults defaults)
    {
        if (ListDepth(field.Type) > MostLists)
        {
            return TooDeep(field);
        }
        var name = SqlText.Identifier(field.Name);
        var shape = new ColdShape(defaults);
        return shape.IsFilledByName(field.Type, own)
            ? new(SqlText.TypeName(field.Type), WithoutPushdown(field, own, name))
            : new(shape.SourceType(field.Type, own), shape.Convert(field.Type, own, name, depth: 0));
    }

    private static int ListDepth(ColumnType type)
        => (type.Kind is ColumnKind.List or ColumnKind.Map ? 1 : 0) + (type.Fields.Count == 0 ? 0 : type.Fields.Max(static child => ListDepth(child.Type)));

    /// <summary>Fails only where the column is asked for.</summary>
    private static ColdColumn TooDeep(ColumnField field)
    {
        var text = $"The column {field.Name} has more than {MostLists} lists in each other, which cannot be read from data files here: DuckDB would take "
            + "for ever. Read it with another engine, or leave it out.";
        return new(null, $"error({SqlText.Literal(text)})::{SqlText.TypeName(field.Type)}");
    }

    /// <summary>Keeps filters of which DuckDB makes nonsense on their way into a file from getting there: a filter on an expression does
    /// not. It looks for bytes in a Bloom filter by their escaped text, and for 0 and -0 as if they were not equal; and it rounds the number
    /// that a double is compared with to a float, where the file has floats.</summary>
    private static string WithoutPushdown(ColumnField field, ParquetNode own, string name)
    {
        var isMisread = field.Type.Kind switch
        {
            ColumnKind.Binary or ColumnKind.FixedBinary or ColumnKind.Float32 => own.HasBloomFilter,
            ColumnKind.Float64 => own.HasBloomFilter || !own.HasType(field.Type),
            _ => false,
        };
        return isMisread ? $"CASE WHEN {name} IS NULL THEN NULL ELSE {name} END" : name;
    }
}

/// <summary>Turns nested values of a file into those of the table.</summary>
internal sealed class ColdShape(ColumnDefaults defaults)
{
    /// <summary>Matching names, as DuckDB does, does the same as matching ids: each field has its name, or is in the file under neither
    /// name nor id and null by default.</summary>
    public bool IsFilledByName(ColumnType type, ParquetNode node)
    {
        switch (type.Kind)
        {
            case ColumnKind.Struct:
                var members = Members(type, node).ToList();
                return members.Exists(member => member.Node is not null)
                    && members.TrueForAll(member => member.Node is { } own
                        ? own.Name == member.Field.Name && IsOnlyOfName(node, own.Name) && IsFilledByName(member.Field.Type, own)
                        : !defaults.Has(member.Field) && !node.Children.Exists(child => IsNamed(child, member.Field.Name)));
            case ColumnKind.List:
                return node.Element is { } element && IsFilledByName(type.Fields[0].Type, element);
            case ColumnKind.Map:
                return node.KeyAndValue is { } pair && IsFilledByName(type.Fields[0].Type, pair[0])
                    && IsFilledByName(type.Fields[1].Type, pair[1]);
            default:
                return true;
        }
    }

    /// <summary>What is asked of the file.</summary>
    /// <exception cref="UnreadableTableException">The file's column has another shape altogether.</exception>
    public string SourceType(ColumnType type, ParquetNode node)
    {
        switch (type.Kind)
        {
            case ColumnKind.Struct:
                var members = Members(type, node).Where(static member => member.Node is not null)
                    .Select(member => $"{SqlText.Identifier(member.Node!.Name)} {SourceType(member.Field.Type, member.Node)}").ToList();
                // Nothing that it has is asked for, but whether it is there is.
                return members.Count == 0 ? AnyType(node) : $"STRUCT({string.Join(", ", members)})";
            case ColumnKind.List:
                return $"{SourceType(type.Fields[0].Type, node.Element ?? throw Strange(type, node))}[]";
            case ColumnKind.Map:
                var pair = node.KeyAndValue ?? throw Strange(type, node);
                return $"MAP({SourceType(type.Fields[0].Type, pair[0])}, {SourceType(type.Fields[1].Type, pair[1])})";
            default:
                return SqlText.TypeName(type);
        }
    }

    public string Convert(ColumnType type, ParquetNode node, string value, int depth)
    {
        var item = $"frazil_{depth}";
        switch (type.Kind)
        {
            case var _ when IsFilledByName(type, node) && SourceType(type, node) == SqlText.TypeName(type):
                return value;
            case ColumnKind.Struct:
                var members = Members(type, node)
                    .Select(member => $"{SqlText.Identifier(member.Field.Name)} := {Member(member.Field, member.Node, value, depth)}");
                return $"CASE WHEN {value} IS NULL THEN NULL ELSE struct_pack({string.Join(", ", members)}) END";
            case ColumnKind.List:
                return $"list_transform({value}, lambda {item}: {Convert(type.Fields[0].Type, node.Element!, item, depth + 1)})";
            case ColumnKind.Map:
                var pair = node.KeyAndValue!;
                var key = Convert(type.Fields[0].Type, pair[0], $"{item}.key", depth + 1);
                var mapped = Convert(type.Fields[1].Type, pair[1], $"{item}.value", depth + 1);
                return $"map_from_entries(list_transform(map_entries({value}), lambda {item}: struct_pack(key := {key}, value := {mapped})))";
            default:
                return value;
        }
    }

    private string Member(ColumnField field, ParquetNode? node, string value, int depth) => node is null
        ? defaults.SqlOf(field)
        : Convert(field.Type, node, $"struct_extract({value}, {SqlText.Literal(node.Name)})", depth);

    private static IEnumerable<(ColumnField Field, ParquetNode? Node)> Members(ColumnType type, ParquetNode node) =>
        type.Fields.Select(field => (field, node.Children.Find(child => child.FieldId == field.FieldId)));

    /// <summary>A type that everything can be read as: as little of it as there is. All values have a text.</summary>
    private static string AnyType(ParquetNode node)
    {
        if (node.Children.Count == 0)
        {
            return "VARCHAR";
        }
        if (node.KeyAndValue is { } pair)
        {
            return $"MAP({AnyType(pair[0])}, {AnyType(pair[1])})";
        }
        if (node.Element is { } element)
        {
            return $"{AnyType(element)}[]";
        }
        var member = node.Children.Find(static child => child.Children.Count == 0) ?? node.Children[0];
        return $"STRUCT({SqlText.Identifier(member.Name)} {AnyType(member)})";
    }

    private static bool IsNamed(ParquetNode node, string name) => SqlNameComparer.Instance.Equals(node.Name, name);

    private static bool IsOnlyOfName(ParquetNode parent, string name) => parent.Children.Count(child => IsNamed(child, name)) == 1;

    private static UnreadableTableException Strange(ColumnType type, ParquetNode node) => new(
        $"A data file's column {node.Name} (field {node.FieldId}) is no {type}, which the table says that it is: the file was written wrongly");
}
