using System.Net;
using System.Text;
using System.Text.Json;
using Frazil.Config;
using Frazil.Kafka;
using Frazil.Rig;
using Frazil.Server;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary>PyArrow reads what <c>/v1/sql</c> answers as Arrow: every type, with nulls, nested and over many batches.</summary>
public sealed class ArrowTests
{
    /// <summary>Expression, PyArrow's type, and the value as Python prints it.</summary>
    private static readonly (string Sql, string Type, string Value)[] Types =
    [
        ("true", "bool", "True"),
        ("(-128)::TINYINT", "int8", "-128"),
        ("(-32768)::SMALLINT", "int16", "-32768"),
        ("(-2147483648)::INTEGER", "int32", "-2147483648"),
        ("(-9223372036854775808)::BIGINT", "int64", "-9223372036854775808"),
        ("255::UTINYINT", "uint8", "255"),
        ("65535::USMALLINT", "uint16", "65535"),
        ("4294967295::UINTEGER", "uint32", "4294967295"),
        ("18446744073709551615::UBIGINT", "uint64", "18446744073709551615"),
        ("(-170141183460469231731687303715884105728)::HUGEINT", "decimal256(39, 0)", "Decimal('-170141183460469231731687303715884105728')"),
        ("340282366920938463463374607431768211455::UHUGEINT", "decimal256(39, 0)", "Decimal('340282366920938463463374607431768211455')"),
        ("1.5::FLOAT", "float", "1.5"),
        ("0.1::DOUBLE", "double", "0.1"),
        ("'-inf'::DOUBLE", "double", "-inf"),
        ("(-9.99)::DECIMAL(4,2)", "decimal128(4, 2)", "Decimal('-9.99')"),
        ("(-1234567.89)::DECIMAL(9,2)", "decimal128(9, 2)", "Decimal('-1234567.89')"),
        ("(-1234567890123456.78)::DECIMAL(18,2)", "decimal128(18, 2)", "Decimal('-1234567890123456.78')"),
        ("(-12345678901234567890123456789012345678)::DECIMAL(38,0)", "decimal128(38, 0)", "Decimal('-12345678901234567890123456789012345678')"),
        ("'Zoë 😀 longer than twelve bytes'", "string", "'Zoë 😀 longer than twelve bytes'"),
        ("''", "string", "''"),
        ("'\\x00\\xFF'::BLOB", "binary", @"b'\x00\xff'"),
        ("'00112233-4455-6677-8899-aabbccddeeff'::UUID", "extension<arrow.uuid>", "UUID('00112233-4455-6677-8899-aabbccddeeff')"),
        ("DATE '1969-12-31'", "date32[day]", "datetime.date(1969, 12, 31)"),
        ("TIME '23:59:59.999999'", "time64[us]", "datetime.time(23, 59, 59, 999999)"),
        ("TIMESTAMP '1969-12-31 23:59:59.5'", "timestamp[us]", "datetime.datetime(1969, 12, 31, 23, 59, 59, 500000)"),
        ("epoch_ms(TIMESTAMPTZ '2026-01-31T10:00:00.5+02:00')", "int64", "1769846400500"),
        ("TIMESTAMP_S '2026-01-31 10:00:00'", "timestamp[s]", "datetime.datetime(2026, 1, 31, 10, 0)"),
        ("TIMESTAMP_MS '2026-01-31 10:00:00.25'", "timestamp[ms]", "datetime.datetime(2026, 1, 31, 10, 0, 0, 250000)"),
        ("INTERVAL '14 months 3 days 5 seconds'", "month_day_nano_interval", "MonthDayNano(months=14, days=3, nanoseconds=5000000000)"),
        ("'b'::ENUM('a', 'b')", "string", "'b'"),
        ("'0101'::BIT", "string", "'0101'"),
        ("TIMETZ '10:00:00+02'", "string", "'10:00:00+02'"),
        ("[1, NULL, 3]", "list<element: int32>", "[1, None, 3]"),
        ("[[]::VARCHAR[], ['x'], NULL]", "list<element: list<element: string>>", "[[], ['x'], None]"),
        ("[1, NULL]", "fixed_size_list<element: int32>[2]", "[1, None]"),
        ("MAP {'a': 1, 'b': NULL}", "map<string, int32>", "[('a', 1), ('b', None)]"),
        ("{'a': 1, 'b': [{'c': 'x'}]}", "struct<a: int32, b: list<element: struct<c: string>>>", "{'a': 1, 'b': [{'c': 'x'}]}"),
    ];

    [Fact]
    public async Task PyArrow_reads_every_type_with_nulls_and_over_many_batches()
    {
        Assert.SkipWhen(Kit.Folder is null, Kit.Absent);
        using var time = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        var folder = Directory.CreateTempSubdirectory("frazil-arrow-").FullName;
        try
        {
            using var cluster = new MockCluster();
            cluster.CreateTopic("t", 1);
            var builder = new FrazilOptionsBuilder().FromKafka(cluster.BootstrapServers).InFolder(folder).AddTable("a.t", "t");
            builder.Server = builder.Server with { Http = "127.0.0.1:0", Postgres = "" };
            await using var server = new FrazilServer(builder.Build());
            await server.StartAsync(time.Token);
            const int Rows = 5000;
            // DuckDB has no CASE over arrays.
            var columns = Types.Select((type, number) => $"(CASE WHEN i % 3 = {number % 3} THEN NULL ELSE {type.Sql} END)"
                + $"{(type.Type.StartsWith("fixed", StringComparison.Ordinal) ? "::INTEGER[2]" : "")} AS c{number}");
            var read = await ReadAsync(server, $"SELECT {string.Join(", ", columns)}, i, NULL AS n FROM range({Rows}) t(i) ORDER BY i", folder, time.Token);
            Assert.Equal(Rows, read.GetProperty("rows").GetInt32());
            var found = read.GetProperty("columns");
            for (var number = 0; number < Types.Length; number++)
            {
                var (sql, type, value) = Types[number];
                Assert.Equal((sql, type), (sql, found[number].GetProperty("type").GetString()));
                var values = found[number].GetProperty("values");
                for (var row = 0; row < Rows; row++)
                {
                    Assert.Equal((sql, row, row % 3 == number % 3 ? "None" : value), (sql, row, values[row].GetString()));
                }
            }
            Assert.Equal("4999", found[Types.Length].GetProperty("values")[Rows - 1].GetString());
            Assert.Equal("int32", found[Types.Length + 1].GetProperty("type").GetString()); // a bare NULL is an INTEGER to SQL
            var empty = await ReadAsync(server, "SELECT now() AS at, 'x' AS x WHERE false", folder, time.Token);
            Assert.Equal((0, "timestamp[us, tz=UTC]"), (empty.GetProperty("rows").GetInt32(), empty.GetProperty("columns")[0].GetProperty("type").GetString()));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<JsonElement> ReadAsync(FrazilServer server, string sql, string folder, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = server.HttpAddress };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sql")
        {
            Content = new StringContent(JsonSerializer.Serialize(new { sql }), Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation("Accept", "application/vnd.apache.arrow.stream");
        using var answer = await http.SendAsync(request, cancellationToken);
        var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, Encoding.UTF8.GetString(body));
        var file = Path.Combine(folder, "answer.arrows");
        await File.WriteAllBytesAsync(file, body, cancellationToken);
        using var json = JsonDocument.Parse(await Python.RunAsync(Python.OwnScript("arrow_referee.py"), [file], cancellationToken));
        return json.RootElement.Clone();
    }
}
