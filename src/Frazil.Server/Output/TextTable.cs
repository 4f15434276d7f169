using System.Globalization;
using System.Text;

namespace Frazil.Server.Output;

/// <summary>Rows as a table that people read: columns as wide as what they hold, cut to the screen with …, numbers on the right.</summary>
public static class TextTable
{
    private const int LeastWidth = 8;
    private const int Gap = 2;

    /// <summary>Formats the rows.</summary>
    /// <param name="result">What to show.</param>
    /// <param name="width">Columns of the screen; int.MaxValue for no cutting.</param>
    public static string Format(ResultSet result, int width = int.MaxValue)
    {
        var shown = ChooseColumns(result, width);
        var widths = FitWidths(result, shown, width);
        var text = new StringBuilder();
        AppendLine(
            text, shown.Select((column, place) => Pad(Clean(result.Columns[column].Name), widths[place], result.Columns[column].IsNumber)));
        AppendLine(text, widths.Select(columnWidth => new string('─', columnWidth)));
        foreach (var row in result.Rows)
        {
            AppendLine(text, shown.Select((column, place) => Pad(Clean(row[column]), widths[place], result.Columns[column].IsNumber)));
        }
        if (shown.Count < result.Columns.Count)
        {
            text.Append(
                CultureInfo.InvariantCulture, $"({shown.Count} of {result.Columns.Count} columns fit; --csv or --json gives all)\n");
        }
        return text.ToString();
    }

    private static void AppendLine(StringBuilder text, IEnumerable<string> cells)
        => text.Append(string.Join("  ", cells).TrimEnd()).Append('\n');

    /// <summary>Where not even narrow columns fit, the last ones give way, but the very last stays: it is often what was asked
    /// for.</summary>
    private static List<int> ChooseColumns(ResultSet result, int width)
    {
        var columns = Enumerable.Range(0, result.Columns.Count).ToList();
        while (columns.Count > 1
            && columns.Sum(column => (long)Math.Min(NaturalWidth(result, column, width), LeastWidth) + Gap) - Gap > width)
        {
            columns.RemoveAt(columns.Count > 2 ? columns.Count - 2 : columns.Count - 1);
        }
        return columns;
    }

    private static List<int> FitWidths(ResultSet result, List<int> columns, int width)
    {
        var widths = columns.ConvertAll(column => NaturalWidth(result, column, width));
        while (widths.Sum(one => (long)one) + (Gap * (widths.Count - 1)) > width)
        {
            var widest = widths.IndexOf(widths.Max());
            if (widths[widest] <= LeastWidth)
            {
                break;
            }
            widths[widest]--;
        }
        return widths;
    }

    private static int NaturalWidth(ResultSet result, int column, int most)
    {
        var widest = result.Rows.Select(row => CellWidth(Clean(row[column]))).DefaultIfEmpty(0).Max();
        return Math.Clamp(Math.Max(CellWidth(Clean(result.Columns[column].Name)), widest), 1, Math.Max(1, most));
    }

    private static string Pad(string text, int width, bool right)
    {
        var cells = CellWidth(text);
        if (cells > width)
        {
            text = Cut(text, width);
            cells = CellWidth(text);
        }
        var blanks = new string(' ', width - cells);
        return right ? blanks + text : text + blanks;
    }

    private static string Cut(string text, int width)
    {
        var cut = new StringBuilder();
        var cells = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            var next = CellWidth(rune);
            if (cells + next > width - 1)
            {
                break;
            }
            cut.Append(rune.ToString());
            cells += next;
        }
        return cut.Append('…').ToString();
    }

    /// <summary>Nothing that a record holds may move the cursor or change colours.</summary>
    private static string Clean(string? text)
    {
        if (text is null)
        {
            return "∅";
        }
        return text.Any(char.IsControl)
            ? string.Concat(text.Select(letter => letter == '\n' ? '↵' : char.IsControl(letter) ? '�' : letter))
            : text;
    }

    private static int CellWidth(string text)
    {
        var cells = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            cells += CellWidth(rune);
        }
        return cells;
    }

    private static int CellWidth(Rune rune)
    {
        var category = Rune.GetUnicodeCategory(rune);
        if (category is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format)
        {
            return 0;
        }
        return rune.Value is (>= 0x1100 and <= 0x115F) or (>= 0x2E80 and <= 0xA4CF) or (>= 0xAC00 and <= 0xD7A3)
            or (>= 0xF900 and <= 0xFAFF)
            or (>= 0xFE30 and <= 0xFE6F) or (>= 0xFF00 and <= 0xFF60) or (>= 0xFFE0 and <= 0xFFE6) or (>= 0x1F300 and <= 0x1FAFF)
            or (>= 0x20000 and <= 0x3FFFD) ? 2 : 1;
    }
}
