using System.Numerics;
using System.Text;
using System.Text.Json;
using Frazil.DuckDb;
using Frazil.Query;
using Frazil.Server.Output;
using Xunit;

namespace Frazil.Tests.Server;

public sealed class OutputTests
{
    [Theory]
    [InlineData(null, "null")]
    [InlineData(true, "true")]
    [InlineData(9007199254740993L, "9007199254740993")]
    [InlineData(0.1, "0.1")]
    [InlineData(0.1f, "0.1")]
    [InlineData(double.NaN, "\"NaN\"")]
    [InlineData(double.NegativeInfinity, "\"-Infinity\"")]
    [InlineData("a\"b\né", "\"a\\\"b\\né\"")]
    public void Simple_values_keep_every_digit_and_character(object? value, string json) => Assert.Equal(json, Json(value));

    [Fact]
    public void Other_values_are_written_as_documented()
    {
        Assert.Equal("1.10", Json(1.10m));
        Assert.Equal("170141183460469231731687303715884105727", Json(BigInteger.Parse("170141183460469231731687303715884105727")));
        Assert.Equal("\"2026-01-31T10:00:00.123456\"", Json(new DateTime(2026, 1, 31, 10, 0, 0).AddTicks(1234560)));
        Assert.Equal("\"2026-01-31T08:00:00Z\"", Json(new DateTimeOffset(2026, 1, 31, 10, 0, 0, TimeSpan.FromHours(2))));
        Assert.Equal("\"0001-01-01\"", Json(DateOnly.MinValue));
        Assert.Equal("\"23:59:59.5\"", Json(new TimeOnly(23, 59, 59, 500)));
        Assert.Equal("\"AQI=\"", Json(new byte[] { 1, 2 }));
        Assert.Equal("\"00000000-0000-0000-0000-000000000001\"", Json(Guid.Parse("00000000-0000-0000-0000-000000000001")));
        Assert.Equal("""[1,null,["a"]]""", Json(new object?[] { 1, null, new object?[] { "a" } }));
        Assert.Equal("""{"os":"linux","n":{"x":1}}""",
            Json(new Dictionary<string, object?> { ["os"] = "linux", ["n"] = new Dictionary<string, object?> { ["x"] = 1L } }));
        Assert.Equal("""{"1":"a","2":null}""", Json(new KeyValuePair<object, object?>[] { new(1, "a"), new(2, null) }));
    }

    [Fact]
    public void A_decimal_is_a_number_however_many_digits_it_has_and_wherever_it_stands()
    {
        var wide = new WideDecimal(Int128.Parse("10000000000000000000000000000000000000"), 10);
        const string Digits = "1000000000000000000000000000.0000000000";
        Assert.Equal(Digits, Json(wide));
        Assert.Equal($"[{Digits},1.10]", Json(new object?[] { wide, 1.10m }));
        Assert.Equal($"{{\"a\":{Digits}}}", Json(new Dictionary<string, object?> { ["a"] = wide }));
        Assert.Equal($"{{\"{Digits}\":{Digits}}}", Json(new KeyValuePair<object, object?>[] { new(wide, wide) }));
        Assert.Equal(Digits, RowText.CsvValue(wide));
        using var answer = JsonDocument.Parse(SqlJson.ToBytes(Result(["n"], ["DECIMAL(38,10)"], [[wide], [1.10m]])));
        Assert.Equal([Digits, "1.10"], ResultSet.FromJson(answer.RootElement).Rows.Select(row => row[0]));
    }

    [Fact]
    public void A_result_is_one_object_with_columns_rows_read_point_and_scan()
    {
        var json = Encoding.UTF8.GetString(SqlJson.ToBytes(Result(["n"], ["BIGINT"], [[1L], [null]])));
        Assert.Equal(
            """
            {"columns":[{"name":"n","type":"BIGINT"}],"rows":[[1],[null]],"row_count":2,"elapsed_ms":1.5,
            "read_point":{"shop.t":{"snapshot_id":7,"next_offsets":{"topic":{"0":12}}}},"scan":{"files_total":3,"files_scanned":2,"hot_rows":1}}
            """.ReplaceLineEndings(""), json);
    }

    [Fact]
    public void Csv_quotes_what_needs_it_and_tells_null_from_empty()
    {
        Assert.Equal("a,\"b,c\",\"d\"\"e\",,\"\",\"f\ng\"\r\n", RowText.CsvLine(["a", "b,c", "d\"e", null, "", "f\ng"]));
        Assert.Equal("2026-01-31T08:00:00Z", RowText.CsvValue(new DateTimeOffset(2026, 1, 31, 8, 0, 0, TimeSpan.Zero)));
        Assert.Equal("[1,2]", RowText.CsvValue(new object?[] { 1, 2 }));
        Assert.Equal("\"quoted\" text", RowText.CsvValue("\"quoted\" text"));
    }

    [Fact]
    public void Repeated_column_names_become_distinct_keys()
        => Assert.Equal(["a", "a_1", "b", "a_1_1", "a_2"], RowText.DistinctNames(["a", "a", "b", "a_1", "a"]));

    [Fact]
    public void A_table_for_people_aligns_numbers_right_and_cuts_to_the_width()
    {
        var result = new ResultSet(
            [new("name", "VARCHAR"), new("count", "BIGINT")], [["a rather long text indeed", "1"], ["日本", "1000"], [null, "12"]]);
        Assert.Equal(
            """
            name              count
            ────────────────  ─────
            a rather long t…      1
            日本               1000
            ∅                    12

            """.ReplaceLineEndings("\n"), TextTable.Format(result, 23));
        Assert.Contains("a rather long text indeed", TextTable.Format(result), StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_that_is_too_wide_drops_columns_and_says_so()
    {
        var columns = Enumerable.Range(0, 20).Select(number => new ResultColumn($"column_{number:00}", "VARCHAR")).ToList();
        var text = TextTable.Format(new ResultSet(columns, [[.. columns.Select(column => column.Name)]]), 60);
        Assert.Contains("of 20 columns fit", text, StringComparison.Ordinal);
        Assert.All(text.Split('\n').Where(line => !line.StartsWith('(')), line => Assert.True(line.Length <= 60, line));
    }

    [Fact]
    public void Control_characters_in_a_record_never_reach_the_terminal()
        => Assert.DoesNotContain('\e', TextTable.Format(new ResultSet([new("a", "VARCHAR")], [["\e[31mred\a\r\n"]])));

    private static string Json(object? value)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, SqlJson.Options))
        {
            SqlJson.WriteValue(json, value);
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static SqlResult Result(string[] names, string[] types, object?[][] rows) => new()
    {
        Columns = [.. names.Zip(types, (name, type) => new SqlColumn(name, type))],
        Rows = rows,
        Elapsed = TimeSpan.FromMilliseconds(1.5),
        ReadPoint = new Dictionary<string, ReadPointSummary>
        {
            ["shop.t"] = new(
                7, new Dictionary<string, IReadOnlyDictionary<int, long>> { ["topic"] = new Dictionary<int, long> { [0] = 12 } }),
        },
        Scan = new ScanSummary(3, 2, 1),
    };
}
