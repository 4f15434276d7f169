using System.Globalization;

namespace Frazil.Iceberg;

/// <summary>ISO 8601 text of dates, times and timestamps, for any value of their types.</summary>
public static class TemporalText
{
    public static string FormatDate(long day)
    {
        var (year, month, dayOfMonth) = CalendarOrdinals.DateOfDay(day);
        return string.Create(CultureInfo.InvariantCulture, $"{FormatYear(year)}-{month:00}-{dayOfMonth:00}");
    }

    internal static string FormatYear(long year) =>
        year < 0 ? string.Create(CultureInfo.InvariantCulture, $"-{-year:0000}") : year.ToString("0000", CultureInfo.InvariantCulture);

    /// <summary><c>2017-11-16T22:31:08.123456</c>.</summary>
    /// <param name="value">Units since 1970-01-01T00:00:00.</param>
    /// <param name="unitsPerSecond">1,000,000 or 1,000,000,000.</param>
    /// <param name="suffix">"+00:00", or empty.</param>
    /// <param name="trimZeros">True drops trailing zeros of the fraction, as partition paths do; false keeps all 6 or 9 digits.</param>
    public static string FormatTimestamp(long value, long unitsPerSecond, string suffix, bool trimZeros)
    {
        var seconds = CalendarOrdinals.FloorDivide(value, unitsPerSecond);
        var fraction = value - seconds * unitsPerSecond;
        var day = CalendarOrdinals.FloorDivide(seconds, 86_400);
        var ofDay = seconds - day * 86_400;
        return string.Create(CultureInfo.InvariantCulture,
            $"{FormatDate(day)}T{ofDay / 3600:00}:{ofDay / 60 % 60:00}:{ofDay % 60:00}{FormatFraction(fraction, unitsPerSecond, trimZeros)}{suffix}");
    }

    /// <summary><c>22:31:08.123456</c>.</summary>
    public static string FormatTime(long micros) => string.Create(CultureInfo.InvariantCulture,
        $"{micros / 3_600_000_000:00}:{micros / 60_000_000 % 60:00}:{micros / 1_000_000 % 60:00}.{micros % 1_000_000:000000}");

    /// <summary>As Java's LocalTime prints: seconds and fraction only where needed, the fraction in groups of three digits.</summary>
    internal static string FormatTimeShort(long micros)
    {
        var text = FormatTime(micros);
        return micros % 60_000_000 == 0 ? text[..5] : micros % 1_000_000 == 0 ? text[..8] : micros % 1_000 == 0 ? text[..12] : text;
    }

    /// <summary>Days since 1970 of <c>2017-11-16</c>.</summary>
    public static bool TryParseDate(ReadOnlySpan<char> text, out int day)
    {
        day = 0;
        var negative = text.StartsWith("-");
        var digits = negative || text.StartsWith("+") ? text[1..] : text;
        var yearLength = digits.IndexOf('-');
        if (yearLength < 4 || digits.Length != yearLength + 6 || digits[yearLength + 3] != '-'
            || !TryDigits(digits[..yearLength], out var year) || !TryDigits(digits.Slice(yearLength + 1, 2), out var month)
            || !TryDigits(digits.Slice(yearLength + 4, 2), out var dayOfMonth) || month is < 1 or > 12 || dayOfMonth < 1)
            return false;
        var signedYear = negative ? -year : year;
        var ordinal = CalendarOrdinals.DayOfDate(signedYear, (int)month, (int)dayOfMonth);
        day = (int)ordinal;
        return day == ordinal && CalendarOrdinals.DateOfDay(ordinal) == (signedYear, (int)month, (int)dayOfMonth);
    }

    /// <summary>Units since midnight of <c>22:31[:08[.123456]]</c>; more digits than the unit has are refused.</summary>
    public static bool TryParseTime(ReadOnlySpan<char> text, long unitsPerSecond, out long units)
    {
        units = 0;
        if (text.Length < 5 || text[2] != ':' || !TryDigits(text[..2], out var hour) || !TryDigits(text.Slice(3, 2), out var minute)
            || hour > 23 || minute > 59)
            return false;
        units = (hour * 60 + minute) * 60 * unitsPerSecond;
        if (text.Length == 5)
            return true;
        if (text.Length < 8 || text[5] != ':' || !TryDigits(text.Slice(6, 2), out var second) || second > 59)
            return false;
        units += second * unitsPerSecond;
        if (text.Length == 8)
            return true;
        if (text[8] != '.' || text.Length == 9 || !TryDigits(text[9..], out var fraction) || text.Length > 9 + 9)
            return false;
        var scale = unitsPerSecond;
        for (var i = 9; i < text.Length; i++)
        {
            if (scale == 1)
                return false;
            scale /= 10;
        }
        units += fraction * scale;
        return true;
    }

    /// <summary>Units since 1970-01-01T00:00:00 of <c>2017-11-16T22:31:08.123456[Z|±hh:mm]</c> (a space for the T is fine).</summary>
    /// <param name="text">The text.</param>
    /// <param name="unitsPerSecond">1,000,000 or 1,000,000,000.</param>
    /// <param name="units">The result, in UTC where an offset was given.</param>
    /// <param name="hasOffset">Whether the text names an offset.</param>
    public static bool TryParseTimestamp(ReadOnlySpan<char> text, long unitsPerSecond, out long units, out bool hasOffset)
    {
        (units, hasOffset) = (0, false);
        var split = text.IndexOfAny('T', ' ');
        if (split < 10 || !TryParseDate(text[..split], out var day))
            return false;
        var time = text[(split + 1)..];
        long offsetMinutes = 0;
        var offsetAt = time.IndexOfAny('Z', '+', '-');
        if (offsetAt >= 0)
        {
            hasOffset = true;
            if (!TryParseOffset(time[offsetAt..], out offsetMinutes))
                return false;
            time = time[..offsetAt];
        }
        if (!TryParseTime(time, unitsPerSecond, out var ofDay))
            return false;
        var exact = (Int128)day * 86_400 * unitsPerSecond + ofDay - (Int128)offsetMinutes * 60 * unitsPerSecond;
        units = (long)exact;
        return units == exact;
    }

    private static bool TryParseOffset(ReadOnlySpan<char> text, out long minutes)
    {
        minutes = 0;
        if (text is "Z")
            return true;
        if (text.Length is not (6 or 3) || !TryDigits(text.Slice(1, 2), out var hours))
            return false;
        long extra = 0;
        if (text.Length == 6 && (text[3] != ':' || !TryDigits(text[4..], out extra)))
            return false;
        minutes = (text[0] == '-' ? -1 : 1) * (hours * 60 + extra);
        return hours <= 18 && extra <= 59;
    }

    private static bool TryDigits(ReadOnlySpan<char> text, out long value) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private static string FormatFraction(long fraction, long unitsPerSecond, bool trimZeros)
    {
        if (trimZeros && fraction == 0)
            return "";
        var digits = fraction.ToString(unitsPerSecond == 1_000_000 ? "000000" : "000000000", CultureInfo.InvariantCulture);
        return "." + (trimZeros ? digits.TrimEnd('0') : digits);
    }
}
