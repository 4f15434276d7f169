using System.Globalization;
using Frazil.Columnar;
using Xunit;

namespace Frazil.Tests.Formats.Json;

/// <summary>Scalars: what each type takes, exactly, and what it refuses.</summary>
public sealed partial class JsonDecoderTests
{
    [Theory]
    [InlineData("0", "0")]
    [InlineData("-0", "0")]
    [InlineData("9223372036854775807", "9223372036854775807")]
    [InlineData("-9223372036854775808", "-9223372036854775808")]
    [InlineData("1234567890123456789", "1234567890123456789")]
    [InlineData("12345678", "12345678")]
    [InlineData("1234567812345678", "1234567812345678")]
    [InlineData("9223372036854775808", "out_of_range")]
    [InlineData("-9223372036854775809", "out_of_range")]
    [InlineData("18446744073709551615", "out_of_range")]
    [InlineData("100000000000000000000000000000000", "out_of_range")]
    [InlineData("1.0", "wrong_type")]
    [InlineData("1e2", "wrong_type")]
    [InlineData("1E0", "wrong_type")]
    [InlineData("\"1\"", "wrong_type")]
    [InlineData("true", "wrong_type")]
    [InlineData("00", "syntax")]
    [InlineData("-01", "syntax")]
    [InlineData("1a", "syntax")]
    public void A_long_takes_only_integers_in_range(string value, string expected) => Assert.Equal(expected, DecodedRow.OfValue(ColumnType.Int64, value));

    [Theory]
    [InlineData("2147483647", "2147483647")]
    [InlineData("-2147483648", "-2147483648")]
    [InlineData("2147483648", "out_of_range")]
    [InlineData("-2147483649", "out_of_range")]
    [InlineData("1.5", "wrong_type")]
    public void An_int_is_never_truncated_from_a_long(string value, string expected) => Assert.Equal(expected, DecodedRow.OfValue(ColumnType.Int32, value));

    [Theory]
    [InlineData("0")]
    [InlineData("-0")]
    [InlineData("-0.0")]
    [InlineData("679.79")]
    [InlineData("1e2")]
    [InlineData("1E-2")]
    [InlineData("0.1")]
    [InlineData("123456789.123456789")]
    [InlineData("9007199254740993.0")]
    [InlineData("1.7976931348623157e308")]
    [InlineData("5e-324")]
    [InlineData("2.2250738585072011e-308")]
    [InlineData("1e-400")]
    [InlineData("0.30000000000000004")]
    [InlineData("9007199254740992")]
    [InlineData("100000000000000000000")]
    [InlineData("7450580596923828125e-27")]
    [InlineData("8.98846567431158e307")]
    public void A_double_is_the_nearest_to_the_number_bit_for_bit(string value)
        => Assert.Equal(Tests.Columnar.ViewReader.Show(double.Parse(value, CultureInfo.InvariantCulture)), DecodedRow.OfValue(ColumnType.Float64, value));

    [Theory]
    [InlineData("9007199254740993", "inexact")]
    [InlineData("100000000000000000001", "inexact")]
    [InlineData("1e309", "out_of_range")]
    [InlineData("-1e309", "out_of_range")]
    [InlineData("\"1\"", "wrong_type")]
    [InlineData("1.e2", "syntax")]
    [InlineData(".5", "syntax")]
    [InlineData("1e", "syntax")]
    [InlineData("1e+", "syntax")]
    [InlineData("01.5", "syntax")]
    [InlineData("0x10", "syntax")]
    public void A_double_refuses_what_it_would_change(string value, string code) => Assert.Equal(code, DecodedRow.OfValue(ColumnType.Float64, value));

    [Theory]
    [InlineData("0.1", true)]
    [InlineData("3.4028235e38", true)]
    [InlineData("1.17549435E-38", true)]
    [InlineData("1e-45", true)]
    [InlineData("16777216", true)]
    [InlineData("0.10000000149011612", true)]
    [InlineData("16777217", false)]
    [InlineData("0.123456789012", false)]
    [InlineData("0.12345679", true)]
    [InlineData("0.100000001", true)]
    [InlineData("0.1000000015", false)]
    [InlineData("1e-46", false)]
    public void A_float_takes_exact_values_and_its_own_digits(string value, bool fits)
        => Assert.Equal(fits ? Tests.Columnar.ViewReader.Show(float.Parse(value, CultureInfo.InvariantCulture)) : "inexact", DecodedRow.OfValue(ColumnType.Float32, value));

    [Theory]
    [InlineData("12.34", "1234")]
    [InlineData("-12.3", "-1230")]
    [InlineData("12.3400", "1234")]
    [InlineData("1.2e1", "1200")]
    [InlineData("1234e-2", "1234")]
    [InlineData("99999999.99", "9999999999")]
    [InlineData("0e999999999999", "0")]
    [InlineData("-0", "0")]
    [InlineData("12.345", "inexact")]
    [InlineData("1e-3", "inexact")]
    [InlineData("100000000", "out_of_range")]
    [InlineData("1e8", "out_of_range")]
    [InlineData("1e999999999999", "out_of_range")]
    [InlineData("111111111111111111111111111111111111111", "out_of_range")]
    [InlineData("\"12.34\"", "wrong_type")]
    public void A_decimal_is_exact_or_refused(string value, string expected) => Assert.Equal(expected, DecodedRow.OfValue(ColumnType.Decimal128(10, 2), value));

    [Fact]
    public void A_sign_without_digits_is_malformed_for_every_kind_of_number()
    {
        foreach (var type in (ColumnType[])[ColumnType.Int32, ColumnType.Int64, ColumnType.Float32, ColumnType.Float64, ColumnType.Decimal128(5, 2), ColumnType.Utf8])
        {
            Assert.Equal("syntax", DecodedRow.OfValue(type, "-"));
            Assert.Equal("syntax", DecodedRow.OfValue(type, "-x"));
        }
    }

    [Fact]
    public void A_decimal_of_38_digits_is_read_whole()
        => Assert.Equal("-12345678901234567890123456789012345678", DecodedRow.OfValue(ColumnType.Decimal128(38, 10), "-1234567890123456789012345678.9012345678"));

    [Theory]
    [InlineData("true", "True")]
    [InlineData("false", "False")]
    [InlineData("null", "null")]
    [InlineData("\"true\"", "wrong_type")]
    [InlineData("0", "wrong_type")]
    [InlineData("tru", "syntax")]
    [InlineData("truex", "syntax")]
    public void A_boolean_is_true_or_false(string value, string expected) => Assert.Equal(expected, DecodedRow.OfValue(ColumnType.Boolean, value));

    [Theory]
    [InlineData("\"AAEC\"", "0x000102")]
    [InlineData("\"AAE=\"", "0x0001")]
    [InlineData("\"\"", "0x")]
    [InlineData("\"\\/w==\"", "0xff")]
    [InlineData("\"AAE\"", "bad_text")]
    [InlineData("\"AA E=\"", "bad_text")]
    [InlineData("\"AAF=\"", "bad_text")]
    [InlineData("\"A-_=\"", "bad_text")]
    [InlineData("5", "wrong_type")]
    public void Binary_is_canonical_base64(string value, string expected) => Assert.Equal(expected, DecodedRow.OfValue(ColumnType.Binary, value));

    [Theory]
    [InlineData("\"AAEC\"", "0x000102")]
    [InlineData("\"AAE=\"", "bad_text")]
    [InlineData("\"AAECAw==\"", "bad_text")]
    public void A_fixed_is_base64_of_its_width(string value, string expected) => Assert.Equal(expected, DecodedRow.OfValue(ColumnType.FixedBinary(3), value));

    [Theory]
    [InlineData("\"123e4567-e89b-12d3-A456-426614174000\"", "0x123e4567e89b12d3a456426614174000")]
    [InlineData("\"123e4567e89b12d3a456426614174000\"", "bad_text")]
    [InlineData("\"{23e4567-e89b-12d3-a456-42661417400}\"", "bad_text")]
    [InlineData("\"123e4567-e89b-12d3-a456-42661417400g\"", "bad_text")]
    public void A_uuid_has_36_characters(string value, string expected) => Assert.Equal(expected, DecodedRow.OfValue(ColumnType.Uuid, value));
}
