using System.Numerics;
using Frazil.DuckDb;
using Xunit;

namespace Frazil.Tests.DuckDb;

public sealed class DuckDbConnectionTests : IDisposable
{
    private readonly DuckDbInstance duck = DuckDbInstance.Open(new Dictionary<string, string> { ["threads"] = "2" });
    private readonly DuckDbConnection connection;

    public DuckDbConnectionTests() => connection = duck.Connect();

    public void Dispose()
    {
        connection.Dispose();
        duck.Dispose();
    }

    public static TheoryData<string, object?> Literals => new()
    {
        { "NULL", null },
        { "true", true },
        { "42::TINYINT", 42 },
        { "-7::SMALLINT", -7 },
        { "200::UTINYINT", 200 },
        { "4000000000::UINTEGER", 4_000_000_000L },
        { "18446744073709551615::UBIGINT", new BigInteger(ulong.MaxValue) },
        { "(-170141183460469231731687303715884105727)::HUGEINT", -BigInteger.Pow(2, 127) + 1 },
        { "1.5::FLOAT", 1.5f },
        { "1.5::DOUBLE", 1.5d },
        { "-12.345::DECIMAL(10,3)", -12.345m },
        { "0.05::DECIMAL(3,2)", 0.05m },
        { "12345678901234567890123456789012345678::DECIMAL(38,0)", new WideDecimal(Int128.Parse("12345678901234567890123456789012345678"), 0) },
        { "'a text longer than twelve bytes, ünïcode'", "a text longer than twelve bytes, ünïcode" },
        { "'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'::UUID", Guid.Parse("f81d4fae-7dec-11d0-a765-00a0c91e6bf6") },
        { "DATE '1969-12-31'", new DateOnly(1969, 12, 31) },
        { "DATE '12345-06-07'", "12345-06-07" },
        { "DATE '0044-03-15 (BC)'", "-0043-03-15" },
        { "DATE 'infinity'", "infinity" },
        { "TIME '23:59:59.000001'", new TimeOnly(23, 59, 59, 0, 1) },
        { "TIMESTAMP '1969-12-31 23:59:59.999999'", new DateTime(1969, 12, 31, 23, 59, 59, 999, 999) },
        { "TIMESTAMPTZ '2024-02-29 12:00:00+02'", new DateTimeOffset(2024, 2, 29, 10, 0, 0, TimeSpan.Zero) },
        { "TIMESTAMP '12345-01-02 03:04:05.5'", "12345-01-02T03:04:05.5" },
        { "TIMESTAMPTZ '12345-01-02 03:04:05.5+00'", "12345-01-02T03:04:05.5Z" },
        { "TIMESTAMP '0044-03-15 (BC) 01:02:03'", "-0043-03-15T01:02:03" },
        { "TIMESTAMPTZ '-infinity'", "-infinity" },
        { "TIMESTAMP_S '2001-02-03 04:05:06'", new DateTime(2001, 2, 3, 4, 5, 6) },
        { "TIMESTAMP_MS '2001-02-03 04:05:06.789'", new DateTime(2001, 2, 3, 4, 5, 6, 789) },
        { "TIMESTAMP_NS '1969-12-31 23:59:59.999999999'", "1969-12-31T23:59:59.999999999" },
        { "'12:00:00.25+05:30'::TIMETZ", "12:00:00.25+05:30" },
        { "'12:00:00-08'::TIMETZ", "12:00:00-08" },
        { "INTERVAL '1 year 2 months 3 days -00:00:01.5'", "1 year 2 months 3 days -00:00:01.5" },
        { "'0101101010'::BIT", "0101101010" },
        { "'b'::ENUM('a','b')", "b" },
        { "union_value(k := 'x'::VARCHAR)", "x" },
    };

    [Theory]
    [MemberData(nameof(Literals))]
    public void A_literal_is_read_as_the_documented_object(string sql, object? expected)
    {
        using var result = connection.Query($"SELECT {sql}");
        var value = Assert.Single(Assert.Single(result.ReadRows()));
        Assert.Equal(expected, value);
        Assert.Equal(expected?.GetType(), value?.GetType());
    }

    [Theory]
    [InlineData("12345678901234567890123456789012345678::DECIMAL(38,0)", "12345678901234567890123456789012345678")]
    [InlineData("'-1000000000000000000000000000'::DECIMAL(38,10)", "-1000000000000000000000000000.0000000000")]
    [InlineData("'-0.00000000012345678901234567890123456789'::DECIMAL(38,38)", "-0.00000000012345678901234567890123456789")]
    [InlineData("'0.1'::DECIMAL(38,38)", "0.10000000000000000000000000000000000000")]
    public void A_decimal_beyond_96_bits_keeps_its_digits_and_its_scale(string sql, string digits)
    {
        using var result = connection.Query($"SELECT {sql}");
        Assert.Equal(digits, Assert.IsType<WideDecimal>(result.ReadRows()[0][0]).ToString());
    }

    [Fact]
    public void Nested_values_are_read_with_their_nulls()
    {
        using var result = connection.Query(
            "SELECT [1, NULL, 3], {'a': 1, 'b': ['x', NULL]}, MAP {'k': {'n': NULL}}, [1, 2]::INTEGER[2], '\\x01'::BLOB, NULL::STRUCT(a INT)");
        var row = Assert.Single(result.ReadRows());
        Assert.Equal(["[1,null,3]", "{a:1,b:[x,null]}", "<k:{n:null}>", "[1,2]", "01", "null"], row.Select(RandomColumns.Canonical));
        Assert.Equal(
            ["INTEGER[]", "STRUCT(a INTEGER, b VARCHAR[])", "MAP(VARCHAR, STRUCT(n INTEGER))", "INTEGER[2]", "BLOB", "STRUCT(a INTEGER)"],
            result.Columns.Select(column => column.Type.ToString()));
    }

    [Fact]
    public void More_rows_than_one_chunk_are_read_in_order()
    {
        using var result = connection.Stream("SELECT range AS n FROM range(10000)");
        Assert.Equal(Enumerable.Range(0, 10_000).Select(n => (long)n), result.ReadRows().Select(row => (long)row[0]!));
    }

    [Fact]
    public void Parameters_are_bound_as_text_whatever_they_hold()
    {
        using var result = connection.Query("SELECT ? || ?", ["o'", ""]);
        Assert.Equal("o'", Assert.Single(result.ReadRows())[0]);
    }

    [Fact]
    public void Errors_carry_kind_and_position()
    {
        connection.Execute("SET errors_as_json = true");
        var binder = Assert.Throws<DuckDbException>(() => connection.Query("SELECT 1 + nothing"));
        Assert.Equal(("Binder", 11), (binder.Kind, binder.BytePosition));
        Assert.Contains("nothing", binder.Message, StringComparison.Ordinal);
        Assert.Equal("Parser", Assert.Throws<DuckDbException>(() => connection.Query("SELEC 1")).Kind);
        Assert.Throws<DuckDbException>(() => connection.Query("SELECT 1; SELECT 2"));
        Assert.Throws<DuckDbException>(() => connection.Query(""));
        Assert.Throws<DuckDbException>(() => connection.Query("SELECT 'a\0b'"));
        var late = Assert.Throws<DuckDbException>(() => connection.Query("SELECT error('later') FROM range(10)").ReadRows());
        Assert.Contains("later", late.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_running_statement_is_interrupted_and_the_connection_lives_on(bool streaming)
    {
        using var cancel = new CancellationTokenSource();
        cancel.CancelAfter(TimeSpan.FromMilliseconds(50));
        const string Endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range, b.range) = 42";
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            using var result = streaming ? connection.Stream(Endless, cancel.Token) : connection.Query(Endless, cancel.Token);
            result.ReadRows();
        });
        using var next = connection.Query("SELECT 1");
        Assert.Single(next.ReadRows());
    }

    [Fact]
    public void An_unknown_setting_is_named()
    {
        var failure = Assert.Throws<DuckDbException>(
            () => DuckDbInstance.Open(new Dictionary<string, string> { ["no_such_setting"] = "1" }));
        Assert.Contains("no_such_setting", failure.Message, StringComparison.Ordinal);
    }
}
