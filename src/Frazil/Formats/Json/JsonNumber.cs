using System.Numerics;
using System.Runtime.CompilerServices;

namespace Frazil.Formats.Json;

/// <summary>The parts of a JSON number, as pointers into the record.</summary>
internal unsafe struct JsonNumber
{
    public bool Negative;
    public byte* Start;
    public byte* IntegerDigits;
    public int IntegerLength;
    public byte* FractionDigits;
    public int FractionLength;

    /// <summary>As written; clamped to ±1,000,000,000.</summary>
    public int Exponent;
    public bool HasExponent;

    public readonly bool IsInteger => FractionLength == 0 && !HasExponent;

    /// <summary>Where the grammar was violated, and how; null when it was not.</summary>
    public string? Mistake;
    public byte* MistakeAt;

    /// <summary>Reads a number by the grammar of RFC 8259. The byte after it, or null after a failure.</summary>
    public static byte* Scan(byte* p, JsonCursor cursor, out JsonNumber number)
    {
        var after = Scan(p, cursor.End, out number);
        return after == null ? cursor.Fail(DecodeReason.Syntax, number.MistakeAt, number.Mistake!) : after;
    }

    /// <summary>The same for text without a cursor; it needs no padding.</summary>
    public static byte* Scan(byte* p, byte* end, out JsonNumber number)
    {
        number = new() { Start = p, Negative = p < end && *p == '-' };
        if (number.Negative)
        {
            p++;
        }
        number.IntegerDigits = p;
        p = SkipDigits(p, end);
        number.IntegerLength = (int)(p - number.IntegerDigits);
        if (number.IntegerLength == 0)
        {
            return number.Fail(p, number.Negative ? "a digit must follow '-'" : "not a JSON value");
        }
        if (number.IntegerLength > 1 && *number.IntegerDigits == '0')
        {
            return number.Fail(number.Start, "a number with a leading zero");
        }
        if (p < end && *p == '.')
        {
            number.FractionDigits = ++p;
            p = SkipDigits(p, end);
            number.FractionLength = (int)(p - number.FractionDigits);
            if (number.FractionLength == 0)
            {
                return number.Fail(p, "a digit must follow '.'");
            }
        }
        return p < end && (*p | 0x20) == 'e' ? ScanExponent(p + 1, end, ref number) : p;
    }

    private static byte* ScanExponent(byte* p, byte* end, ref JsonNumber number)
    {
        const int Limit = 1_000_000_000;
        number.HasExponent = true;
        var negative = p < end && *p == '-';
        if (p < end && *p is (byte)'-' or (byte)'+')
        {
            p++;
        }
        var digits = p;
        for (; p < end && (uint)(*p - '0') <= 9; p++)
        {
            number.Exponent = (int)Math.Min((number.Exponent * 10L) + (*p - '0'), Limit);
        }
        if (negative)
        {
            number.Exponent = -number.Exponent;
        }
        return p == digits ? number.Fail(p, "a digit must follow the exponent") : p;
    }

    private byte* Fail(byte* at, string mistake)
    {
        MistakeAt = at;
        Mistake = mistake;
        return null;
    }

    private static byte* SkipDigits(byte* p, byte* end)
    {
        while (p < end && (uint)(*p - '0') <= 9)
        {
            p++;
        }
        return p;
    }

    /// <summary>The first eight bytes with each digit as its value, for <see cref="CountDigits"/> and <see cref="Value"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong LoadDigits(byte* p) => Unsafe.ReadUnaligned<ulong>(p) ^ 0x3030303030303030;

    /// <summary>How many of the eight bytes from the first on are digits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CountDigits(ulong digits)
    {
        // A byte above 9 carries into its top bit; a carry out of it can only disturb bytes behind the first such one.
        var others = ((digits + 0x7676767676767676) | digits) & 0x8080808080808080;
        return BitOperations.TrailingZeroCount(others) >> 3;
    }

    /// <summary>The number that the first <paramref name="count"/> (1 to 8) digits make.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Value(ulong digits, int count)
    {
        // Shifted so that what is missing to eight digits becomes leading zeros; then pairs, fours and eights are joined at once.
        digits <<= 64 - (count * 8);
        digits = (digits * 10) + (digits >> 8);
        return (((digits & 0x000000FF000000FF) * 0x000F424000000064) + (((digits >> 16) & 0x000000FF000000FF) * 0x0000271000000001)) >> 32;
    }
}

/// <summary>Powers of ten that the types hold exactly.</summary>
internal static class PowersOfTen
{
    private static readonly double[] Doubles = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];
    private static readonly ulong[] Longs = [.. Enumerable.Range(0, 20).Select(power => (ulong)BigInteger.Pow(10, power))];
    private static readonly Int128[] Wide = [.. Enumerable.Range(0, 39).Select(power => (Int128)BigInteger.Pow(10, power))];

    public static ReadOnlySpan<double> Float64 => Doubles;

    public static ReadOnlySpan<ulong> UInt64 => Longs;

    public static ReadOnlySpan<Int128> Int128 => Wide;
}
