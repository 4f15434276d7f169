namespace Frazil.DuckDb;

/// <summary>The type of a result column, as SQL sees it.</summary>
public sealed class DuckDbType
{
    private DuckDbType(DuckDbTypeId id) => Id = id;

    internal static DuckDbType BigInt { get; } = new(DuckDbTypeId.BigInt);

    internal static DuckDbType Varchar { get; } = new(DuckDbTypeId.Varchar);

    /// <summary>What says which member of a union a value is.</summary>
    internal static DuckDbType Tag { get; } = new(DuckDbTypeId.UTinyInt);

    internal DuckDbTypeId Id { get; }

    /// <summary>DECIMAL only.</summary>
    internal int Width { get; private init; }

    /// <summary>DECIMAL only.</summary>
    internal int Scale { get; private init; }

    /// <summary>ARRAY only: elements of each value.</summary>
    internal int ArraySize { get; private init; }

    /// <summary>ENUM only.</summary>
    internal IReadOnlyList<string> Labels { get; private init; } = [];

    /// <summary>ENUM only: the integer that holds the label's number.</summary>
    internal DuckDbTypeId LabelStorage { get; private init; }

    /// <summary>A name given to a basic type, such as <c>JSON</c>; empty for none.</summary>
    internal string Alias { get; private init; } = "";

    /// <summary>STRUCT and UNION members; the element of LIST and ARRAY; key and value of MAP.</summary>
    internal IReadOnlyList<(string Name, DuckDbType Type)> Children { get; private init; } = [];

    /// <summary>As DuckDB prints it: <c>DECIMAL(10,2)</c>, <c>STRUCT(a INTEGER)</c>, <c>VARCHAR[]</c>.</summary>
    public override string ToString() => Alias.Length > 0 ? Alias : Id switch
    {
        DuckDbTypeId.Decimal => $"DECIMAL({Width},{Scale})",
        DuckDbTypeId.List => $"{Children[0].Type}[]",
        DuckDbTypeId.Array => $"{Children[0].Type}[{ArraySize}]",
        DuckDbTypeId.Map => $"MAP({Children[0].Type}, {Children[1].Type})",
        DuckDbTypeId.Struct or DuckDbTypeId.Union => $"{Id.ToString().ToUpperInvariant()}({string.Join(", ", Children.Select(Describe))})",
        DuckDbTypeId.Enum => $"ENUM({string.Join(", ", Labels.Select(label => SqlText.Literal(label)))})",
        DuckDbTypeId.TimestampTz => "TIMESTAMP WITH TIME ZONE",
        DuckDbTypeId.TimeTz => "TIME WITH TIME ZONE",
        DuckDbTypeId.TimestampS => "TIMESTAMP_S",
        DuckDbTypeId.TimestampMs => "TIMESTAMP_MS",
        DuckDbTypeId.TimestampNs => "TIMESTAMP_NS",
        DuckDbTypeId.TimeNs => "TIME_NS",
        DuckDbTypeId.SqlNull => "\"NULL\"",
        _ => Id.ToString().ToUpperInvariant(),
    };

    private static string Describe((string Name, DuckDbType Type) member) => $"{SqlText.IdentifierIfNeeded(member.Name)} {member.Type}";

    /// <summary>From its parts, which the caller has checked.</summary>
    internal static DuckDbType Make(
        DuckDbTypeId id, (int Width, int Scale) digits, int arraySize, (DuckDbTypeId Storage, string[] Labels) labels, string alias, (string Name, DuckDbType Type)[] children) => new(id)
        {
            Width = digits.Width,
            Scale = digits.Scale,
            ArraySize = arraySize,
            LabelStorage = labels.Storage,
            Labels = labels.Labels,
            Alias = alias,
            Children = children,
        };

    internal static unsafe DuckDbType Read(nint type)
    {
        var id = (DuckDbTypeId)DuckDbNative.duckdb_get_type_id(type);
        var alias = DuckDbInstance.TakeText(DuckDbNative.duckdb_logical_type_get_alias(type));
        return id switch
        {
            DuckDbTypeId.Decimal => new(id)
            {
                Alias = alias,
                Width = DuckDbNative.duckdb_decimal_width(type),
                Scale = DuckDbNative.duckdb_decimal_scale(type),
            },
            DuckDbTypeId.Enum => new(id)
            {
                Alias = alias,
                LabelStorage = (DuckDbTypeId)DuckDbNative.duckdb_enum_internal_type(type),
                Labels = [.. Enumerable.Range(0, (int)DuckDbNative.duckdb_enum_dictionary_size(type)).Select(index => Label(type, index))],
            },
            DuckDbTypeId.List => new(id)
            {
                Alias = alias,
                Children = [("element", ReadOwned(DuckDbNative.duckdb_list_type_child_type(type)))],
            },
            DuckDbTypeId.Array => new(id)
            {
                Alias = alias,
                ArraySize = (int)DuckDbNative.duckdb_array_type_array_size(type),
                Children = [("element", ReadOwned(DuckDbNative.duckdb_array_type_child_type(type)))],
            },
            DuckDbTypeId.Map => new(id)
            {
                Alias = alias,
                Children =
                [
                    ("key", ReadOwned(DuckDbNative.duckdb_map_type_key_type(type))),
                    ("value", ReadOwned(DuckDbNative.duckdb_map_type_value_type(type))),
                ],
            },
            DuckDbTypeId.Struct => new(id)
            {
                Alias = alias,
                Children = [
                    .. Enumerable.Range(0, (int)DuckDbNative.duckdb_struct_type_child_count(type)).Select(index => Member(type, index))],
            },
            DuckDbTypeId.Union => new(id)
            {
                Alias = alias,
                Children = [.. Enumerable.Range(0, (int)DuckDbNative.duckdb_union_type_member_count(type)).Select(index => UnionMember(type, index))],
            },
            _ => new(id) { Alias = alias },
        };
    }

    private static DuckDbType ReadOwned(nint type)
    {
        try
        {
            return Read(type);
        }
        finally
        {
            DuckDbNative.duckdb_destroy_logical_type(ref type);
        }
    }

    private static unsafe string Label(nint type, int index) =>
        DuckDbInstance.TakeText(DuckDbNative.duckdb_enum_dictionary_value(type, (ulong)index));

    private static unsafe (string Name, DuckDbType Type) Member(nint type, int index) => (
        DuckDbInstance.TakeText(DuckDbNative.duckdb_struct_type_child_name(type, (ulong)index)),
        ReadOwned(DuckDbNative.duckdb_struct_type_child_type(type, (ulong)index)));

    private static unsafe (string Name, DuckDbType Type) UnionMember(nint type, int index) => (
        DuckDbInstance.TakeText(DuckDbNative.duckdb_union_type_member_name(type, (ulong)index)),
        ReadOwned(DuckDbNative.duckdb_union_type_member_type(type, (ulong)index)));
}
