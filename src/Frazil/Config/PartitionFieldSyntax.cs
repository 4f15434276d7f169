using System.Globalization;
using System.Text.RegularExpressions;

namespace Frazil.Config;

/// <summary>Checks one entry of <c>partition_by</c>: <c>column</c>, <c>day(column)</c>, <c>bucket(16, column)</c>.</summary>
internal static partial class PartitionFieldSyntax
{
    private static readonly string[] Transforms =
        ["identity", "bucket", "truncate", "year", "month", "day", "hour", "void", "years", "months", "days", "hours"];

    /// <summary>What is wrong with the entry, or null.</summary>
    public static string? Problem(string text)
    {
        if (Column().IsMatch(text))
        {
            return null;
        }
        if (Call().Match(text) is not { Success: true } call)
        {
            return "is not a partition field; write column, day(column), bucket(16, column), …";
        }
        var transform = call.Groups["transform"].Value.ToLowerInvariant();
        if (!Transforms.Contains(transform))
        {
            var meant = NearestName.Find(transform, Transforms);
            return $"uses the unknown transform \"{transform}\"" + (meant is null ? $"; known are {string.Join(", ", Transforms[..8])}" : $"; did you mean {meant}?");
        }
        var takesNumber = transform is "bucket" or "truncate";
        var number = call.Groups["number"];
        if (takesNumber != number.Success)
        {
            return takesNumber
                ? $"lacks its number; write {transform}(16, column)"
                : $"has a number that {transform} does not take; write {transform}(column)";
        }
        return takesNumber && !(int.TryParse(number.Value, CultureInfo.InvariantCulture, out var width) && width > 0)
            ? $"has the number {number.Value}; it goes from 1 to {int.MaxValue}"
            : null;
    }

    /// <summary>The column that an entry without a <see cref="Problem"/> names.</summary>
    public static string ColumnOf(string text)
    {
        var call = Call().Match(text);
        return (call.Success ? call : Column().Match(text)).Groups["column"].Value.Trim('"', '`');
    }

    private const string Name = """("[^"]+"|`[^`]+`|[^\s(),"`]+)""";
    private const string Alias = $@"(\s+as\s+{Name})?\s*\z";

    [GeneratedRegex($@"^\s*(?<column>{Name}){Alias}", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Column();

    [GeneratedRegex(
        $@"^\s*(?<transform>[A-Za-z_]+)\s*\(\s*((?<number>-?[0-9]+)\s*,\s*)?(?<column>{Name})\s*\){Alias}",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Call();
}
