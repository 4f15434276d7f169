using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Frazil.Config;
using Frazil.Kafka;
using Frazil.Server;
using Frazil.Server.CommandLine;
using Xunit;

namespace Frazil.Tests.Server;

/// <summary>A whole server on mock brokers, with three records in it.</summary>
public sealed class ServingFixture : IAsyncLifetime
{
    public const string Topic = "orders";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private readonly MockCluster cluster = new();

    public string Folder { get; } = Directory.CreateTempSubdirectory("frazil-http-").FullName;

    public FrazilServer Server { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    public string ConfigFile => Path.Combine(Folder, "frazil.toml");

    public async ValueTask InitializeAsync()
    {
        cluster.CreateTopic(Topic, 1);
        await ProduceAsync("""{"id":9007199254740993,"price":1.10,"seen":"2026-01-31T10:00:00.5Z","tags":["a","b"],"who":{"name":"Zoë, \"Z\""}}""",
            """{"id":2,"price":null,"seen":"1969-12-31T23:59:59Z","tags":[],"who":null}""", """{"id":3,"price":-0.01}""");
        var builder = new FrazilOptionsBuilder().FromKafka(cluster.BootstrapServers).InFolder(Folder).AddTable("shop.orders", Topic,
            table => table with
            {
                Columns = new Dictionary<string, string> { ["seen"] = "timestamptz", ["price"] = "decimal(10,2)" },
            });
        builder.HotBuffer = builder.HotBuffer with { FlushIntervalSeconds = 3600 }; // the rows are in memory, however long the tests take
        builder.Server = builder.Server with { Http = "127.0.0.1:0", Postgres = "" };
        Server = new FrazilServer(builder.Build());
        await Server.StartAsync();
        Http = new HttpClient { BaseAddress = Server.HttpAddress, Timeout = Limit };
        await File.WriteAllTextAsync(ConfigFile, $"""
            [catalog]
            uri = 'sqlite:{Folder}/catalog.db'
            warehouse = '{Folder}/warehouse'
            [server]
            http = "127.0.0.1:{Server.HttpAddress!.Port}"
            """);
        var (status, body) = await PostAsync("""{"sql":"select count(*) from shop.orders","read_after":{"orders":{"0":2}},"timeout_ms":240000}""");
        Assert.True(status == HttpStatusCode.OK, body);
        Assert.Contains("\"rows\":[[3]]", body, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        if (Server is not null)
        {
            await Server.DisposeAsync();
        }
        cluster.Dispose();
        Directory.Delete(Folder, true);
    }

    public async Task<(HttpStatusCode Status, string Body)> PostAsync(string body, string? accept = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sql")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var answer = await Http.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task ProduceAsync(params string[] records)
    {
        await using var producer = new KafkaProducer(
            new KafkaProducerOptions { BootstrapServers = cluster.BootstrapServers, Compression = "none" });
        foreach (var record in records)
        {
            producer.Produce(Topic, 0, [], Encoding.UTF8.GetBytes(record));
        }
        await producer.FlushAsync();
    }
}

public sealed class EngineHttpTests(ServingFixture serving) : IClassFixture<ServingFixture>
{
    private const string Everything = """{"sql":"select id, price, seen, tags, who from shop.orders order by kafka_offset"}""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rows_in_memory_are_given_with_every_digit()
    {
        var (status, body) = await serving.PostAsync(Everything);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains(
            """
            "rows":[[9007199254740993,1.10,"2026-01-31T10:00:00.5Z",["a","b"],{"name":"Zoë, \"Z\""}],[2,null,"1969-12-31T23:59:59Z",[],null],[3,-0.01,null,null,null]]
            """,
            body, StringComparison.Ordinal);
        using var document = JsonDocument.Parse(body);
        Assert.Equal(3, document.RootElement.GetProperty("row_count").GetInt32());
        Assert.Equal(3, document.RootElement.GetProperty("scan").GetProperty("hot_rows").GetInt64());
        var point = document.RootElement.GetProperty("read_point").GetProperty("shop.orders");
        Assert.Equal(JsonValueKind.Null, point.GetProperty("snapshot_id").ValueKind);
        Assert.Equal(3, point.GetProperty("next_offsets").GetProperty(ServingFixture.Topic).GetProperty("0").GetInt64());
    }

    [Fact]
    public async Task Csv_and_ndjson_come_when_asked_for()
    {
        var (_, csv) = await serving.PostAsync(Everything, "text/csv");
        Assert.Equal(
            "id,price,seen,tags,who\r\n9007199254740993,1.10,2026-01-31T10:00:00.5Z,\"[\"\"a\"\",\"\"b\"\"]\",\"{\"\"name\"\":\"\"Zoë, \\\"\"Z\\\"\"\"\"}\"\r\n"
            + "2,,1969-12-31T23:59:59Z,[],\r\n3,-0.01,,,\r\n", csv);
        var (_, lines) = await serving.PostAsync("""{"sql":"select id, id from shop.orders order by 1"}""", "application/x-ndjson");
        Assert.Equal("{\"id\":2,\"id_1\":2}\n{\"id\":3,\"id_1\":3}\n{\"id\":9007199254740993,\"id_1\":9007199254740993}\n", lines);
    }

    [Fact]
    public async Task Arrow_comes_when_asked_for()
    {
        using var request = Request("""{"sql":"select id, price, seen, tags, who from shop.orders order by kafka_offset"}""", ArrowStream);
        using var answer = await serving.Http.SendAsync(request, Cancel);
        Assert.Equal(ArrowStream, answer.Content.Headers.ContentType!.ToString());
        using var reader = new Apache.Arrow.Ipc.ArrowStreamReader(await answer.Content.ReadAsStreamAsync(Cancel));
        using var batch = await reader.ReadNextRecordBatchAsync(Cancel);
        Assert.Equal(["id", "price", "seen", "tags", "who"], batch.Schema.FieldsList.Select(field => field.Name));
        Assert.Equal([9007199254740993L, 2L, 3L], ((Apache.Arrow.Int64Array)batch.Column(0)).ToArray().Cast<long>());
        Assert.Equal([1.10m, null, -0.01m], Enumerable.Range(0, 3).Select(((Apache.Arrow.Decimal128Array)batch.Column(1)).GetValue));
        Assert.Null(await reader.ReadNextRecordBatchAsync(Cancel));
        var (status, body) = await serving.PostAsync("""{"sql":"select union_value(n := 1) as u"}""", ArrowStream);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("cannot be sent as Arrow", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_is_as_long_as_it_is()
    {
        using var request = Request("""{"sql":"select i from range(1500000) t(i)"}""", "application/x-ndjson");
        using var answer = await serving.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(Cancel));
        var count = 0;
        while (await lines.ReadLineAsync(Cancel) is not null)
        {
            count++;
        }
        Assert.Equal(1_500_000, count);
    }

    /// <summary>Lesson 76: nothing that looks like an end.</summary>
    [Theory]
    [InlineData("application/json")]
    [InlineData("text/csv")]
    [InlineData("application/x-ndjson")]
    [InlineData(ArrowStream)]
    public async Task An_answer_that_fails_after_its_first_rows_looks_failed(string format)
    {
        using var request = Request(
            """{"sql":"select i, repeat('x', 1000), case when i = 150000 then error('late') else i end from range(200000) t(i)"}""", format);
        using var answer = await serving.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var body = new MemoryStream();
        var failure = await Record.ExceptionAsync(async () => await (await answer.Content.ReadAsStreamAsync(Cancel)).CopyToAsync(body, Cancel));
        Assert.True(failure is IOException or HttpRequestException, $"{failure} after {body.Length} bytes");
        Assert.NotEqual(0, body.Length);
        Assert.False(body.ToArray().AsSpan().EndsWith(format == ArrowStream ? [255, 255, 255, 255, 0, 0, 0, 0] : "]}"u8));
    }

    private const string ArrowStream = "application/vnd.apache.arrow.stream";

    private static HttpRequestMessage Request(string body, string accept)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sql") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("Accept", accept);
        return request;
    }

    [Theory]
    [InlineData("select nope from shop.orders", "nope", 7)]
    [InlineData("selec 1", "syntax", 0)]
    [InlineData("drop table shop.orders", "SELECT", null)]
    [InlineData("select * from read_csv('/etc/passwd')", "read_csv", 14)]
    [InlineData("select * from shop.nothing", "nothing", null)]
    public async Task Bad_SQL_is_400_and_says_where(string sql, string words, int? position)
    {
        var (status, body) = await serving.PostAsync($$"""{"sql":"{{sql}}"}""");
        using var document = JsonDocument.Parse(body);
        var error = document.RootElement.GetProperty("error");
        Assert.Equal((HttpStatusCode.BadRequest, "bad_sql"), (status, error.GetProperty("code").GetString()));
        Assert.Contains(words, error.GetProperty("message").GetString(), StringComparison.OrdinalIgnoreCase);
        if (position is { } wanted)
        {
            Assert.Equal(wanted, error.GetProperty("position").GetInt32());
        }
    }

    [Theory]
    [InlineData(0, "after 1.5 s offset 1000 of partition 0 of the topic orders, which read_after asks for, was not visible in shop.orders: "
        + "it is visible up to offset 2.")]
    [InlineData(7, "offset 1000 of partition 7 of the topic orders, which read_after asks for, was not visible in shop.orders: nothing of this "
        + "partition is. See that the topic has the partition")]
    public async Task Waiting_for_a_record_that_does_not_come_ends_with_504_that_says_how_far_the_table_is(int partition, string words)
    {
        var (status, body) = await serving.PostAsync(
            $$$"""{"sql":"select count(*) from shop.orders","read_after":{"orders":{"{{{partition}}}":1000}},"timeout_ms":1500}""");
        Assert.True(status == HttpStatusCode.GatewayTimeout, $"{status}: {body}");
        Assert.Contains("\"timeout\"", body, StringComparison.Ordinal);
        Assert.Contains(words, body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_query_that_takes_too_long_without_waiting_for_records_is_told_to_ask_for_less()
    {
        var (status, body) = await serving.PostAsync(
            """{"sql":"select count(*) from range(1000000) a, range(1000000) b where hash(a.range, b.range) = 1","timeout_ms":100}""");
        Assert.True(status == HttpStatusCode.GatewayTimeout, $"{status}: {body}");
        Assert.Contains("ask for less", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Decimals_of_every_width_are_numbers_in_every_format()
    {
        const string Sql = """
            {"sql":"select n::decimal(38,10) as n, [n::decimal(38,10)] as l, {'a': n::decimal(38,10)} as s from (values ('1'), ('1000000000000000000000000000')) v(n)"}
            """;
        const string One = "1.0000000000", Wide = "1000000000000000000000000000.0000000000";
        var (_, json) = await serving.PostAsync(Sql);
        Assert.Contains($"\"rows\":[[{One},[{One}],{{\"a\":{One}}}],[{Wide},[{Wide}],{{\"a\":{Wide}}}]]", json, StringComparison.Ordinal);
        var (_, csv) = await serving.PostAsync(Sql, "text/csv");
        Assert.Equal($"n,l,s\r\n{One},[{One}],\"{{\"\"a\"\":{One}}}\"\r\n{Wide},[{Wide}],\"{{\"\"a\"\":{Wide}}}\"\r\n", csv);
        var (_, lines) = await serving.PostAsync(Sql, "application/x-ndjson");
        Assert.Contains($"\n{{\"n\":{Wide},\"l\":[{Wide}],\"s\":{{\"a\":{Wide}}}}}\n", lines, StringComparison.Ordinal);
        var (code, output, _) = await RunAsync("query", $"select '{Wide}'::decimal(38,10) as n", "-c", serving.ConfigFile);
        Assert.Equal((0, $"{"n",39}\n{new string('─', 39)}\n{Wide}\n"), (code, output));
    }

    [Fact]
    public async Task Tables_are_listed_and_described()
    {
        using var list = JsonDocument.Parse(await serving.Http.GetStringAsync("/v1/tables", Cancel));
        var table = list.RootElement.GetProperty("tables").EnumerateArray()
            .First(one => one.GetProperty("name").GetString() == "shop.orders");
        Assert.Equal(("running", 3L), (table.GetProperty("state").GetString(), table.GetProperty("records").GetInt64()));
        using var one = JsonDocument.Parse(await serving.Http.GetStringAsync("/v1/tables/shop.orders", Cancel));
        var columns = one.RootElement.GetProperty("columns").EnumerateArray()
            .ToDictionary(column => column.GetProperty("name").GetString()!, column => column.GetProperty("type").GetString());
        Assert.Equal("DECIMAL(10,2)", columns["price"]);
        Assert.Contains("kafka_offset", columns.Keys);
        using var none = await serving.Http.GetAsync("/v1/tables/shop.nothing", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
    }

    [Fact]
    public async Task Metrics_count_what_was_read()
    {
        var text = await serving.Http.GetStringAsync("/metrics", Cancel);
        Assert.Contains("frazil_records_total{table=\"shop.orders\"} 3\n", text, StringComparison.Ordinal);
        Assert.Contains("frazil_table_up{table=\"shop.orders\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("frazil_up{} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE frazil_records_total counter\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE frazil_freshness_seconds histogram\n", text, StringComparison.Ordinal);
        Assert.Matches("\nfrazil_freshness_seconds_count\\{table=\"shop.orders\"\\} [1-9][0-9]*\n", text);
        using var ready = await serving.Http.GetAsync("/readyz", Cancel);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
    }

    [Fact]
    public async Task The_query_verb_asks_the_server_that_runs()
    {
        var (code, output, errors) = await RunAsync(
            "query", "select count(*) as n, sum(price) as s from shop.orders", "-c", serving.ConfigFile);
        Assert.Equal((0, "n     s\n─  ────\n3  1.09\n"), (code, output));
        Assert.Contains("3 hot rows", errors, StringComparison.Ordinal);
        (code, output, errors) = await RunAsync("query", "select nope from shop.orders", "-c", serving.ConfigFile);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("  select nope from shop.orders\n         ^", errors, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(params string[] args)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using var errors = new StringWriter(CultureInfo.InvariantCulture);
        var code = await FrazilCommand.RunAsync(args, new Terminal { Output = output, Error = errors }, Cancel);
        return (code, output.ToString(), errors.ToString());
    }
}

/// <summary><c>run</c> and <c>demo</c> in this process, from start to end.</summary>
public sealed class RunVerbTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("frazil-run-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public async Task Run_serves_until_it_is_told_to_stop_then_commits_and_the_catalog_answers_alone()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 2);
        await using (var producer = new KafkaProducer(new KafkaProducerOptions { BootstrapServers = cluster.BootstrapServers }))
        {
            for (var number = 0; number < 100; number++)
            {
                producer.Produce("t", number % 2, [], Encoding.UTF8.GetBytes($$"""{"n":{{number}}}"""));
            }
            await producer.FlushAsync(Cancel);
        }
        var file = Path.Combine(folder, "frazil.toml");
        await File.WriteAllTextAsync(file, $"""
            data_dir = '{folder}/data'
            [kafka]
            bootstrap_servers = "{cluster.BootstrapServers}"
            [catalog]
            uri = 'sqlite:{folder}/catalog.db'
            warehouse = '{folder}/warehouse'
            [server]
            http = "127.0.0.1:0"
            [[tables]]
            name = "a.b"
            topics = ["t"]
            """, Cancel);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        using var logs = new LogLines();
        var running = Task.Run(() => FrazilCommand.RunAsync(
            ["run", "-c", file, "--log-json"], new Terminal { Output = TextWriter.Null, Error = logs }, stop.Token), Cancel);
        using var http = new HttpClient { BaseAddress = await AddressAsync(logs, running) };
        while (!(await http.GetStringAsync("/metrics", Cancel)).Contains("frazil_records_total{table=\"a.b\"} 100\n", StringComparison.Ordinal))
        {
            await Task.Delay(20, Cancel);
        }
        await stop.CancelAsync();
        Assert.Equal(0, await running);
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetStringAsync("/healthz", Cancel));

        using var output = new StringWriter();
        using var errors = new StringWriter();
        var code = await FrazilCommand.RunAsync(
            ["query", "select count(*), sum(n) from a.b", "--csv", "-c", file], new Terminal { Output = output, Error = errors }, Cancel);
        Assert.Equal((0, "count_star(),sum(n)\r\n100,4950\r\n"), (code, output.ToString()));
        Assert.Contains("not committed yet", errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_demo_ends_with_exactly_what_it_produced()
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var place = Path.Combine(folder, "demo");
        var code = await FrazilCommand.RunAsync(
            ["demo", "--duration", "1s", "--rate", "2000", "--dir", place, "--json"], new Terminal { Output = output, Error = errors },
            Cancel);
        Assert.True(code == 0, $"{output}{errors}");
        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        using var summary = JsonDocument.Parse(lines[^1]);
        Assert.True(summary.RootElement.GetProperty("ok").GetBoolean());
        Assert.True(summary.RootElement.GetProperty("produced").GetInt64() > 0);
        Assert.True(File.Exists(summary.RootElement.GetProperty("metadata").GetString()));
        using var sample = JsonDocument.Parse(lines[0]);
        Assert.True(sample.RootElement.GetProperty("visible_rows").GetInt64() > 0);
    }

    /// <summary>Reads the log until it tells where HTTP listens.</summary>
    private static async Task<Uri> AddressAsync(LogLines logs, Task running)
    {
        while (true)
        {
            Assert.False(running.IsCompleted, logs.ToString());
            foreach (var line in logs.Lines)
            {
                using var json = JsonDocument.Parse(line);
                if (json.RootElement.TryGetProperty("event", out var id) && id.GetInt32() == 810)
                {
                    return new Uri(json.RootElement.GetProperty("fields").GetProperty("Address").GetString()!);
                }
            }
            await Task.Delay(20, Cancel);
        }
    }

    /// <summary>Whole lines, written by any thread.</summary>
    private sealed class LogLines : TextWriter
    {
        private readonly ConcurrentQueue<string> lines = [];

        public override Encoding Encoding => Encoding.UTF8;

        public IEnumerable<string> Lines => lines;

        public override void WriteLine(string? value) => lines.Enqueue(value ?? "");

        public override string ToString() => string.Join('\n', lines);
    }
}
