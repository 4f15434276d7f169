using System.Globalization;
using System.Text;
using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Flush;
using Frazil.Iceberg;
using Frazil.Schemas;

namespace Frazil.Cold;

/// <summary>Writes the query that is one table: its hot rows and its files under one schema.</summary>
internal static class TableViewText
{
    /// <param name="table">Its schema and its files.</param>
    /// <param name="slot">The handle of the hot rows; null where there are none.</param>
    /// <param name="files">What files call their columns themselves.</param>
    /// <exception cref="UnreadableTableException">The table cannot be read; says why.</exception>
    public static string Write(ColdTable table, long? slot, FileColumns files)
    {
        var fields = table.Columns;
        if (fields.Count == 0)
        {
            throw new UnreadableTableException($"The table {table.Name} has no columns yet; it gets them with its first records.");
        }
        var parts = new List<string>();
        var columns = string.Join(", ", fields.Select(field => SqlText.Identifier(field.Name)));
        // A union of which no column is needed still fetches the first: this one costs nothing, so that count(*) reads none.
        var marker = SqlText.Identifier(FreeName(fields));
        if (slot is { } handle)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"SELECT NULL::BOOLEAN AS {marker}, {columns} FROM {ColumnScans.FunctionName}({handle})"));
        }
        parts.AddRange(GroupFiles(table, files).Select(group => $"SELECT NULL::BOOLEAN AS {marker}, {group.Text(fields)}"));
        return parts.Count switch
        {
            0 => $"SELECT {string.Join(", ", fields.Select(field => $"NULL::{SqlText.TypeName(field.Type)} AS {SqlText.Identifier(field.Name)}"))} WHERE false",
            1 => $"SELECT {columns} FROM ({parts[0]})",
            _ => $"SELECT {columns} FROM ({string.Join(" UNION ALL ", parts)})",
        };
    }

    /// <summary>Files that are read alike.</summary>
    private static IEnumerable<FileGroup> GroupFiles(ColdTable table, FileColumns files)
    {
        var groups = new Dictionary<string, FileGroup>();
        foreach (var file in table.Files)
        {
            var own = files.Read(file.Path);
            if (own.Count > 0 && own.All(static column => column.FieldId < 0))
            {
                throw WithoutIds(file);
            }
            var (columns, isExact) = ColumnsOf(file, own, table);
            var signature = $"{isExact}\n{string.Join('\n', columns)}";
            if (!groups.TryGetValue(signature, out var group))
            {
                groups[signature] = group = new FileGroup(columns, isExact, []);
            }
            group.Files.Add(file.Path);
        }
        return groups.Values;
    }

    /// <summary>Columns that are exactly the table's are read as they are: mapping them by field id costs DuckDB half as much again, and
    /// the pushdown into structs.</summary>
    private static (ColdColumn[] Columns, bool IsExact) ColumnsOf(DataFileInput file, IReadOnlyList<ParquetNode> own, ColdTable table)
    {
        var fields = table.Columns;
        var columns = new ColdColumn[fields.Count];
        var isExact = true;
        try
        {
            for (var index = 0; index < columns.Length; index++)
            {
                var field = fields[index];
                var node = own.FirstOrDefault(column => column.FieldId == field.FieldId);
                var isSame = node is not null && IsOnlyOne(field, own);
                columns[index] = node is null ? ColdColumn.Absent(field, file.PartitionValues, table.Defaults)
                    : isSame ? ColdColumn.AsItIs(field, node) : ColdColumn.ById(field, node, table.Defaults);
                isExact &= isSame || node is null;
            }
        }
        catch (InvalidFormatException failure)
        {
            throw new UnreadableTableException($"The table {table.Name} cannot be read: {failure.Message}", failure);
        }
        return (columns, isExact);
    }

    /// <summary>Mapped by field id, as all others are, it would be read as nothing but nulls.</summary>
    private static UnreadableTableException WithoutIds(DataFileInput file) => new(
        $"The data file {file.Path} has no field ids: another engine took it into the table as it was (add_files), and which of its columns is which "
        + "cannot be told here yet (docs/known-issues.md). Write its rows anew with that engine");

    /// <summary>SQL does not tell cases apart, so that another column may stand in the way.</summary>
    private static bool IsOnlyOne(ColumnField field, IReadOnlyList<ParquetNode> own)
    {
        var named = own.Where(column => SqlNameComparer.Instance.Equals(column.Name, field.Name)).Take(2).ToList();
        return named.Count == 1 && named[0].Is(field);
    }

    /// <param name="Columns">One for each of the table's.</param>
    /// <param name="IsExact">Those that the files have need no mapping.</param>
    /// <param name="Files">Their paths.</param>
    private sealed record FileGroup(ColdColumn[] Columns, bool IsExact, List<string> Files)
    {
        public string Text(ColumnFields fields)
        {
            var expressions = fields.Select((field, index) => $"{Columns[index].Expression} AS {SqlText.Identifier(field.Name)}");
            var files = string.Join(", ", Files.Select(SqlText.Literal));
            var schema = IsExact ? "" : $", schema = {Schema(fields)}";
            // Without being told, DuckDB would take columns out of folder names.
            return $"{string.Join(", ", expressions)} FROM read_parquet([{files}], hive_partitioning = false{schema})";
        }

        private string Schema(ColumnFields fields)
        {
            var text = new StringBuilder("MAP {");
            for (var index = 0; index < fields.Count; index++)
            {
                if (Columns[index].SourceType is { } type)
                {
                    var field = fields[index];
                    text.Append(text.Length == "MAP {".Length ? "" : ", ").Append(
                        CultureInfo.InvariantCulture,
                        $"{field.FieldId}: {{name: {SqlText.Literal(field.Name)}, type: {SqlText.Literal(type)}, default_value: NULL}}");
                }
            }
            return text.Append('}').ToString();
        }
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
