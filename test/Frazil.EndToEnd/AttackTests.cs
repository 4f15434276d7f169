using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary>What people try who mean harm, against the real binary while it ingests: Attacks/attacks.sql, a statement a line.</summary>
public sealed class AttackTests(SharedBroker shared)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task Every_attack_is_refused_or_ended_and_ingest_goes_on()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "workers are for Linux");
        using var time = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        time.CancelAfter(Limit);
        var attacks = (await File.ReadAllLinesAsync(Path.Combine(AppContext.BaseDirectory, "Attacks", "attacks.sql"), time.Token))
            .Where(static line => line.Length > 0 && !line.StartsWith("--", StringComparison.Ordinal)).ToList();
        Assert.True(attacks.Count >= 150, $"{attacks.Count} attacks");
        var scene = await Scene.SetAsync(shared, "attacked", static bootstrap => Isolated(bootstrap));
        await using var frazil = await scene.StartReadyAsync(time.Token);
        await using var load = scene.StartLoad(time.Token);
        var answers = new ConcurrentBag<(string Sql, HttpStatusCode Status, string Body)>();

        await Parallel.ForEachAsync(attacks, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = time.Token }, async (sql, cancellationToken) =>
            answers.Add(await AskAsync(frazil, sql, cancellationToken)));

        Assert.False(frazil.HasExited, frazil.Text);
        var odd = answers.Where(static answer => answer.Status is not (HttpStatusCode.OK or HttpStatusCode.BadRequest or HttpStatusCode.GatewayTimeout));
        Assert.Empty(odd.Select(static answer => $"{(int)answer.Status} {answer.Sql[..Math.Min(200, answer.Sql.Length)]}: {answer.Body}"));
        Assert.True(frazil.Cost.PeakBytes < 2L << 30, $"the process took {frazil.Cost.PeakBytes} bytes");
        var ledger = await load.StopAsync();
        await scene.UntilRowsAsync(frazil, ledger.Records, time.Token);
        await Scene.StopCleanlyAsync(frazil, time.Token);
        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
    }

    private static FrazilConfig Isolated(string bootstrap) => new()
    {
        BootstrapServers = bootstrap,
        Topic = "attacked",
        GroupId = "group-attacked",
        KafkaProperties = new Dictionary<string, string> { ["session.timeout.ms"] = "3000", ["heartbeat.interval.ms"] = "500" },
        More = "[sql]\nisolation = \"process\"",
    };

    /// <summary>Reads the answer to its end, whatever that is: an answer that fails after its first rows is cut off.</summary>
    private static async Task<(string Sql, HttpStatusCode Status, string Body)> AskAsync(FrazilProcess frazil, string sql, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{frazil.HttpPort}"), Timeout = Timeout.InfiniteTimeSpan };
        using var body = new StringContent($$"""{"sql":{{JsonSerializer.Serialize(sql)}},"timeout_ms":250}""", Encoding.UTF8, "application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sql") { Content = body };
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        var start = new byte[1000];
        var read = 0;
        try
        {
            await using var rows = await answer.Content.ReadAsStreamAsync(cancellationToken);
            read = await rows.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellationToken);
            var rest = new byte[1 << 16];
            while (await rows.ReadAsync(rest, cancellationToken) > 0)
            {
            }
        }
        catch (Exception cut) when (cut is IOException or HttpRequestException)
        {
            // Cut off.
        }
        return (sql, answer.StatusCode, Encoding.UTF8.GetString(start, 0, read));
    }
}
