using System.Net;
using System.Text;
using System.Text.Json;
using Frazil.Rig;

namespace Frazil.EndToEnd.Attacks;

/// <summary>One statement, and what came back.</summary>
/// <param name="Sql">The statement.</param>
/// <param name="Status">Of the answer.</param>
/// <param name="Body">How it begins.</param>
internal sealed record Asked(string Sql, HttpStatusCode Status, string Body)
{
    /// <summary>An answer, a refusal, or word that time was up; anything else is a fault of ours.</summary>
    public bool IsOrderly => Status is HttpStatusCode.OK or HttpStatusCode.BadRequest or HttpStatusCode.GatewayTimeout;

    public override string ToString() => $"{(int)Status} {Sql[..Math.Min(2000, Sql.Length)]}: {Body[..Math.Min(1000, Body.Length)]}";
}

/// <summary>Asks as those do who mean harm: over HTTP, with a deadline, and in the middle of other answers.</summary>
internal static class Asking
{
    private const int BodyBytes = 64 << 10;

    /// <summary>Reads the answer to its end, whatever that is: an answer that fails after its first rows is cut off.</summary>
    public static async Task<Asked> AskAsync(FrazilProcess frazil, string sql, int milliseconds, CancellationToken cancellationToken)
    {
        using var http = ClientOf(frazil);
        using var answer = await SendAsync(http, sql, milliseconds, cancellationToken);
        return new(sql, answer.StatusCode, await ReadAsync(answer, cancellationToken));
    }

    public static HttpClient ClientOf(FrazilProcess frazil)
        => new() { BaseAddress = new Uri($"http://127.0.0.1:{frazil.HttpPort}"), Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Returns when the answer begins.</summary>
    public static async Task<HttpResponseMessage> SendAsync(HttpClient http, string sql, int milliseconds, CancellationToken cancellationToken)
    {
        using var body = new StringContent($$"""{"sql":{{JsonSerializer.Serialize(sql)}},"timeout_ms":{{milliseconds}}}""", Encoding.UTF8, "application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sql") { Content = body };
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    /// <returns>How it begins.</returns>
    public static async Task<string> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var start = new byte[BodyBytes];
        var read = 0;
        try
        {
            await using var rows = await answer.Content.ReadAsStreamAsync(cancellationToken);
            for (int got; read < start.Length && (got = await rows.ReadAsync(start.AsMemory(read), cancellationToken)) > 0; read += got)
            {
            }
            var rest = new byte[BodyBytes];
            while (await rows.ReadAsync(rest, cancellationToken) > 0)
            {
            }
        }
        catch (Exception cut) when (cut is IOException or HttpRequestException)
        {
            // Cut off.
        }
        return Encoding.UTF8.GetString(start, 0, read);
    }
}
