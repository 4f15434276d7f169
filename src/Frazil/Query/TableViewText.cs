using System.Globalization;
using System.Text;
using Frazil.Columnar;
using Frazil.Columnar.DuckDb;

namespace Frazil.Query;

/// <summary>Writes the query that is one table: its hot rows and its files under one schema.</summary>
internal static class TableViewText
{
    /// <param name="fields">The table's schema in SQL's names.</param>
    /// <param name="table">Whose files are read.</param>
    /// <param name="slot">The handle of the hot rows; null where there are none.</param>
    /// <param name="nested">What files call the fields inside structs.</param>
    public static string Write(ColumnFields fields, TableInput table, long? slot, NestedNames nested)
    {
        var parts = new List<string>();
        var columns = string.Join(", ", fields.Select(field => SqlText.Identifier(field.Name)));
        // A union of which no column is needed still fetches the first: this one costs nothing, so that count(*) reads none.
        var marker = SqlText.Identifier(FreeName(fields));
        if (slot is { } handle)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"SELECT NULL::BOOLEAN AS {marker}, {columns} FROM {ColumnScans.FunctionName}({handle})"));
        }
        foreach (var group in GroupFiles(fields, table, nested))
        {
            var expressions = fields.Select((field, index) => $"{group.Key[index].Expression} AS {SqlText.Identifier(field.Name)}");
            var files = string.Join(", ", group.Value.Select(SqlText.Literal));
            parts.Add($"SELECT NULL::BOOLEAN AS {marker}, {string.Join(", ", expressions)} FROM read_parquet([{files}], schema = {Schema(fields, group.Key)})");
        }
        return parts.Count switch
        {
            0 => $"SELECT {string.Join(", ", fields.Select(field => $"NULL::{SqlText.TypeName(field.Type)} AS {SqlText.Identifier(field.Name)}"))} WHERE false",
            1 => $"SELECT {columns} FROM ({parts[0]})",
            _ => $"SELECT {columns} FROM ({string.Join(" UNION ALL ", parts)})",
        };
    }

    private static IEnumerable<KeyValuePair<ColdColumn[], List<string>>> GroupFiles(ColumnFields fields, TableInput table, NestedNames nested)
    {
        if (table.ColdFiles.Count == 0)
        {
            return [];
        }
        var byName = fields.Select(ColdColumn.ByName).ToArray();
        // Names that SQL cannot hold were changed when we wrote the file, but not when another engine did.
        if (fields == table.Schema && !NestedNames.HaveChanged(table.Schema, table.PastSchemas))
        {
            return [new(byName, [.. table.ColdFiles.Select(file => file.Path)])];
        }
        var groups = new Dictionary<string, KeyValuePair<ColdColumn[], List<string>>>();
        foreach (var file in table.ColdFiles)
        {
            var own = nested.Read(file.Path);
            var columns = fields.Select(field => ColdColumn.ById(field, own)).ToArray();
            var signature = string.Join('\n', columns);
            if (!groups.TryGetValue(signature, out var group))
            {
                groups[signature] = group = new(columns, []);
            }
            group.Value.Add(file.Path);
        }
        return groups.Values;
    }

    private static string Schema(ColumnFields fields, ColdColumn[] columns)
    {
        var text = new StringBuilder("MAP {");
        for (var index = 0; index < fields.Count; index++)
        {
            var field = fields[index];
            text.Append(index == 0 ? "" : ", ").Append(
                CultureInfo.InvariantCulture,
                $"{field.FieldId}: {{name: {SqlText.Literal(field.Name)}, type: {SqlText.Literal(columns[index].SourceType)}, default_value: NULL}}");
        }
        return text.Append('}').ToString();
    }

    private static string FreeName(ColumnFields fields)
    {
        var name = "frazil_row";
        while (fields.Any(field => SqlNameComparer.Instance.Equals(field.Name, name)))
        {
            name += "_";
        }
        return name;
    }
}
