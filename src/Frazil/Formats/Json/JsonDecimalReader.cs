using Frazil.Columnar;

namespace Frazil.Formats.Json;

/// <summary>Numbers that a decimal column holds exactly; written with fraction or exponent alike. Digits behind the scale must be
/// zeros.</summary>
internal sealed unsafe class JsonDecimalReader(FixedWriter<Int128> column) : JsonColumnReader<FixedWriter<Int128>>(
    column, "expected a number")
{
    private readonly int scale = column.Field.Type.Scale;
    private readonly int precision = column.Field.Type.Precision;

    public override byte* Read(byte* p, JsonCursor cursor)
    {
        if ((uint)(*p - '0') > 9 && *p != '-')
        {
            return ReadNull(p, cursor);
        }
        var after = JsonNumber.Scan(p, cursor, out var number);
        if (after == null)
        {
            return null;
        }
        if (!JsonDecimal.TrySignificant(number, out var digits, out var exponent))
        {
            return cursor.Fail(DecodeReason.OutOfRange, p, $"more digits than decimal({precision},{scale}) holds");
        }
        var shift = exponent + scale;
        if (digits != 0 && shift < 0)
        {
            return cursor.Fail(DecodeReason.Inexact, p, $"more digits behind the point than decimal({precision},{scale}) holds");
        }
        if (digits != 0 && (shift >= precision || digits >= PowersOfTen.Int128[precision - shift]))
        {
            return cursor.Fail(DecodeReason.OutOfRange, p, $"more digits before the point than decimal({precision},{scale}) holds");
        }
        var value = digits == 0 ? 0 : digits * PowersOfTen.Int128[shift];
        Column.Append(number.Negative ? -value : value);
        return after;
    }
}

/// <summary>Decimal values of JSON numbers.</summary>
internal static unsafe class JsonDecimal
{
    /// <summary>The number's magnitude as digits × 10^exponent without trailing zeros in the digits (0 × 10^0 for zero).</summary>
    /// <returns>False when there are more than 38 digits.</returns>
    public static bool TrySignificant(in JsonNumber number, out Int128 digits, out int exponent)
    {
        digits = 0;
        exponent = 0;
        var count = number.IntegerLength + number.FractionLength;
        var first = 0;
        while (first < count && DigitAt(number, first) == 0)
        {
            first++;
        }
        var last = count - 1;
        while (last > first && DigitAt(number, last) == 0)
        {
            last--;
        }
        if (first == count)
        {
            return true;
        }
        if (last - first >= 38)
        {
            return false;
        }
        ulong head = 0;
        for (var index = first; index <= last; index++)
        {
            if (index - first < 19)
            {
                head = (head * 10) + (uint)DigitAt(number, index);
                digits = head;
            }
            else
            {
                digits = (digits * 10) + DigitAt(number, index);
            }
        }
        exponent = number.IntegerLength - 1 - last + number.Exponent;
        return true;
    }

    private static int DigitAt(in JsonNumber number, int index)
        => (index < number.IntegerLength ? number.IntegerDigits[index] : number.FractionDigits[index - number.IntegerLength]) - '0';
}
