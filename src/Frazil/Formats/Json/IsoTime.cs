using System.Runtime.CompilerServices;

namespace Frazil.Formats.Json;

/// <summary>What came of reading a date or time.</summary>
internal enum IsoOutcome : byte
{
    Ok,
    BadText,
    OutOfRange,
    Inexact,
    ZoneMissing,
    ZoneUnwanted,
}

/// <summary>
/// The form of ISO 8601 that RFC 3339 allows: <c>2026-01-31T12:34:56[.fraction][Z|±hh:mm]</c> (T and Z in either case, a space for the T), and
/// ISO's shorter offsets <c>±hhmm</c> and <c>±hh</c>. Years 0001 to 9999, proleptic Gregorian calendar, no leap seconds, no 24:00. Fractions
/// may be longer than six digits when the rest are zeros.
/// Texts must be readable 16 bytes behind their end (see <see cref="JsonCursor"/>).
/// </summary>
internal static unsafe class IsoTime
{
    private const long MicrosPerSecond = 1_000_000;
    private const long MicrosPerDay = 86_400 * MicrosPerSecond;
    private const int DateLength = 10;
    private const int SecondsLength = 8;
    private const long MinMicros = -719_162 * MicrosPerDay;          // 0001-01-01
    private const long MaxMicros = (2_932_897 * MicrosPerDay) - 1;   // 9999-12-31T23:59:59.999999

    /// <summary>Microseconds since 1970-01-01T00:00:00, in UTC when <paramref name="zoned"/>.</summary>
    public static IsoOutcome ParseTimestamp(byte* text, int length, bool zoned, out long micros)
    {
        micros = 0;
        if (length < DateLength + 1 + SecondsLength || text[DateLength] is not ((byte)'T' or (byte)'t' or (byte)' '))
        {
            return IsoOutcome.BadText;
        }
        var outcome = ReadDate(text, out var days);
        if (outcome != IsoOutcome.Ok)
        {
            return outcome;
        }
        var p = text + DateLength + 1;
        outcome = ReadTime(ref p, text + length, out var timeOfDay);
        if (outcome != IsoOutcome.Ok)
        {
            return outcome;
        }
        micros = (days * MicrosPerDay) + timeOfDay;
        var rest = (int)(text + length - p);
        if (!zoned)
        {
            return rest == 0 ? IsoOutcome.Ok : IsZone(p, rest, out _) ? IsoOutcome.ZoneUnwanted : IsoOutcome.BadText;
        }
        if (rest == 1 && (*p | 0x20) == 'z')
        {
            return IsoOutcome.Ok;
        }
        if (rest == 0)
        {
            return IsoOutcome.ZoneMissing;
        }
        if (!IsZone(p, rest, out var offset))
        {
            return IsoOutcome.BadText;
        }
        micros -= offset;
        return micros is >= MinMicros and <= MaxMicros ? IsoOutcome.Ok : IsoOutcome.OutOfRange;
    }

    /// <summary>Days since 1970-01-01.</summary>
    public static IsoOutcome ParseDate(byte* text, int length, out int days)
    {
        days = 0;
        return length == DateLength ? ReadDate(text, out days) : IsoOutcome.BadText;
    }

    /// <summary>Microseconds since midnight.</summary>
    public static IsoOutcome ParseTime(byte* text, int length, out long micros)
    {
        micros = 0;
        if (length < SecondsLength)
        {
            return IsoOutcome.BadText;
        }
        var p = text;
        var outcome = ReadTime(ref p, text + length, out micros);
        return outcome == IsoOutcome.Ok && p != text + length ? IsoOutcome.BadText : outcome;
    }

    /// <summary>Days from 1970-01-01 to a date of the proleptic Gregorian calendar.</summary>
    private static int DaysOf(int year, int month, int day)
    {
        // Years begin in March, so that the leap day is the last of its year and the days before a month follow one line.
        year -= month <= 2 ? 1 : 0;
        var era = year / 400;
        var yearOfEra = year - (era * 400);
        var dayOfYear = (((153 * (month + (month > 2 ? -3 : 9))) + 2) / 5) + day - 1;
        var dayOfEra = (yearOfEra * 365) + (yearOfEra / 4) - (yearOfEra / 100) + dayOfYear;
        return (era * 146_097) + dayOfEra - 719_468;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static IsoOutcome ReadDate(byte* text, out int days)
    {
        // "YYYY-MM-" as one word: digits become 0-9 and hyphens 0; adding 0x76 (0x7F for a hyphen) sets the top bit of everything else.
        var word = Unsafe.ReadUnaligned<ulong>(text) ^ 0x2D30302D30303030;
        var dayTens = (uint)(text[8] - '0');
        var dayOnes = (uint)(text[9] - '0');
        days = 0;
        if ((((word + 0x7F76767F76767676) | word) & 0x8080808080808080) != 0 || dayTens > 9 || dayOnes > 9)
        {
            return IsoOutcome.BadText;
        }
        var pairs = (word * 10) + (word >> 8);
        var year = ((int)(pairs & 0xFF) * 100) + (int)((pairs >> 16) & 0xFF);
        var month = (int)((pairs >> 40) & 0xFF);
        var day = (int)((dayTens * 10) + dayOnes);
        if (year == 0 || (uint)(month - 1) > 11 || day == 0 || (day > 28 && day > DateTime.DaysInMonth(year, month)))
        {
            return IsoOutcome.OutOfRange;
        }
        days = DaysOf(year, month, day);
        return IsoOutcome.Ok;
    }

    /// <summary>Reads hh:mm:ss and a fraction; at least eight bytes of text are there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static IsoOutcome ReadTime(ref byte* p, byte* end, out long micros)
    {
        var word = Unsafe.ReadUnaligned<ulong>(p) ^ 0x30303A30303A3030;
        micros = 0;
        if ((((word + 0x76767F76767F7676) | word) & 0x8080808080808080) != 0)
        {
            return IsoOutcome.BadText;
        }
        var pairs = (word * 10) + (word >> 8);
        var hour = (int)(pairs & 0xFF);
        var minute = (int)((pairs >> 24) & 0xFF);
        var second = (int)((pairs >> 48) & 0xFF);
        if (hour > 23 || minute > 59 || second > 59)
        {
            return IsoOutcome.OutOfRange;
        }
        micros = ((hour * 3600) + (minute * 60) + second) * MicrosPerSecond;
        p += SecondsLength;
        return p < end && *p == '.' ? ReadFraction(ref p, end, ref micros) : IsoOutcome.Ok;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static IsoOutcome ReadFraction(ref byte* p, byte* end, ref long micros)
    {
        var digits = JsonNumber.LoadDigits(p + 1);
        var count = Math.Min(JsonNumber.CountDigits(digits), (int)(end - p - 1));
        if (count == 0)
        {
            return IsoOutcome.BadText;
        }
        p += 1 + count;
        if (count <= 6)
        {
            micros += (long)(JsonNumber.Value(digits, count) * PowersOfTen.UInt64[6 - count]);
            return IsoOutcome.Ok;
        }
        micros += (long)JsonNumber.Value(digits, 6);
        var exact = *(p - 1) == '0' && (count == 7 || *(p - 2) == '0');
        for (; p < end && (uint)(*p - '0') <= 9; p++)
        {
            exact &= *p == '0';
        }
        return exact ? IsoOutcome.Ok : IsoOutcome.Inexact;
    }

    private static bool IsZone(byte* p, int length, out long offset)
    {
        offset = 0;
        if (length == 1)
        {
            return (*p | 0x20) == 'z';
        }
        if (length is not (3 or 5 or 6) || p[0] is not ((byte)'+' or (byte)'-') || (length == 6 && p[3] != ':'))
        {
            return false;
        }
        var hour = TwoDigits(p + 1);
        var minute = length == 3 ? 0 : TwoDigits(p + length - 2);
        offset = ((hour * 60L) + minute) * 60 * MicrosPerSecond * (p[0] == '-' ? -1 : 1);
        return hour is >= 0 and <= 23 && minute is >= 0 and <= 59;
    }

    private static int TwoDigits(byte* p)
    {
        var tens = (uint)(p[0] - '0');
        var ones = (uint)(p[1] - '0');
        return tens > 9 || ones > 9 ? -1 : (int)((tens * 10) + ones);
    }
}
