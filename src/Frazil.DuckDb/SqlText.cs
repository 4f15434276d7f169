using System.Text;
using Frazil.Columnar;

namespace Frazil.DuckDb;

/// <summary>Writes names and values into SQL text, quoted.</summary>
public static class SqlText
{
    /// <summary><c>'text'</c> with quotes doubled.</summary>
    public static string Literal(string text) => $"'{Checked(text).Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary><c>"name"</c> with quotes doubled.</summary>
    public static string Identifier(string name) => $"\"{Checked(name).Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>The bare name where SQL takes that, otherwise quoted.</summary>
    public static string IdentifierIfNeeded(string name)
    {
        var plain = name.Length > 0 && (char.IsAsciiLetterLower(name[0]) || name[0] == '_') &&
            name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '_');
        return plain ? name : Identifier(name);
    }

    /// <summary>DuckDB's name of a column type, nested types written out.</summary>
    public static string TypeName(ColumnType type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return type.Kind switch
        {
            ColumnKind.Boolean => "BOOLEAN",
            ColumnKind.Int32 => "INTEGER",
            ColumnKind.Int64 => "BIGINT",
            ColumnKind.Float32 => "FLOAT",
            ColumnKind.Float64 => "DOUBLE",
            ColumnKind.Decimal128 => $"DECIMAL({type.Precision},{type.Scale})",
            ColumnKind.Date32 => "DATE",
            ColumnKind.Time64 => "TIME",
            ColumnKind.Timestamp => "TIMESTAMP",
            ColumnKind.TimestampTz => "TIMESTAMP WITH TIME ZONE",
            ColumnKind.Utf8 => "VARCHAR",
            ColumnKind.Binary or ColumnKind.FixedBinary => "BLOB",
            ColumnKind.Uuid => "UUID",
            ColumnKind.List => $"{TypeName(type.Fields[0].Type)}[]",
            ColumnKind.Map => $"MAP({TypeName(type.Fields[0].Type)}, {TypeName(type.Fields[1].Type)})",
            ColumnKind.Struct => StructName(type.Fields),
            _ => throw new NotSupportedException($"Column kind {type.Kind} has no SQL type."),
        };
    }

    private static string StructName(ColumnFields fields)
    {
        var text = new StringBuilder("STRUCT(");
        foreach (var field in fields)
        {
            text.Append(text.Length > "STRUCT(".Length ? ", " : "").Append(Identifier(field.Name)).Append(' ').Append(TypeName(field.Type));
        }
        return text.Append(')').ToString();
    }

    private static string Checked(string text) => text.Contains('\0', StringComparison.Ordinal)
        ? throw new DuckDbException(
            $"The text '{text.Replace("\0", "\\0", StringComparison.Ordinal)}' holds U+0000, which SQL text cannot carry. Rename it.")
        : text;
}
