using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Frazil.EndToEnd.Attacks;
using Frazil.Rig;
using Xunit;
using static Frazil.EndToEnd.Attacks.Asking;

namespace Frazil.EndToEnd;

/// <summary>What people try who mean harm, against the real binary while it ingests: Attacks/attacks.sql, a statement a line; statements that are made of those and
/// of harmless ones (<c>./run fuzz-sql</c> makes more of them); and hands that kill and stop the processes of SQL. Of the attacks that take all the time they get,
/// and a process each, one in six is tried; <c>FRAZIL_ATTACKS=all</c> tries all.</summary>
public sealed class AttackTests(SharedBroker shared, ITestOutputHelper output)
{
    private const int LeastAttacks = 150, AttackMilliseconds = 250, MadeInCi = 100;
    private const string LongAnswer = "select e.*, repeat('x', 1000) from shop.user_events e, range(1000000)";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8), LimitOfOne = TimeSpan.FromSeconds(2);

    private readonly SuiteEnvironment suite = new("FUZZ", output);

    [Fact]
    public async Task Every_attack_is_refused_or_ended_and_ingest_goes_on()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "workers are for Linux");
        var made = suite.Number("COUNT") ?? MadeInCi;
        using var time = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        time.CancelAfter(Limit + (LimitOfOne * made));
        var attacks = await AttackFile.ReadSomeAsync(time.Token);
        Assert.True(attacks.Count >= LeastAttacks, $"{attacks.Count} attacks");
        var scene = await Scene.SetAsync(shared, "attacked");
        await using var frazil = await scene.StartReadyAsync(time.Token);
        await using var load = scene.StartLoad(time.Token);
        await Scene.UntilRowsAsync(frazil, scene.Config.Table, 1, time.Token);
        var answers = new ConcurrentBag<Asked>();

        await Parallel.ForEachAsync(attacks, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = time.Token }, async (sql, cancellationToken) =>
            answers.Add(await AskAsync(frazil, sql, AttackMilliseconds, cancellationToken)));
        await FuzzAsync(frazil, made, time.Token);
        await HarmWorkersAsync(frazil, scene.Config.Table, time.Token);

        Assert.False(frazil.HasExited, frazil.Text);
        Assert.All(answers, static answer => Assert.True(answer.IsOrderly, answer.ToString()));
        Assert.True(frazil.Cost.PeakBytes < 2L << 30, $"the process took {frazil.Cost.PeakBytes} bytes");
        var ledger = await load.StopAsync();
        await scene.UntilRowsAsync(frazil, ledger.Records, time.Token);
        await KillBesideStoppedWorkersAsync(frazil, time.Token);
        await scene.RunUntilAsync(ledger.Records, time.Token);
        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
    }

    private async Task FuzzAsync(FrazilProcess frazil, int count, CancellationToken cancellationToken)
    {
        var seed = suite.Seed;
        suite.Say($"{count} statements are made of others: seed {seed}");
        var fuzz = new StatementFuzz(frazil, new(await AttackFile.ReadAllAsync(cancellationToken), StatementFuzz.FunctionNames()), seed);
        await fuzz.RunAsync(count, suite.Say, cancellationToken);
        if (suite.Number("COUNT") is not null && fuzz.Breaking.Count + fuzz.Faults.Count > 0)
        {
            Directory.CreateDirectory(suite.Folder);
            await File.WriteAllLinesAsync(Path.Combine(suite.Folder, $"broke-their-worker-{seed}.sql"), fuzz.Breaking, cancellationToken);
            await File.WriteAllLinesAsync(Path.Combine(suite.Folder, $"faults-{seed}.txt"), fuzz.Faults, cancellationToken);
            suite.Say($"kept: {suite.Folder}");
        }
        suite.Conclude(JsonSerializer.Serialize(new { suite = "fuzz-sql", seed, found = fuzz.Counts }));
        Assert.False(frazil.HasExited, frazil.Text);
        Assert.True(fuzz.Faults.Count == 0, $"seed {seed}: {string.Join('\n', fuzz.Faults)}");
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
}
