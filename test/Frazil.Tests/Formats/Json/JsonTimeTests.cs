using System.Globalization;
using Frazil.Columnar;
using Xunit;

namespace Frazil.Tests.Formats.Json;

public sealed class JsonTimeTests
{
    [Theory]
    [InlineData("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00Z")]
    [InlineData("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")]
    [InlineData("2026-01-31 23:59:59.999999Z", "2026-01-31T23:59:59.999999Z")]
    [InlineData("2026-01-01T00:00:00.1Z", "2026-01-01T00:00:00.1Z")]
    [InlineData("2026-01-01T00:00:00.123456000Z", "2026-01-01T00:00:00.123456Z")]
    [InlineData("2026-01-01T00:00:00.1234560000000000Z", "2026-01-01T00:00:00.123456Z")]
    [InlineData("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00Z")]
    [InlineData("2026-01-01T00:00:00.5+00:00", "2026-01-01T00:00:00.5Z")]
    [InlineData("2026-01-01T01:30:00-05:30", "2026-01-01T07:00:00Z")]
    [InlineData("2026-01-01T01:30:00+05:30", "2025-12-31T20:00:00Z")]
    [InlineData("2026-01-31T12:34:56+0000", "2026-01-31T12:34:56Z")]
    [InlineData("2026-01-31T12:34:56+00", "2026-01-31T12:34:56Z")]
    [InlineData("2026-01-31T12:34:56.5-0530", "2026-01-31T18:04:56.5Z")]
    [InlineData("2026-01-31T12:34:56+05", "2026-01-31T07:34:56Z")]
    [InlineData("2026-01-31t12:34:56.25z", "2026-01-31T12:34:56.25Z")]
    [InlineData("2026-01-31t12:34:56Z", "2026-01-31T12:34:56Z")]
    [InlineData("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z")]
    [InlineData("1900-02-28T12:00:00.000001Z", "1900-02-28T12:00:00.000001Z")]
    [InlineData("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z")]
    [InlineData("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z")]
    [InlineData("2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z")]
    public void A_timestamptz_is_the_instant_in_microseconds(string text, string instant)
    {
        var micros = (DateTimeOffset.Parse(instant, CultureInfo.InvariantCulture).UtcTicks - DateTime.UnixEpoch.Ticks) / 10;
        Assert.Equal(micros.ToString(CultureInfo.InvariantCulture), DecodedRow.OfValue(ColumnType.TimestampTz, $"\"{text}\""));
    }

    [Theory]
    [InlineData("\"2026-01-01T00:00:00\"", "bad_text")]
    [InlineData("\"2026-01-01T00:00:00+0\"", "bad_text")]
    [InlineData("\"2026-01-01T00:00:00+000\"", "bad_text")]
    [InlineData("\"2026-01-01T00:00:00+0060\"", "bad_text")]
    [InlineData("\"2026-01-01T00:00:00+2400\"", "bad_text")]
    [InlineData("\"2026-01-01T00:00:00+00 00\"", "bad_text")]
    [InlineData("\"2026-01-01T00:00:00:00:00\"", "bad_text")]
    [InlineData("\"2026-01-01T00:00:00zz\"", "bad_text")]
    [InlineData("\"2026-01-01_00:00:00Z\"", "bad_text")]
    [InlineData("\"10000-01-01T00:00:00Z\"", "bad_text")]
    [InlineData("\"9999-12-31T23:59:59-01\"", "out_of_range")]
    [InlineData("\"2026-01-01T00:00:00+24:00\"", "bad_text")]
    [InlineData("\"2026-01-01T00:00:00Z \"", "bad_text")]
    [InlineData("\"2026-01-01T00:00Z\"", "bad_text")]
    [InlineData("\"2026-01-01T00:00:00.Z\"", "bad_text")]
    [InlineData("\"2026-01-01T00:00:00,5Z\"", "bad_text")]
    [InlineData("\"2026-1-01T00:00:00Z\"", "bad_text")]
    [InlineData("\"2026-01-01\"", "bad_text")]
    [InlineData("\"\"", "bad_text")]
    [InlineData("\"2026/01/01T00:00:00Z\"", "bad_text")]
    [InlineData("\"+2026-01-01T00:00:00Z\"", "bad_text")]
    [InlineData("\"2026-01-01T00:00:00.1234567Z\"", "inexact")]
    [InlineData("\"2026-01-01T00:00:00.12345600000001Z\"", "inexact")]
    [InlineData("\"2026-02-29T00:00:00Z\"", "out_of_range")]
    [InlineData("\"1900-02-29T00:00:00Z\"", "out_of_range")]
    [InlineData("\"2026-13-01T00:00:00Z\"", "out_of_range")]
    [InlineData("\"2026-00-01T00:00:00Z\"", "out_of_range")]
    [InlineData("\"2026-01-00T00:00:00Z\"", "out_of_range")]
    [InlineData("\"2026-01-01T24:00:00Z\"", "out_of_range")]
    [InlineData("\"2026-01-01T00:60:00Z\"", "out_of_range")]
    [InlineData("\"2026-01-01T00:00:60Z\"", "out_of_range")]
    [InlineData("\"0000-01-01T00:00:00Z\"", "out_of_range")]
    [InlineData("\"0001-01-01T00:00:00+00:01\"", "out_of_range")]
    [InlineData("\"9999-12-31T23:59:59-00:01\"", "out_of_range")]
    [InlineData("1767225600", "wrong_type")]
    [InlineData("\"2026-01-01T00:00:00Z", "syntax")]
    public void A_timestamptz_refuses_everything_else(string value, string code)
        => Assert.Equal(code, DecodedRow.OfValue(ColumnType.TimestampTz, value));

    [Theory]
    [InlineData("\"2026-01-01T00:00:00.25\"", "1767225600250000")]
    [InlineData("\"1969-12-31T23:59:59\"", "-1000000")]
    [InlineData("\"1970\\u002d01-01T00:00:01\"", "1000000")]
    [InlineData("\"2026-01-01T00:00:00Z\"", "bad_text")]
    [InlineData("\"2026-01-01T00:00:00+00:00\"", "bad_text")]
    [InlineData("\"2026-01-01T00:00:00+00\"", "bad_text")]
    [InlineData("\"2026-01-01t00:00:01\"", "1767225601000000")]
    public void A_timestamp_has_no_zone(string value, string expected)
        => Assert.Equal(expected, DecodedRow.OfValue(ColumnType.Timestamp, value));

    [Theory]
    [InlineData("\"1970-01-01\"", "0")]
    [InlineData("\"1969-12-31\"", "-1")]
    [InlineData("\"0001-01-01\"", "-719162")]
    [InlineData("\"9999-12-31\"", "2932896")]
    [InlineData("\"2026-02-30\"", "out_of_range")]
    [InlineData("\"2026-01-01T00:00:00\"", "bad_text")]
    [InlineData("\"20260101\"", "bad_text")]
    [InlineData("19000", "wrong_type")]
    public void A_date_is_its_days_since_1970(string value, string expected)
        => Assert.Equal(expected, DecodedRow.OfValue(ColumnType.Date32, value));

    [Theory]
    [InlineData("\"00:00:00\"", "0")]
    [InlineData("\"23:59:59.999999\"", "86399999999")]
    [InlineData("\"12:00:00.5\"", "43200500000")]
    [InlineData("\"24:00:00\"", "out_of_range")]
    [InlineData("\"12:00\"", "bad_text")]
    [InlineData("\"12:00:00Z\"", "bad_text")]
    [InlineData("\"12:00:00.1234567\"", "inexact")]
    public void A_time_is_its_microseconds_since_midnight(string value, string expected)
        => Assert.Equal(expected, DecodedRow.OfValue(ColumnType.Time64, value));

    [Fact]
    public void Every_day_of_ten_thousand_years_is_right()
    {
        var failed = new List<string>();
        unsafe
        {
            var text = stackalloc byte[32];
            for (var day = DateOnly.MinValue; ; day = day.AddDays(1))
            {
                day.TryFormat(new Span<byte>(text, 10), out _, "yyyy-MM-dd", CultureInfo.InvariantCulture);
                if (Frazil.Formats.Json.IsoTime.ParseDate(text, 10, out var days) != Frazil.Formats.Json.IsoOutcome.Ok
                    || days != day.DayNumber - 719_162)
                {
                    failed.Add(day.ToString("O", CultureInfo.InvariantCulture));
                }
                if (day == DateOnly.MaxValue)
                {
                    break;
                }
            }
        }
        Assert.Empty(failed);
    }
}
