using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Frazil.Tests.Iceberg.Rest;

/// <summary>What came.</summary>
/// <param name="Connection">Which connection, counted from 1.</param>
/// <param name="Method">GET, POST, …</param>
/// <param name="Path">As it was sent, with its query.</param>
/// <param name="Headers">By lower-case names.</param>
/// <param name="Body">Text.</param>
internal sealed record Asked(int Connection, string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public string? Token => Headers.GetValueOrDefault("authorization");
}

/// <summary>What goes back.</summary>
internal sealed record Reply(int Status, string Body = "", params IReadOnlyList<(string Name, string Value)> Headers)
{
    /// <summary>The connection is closed without a word.</summary>
    public static Reply Cut { get; } = new(0);

    /// <summary>The protocol's own error.</summary>
    public static Reply Error(int status, string type, string message = "so it is") => new(
        status, $$$"""{"error":{"message":"{{{message}}}","type":"{{{type}}}","code":{{{status}}}}}""", ("Content-Type", "application/json"));

    /// <summary>A page of something that stands between.</summary>
    public static Reply Page(int status) => new(status, "<html>this is a gateway</html>", ("Content-Type", "text/html"));
}

/// <summary>An HTTP server that answers as a test says, or not at all: for what no real catalog does when it is asked to. Nothing of it knows
/// our client.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource end = new();
    private readonly ConcurrentQueue<Asked> asked = [];
    private readonly Task accepting;
    private int connections;

    /// <param name="answer">Called for each request but <c>/v1/config</c>, one at a time for each connection.</param>
    /// <param name="config">What the server says of itself.</param>
    public ScriptedServer(Func<Asked, Reply> answer, string config = """{"defaults":{},"overrides":{}}""")
    {
        (Answer, Config) = (answer, config);
        listener.Start();
        accepting = Task.Run(AcceptAsync);
    }

    public Func<Asked, Reply> Answer { get; set; }

    public string Config { get; set; }

    public string Uri => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

    /// <summary>Everything that came, but for <c>/v1/config</c>.</summary>
    public IReadOnlyList<Asked> All => [.. asked.Where(static one => !one.Path.StartsWith("/v1/config", StringComparison.Ordinal))];

    /// <summary>What asked for the configuration.</summary>
    public IReadOnlyList<Asked> Configs => [.. asked.Where(static one => one.Path.StartsWith("/v1/config", StringComparison.Ordinal))];

    public int Count(string method, string path) => All.Count(one => one.Method == method && one.Path == path);

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        listener.Stop();
        await accepting;
        end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync(end.Token);
                var number = ++connections;
                serving.Add(Task.Run(() => ServeAsync(client, number)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client, int number)
    {
        using var owned = client;
        try
        {
            await using var stream = client.GetStream();
            while (await ReadAsync(stream, number) is { } request)
            {
                asked.Enqueue(request);
                var reply = request.Path.StartsWith("/v1/config", StringComparison.Ordinal) && Config.Length > 0
                    ? new Reply(200, Config) : Answer(request);
                if (reply.Status == 0)
                    return;
                var hasBody = request.Method != "HEAD" && reply.Status is not (204 or 304);
                var body = Encoding.UTF8.GetBytes(hasBody ? reply.Body : "");
                var head = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {reply.Status} X\r\n"));
                foreach (var (name, value) in reply.Headers)
                    head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
                if (reply.Status is not (204 or 304))
                    head.Append(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n");
                await stream.WriteAsync(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()), end.Token);
                await stream.WriteAsync(body, end.Token);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
        {
            // The client went, or the test is over.
        }
    }

    private async Task<Asked?> ReadAsync(NetworkStream stream, int number)
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (!Ends(head))
        {
            if (await stream.ReadAsync(one, end.Token) == 0)
                return null;
            head.Add(one[0]);
        }
        var lines = Encoding.ASCII.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var headers = lines[1..].Select(static line => line.Split(": ", 2)).ToDictionary(static pair => pair[0].ToLowerInvariant(), static pair => pair[1]);
        var body = new byte[headers.TryGetValue("content-length", out var length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0];
        await stream.ReadExactlyAsync(body, end.Token);
        var first = lines[0].Split(' ');
        return new Asked(number, first[0], first[1], headers, Encoding.UTF8.GetString(body));
    }

    private static bool Ends(List<byte> head) => head.Count >= 4 && head[^4] == '\r' && head[^3] == '\n' && head[^2] == '\r' && head[^1] == '\n';
}
