using Frazil.Columnar;

namespace Frazil.DuckDb;

/// <summary>
/// Gives fields names that SQL can hold: no U+0000, not empty, none that DuckDB takes for a word of its own, and unlike their siblings also
/// without regard to case. A clashing name gets
/// its field id appended, so that what one version wrote the next one reads. Structs without fields, which SQL and Parquet cannot hold, are
/// left out.
/// </summary>
public static class SqlNames
{
    /// <summary>In the list of field ids that COPY takes it stands for the id of the struct itself; a column of this name would go without
    /// one.</summary>
    private const string FieldIdWord = "__duckdb_field_id";

    /// <summary>The same fields by id and type; the very same object where nothing has to change.</summary>
    public static ColumnFields Apply(ColumnFields fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { FieldIdWord };
        var names = new Dictionary<int, string>();
        foreach (var field in fields.OrderBy(field => field.FieldId))
        {
            var name = field.Name.Replace('\0', '\u2400');
            names[field.FieldId] = name.Length > 0 && taken.Add(name) ? name : Suffixed(name, field.FieldId, taken);
        }
        var changed = new List<ColumnField>();
        foreach (var field in fields.Where(field => !IsEmpty(field.Type)))
        {
            changed.Add(field with { Name = names[field.FieldId], Type = Apply(field.Type) });
        }
        var result = new ColumnFields(changed);
        return result.Equals(fields) ? fields : result;
    }

    private static string Suffixed(string name, int fieldId, HashSet<string> taken)
    {
        var candidate = $"{name}_{fieldId}";
        while (!taken.Add(candidate))
        {
            candidate += "_";
        }
        return candidate;
    }

    private static ColumnType Apply(ColumnType type) => type.Kind switch
    {
        ColumnKind.Struct => ColumnType.Struct([.. Apply(type.Fields)]),
        ColumnKind.List => ColumnType.List(type.Fields[0] with { Type = Apply(type.Fields[0].Type) }),
        ColumnKind.Map => ColumnType.Map(
            type.Fields[0] with { Type = Apply(type.Fields[0].Type) }, type.Fields[1] with { Type = Apply(type.Fields[1].Type) }),
        _ => type,
    };

    private static bool IsEmpty(ColumnType type) => type.Kind switch
    {
        ColumnKind.Struct => type.Fields.All(field => IsEmpty(field.Type)),
        ColumnKind.List or ColumnKind.Map => type.Fields.Any(field => IsEmpty(field.Type)),
        _ => false,
    };
}
