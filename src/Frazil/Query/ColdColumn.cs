using Frazil.Columnar;
using Frazil.Columnar.DuckDb;
using Frazil.Flush;

namespace Frazil.Query;

/// <summary>How one top-level column is read from some Parquet files: the type that is asked of them and the expression that makes of it
/// what the table's schema says.</summary>
/// <param name="SourceType">SQL type in the files' own names.</param>
/// <param name="Expression">In terms of the column's name.</param>
internal readonly record struct ColdColumn(string SourceType, string Expression)
{
    /// <summary>Fields have the names that the schema gives them.</summary>
    public static ColdColumn ByName(ColumnField field) => new(SqlText.TypeName(field.Type), SqlText.Identifier(field.Name));

    /// <summary>Fields inside structs are found by id in what the file has.</summary>
    public static ColdColumn ById(ColumnField field, IReadOnlyList<ParquetNode> fileColumns)
    {
        var node = fileColumns.FirstOrDefault(column => column.FieldId == field.FieldId);
        if (node is null || field.Type.Fields.Count == 0 || SourceTypeOf(field.Type, node) is not { } sourceType)
        {
            return ByName(field);
        }
        var plain = SqlText.TypeName(field.Type);
        var name = SqlText.Identifier(field.Name);
        return sourceType == plain ? new(plain, name) : new(sourceType, Convert(field.Type, node, name, depth: 0));
    }

    /// <summary>Null where the file has nothing of it.</summary>
    private static string? SourceTypeOf(ColumnType type, ParquetNode node)
    {
        switch (type.Kind)
        {
            case ColumnKind.Struct:
                var members = Members(type, node).Where(member => member.Node is not null)
                    .Select(member => (member.Node!.Name, Type: SourceTypeOf(member.Field.Type, member.Node)))
                    .Where(member => member.Type is not null)
                    .Select(member => $"{SqlText.Identifier(member.Name)} {member.Type}").ToList();
                return members.Count == 0 ? null : $"STRUCT({string.Join(", ", members)})";
            case ColumnKind.List:
                return node.Repeated(1) is { } element && SourceTypeOf(type.Fields[0].Type, element[0]) is { } elementType
                    ? $"{elementType}[]"
                    : null;
            case ColumnKind.Map:
                return node.Repeated(2) is { } pair && SourceTypeOf(type.Fields[0].Type, pair[0]) is { } key &&
                    SourceTypeOf(type.Fields[1].Type, pair[1]) is { } value ? $"MAP({key}, {value})" : null;
            default:
                return SqlText.TypeName(type);
        }
    }

    private static string Convert(ColumnType type, ParquetNode node, string value, int depth)
    {
        var item = $"frazil_{depth}";
        switch (type.Kind)
        {
            case ColumnKind.Struct:
                var members = Members(type, node)
                    .Select(member => $"{SqlText.Identifier(member.Field.Name)} := {Member(member.Field, member.Node, value, depth)}");
                return $"CASE WHEN {value} IS NULL THEN NULL ELSE struct_pack({string.Join(", ", members)}) END";
            case ColumnKind.List:
                return $"list_transform({value}, lambda {item}: {Convert(type.Fields[0].Type, node.Repeated(1)![0], item, depth + 1)})";
            case ColumnKind.Map:
                var pair = node.Repeated(2)!;
                var key = Convert(type.Fields[0].Type, pair[0], $"{item}.key", depth + 1);
                var mapped = Convert(type.Fields[1].Type, pair[1], $"{item}.value", depth + 1);
                return $"map_from_entries(list_transform(map_entries({value}), lambda {item}: struct_pack(key := {key}, value := {mapped})))";
            default:
                return value;
        }
    }

    private static string Member(ColumnField field, ParquetNode? node, string value, int depth) =>
        node is null || SourceTypeOf(field.Type, node) is null
            ? $"NULL::{SqlText.TypeName(field.Type)}"
            : Convert(field.Type, node, $"struct_extract({value}, {SqlText.Literal(node.Name)})", depth);

    private static IEnumerable<(ColumnField Field, ParquetNode? Node)> Members(ColumnType type, ParquetNode node) =>
        type.Fields.Select(field => (field, node.Children.Find(child => child.FieldId == field.FieldId)));
}
