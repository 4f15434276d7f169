using System.Globalization;
using System.Text;
using System.Text.Json;
using Frazil.Server.CommandLine;

namespace Frazil.Server.Output;

/// <summary>What a verb lists: a table for people, an array of objects with the same columns for machines.</summary>
/// <param name="columns">Names; they are the keys of the JSON objects, blanks as underscores.</param>
internal sealed class Listing(params string[] columns)
{
    private readonly List<object?[]> rows = [];

    public void Add(params object?[] row) => rows.Add(row);

    public void Write(Terminal terminal, bool asJson)
    {
        if (asJson)
        {
            terminal.Output.WriteLine(ToJson());
            return;
        }
        var shown = new ResultSet(
            [.. columns.Select((name, index) => new ResultColumn(name, rows.Count > 0 && rows.TrueForAll(row => row[index] is null or long or int or Bytes) ? "BIGINT" : "VARCHAR"))],
            [.. rows.Select(row => Array.ConvertAll(row, Text))]);
        terminal.Output.Write(TextTable.Format(shown, terminal.IsInteractive ? terminal.Width : int.MaxValue));
    }

    private static string? Text(object? value) => value switch
    {
        null => "",
        DateTimeOffset instant => instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };

    private string ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, SqlJson.Options))
        {
            json.WriteStartArray();
            foreach (var row in rows)
            {
                json.WriteStartObject();
                for (var index = 0; index < columns.Length; index++)
                {
                    json.WritePropertyName(columns[index].Replace(' ', '_'));
                    SqlJson.WriteValue(json, row[index] is Bytes bytes ? bytes.Count : row[index]);
                }
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}

/// <summary>A size: exact for machines, short for people.</summary>
internal readonly record struct Bytes(long Count) : IFormattable
{
    private static readonly string[] Units = ["B", "KB", "MB", "GB", "TB"];

    public override string ToString() => ToString(null, CultureInfo.InvariantCulture);

    public string ToString(string? format, IFormatProvider? formatProvider)
    {
        var (amount, unit) = ((double)Count, 0);
        while (amount >= 1024 && unit < Units.Length - 1)
        {
            (amount, unit) = (amount / 1024, unit + 1);
        }
        return string.Create(
            CultureInfo.InvariantCulture, $"{(unit == 0 ? Count : Math.Round(amount, amount < 10 ? 2 : 1))} {Units[unit]}");
    }
}
