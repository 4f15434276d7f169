using System.Globalization;
using System.Text;
using Frazil.Columnar;
using Frazil.Columnar.DuckDb;
using Frazil.Flush;

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
        if (fields.Count == 0)
        {
            throw new SqlException($"The table {table} has no columns yet; it gets them with its first records.", null);
        }
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
            var expressions = fields.Select((field, index) => $"{group.Columns[index].Expression} AS {SqlText.Identifier(field.Name)}");
            var files = string.Join(", ", group.Files.Select(SqlText.Literal));
            var schema = group.IsExact ? "" : $", schema = {Schema(fields, group.Columns)}";
            // Without being told, DuckDB would take columns out of folder names.
            parts.Add($"SELECT NULL::BOOLEAN AS {marker}, {string.Join(", ", expressions)} FROM read_parquet([{files}], hive_partitioning = false{schema})");
        }
        return parts.Count switch
        {
            0 => $"SELECT {string.Join(", ", fields.Select(field => $"NULL::{SqlText.TypeName(field.Type)} AS {SqlText.Identifier(field.Name)}"))} WHERE false",
            1 => $"SELECT {columns} FROM ({parts[0]})",
            _ => $"SELECT {columns} FROM ({string.Join(" UNION ALL ", parts)})",
        };
    }

    /// <summary>Files that are read alike. Those that have exactly the table's columns are read as they are: mapping columns by field id
    /// costs DuckDB half as much again, and the pushdown into structs.</summary>
    private static IEnumerable<FileGroup> GroupFiles(ColumnFields fields, TableInput table, NestedNames nested)
    {
        var byName = fields.Select(ColdColumn.ByName).ToArray();
        // Names that SQL cannot hold were changed when we wrote the file, but not when another engine did.
        var needsOwnNames = fields != table.Schema || NestedNames.HaveChanged(table.Schema, table.PastSchemas);
        var groups = new Dictionary<string, FileGroup>();
        foreach (var file in table.ColdFiles)
        {
            var own = nested.Read(file.Path);
            var isExact = fields.All(field => IsOnlyOne(field, own));
            if (own.Count > 0 && own.All(static column => column.FieldId < 0))
            {
                throw WithoutIds(file);
            }
            var columns = isExact || !needsOwnNames ? byName : [.. fields.Select(field => ColdColumn.ById(field, own))];
            var signature = isExact ? "" : string.Join('\n', columns);
            if (!groups.TryGetValue(signature, out var group))
            {
                groups[signature] = group = new FileGroup(columns, isExact, []);
            }
            group.Files.Add(file.Path);
        }
        return groups.Values;
    }

    /// <summary>Mapped by field id, as all others are, it would be read as nothing but nulls.</summary>
    private static SqlException WithoutIds(DataFileInput file) => new(
        $"The data file {file.Path} has no field ids: another engine took it into the table as it was (add_files), and which of its columns is which "
        + "cannot be told here yet (docs/known-issues.md). Write its rows anew with that engine", null);

    /// <summary>SQL does not tell cases apart, so that another column may stand in the way.</summary>
    private static bool IsOnlyOne(ColumnField field, IReadOnlyList<ParquetNode> own)
    {
        var named = own.Where(column => SqlNameComparer.Instance.Equals(column.Name, field.Name)).Take(2).ToList();
        return named.Count == 1 && named[0].Is(field);
    }

    private sealed record FileGroup(ColdColumn[] Columns, bool IsExact, List<string> Files);

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
