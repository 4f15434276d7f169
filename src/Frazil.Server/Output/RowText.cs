using System.Text;
using System.Text.Json;

namespace Frazil.Server.Output;

/// <summary>Rows as CSV (RFC 4180: header, CRLF, quotes doubled; null is empty, empty text is <c>""</c>) and as NDJSON.</summary>
public static class RowText
{
    public static string CsvLine(IEnumerable<string?> values)
    {
        var line = new StringBuilder();
        foreach (var value in values)
        {
            AppendCsv(line, value).Append(',');
        }
        return line.Length == 0 ? "\r\n" : line.Remove(line.Length - 1, 1).Append("\r\n").ToString();
    }

    /// <summary>Column names as keys of one object must differ: the second <c>a</c> becomes <c>a_1</c>.</summary>
    public static string[] DistinctNames(IEnumerable<string> names)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var distinct = new List<string>();
        foreach (var name in names)
        {
            var candidate = name;
            for (var number = 1; !seen.Add(candidate); number++)
            {
                candidate = $"{name}_{number}";
            }
            distinct.Add(candidate);
        }
        return [.. distinct];
    }

    /// <summary>A value as a CSV field shows it: text as it is, anything else as its JSON.</summary>
    public static string? CsvValue(object? value) => value switch
    {
        null or DBNull => null,
        string text => text,
        bool flag => flag ? "true" : "false",
        _ => Unquoted(value),
    };

    private static string Unquoted(object value)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, SqlJson.Options))
        {
            SqlJson.WriteValue(json, value);
        }
        var text = Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
        return text.StartsWith('"') ? text[1..^1] : text;
    }

    private static StringBuilder AppendCsv(StringBuilder line, string? value)
    {
        if (value is null)
        {
            return line;
        }
        var needsQuotes = value.Length == 0 || value.AsSpan().IndexOfAny(",\"\r\n") >= 0 || value[0] == ' ' || value[^1] == ' ';
        return needsQuotes
            ? line.Append('"').Append(value.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"')
            : line.Append(value);
    }
}
