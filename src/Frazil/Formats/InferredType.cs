using Frazil.Columnar;

namespace Frazil.Formats;

/// <summary>A column that records ask for and the schema does not have.</summary>
/// <param name="ParentFieldId">Field id of the struct to add it to (a struct column, or a list's element or map's value that is a struct);
/// 0 for the table itself.</param>
/// <param name="Path">The parent's path for people, as <c>orders.element</c>; empty for the table itself.</param>
/// <param name="Name">The new field's name.</param>
/// <param name="Type">Its type.</param>
public sealed record SchemaAddition(int ParentFieldId, string Path, string Name, InferredType Type)
{
    public override string ToString() => $"{(Path.Length > 0 ? Path + "." : "")}{Name} {Type}";
}

/// <summary>A field of an inferred struct, or the <c>element</c> of an inferred list.</summary>
public sealed record InferredField(string Name, InferredType Type);

/// <summary>A type without field ids, as values show it: boolean, long, double, string, struct or list. Everything inferred is
/// nullable.</summary>
public sealed class InferredType
{
    internal InferredType(ColumnKind kind, IReadOnlyList<InferredField> fields) => (Kind, Fields) = (kind, fields);

    /// <summary>Boolean, Int64, Float64, Utf8, Struct or List.</summary>
    public ColumnKind Kind { get; }

    /// <summary>A struct's fields in the order they were seen; a list's one element; else empty.</summary>
    public IReadOnlyList<InferredField> Fields { get; }

    /// <summary>The column type, with a field id from <paramref name="nextFieldId"/> for every nested field: a level's own before the
    /// levels below it, as Iceberg assigns them.</summary>
    public ColumnType ToColumnType(Func<int> nextFieldId)
    {
        ArgumentNullException.ThrowIfNull(nextFieldId);
        var ids = Fields.Select(_ => nextFieldId()).ToArray();
        var fields = Fields.Select(
            (field, index) => new ColumnField(field.Name, field.Type.ToColumnType(nextFieldId), ids[index])).ToArray();
        return Kind switch
        {
            ColumnKind.Boolean => ColumnType.Boolean,
            ColumnKind.Int64 => ColumnType.Int64,
            ColumnKind.Float64 => ColumnType.Float64,
            ColumnKind.Utf8 => ColumnType.Utf8,
            ColumnKind.List => ColumnType.List(fields[0]),
            _ => ColumnType.Struct(fields),
        };
    }

    public override string ToString() => Kind switch
    {
        ColumnKind.Boolean => "boolean",
        ColumnKind.Int64 => "long",
        ColumnKind.Float64 => "double",
        ColumnKind.Utf8 => "string",
        ColumnKind.List => $"list<{(Fields.Count > 0 ? Fields[0].Type : "nothing")}>",
        _ => $"struct<{string.Join(", ", Fields.Select(field => $"{field.Name}: {field.Type}"))}>",
    };
}
