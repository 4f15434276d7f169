using System.Globalization;
using System.Text.RegularExpressions;

namespace Frazil.Config;

/// <summary>Numbers, booleans, dates and times: everything that is one word without quotes.</summary>
internal static partial class TomlScalars
{
    public static TomlScalar Read(TomlCursor cursor)
    {
        var start = cursor.Position;
        var word = TakeWord(cursor);
        var (line, column) = cursor.LineAndColumn(start);
        if (word.Length == 0)
        {
            throw cursor.Error($"expected a value, found {cursor.Shown}");
        }
        var (kind, value) = Parse(word) ?? throw cursor.Error(Explain(word), start);
        return new TomlScalar(kind, value, word, line, column);
    }

    private static string TakeWord(TomlCursor cursor)
    {
        var start = cursor.Position;
        TakeWordCharacters(cursor);
        // A date and its time may be parted by one space.
        if (cursor.Current == ' ' && char.IsAsciiDigit(cursor.PeekAt(1))
            && LocalDate().IsMatch(cursor.Text.AsSpan(start, cursor.Position - start)))
        {
            cursor.Position++;
            TakeWordCharacters(cursor);
        }
        return cursor.Text[start..cursor.Position];
    }

    private static void TakeWordCharacters(TomlCursor cursor)
    {
        while (char.IsAsciiLetterOrDigit(cursor.Current) || cursor.Current is '+' or '-' or '.' or ':' or '_')
        {
            cursor.Position++;
        }
    }

    private static (TomlKind Kind, object Value)? Parse(string word)
    {
        if (word is "true" or "false")
        {
            return (TomlKind.Boolean, word == "true");
        }
        if (ParseInteger(word) is { } integer)
        {
            return (TomlKind.Integer, integer);
        }
        if (ParseFloat(word) is { } number)
        {
            return (TomlKind.Float, number);
        }
        return ParseDateOrTime(word);
    }

    private static long? ParseInteger(string word)
    {
        if (DecimalInteger().IsMatch(word))
        {
            return long.TryParse(Digits(word), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;
        }
        if (!PrefixedInteger().IsMatch(word))
        {
            return null;
        }
        var bits = word[1] switch { 'x' => 4, 'o' => 3, _ => 1 };
        return ParsePrefixed(Digits(word).AsSpan(2), bits);
    }

    private static long? ParsePrefixed(ReadOnlySpan<char> digits, int bits)
    {
        UInt128 value = 0;
        foreach (var digit in digits)
        {
            value = (value << bits) + (UInt128)Convert.ToInt32(digit.ToString(), 16);
            if (value > long.MaxValue)
            {
                return null;
            }
        }
        return (long)value;
    }

    private static double? ParseFloat(string word)
    {
        var unsigned = word.TrimStart('+', '-');
        if (word.Length - unsigned.Length <= 1 && unsigned is "inf" or "nan")
        {
            var magnitude = unsigned == "inf" ? double.PositiveInfinity : double.NaN;
            return word[0] == '-' ? -magnitude : magnitude;
        }
        // An integer that does not fit must not become a float.
        return !DecimalInteger().IsMatch(word) && Float().IsMatch(word)
            ? double.Parse(Digits(word), NumberStyles.Float, CultureInfo.InvariantCulture)
            : null;
    }

    private static (TomlKind Kind, object Value)? ParseDateOrTime(string word)
    {
        var invariant = CultureInfo.InvariantCulture;
        if (LocalDate().IsMatch(word))
        {
            return DateOnly.TryParseExact(word, "yyyy-MM-dd", invariant, DateTimeStyles.None, out var date)
                ? (TomlKind.LocalDate, date)
                : null;
        }
        if (LocalTime().IsMatch(word))
        {
            return TimeOnly.TryParse(TrimFraction(word), invariant, out var time) ? (TomlKind.LocalTime, time) : null;
        }
        if (DateAndTime().Match(word) is not { Success: true } match)
        {
            return null;
        }
        var text = $"{match.Groups["date"].Value}T{TrimFraction(match.Groups["time"].Value)}";
        if (!DateTime.TryParse(text, invariant, DateTimeStyles.None, out var local))
        {
            return null;
        }
        var zone = match.Groups["zone"].Value;
        if (zone.Length == 0)
        {
            return (TomlKind.LocalDateTime, local);
        }
        return ParseOffset(zone) is { } offset && TryMakeInstant(local, offset, out var instant)
            ? (TomlKind.OffsetDateTime, instant)
            : null;
    }

    private static TimeSpan? ParseOffset(string zone)
    {
        if (zone is "Z" or "z")
        {
            return TimeSpan.Zero;
        }
        var hours = int.Parse(zone.AsSpan(1, 2), CultureInfo.InvariantCulture);
        var minutes = int.Parse(zone.AsSpan(4, 2), CultureInfo.InvariantCulture);
        if (hours > 23 || minutes > 59)
        {
            return null;
        }
        var offset = new TimeSpan(hours, minutes, 0);
        return zone[0] == '-' ? -offset : offset;
    }

    /// <summary>.NET allows offsets of up to 14 hours; RFC 3339 up to 23:59, kept as the same instant in UTC.</summary>
    private static bool TryMakeInstant(DateTime local, TimeSpan offset, out DateTimeOffset instant)
    {
        instant = default;
        var utcTicks = local.Ticks - offset.Ticks;
        if (utcTicks < DateTime.MinValue.Ticks || utcTicks > DateTime.MaxValue.Ticks)
        {
            return false;
        }
        instant = offset.Duration() <= TimeSpan.FromHours(14) ? new(local, offset) : new(utcTicks, TimeSpan.Zero);
        return true;
    }

    /// <summary>Digits beyond .NET's 100 ns are cut, as TOML allows.</summary>
    private static string TrimFraction(string time)
    {
        var point = time.IndexOf('.');
        return point >= 0 && time.Length > point + 8 ? time[..(point + 8)] : time;
    }

    private static string Digits(string word) => word.Replace("_", "", StringComparison.Ordinal);

    private static string Explain(string word)
    {
        if (DecimalInteger().IsMatch(word) || PrefixedInteger().IsMatch(word))
        {
            return $"{word} does not fit in 64 bits";
        }
        return char.IsAsciiLetter(word[0])
            ? $"{word} is not a value; text needs quotes: \"{word}\""
            : $"{word} is not a number, date or time as TOML writes them; text needs quotes: \"{word}\"";
    }

    [GeneratedRegex(@"^[+-]?(0|[1-9](_?[0-9])*)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex DecimalInteger();

    [GeneratedRegex(@"^0(x[0-9A-Fa-f](_?[0-9A-Fa-f])*|o[0-7](_?[0-7])*|b[01](_?[01])*)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex PrefixedInteger();

    [GeneratedRegex(@"^[+-]?(0|[1-9](_?[0-9])*)(\.[0-9](_?[0-9])*)?([eE][+-]?[0-9](_?[0-9])*)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Float();

    [GeneratedRegex(@"^[0-9]{4}-[0-9]{2}-[0-9]{2}\z")]
    private static partial Regex LocalDate();

    [GeneratedRegex(@"^[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex LocalTime();

    [GeneratedRegex(@"^(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?<time>[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?)(?<zone>[Zz]|[+-][0-9]{2}:[0-9]{2})?\z",
        RegexOptions.ExplicitCapture)]
    private static partial Regex DateAndTime();
}
