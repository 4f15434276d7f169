using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary>What people try who mean harm, against the real binary while it ingests: Attacks/attacks.sql, a statement a line, and hands that kill and stop the
/// processes of SQL. Of the attacks that take all the time they get, and a process each, one in six is tried; <c>FRAZIL_ATTACKS=all</c> tries all.</summary>
public sealed class AttackTests(SharedBroker shared)
{
    private const int OneInHowMany = 6, LeastAttacks = 150, AttackMilliseconds = 250;
    private const string LongAnswer = "select e.*, repeat('x', 1000) from shop.user_events e, range(1000000)";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);
    private static readonly string[] Costly = ["-- Work without an end", "-- Memory", "-- Over a table"];

    [Fact]
    public async Task Every_attack_is_refused_or_ended_and_ingest_goes_on()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "workers are for Linux");
        using var time = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        time.CancelAfter(Limit);
        var attacks = await ReadAttacksAsync(time.Token);
        Assert.True(attacks.Count >= LeastAttacks, $"{attacks.Count} attacks");
        var scene = await Scene.SetAsync(shared, "attacked", static bootstrap => Scene.Usual(bootstrap, "attacked") with { More = "[sql]\nisolation = \"process\"" });
        await using var frazil = await scene.StartReadyAsync(time.Token);
        await using var load = scene.StartLoad(time.Token);
        await Scene.UntilRowsAsync(frazil, scene.Config.Table, 1, time.Token);
        var answers = new ConcurrentBag<(string Sql, HttpStatusCode Status, string Body)>();

        await Parallel.ForEachAsync(attacks, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = time.Token }, async (sql, cancellationToken) =>
            answers.Add(await AskAsync(frazil, sql, AttackMilliseconds, cancellationToken)));
        await HarmWorkersAsync(frazil, scene.Config.Table, time.Token);

        Assert.False(frazil.HasExited, frazil.Text);
        var odd = answers.Where(static answer => answer.Status is not (HttpStatusCode.OK or HttpStatusCode.BadRequest or HttpStatusCode.GatewayTimeout));
        Assert.Empty(odd.Select(static answer => $"{(int)answer.Status} {answer.Sql[..Math.Min(200, answer.Sql.Length)]}: {answer.Body}"));
        Assert.True(frazil.Cost.PeakBytes < 2L << 30, $"the process took {frazil.Cost.PeakBytes} bytes");
        var ledger = await load.StopAsync();
        await scene.UntilRowsAsync(frazil, ledger.Records, time.Token);
        await KillBesideStoppedWorkersAsync(frazil, time.Token);
        await scene.RunUntilAsync(ledger.Records, time.Token);
        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
    }

    private static async Task<List<string>> ReadAttacksAsync(CancellationToken cancellationToken)
    {
        var isAll = Environment.GetEnvironmentVariable("FRAZIL_ATTACKS") == "all";
        var attacks = new List<string>();
        var (isCostly, number) = (false, 0);
        foreach (var line in await File.ReadAllLinesAsync(Path.Combine(AppContext.BaseDirectory, "Attacks", "attacks.sql"), cancellationToken))
        {
            if (line.StartsWith("--", StringComparison.Ordinal))
            {
                isCostly = Costly.Any(section => line.StartsWith(section, StringComparison.Ordinal));
            }
            else if (line.Length > 0 && (!isCostly || isAll || number++ % OneInHowMany == 0))
            {
                attacks.Add(line);
            }
        }
        return attacks;
    }

    /// <summary>Kills and stops every process of SQL, those that wait and the one in the middle of an answer; statements go on.</summary>
    private static async Task HarmWorkersAsync(FrazilProcess frazil, string table, CancellationToken cancellationToken)
    {
        for (var round = 0; round < 2; round++)
        {
            using var http = ClientOf(frazil);
            using var answer = await BeginLongAnswerAsync(http, 5000, cancellationToken);
            WorkersOf(frazil).ForEach(round % 2 == 0 ? FrazilProcess.KillChild : FrazilProcess.FreezeChild);
            await ReadAsync(answer, cancellationToken);
            await frazil.UntilAsync(async () => (await AskAsync(frazil, $"select sum(user_id) from {table}", 3000, cancellationToken)).Status == HttpStatusCode.OK,
                TimeSpan.FromMilliseconds(50), cancellationToken);
        }
    }

    /// <summary>Ends the server without a word; none of its processes stays, not even those that cannot look up.</summary>
    private static async Task KillBesideStoppedWorkersAsync(FrazilProcess frazil, CancellationToken cancellationToken)
    {
        using var http = ClientOf(frazil);
        using var answer = await BeginLongAnswerAsync(http, 60_000, cancellationToken);
        var workers = WorkersOf(frazil);
        workers.ForEach(FrazilProcess.FreezeChild);
        await frazil.KillAsync(cancellationToken);
        while (workers.Exists(static process => Read(process, "cmdline").Contains("sql-worker", StringComparison.Ordinal)))
        {
            await Task.Delay(10, cancellationToken);
        }
        await ReadAsync(answer, cancellationToken);
    }

    private static List<int> WorkersOf(FrazilProcess frazil) =>
    [
        .. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(static name => int.TryParse(name, out _))
            .Select(static name => int.Parse(name!, CultureInfo.InvariantCulture)).Where(process => IsWorkerOf(process, frazil.Pid)),
    ];

    private static bool IsWorkerOf(int process, int parent)
        => Read(process, "stat").Split(')')[^1].Split(' ') is [_, not "Z", var above, ..] && above == parent.ToString(CultureInfo.InvariantCulture);

    /// <summary>Empty where the process has gone.</summary>
    private static string Read(int process, string what)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/{what}");
        }
        catch (IOException)
        {
            return "";
        }
    }

    /// <summary>Reads the answer to its end, whatever that is: an answer that fails after its first rows is cut off.</summary>
    private static async Task<(string Sql, HttpStatusCode Status, string Body)> AskAsync(FrazilProcess frazil, string sql, int milliseconds, CancellationToken cancellationToken)
    {
        using var http = ClientOf(frazil);
        using var answer = await SendAsync(http, sql, milliseconds, cancellationToken);
        return (sql, answer.StatusCode, await ReadAsync(answer, cancellationToken));
    }

    private static HttpClient ClientOf(FrazilProcess frazil)
        => new() { BaseAddress = new Uri($"http://127.0.0.1:{frazil.HttpPort}"), Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Returns when its first rows are there, so that its worker is in the middle of it.</summary>
    private static async Task<HttpResponseMessage> BeginLongAnswerAsync(HttpClient http, int milliseconds, CancellationToken cancellationToken)
    {
        while (true)
        {
            var answer = await SendAsync(http, LongAnswer, milliseconds, cancellationToken);
            if (answer.StatusCode == HttpStatusCode.OK)
            {
                return answer;
            }
            answer.Dispose(); // its worker took all of its time to start
        }
    }

    /// <summary>Returns when the answer begins.</summary>
    private static async Task<HttpResponseMessage> SendAsync(HttpClient http, string sql, int milliseconds, CancellationToken cancellationToken)
    {
        using var body = new StringContent($$"""{"sql":{{JsonSerializer.Serialize(sql)}},"timeout_ms":{{milliseconds}}}""", Encoding.UTF8, "application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sql") { Content = body };
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    /// <returns>How it begins.</returns>
    private static async Task<string> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
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
        return Encoding.UTF8.GetString(start, 0, read);
    }
}
