using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Frazil.Config;
using Frazil.Query;
using Frazil.Server.CommandLine;
using Frazil.Server.Output;

namespace Frazil.Server.Verbs;

/// <summary>Asks a running Frazil over HTTP.</summary>
internal sealed class ServerClient : IDisposable
{
    private static readonly TimeSpan AnswerWait = TimeSpan.FromSeconds(2);

    private readonly HttpClient http;

    private ServerClient(Uri address, string? token)
    {
        var handler = new SocketsHttpHandler { ConnectTimeout = AnswerWait, UseProxy = false };
        http = new HttpClient(handler) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>A client for the configured address; null where HTTP is turned off or its port is picked anew at each start.</summary>
    public static ServerClient? For(ServerOptions options)
    {
        if (options.Http.Length == 0 || ListenAddress.Parse(options.Http) is not { Port: > 0 } listen)
        {
            return null;
        }
        // What listens on every address of this machine is reached through its loopback.
        var host = listen.Host switch { "0.0.0.0" => "127.0.0.1", "::" => "::1", var other => other };
        return new ServerClient(new Uri($"http://{listen with { Host = host }}"), options.Token);
    }

    /// <summary>Whether a Frazil listens there, ready or not, and not some other service.</summary>
    public async Task<bool> IsThereAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AnswerWait);
        try
        {
            var body = await http.GetStringAsync("/healthz", limit.Token);
            return body.Contains("\"frazil\"", StringComparison.Ordinal);
        }
        catch (Exception exception) when (exception is HttpRequestException or SocketException or InvalidOperationException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Runs a query.</summary>
    /// <returns>The JSON of the answer.</returns>
    /// <exception cref="SqlException">The server says that the SQL is wrong.</exception>
    /// <exception cref="VerbException">Any other refusal.</exception>
    public async Task<byte[]> QueryAsync(SqlRequest request, CancellationToken cancellationToken)
    {
        using var content = new ByteArrayContent(Serialize(request));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var answer = await http.PostAsync("/v1/sql", content, cancellationToken);
        var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        return answer.IsSuccessStatusCode ? body : throw Explain((int)answer.StatusCode, body);
    }

    public void Dispose() => http.Dispose();

    private static byte[] Serialize(SqlRequest request)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, SqlJson.Options))
        {
            json.WriteStartObject();
            json.WriteString("sql", request.Sql);
            if (request.Timeout is { } timeout)
            {
                json.WriteNumber("timeout_ms", Math.Max(1, (int)timeout.TotalMilliseconds));
            }
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    private static Exception Explain(int status, byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var error = document.RootElement.GetProperty("error");
            var message = error.GetProperty("message").GetString() ?? "";
            var position = error.TryGetProperty("position", out var place) ? place.GetInt32() : (int?)null;
            return error.GetProperty("code").GetString() == "bad_sql" ? new SqlException(message, position) : new VerbException(message);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return new VerbException($"the server answered with status {status} and no explanation", inner: exception);
        }
    }
}
