using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;
using Frazil.Columnar;

namespace Frazil.Formats.Json;

/// <summary>Integers, as integers are written: no fraction, no exponent, nothing rounded.</summary>
internal static unsafe class JsonInteger
{
    /// <summary>Reads an integer of at most <paramref name="limit"/>, or one more when negative. Null with
    /// <paramref name="failed"/> false: the value at <paramref name="p"/> is not a number at all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Read(byte* p, JsonCursor cursor, ulong limit, out long value, out bool failed)
    {
        var start = p;
        var negative = *p == '-';
        if (negative)
        {
            p++;
        }
        var digits = JsonNumber.LoadDigits(p);
        var count = JsonNumber.CountDigits(digits);
        if (count == 0)
        {
            failed = false;
            value = 0;
            return null;
        }
        var magnitude = JsonNumber.Value(digits, count);
        if (count == 8)
        {
            digits = JsonNumber.LoadDigits(p + 8);
            var more = JsonNumber.CountDigits(digits);
            if (more > 0)
            {
                magnitude = (magnitude * PowersOfTen.UInt64[more]) + JsonNumber.Value(digits, more);
                count += more;
                if (more == 8)
                {
                    ReadLastDigits(p, ref magnitude, ref count);
                }
            }
        }
        var after = p + count;
        if (count > 19 || (count > 1 && *p == '0') || *after == '.' || (*after | 0x20) == 'e' || after > cursor.End || magnitude > limit)
        {
            failed = true;
            return ReadSlowly(start, cursor, limit, out value);
        }
        value = negative ? -(long)magnitude : (long)magnitude;
        failed = false;
        return after;
    }

    /// <summary>Joins up to three digits more to sixteen: 19 digits fit 64 bits.</summary>
    private static void ReadLastDigits(byte* p, ref ulong magnitude, ref int count)
    {
        var digits = JsonNumber.LoadDigits(p + count);
        var more = JsonNumber.CountDigits(digits);
        if (more is > 0 and <= 3)
        {
            magnitude = (magnitude * PowersOfTen.UInt64[more]) + JsonNumber.Value(digits, more);
        }
        count += more;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte* ReadSlowly(byte* p, JsonCursor cursor, ulong limit, out long value)
    {
        value = 0;
        var after = JsonNumber.Scan(p, cursor, out var number);
        if (after == null)
        {
            return null;
        }
        if (!number.IsInteger)
        {
            return cursor.Fail(DecodeReason.WrongType, p, "expected an integer without fraction or exponent");
        }
        UInt128 magnitude = 0;
        for (var index = 0; index < number.IntegerLength && index < 20; index++)
        {
            magnitude = (magnitude * 10) + (uint)(number.IntegerDigits[index] - '0');
        }
        if (number.IntegerLength > 20 || magnitude > limit + (number.Negative ? 1u : 0u))
        {
            return cursor.Fail(DecodeReason.OutOfRange, p, $"the column holds -{limit + 1} to {limit}");
        }
        value = number.Negative ? (long)-(Int128)magnitude : (long)magnitude;
        return after;
    }
}

internal sealed unsafe class JsonInt64Reader(FixedWriter<long> column) : JsonColumnReader<FixedWriter<long>>(column, "expected an integer")
{
    public override byte* Read(byte* p, JsonCursor cursor)
    {
        var after = JsonInteger.Read(p, cursor, long.MaxValue, out var value, out var failed);
        if (after == null)
        {
            return failed ? null : ReadNull(p, cursor);
        }
        Column.Append(value);
        return after;
    }
}

internal sealed unsafe class JsonInt32Reader(FixedWriter<int> column) : JsonColumnReader<FixedWriter<int>>(column, "expected an integer")
{
    public override byte* Read(byte* p, JsonCursor cursor)
    {
        var after = JsonInteger.Read(p, cursor, int.MaxValue, out var value, out var failed);
        if (after == null)
        {
            return failed ? null : ReadNull(p, cursor);
        }
        Column.Append((int)value);
        return after;
    }
}

/// <summary>Numbers as the nearest double, which is what a JSON number with a fraction or an exponent means to everyone. An integer that no
/// double holds is refused, as is what would become infinity.</summary>
internal sealed unsafe class JsonFloat64Reader(FixedWriter<double> column) : JsonColumnReader<FixedWriter<double>>(
    column, "expected a number")
{
    public override byte* Read(byte* p, JsonCursor cursor)
    {
        var after = JsonFloat.Read(p, cursor, out var value, out var failed);
        if (after == null)
        {
            return failed ? null : ReadNull(p, cursor);
        }
        Column.Append(value);
        return after;
    }
}

/// <summary>Numbers that a float holds: exactly, or written with the digits that the float itself has (0.1 is fine, 0.123456789012 is
/// not).</summary>
internal sealed unsafe class JsonFloat32Reader(FixedWriter<float> column) : JsonColumnReader<FixedWriter<float>>(
    column, "expected a number")
{
    public override byte* Read(byte* p, JsonCursor cursor)
    {
        var after = JsonFloat.Read(p, cursor, out var value, out var failed);
        if (after == null)
        {
            return failed ? null : ReadNull(p, cursor);
        }
        var single = Nearest(value, new(p, (int)(after - p)));
        if (!float.IsFinite(single))
        {
            return cursor.Fail(DecodeReason.OutOfRange, p, "the column holds single-precision numbers up to 3.4028235e38");
        }
        if (single != value && !HasDigitsOf(p, cursor, single))
        {
            return cursor.Fail(DecodeReason.Inexact, p, "more digits than a single-precision number holds; declare the column as double");
        }
        Column.Append(single);
        return after;
    }

    /// <summary>The float nearest to the number that <paramref name="text"/> is; its nearest double is known.</summary>
    private static float Nearest(double value, ReadOnlySpan<byte> text)
    {
        // Rounding twice goes wrong only where the first rounding ended exactly between two floats.
        const long BelowFloat = (1L << 29) - 1;
        var single = (float)value;
        return float.IsNormal(single) && (BitConverter.DoubleToInt64Bits(value) & BelowFloat) != 1L << 28
            ? single
            : float.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    /// <summary>Whether the number at <paramref name="p"/> is the float's shortest text, or the float rounded to as many digits (up to
    /// nine, which tell all floats apart).</summary>
    private static bool HasDigitsOf(byte* p, JsonCursor cursor, float single)
    {
        const int MaxDigits = 9;
        if (JsonNumber.Scan(p, cursor, out var written) == null || !JsonDecimal.TrySignificant(written, out var digits, out var exponent))
        {
            return false;
        }
        if (digits < 1_000_000 && float.IsNormal(single))
        {
            return true; // six digits survive the way to a float and back
        }
        var count = 1;
        while (count <= MaxDigits && digits >= PowersOfTen.Int128[count])
        {
            count++;
        }
        return count <= MaxDigits
            && (IsSameDecimal(single, default, digits, exponent) || IsSameDecimal(single, new('E', (byte)(count - 1)), digits, exponent));
    }

    private static bool IsSameDecimal(float single, StandardFormat format, Int128 digits, int exponent)
    {
        var text = stackalloc byte[64];
        return Utf8Formatter.TryFormat(single, new(text, 64), out var length, format)
            && JsonNumber.Scan(text, text + length, out var number) != null
            && JsonDecimal.TrySignificant(number, out var itsDigits, out var itsExponent)
            && digits == itsDigits && exponent == itsExponent;
    }
}

/// <summary>Doubles from text, bit for bit what the correctly rounded conversion gives.</summary>
internal static unsafe class JsonFloat
{
    private const ulong MaxExactInteger = 1UL << 53;

    /// <summary>Reads a number. Null with <paramref name="failed"/> false: no number at all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Read(byte* p, JsonCursor cursor, out double value, out bool failed)
    {
        var start = p;
        var negative = *p == '-';
        if (negative)
        {
            p++;
        }
        var digits = JsonNumber.LoadDigits(p);
        var count = JsonNumber.CountDigits(digits);
        failed = false;
        value = 0;
        if (count == 0)
        {
            return null;
        }
        if (count < 8 && (count == 1 || *p != '0'))
        {
            // Both the digits as an integer and the power of ten are exact doubles, so their quotient is rounded once: correctly.
            var mantissa = JsonNumber.Value(digits, count);
            var after = p + count;
            var fraction = 0;
            if (*after == '.')
            {
                digits = JsonNumber.LoadDigits(after + 1);
                fraction = JsonNumber.CountDigits(digits);
                if (fraction == 0)
                {
                    goto Slow;
                }
                mantissa = (mantissa * PowersOfTen.UInt64[fraction]) + JsonNumber.Value(digits, fraction);
                after += fraction + 1;
            }
            if (fraction < 8 && (*after | 0x20) != 'e' && after <= cursor.End)
            {
                value = mantissa / PowersOfTen.Float64[fraction];
                value = negative ? -value : value;
                return after;
            }
        }
    Slow:
        failed = true;
        return ReadSlowly(start, cursor, out value);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte* ReadSlowly(byte* p, JsonCursor cursor, out double value)
    {
        value = 0;
        var after = JsonNumber.Scan(p, cursor, out var number);
        if (after == null)
        {
            return null;
        }
        var digits = number.IntegerLength + number.FractionLength;
        if (digits <= 19 && !number.HasExponent && number.FractionLength <= 22)
        {
            var mantissa = Mantissa(number);
            if (mantissa <= MaxExactInteger)
            {
                value = mantissa / PowersOfTen.Float64[number.FractionLength];
                value = number.Negative ? -value : value;
                return after;
            }
        }
        value = double.Parse(new ReadOnlySpan<byte>(p, (int)(after - p)), NumberStyles.Float, CultureInfo.InvariantCulture);
        if (!double.IsFinite(value))
        {
            return cursor.Fail(DecodeReason.OutOfRange, p, "beyond the range of a double");
        }
        if (number.IsInteger && !IsExactInteger(number, value))
        {
            return cursor.Fail(DecodeReason.Inexact, p, "an integer that no double holds; declare the column as long or decimal");
        }
        return after;
    }

    private static ulong Mantissa(in JsonNumber number)
    {
        ulong mantissa = 0;
        for (var index = 0; index < number.IntegerLength; index++)
        {
            mantissa = (mantissa * 10) + (uint)(number.IntegerDigits[index] - '0');
        }
        for (var index = 0; index < number.FractionLength; index++)
        {
            mantissa = (mantissa * 10) + (uint)(number.FractionDigits[index] - '0');
        }
        return mantissa;
    }

    private static bool IsExactInteger(in JsonNumber number, double value)
    {
        // At most 309 digits: longer ones are infinite.
        var text = Encoding.ASCII.GetString(number.IntegerDigits, number.IntegerLength);
        return BigInteger.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) == new BigInteger(Math.Abs(value));
    }
}
