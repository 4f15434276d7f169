namespace Frazil.Iceberg;

/// <summary>
/// Years, months, days and hours since 1970 (proleptic Gregorian, UTC), rounding toward the past: what the time transforms give.
/// Works over the whole range of a long; allocates nothing.
/// </summary>
public static class CalendarOrdinals
{
    public const long MicrosPerSecond = 1_000_000;
    public const long MicrosPerHour = 3_600 * MicrosPerSecond;
    public const long MicrosPerDay = 24 * MicrosPerHour;

    public static int DayOfMicros(long micros) => (int)FloorDivide(micros, MicrosPerDay);

    public static int HourOfMicros(long micros) => (int)FloorDivide(micros, MicrosPerHour);

    public static int MonthOfMicros(long micros) => MonthOfDay(FloorDivide(micros, MicrosPerDay));

    public static int YearOfMicros(long micros) => YearOfDay(FloorDivide(micros, MicrosPerDay));

    /// <summary>Nanoseconds to microseconds, toward the past.</summary>
    public static long MicrosOfNanos(long nanos) => FloorDivide(nanos, 1_000);

    public static int MonthOfDay(long day)
    {
        var (year, month, _) = DateOfDay(day);
        return (int)((year - 1970) * 12 + month - 1);
    }

    public static int YearOfDay(long day) => (int)(DateOfDay(day).Year - 1970);

    /// <summary>The civil date of a day ordinal. Month and day count from 1.</summary>
    public static (long Year, int Month, int Day) DateOfDay(long day)
    {
        // Years that begin on March 1 put the leap day last, which makes month lengths regular; eras are 400 years.
        var shifted = day + 719_468;
        var era = FloorDivide(shifted, 146_097);
        var dayOfEra = shifted - era * 146_097;
        var yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
        var dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        var marchMonth = (5 * dayOfYear + 2) / 153;
        var month = (int)(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9);
        var year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
        return (year, month, (int)(dayOfYear - (153 * marchMonth + 2) / 5 + 1));
    }

    /// <summary>The inverse of <see cref="DateOfDay"/>.</summary>
    public static long DayOfDate(long year, int month, int day)
    {
        var shiftedYear = month <= 2 ? year - 1 : year;
        var era = FloorDivide(shiftedYear, 400);
        var yearOfEra = shiftedYear - era * 400;
        var dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468;
    }

    public static void DaysOfMicros(ReadOnlySpan<long> micros, Span<int> days)
    {
        for (var i = 0; i < micros.Length; i++)
            days[i] = (int)FloorDivide(micros[i], MicrosPerDay);
    }

    public static void HoursOfMicros(ReadOnlySpan<long> micros, Span<int> hours)
    {
        for (var i = 0; i < micros.Length; i++)
            hours[i] = (int)FloorDivide(micros[i], MicrosPerHour);
    }

    public static void MonthsOfMicros(ReadOnlySpan<long> micros, Span<int> months)
    {
        for (var i = 0; i < micros.Length; i++)
            months[i] = MonthOfMicros(micros[i]);
    }

    public static void YearsOfMicros(ReadOnlySpan<long> micros, Span<int> years)
    {
        for (var i = 0; i < micros.Length; i++)
            years[i] = YearOfMicros(micros[i]);
    }

    internal static long FloorDivide(long value, long divisor)
    {
        var quotient = value / divisor;
        return value - quotient * divisor < 0 ? quotient - 1 : quotient;
    }
}
