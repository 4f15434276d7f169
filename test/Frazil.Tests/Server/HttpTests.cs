using System.Net;
using System.Text;
using System.Text.Json;
using Frazil.Config;
using Frazil.Server;
using Frazil.Server.Http;
using Xunit;

namespace Frazil.Tests.Server;

/// <summary>What HTTP answers before, and whatever, the engine does.</summary>
public sealed class HttpTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_that_starts_is_alive_but_not_ready()
    {
        await using var server = await StartAsync(new ServerOptions());
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/healthz")).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.GetAsync("/readyz")).Status);
        var (status, error) = await server.ErrorAsync(HttpMethod.Post, "/v1/sql", """{"sql":"select 1"}""");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not_ready"), (status, error.Code));
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("[]", "JSON object")]
    [InlineData("{}", "no \"sql\"")]
    [InlineData("""{"sql":""}""", "no \"sql\"")]
    [InlineData("""{"sql":5}""", "must be a string")]
    [InlineData("""{"sql":"\ud800"}""", "Unicode")]
    [InlineData("""{"sql":"select 1","read_afer":{}}""", "did you mean read_after?")]
    [InlineData("""{"sql":"select 1","timeout_ms":0}""", "timeout_ms")]
    [InlineData("""{"sql":"select 1","timeout_ms":"1"}""", "timeout_ms")]
    [InlineData("""{"sql":"select 1","read_after":[]}""", "read_after")]
    [InlineData("""{"sql":"select 1","read_after":{"t":{"x":1}}}""", "read_after")]
    [InlineData("""{"sql":"select 1","read_after":{"t":{"0":-1}}}""", "read_after")]
    [InlineData("""{"sql":"select 1","read_after":{"t":{"0":1.5}}}""", "read_after")]
    [InlineData("""{"sql":"select 1","\ud800":1}""", "Unicode")]
    [InlineData("""{"sql":"select 1","sql":"select 2"}""", "\"sql\" twice")]
    [InlineData("""{"sql":"select 1","read_after":null,"read_after":{"t":{"0":1}}}""", "\"read_after\" twice")]
    [InlineData("""{"sql":"select 1","read_after":{"t":{"0":1,"0":2}}}""", "partition 0 of the topic t twice")]
    [InlineData("""{"sql":"select 1","read_after":{"t":{"0":1},"t":{"1":2}}}""", "the topic t twice")]
    public async Task A_body_that_is_wrong_is_told_so(string body, string words)
    {
        await using var server = await StartAsync(new ServerOptions());
        var (status, error) = await server.ErrorAsync(HttpMethod.Post, "/v1/sql", body);
        Assert.Equal((HttpStatusCode.BadRequest, "bad_request"), (status, error.Code));
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_null_of_what_is_optional_means_that_it_is_absent()
    {
        await using var server = await StartAsync(new ServerOptions());
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not_ready"),
            await server.CodeAsync(HttpMethod.Post, "/v1/sql", """{"sql":"select 1","read_after":null,"timeout_ms":null}"""));
    }

    [Fact]
    public async Task HEAD_is_answered_like_GET_without_the_body()
    {
        await using var server = await StartAsync(new ServerOptions { Token = "secret" });
        foreach (var (path, status) in new[]
        {
            ("/healthz", HttpStatusCode.OK), ("/readyz", HttpStatusCode.ServiceUnavailable), ("/", HttpStatusCode.OK),
            ("/metrics", HttpStatusCode.Unauthorized),
        })
        {
            Assert.Equal((status, ""), await server.HeadAsync(path));
        }
    }

    [Theory]
    [InlineData("", SqlFormat.Json)]
    [InlineData("*/*", SqlFormat.Json)]
    [InlineData("text/*", SqlFormat.Csv)]
    [InlineData("text/csv;q=0.1, application/json", SqlFormat.Json)]
    [InlineData("application/json;q=0.5, text/csv;q=0.9;header=present", SqlFormat.Csv)]
    [InlineData("text/csv, application/json", SqlFormat.Csv)]
    [InlineData("text/csv, */*", SqlFormat.Csv)]
    [InlineData("application/xml, */*;q=0.1", SqlFormat.Json)]
    [InlineData("application/json;q=0, */*;q=0.5", SqlFormat.Csv)]
    [InlineData("Application/X-NDJSON", SqlFormat.NdJson)]
    [InlineData("application/vnd.apache.arrow.stream, application/json;q=0.5", SqlFormat.Arrow)]
    [InlineData("application/jsonl, application/json;q=0.9", SqlFormat.NdJson)]
    [InlineData("text/html, image/gif, *; q=.2, */*; q=.2", SqlFormat.Json)]
    public void Accept_is_read_with_its_qualities(string accept, object format) => Assert.Equal(format, SqlFormats.Choose(accept));

    [Theory]
    [InlineData("application/json;q=0")]
    [InlineData("text/html")]
    [InlineData("json")]
    public void What_Accept_does_not_name_is_not_answered(string accept)
        => Assert.Equal(406, Assert.Throws<HttpProblem>(() => SqlFormats.Choose(accept)).Status);

    [Fact]
    public async Task A_body_that_is_too_large_is_told_so()
    {
        await using var server = await StartAsync(new ServerOptions());
        var (status, error) = await server.ErrorAsync(HttpMethod.Post, "/v1/sql", new string(' ', 2_000_000));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "too_large"), (status, error.Code));
    }

    [Fact]
    public async Task Paths_and_methods_that_do_not_exist_are_told_so()
    {
        await using var server = await StartAsync(new ServerOptions());
        Assert.Equal((HttpStatusCode.NotFound, "not_found"), await server.CodeAsync(HttpMethod.Get, "/v2/sql"));
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "method_not_allowed"), await server.CodeAsync(HttpMethod.Get, "/v1/sql"));
    }

    [Fact]
    public async Task An_answer_that_cannot_be_given_is_told_before_the_query_runs()
    {
        await using var server = await StartAsync(new ServerOptions());
        Assert.Equal((HttpStatusCode.NotAcceptable, "not_acceptable"),
            await server.CodeAsync(HttpMethod.Post, "/v1/sql", """{"sql":"select 1"}""", ("Accept", "application/vnd.apache.arrow.file")));
    }

    [Fact]
    public async Task With_a_token_everything_but_health_and_the_empty_console_wants_it()
    {
        await using var server = await StartAsync(new ServerOptions { Token = "secret" });
        Assert.Equal((HttpStatusCode.Unauthorized, "unauthorized"), await server.CodeAsync(HttpMethod.Get, "/v1/tables"));
        Assert.Equal(
            (HttpStatusCode.Unauthorized, "unauthorized"),
            await server.CodeAsync(HttpMethod.Get, "/metrics", null, ("Authorization", "Bearer wrong")));
        Assert.Equal(
            (HttpStatusCode.Unauthorized, "unauthorized"),
            await server.CodeAsync(HttpMethod.Get, "/metrics", null, ("Authorization", "secret")));
        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, "not_ready"),
            await server.CodeAsync(HttpMethod.Get, "/v1/tables", null, ("Authorization", "Bearer secret")));
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/healthz")).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/")).Status);
    }

    [Fact]
    public async Task A_web_page_that_renames_itself_to_loopback_gets_nothing()
    {
        await using var server = await StartAsync(new ServerOptions());
        Assert.Equal(
            (HttpStatusCode.MisdirectedRequest, "wrong_host"),
            await server.CodeAsync(HttpMethod.Get, "/metrics", null, ("Host", "evil.example")));
    }

    [Theory]
    [InlineData("LOCALHOST")]
    [InlineData("Localhost.")]
    [InlineData("127.0.0.1")]
    [InlineData("[::1]")]
    public async Task A_name_of_this_machine_is_known_in_every_spelling(string host)
    {
        await using var server = await StartAsync(new ServerOptions());
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not_ready"), await server.CodeAsync(HttpMethod.Get, "/v1/tables", null, ("Host", host)));
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("http://localhost:1")]
    [InlineData("http://localhost")]
    [InlineData("null")]
    [InlineData("http://localhost.evil.example")]
    public async Task A_web_page_of_another_address_may_not_ask(string origin)
    {
        await using var server = await StartAsync(new ServerOptions());
        Assert.Equal(
            (HttpStatusCode.Forbidden, "wrong_origin"),
            await server.CodeAsync(HttpMethod.Post, "/v1/sql", """{"sql":"select 1"}""", ("Origin", origin), ("Host", $"localhost:{server.Port}")));
    }

    [Fact]
    public async Task The_own_console_and_programs_may_ask()
    {
        await using var server = await StartAsync(new ServerOptions());
        foreach (var (origin, host) in new[]
        {
            ($"http://localhost:{server.Port}", $"localhost:{server.Port}"), ($"http://127.0.0.1:{server.Port}", $"127.0.0.1:{server.Port}"),
            ("https://localhost", "localhost"),
        })
        {
            Assert.Equal(
                (HttpStatusCode.ServiceUnavailable, "not_ready"),
                await server.CodeAsync(HttpMethod.Post, "/v1/sql", """{"sql":"select 1"}""", ("Origin", origin), ("Host", host)));
        }
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("application/jsonp")]
    [InlineData(null)]
    public async Task A_body_that_does_not_say_that_it_is_JSON_is_not_read(string? type)
    {
        await using var server = await StartAsync(new ServerOptions());
        Assert.Equal((HttpStatusCode.UnsupportedMediaType, "unsupported_media_type"), await server.PostAsAsync(type));
    }

    [Theory]
    [InlineData(20, 8)]
    [InlineData(256, 64)]
    [InlineData(1_048_576, 1024)]
    public void Clients_get_a_share_of_the_files_that_may_be_open(long files, int connections)
        => Assert.Equal(connections, ConnectionLimit.Of(files));

    [Fact]
    public async Task Metrics_are_Prometheus_text()
    {
        await using var server = await StartAsync(new ServerOptions());
        var (status, body) = await server.GetAsync("/metrics");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("# TYPE process_cpu_seconds_total counter\n", body, StringComparison.Ordinal);
        Assert.Contains("# HELP frazil_hot_buffer_bytes ", body, StringComparison.Ordinal);
        Assert.Contains("\nfrazil_up{} 0\n", body, StringComparison.Ordinal);
        Assert.Matches(@"\nprocess_resident_memory_bytes\{\} [1-9][0-9]*\n", body);
        Assert.All(
            body.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            line => Assert.Matches(@"^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{.*\})? [-0-9.Ee+]+)$", line));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_by_its_setting()
    {
        await using var first = await StartAsync(new ServerOptions());
        await using var second = new FrazilServer(new FrazilOptions { Server = new ServerOptions { Http = $"127.0.0.1:{first.Port}" } });
        var refused = await Assert.ThrowsAsync<FrazilStartException>(() => second.StartHttpAsync(Cancel));
        Assert.Contains($"server.http = \"127.0.0.1:{first.Port}\": the port is taken", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<Running> StartAsync(ServerOptions options)
    {
        var server = new FrazilServer(new FrazilOptions { Server = options with { Http = "127.0.0.1:0" } });
        await server.StartHttpAsync(Cancel);
        return new Running(server);
    }

    private sealed class Running(FrazilServer server) : IAsyncDisposable
    {
        private readonly HttpClient http = new() { BaseAddress = server.HttpAddress };

        public int Port => server.HttpAddress!.Port;

        public async Task<(HttpStatusCode Status, string Body)> GetAsync(string path)
        {
            using var answer = await http.GetAsync(path, Cancel);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel));
        }

        public async Task<(HttpStatusCode Status, string Body)> HeadAsync(string path)
        {
            using var request = new HttpRequestMessage(HttpMethod.Head, path);
            using var answer = await http.SendAsync(request, Cancel);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel));
        }

        public async Task<(HttpStatusCode Status, string Code)> PostAsAsync(string? type)
        {
            using var content = new ByteArrayContent("""{"sql":"select 1"}"""u8.ToArray());
            content.Headers.TryAddWithoutValidation("Content-Type", type);
            using var answer = await http.PostAsync("/v1/sql", content, Cancel);
            using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel));
            return (answer.StatusCode, document.RootElement.GetProperty("error").GetProperty("code").GetString()!);
        }

        public async Task<(HttpStatusCode Status, string Code)> CodeAsync(
            HttpMethod method, string path, string? body = null, params (string, string)[] headers)
        {
            var (status, error) = await ErrorAsync(method, path, body, headers);
            return (status, error.Code);
        }

        public async Task<(HttpStatusCode Status, (string Code, string Message) Error)> ErrorAsync(
            HttpMethod method, string path, string? body = null, params (string Name, string Value)[] headers)
        {
            using var request = new HttpRequestMessage(method, path);
            request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
            foreach (var (name, value) in headers)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
            using var answer = await http.SendAsync(request, Cancel);
            using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel));
            var error = document.RootElement.GetProperty("error");
            return (answer.StatusCode, (error.GetProperty("code").GetString()!, error.GetProperty("message").GetString()!));
        }

        public async ValueTask DisposeAsync()
        {
            http.Dispose();
            await server.DisposeAsync();
        }
    }
}
