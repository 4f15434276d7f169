using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Frazil.DuckDb;

/// <summary>Reads dates, times and intervals out of a vector.</summary>
internal static unsafe class DuckDbTimes
{
    private const long MicrosPerDay = 86_400_000_000;

    public static object Read(DuckDbType type, byte* data, long row) => type.Id switch
    {
        DuckDbTypeId.Date => Date(((int*)data)[row]),
        DuckDbTypeId.Time => Time(((long*)data)[row]),
        DuckDbTypeId.Timestamp => Timestamp(((long*)data)[row], withZone: false),
        DuckDbTypeId.TimestampTz => Timestamp(((long*)data)[row], withZone: true),
        DuckDbTypeId.TimestampS => ScaledUp(((long*)data)[row], 1_000_000),
        DuckDbTypeId.TimestampMs => ScaledUp(((long*)data)[row], 1_000),
        DuckDbTypeId.TimestampNs => Nanoseconds(((long*)data)[row]),
        DuckDbTypeId.TimeNs => $"{Clock(((long*)data)[row] / 1_000_000_000)}.{((long*)data)[row] % 1_000_000_000:D9}",
        DuckDbTypeId.TimeTz => TimeWithZone(((ulong*)data)[row]),
        DuckDbTypeId.Interval => IntervalText(((Interval*)data)[row]),
        _ => throw new DuckDbException($"A result column of type {type} cannot be read. Cast it in the query, for example to VARCHAR."),
    };

    public static string Bits(ReadOnlySpan<byte> value)
    {
        // The first byte says how many bits of the second are padding.
        var text = new StringBuilder();
        for (var bit = (int)value[0]; bit < (value.Length - 1) * 8; bit++)
        {
            text.Append((value[1 + (bit >> 3)] >> (7 - (bit & 7)) & 1) == 1 ? '1' : '0');
        }
        return text.ToString();
    }

    private static object Date(int days)
    {
        var number = (long)days + DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber;
        return number >= 0 && number <= DateOnly.MaxValue.DayNumber ? DateOnly.FromDayNumber((int)number) : DateText(days);
    }

    private static object Time(long micros) =>
        micros is >= 0 and < MicrosPerDay ? new TimeOnly(micros * TimeSpan.TicksPerMicrosecond) : $"{Clock(micros / 1_000_000)}{Fraction(micros)}";

    private static object Timestamp(long micros, bool withZone)
    {
        if (micros is long.MaxValue or -long.MaxValue)
        {
            return micros > 0 ? "infinity" : "-infinity";
        }
        var ticks = ((Int128)micros * TimeSpan.TicksPerMicrosecond) + DateTime.UnixEpoch.Ticks;
        if (ticks < 0 || ticks > DateTime.MaxValue.Ticks)
        {
            var days = FloorDivide(micros, MicrosPerDay);
            var rest = micros - (days * MicrosPerDay);
            return $"{DateText(days)}T{Clock(rest / 1_000_000)}{Fraction(rest)}{(withZone ? "Z" : "")}";
        }
        var time = new DateTime((long)ticks, DateTimeKind.Unspecified);
        return withZone ? new DateTimeOffset(time, TimeSpan.Zero) : (object)time;
    }

    private static object ScaledUp(long value, long microsPerUnit)
    {
        if (value is long.MaxValue or -long.MaxValue)
        {
            return value > 0 ? "infinity" : "-infinity";
        }
        return (Int128)value * microsPerUnit is var micros && micros >= long.MinValue && micros <= long.MaxValue
            ? Timestamp((long)micros, withZone: false)
            : value.ToString(CultureInfo.InvariantCulture);
    }

    private static string Nanoseconds(long nanos)
    {
        if (nanos is long.MaxValue or -long.MaxValue)
        {
            return nanos > 0 ? "infinity" : "-infinity";
        }
        var seconds = FloorDivide(nanos, 1_000_000_000);
        return $"{DateTime.UnixEpoch.AddSeconds(seconds):yyyy-MM-ddTHH:mm:ss}.{nanos - (seconds * 1_000_000_000):D9}";
    }

    private static string TimeWithZone(ulong bits)
    {
        // 40 bits of microseconds, 24 bits of (16 h - offset) in seconds.
        var offset = (16 * 3600) - 1 - (int)(bits & 0xFFFFFF);
        var micros = (long)(bits >> 24);
        var size = Math.Abs(offset);
        var minutes = size % 3600 == 0 ? "" : $":{size / 60 % 60:D2}";
        return $"{Clock(micros / 1_000_000)}{Fraction(micros)}{(offset < 0 ? '-' : '+')}{size / 3600:D2}{minutes}";
    }

    private static string IntervalText(Interval value)
    {
        var parts = new List<string>();
        Add(value.Months / 12, "year");
        Add(value.Months % 12, "month");
        Add(value.Days, "day");
        if (value.Micros != 0 || parts.Count == 0)
        {
            var size = UInt128.CreateChecked(Int128.Abs(value.Micros));
            parts.Add($"{(value.Micros < 0 ? "-" : "")}{Clock((long)(size / 1_000_000))}{Fraction((long)(size % 1_000_000))}");
        }
        return string.Join(' ', parts);

        void Add(int count, string unit)
        {
            if (count != 0)
            {
                parts.Add($"{count} {unit}{(count is 1 or -1 ? "" : "s")}");
            }
        }
    }

    private static string DateText(long days)
    {
        if (days is int.MaxValue or -int.MaxValue)
        {
            return days > 0 ? "infinity" : "-infinity";
        }
        // Civil date from days, after the era arithmetic of the proleptic Gregorian calendar (400 years = 146,097 days, years from March).
        var shifted = days + 719_468;
        var era = FloorDivide(shifted, 146_097);
        var dayOfEra = shifted - (era * 146_097);
        var yearOfEra = (dayOfEra - (dayOfEra / 1460) + (dayOfEra / 36_524) - (dayOfEra / 146_096)) / 365;
        var dayOfYear = dayOfEra - ((365 * yearOfEra) + (yearOfEra / 4) - (yearOfEra / 100));
        var monthFromMarch = ((5 * dayOfYear) + 2) / 153;
        var day = dayOfYear - (((153 * monthFromMarch) + 2) / 5) + 1;
        var month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
        var year = yearOfEra + (era * 400) + (month <= 2 ? 1 : 0);
        // ISO 8601: the year 0 is 1 BC.
        return $"{(year < 0 ? "-" : "")}{Math.Abs(year):D4}-{month:D2}-{day:D2}";
    }

    private static string Clock(long seconds) => $"{seconds / 3600:D2}:{seconds / 60 % 60:D2}:{seconds % 60:D2}";

    private static string Fraction(long micros) => micros % 1_000_000 == 0 ? "" : $".{micros % 1_000_000:D6}".TrimEnd('0');

    private static long FloorDivide(long value, long divisor) => (value / divisor) - (value % divisor < 0 ? 1 : 0);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Interval(int Months, int Days, long Micros);
}
