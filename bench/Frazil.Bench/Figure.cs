using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Frazil.Bench;

/// <summary>One measured number.</summary>
/// <param name="Name">Dotted, stable over time: <c>ingest.290b.rows_per_cpu_second</c>.</param>
/// <param name="Value">The number, in <paramref name="Unit"/>.</param>
/// <param name="Unit">What it counts.</param>
/// <param name="RatioTo">With a ratio: the figure that it was divided by, measured in the same run.</param>
/// <param name="Detail">What a reader must know to believe it.</param>
internal sealed record Figure(string Name, double Value, string Unit, string? RatioTo = null, string? Detail = null)
{
    public string ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("name", Name);
            json.WriteNumber("value", Math.Round(Value, Value < 10 ? 4 : Value < 1000 ? 2 : 0));
            json.WriteString("unit", Unit);
            if (RatioTo is not null)
            {
                json.WriteString("ratio_to", RatioTo);
            }
            if (Detail is not null)
            {
                json.WriteString("detail", Detail);
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    public string ToText()
    {
        var number = Value >= 1000
            ? Value.ToString("N0", CultureInfo.InvariantCulture)
            : Value.ToString("0.###", CultureInfo.InvariantCulture);
        var against = RatioTo is null ? "" : $" × {RatioTo}";
        return $"{Name,-44} {number,14} {Unit}{against}{(Detail is null ? "" : $"   ({Detail})")}";
    }
}

/// <summary>Collects figures: JSON lines to standard output, or text for people where that is a terminal and --json was not asked
/// for.</summary>
internal sealed class Figures(bool json)
{
    private readonly Dictionary<string, Figure> all = [];

    public void Add(Figure figure)
    {
        all[figure.Name] = figure;
        Console.Out.WriteLine(json ? figure.ToJson() : figure.ToText());
        Console.Out.Flush();
    }

    public void Add(string name, double value, string unit, string? detail = null) => Add(new Figure(name, value, unit, null, detail));

    /// <summary>Adds <paramref name="name"/> = one figure over another, where both were measured in this run.</summary>
    public void AddRatio(string name, string of, string to, string? detail = null)
    {
        if (all.TryGetValue(of, out var dividend) && all.TryGetValue(to, out var divisor) && divisor.Value > 0)
        {
            Add(new Figure(name, dividend.Value / divisor.Value, "ratio", to, detail));
        }
    }

    public double? Find(string name) => all.TryGetValue(name, out var figure) ? figure.Value : null;
}
