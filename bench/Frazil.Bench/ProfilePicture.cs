using System.Globalization;
using System.Text;

namespace Frazil.Bench;

/// <summary>The parts of a record's CPU time as bars, to scale.</summary>
internal static class ProfilePicture
{
    private const int Width = 760, RowHeight = 22, BarStart = 190, BarEnd = 660, Top = 34;

    private static readonly Dictionary<string, string> Colours = new()
    {
        ["fetch"] = "#4e79a7", ["decode"] = "#f28e2b", ["append"] = "#59a14f", ["Parquet"] = "#b07aa1", ["runtime"] = "#9c9c9c",
    };

    public static string Draw(IReadOnlyDictionary<ProfilePart, long> parts, double nanosecondsPerSample)
    {
        var sum = parts.Values.Sum() * nanosecondsPerSample;
        var most = parts.Values.Max() * nanosecondsPerSample;
        var height = Top + parts.Count * RowHeight + 12;
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" font-family=\"sans-serif\" font-size=\"12\">");
        text.AppendLine(CultureInfo.InvariantCulture, $"<rect width=\"{Width}\" height=\"{height}\" fill=\"#ffffff\"/>");
        text.AppendLine(CultureInfo.InvariantCulture, $"<text x=\"10\" y=\"20\" font-weight=\"bold\">CPU time of one record, {sum:F0} ns in all</text>");
        var row = 0;
        foreach (var (part, hits) in parts)
        {
            var nanoseconds = hits * nanosecondsPerSample;
            var (y, width) = (Top + row++ * RowHeight, nanoseconds / most * (BarEnd - BarStart));
            text.AppendLine(CultureInfo.InvariantCulture, $"<text x=\"10\" y=\"{y + 15}\">{part.Name}</text>");
            text.AppendLine(CultureInfo.InvariantCulture,
                $"<rect x=\"{BarStart}\" y=\"{y + 3}\" width=\"{width:F1}\" height=\"{RowHeight - 6}\" fill=\"{Colours[part.Stage]}\"/>");
            text.AppendLine(CultureInfo.InvariantCulture,
                $"<text x=\"{BarStart + width + 6:F1}\" y=\"{y + 15}\">{nanoseconds:F0} ns · {100 * nanoseconds / sum:F0} %</text>");
        }
        text.AppendLine("</svg>");
        return text.ToString();
    }
}
