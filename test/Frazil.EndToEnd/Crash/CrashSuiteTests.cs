using System.Diagnostics;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd.Crash;

/// <summary>
/// The seeded crash suite. A scene is a topic, a table and a folder; its rounds follow from the seed. In each round the process that runs
/// is first checked against the producer's ledger, then loaded, harmed and killed; the next round starts it again. <c>./run crash
/// --help</c>.
/// </summary>
public sealed class CrashSuiteTests(SharedBroker shared, ITestOutputHelper output)
{
    /// <summary>Something is wrong enough by then; more would only hide the first.</summary>
    private const int MostFailures = 10;

    private static readonly TimeSpan RoundLimit = TimeSpan.FromMinutes(8);

    private readonly CrashSettings settings = CrashSettings.Of(new("CRASH", output));
    private readonly CrashTally tally = new();
    private int nextScene = -1;

    private SuiteEnvironment Suite => settings.Suite;

    [Fact]
    public async Task Whatever_is_killed_and_whatever_fails_every_record_is_in_the_table_exactly_once()
    {
        SharedBroker.SkipWithoutKit();
        var cancellationToken = TestContext.Current.CancellationToken;
        Suite.Say($"crash suite: seed {settings.Seed}, {settings.Kills} kills, {settings.Lanes} lanes");
        await shared.BootstrapAsync();
        var started = Stopwatch.StartNew();
        var lanes = settings.Scene is null ? settings.Lanes : 1;
        await Task.WhenAll(Enumerable.Range(0, lanes).Select(_ => Task.Run(() => RunLaneAsync(cancellationToken), cancellationToken)));
        Suite.RemoveFolderIfEmpty();
        var json = tally.ToJson(settings, started.Elapsed.TotalSeconds);
        Suite.Conclude(json);
        Assert.True(tally.Failures.Count == 0, string.Join("\n", tally.Failures));
    }

    private async Task RunLaneAsync(CancellationToken cancellationToken)
    {
        do
        {
            var index = settings.Scene ?? Interlocked.Increment(ref nextScene);
            try
            {
                await RunSceneAsync(index, cancellationToken);
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                // The stage could not be set or cleared: told, and the other scenes go on.
                tally.CountFailure($"FAILED: seed {settings.Seed}, scene {index}: {error}", 0, 0);
                Suite.Say(tally.Failures[^1]);
            }
        }
        while (settings.Scene is null && tally.Kills < settings.Kills && tally.Failures.Count < MostFailures);
    }

    private async Task RunSceneAsync(int index, CancellationToken cancellationToken)
    {
        var plan = CrashPlan.Draw(settings.Seed, index, settings.Only);
        Suite.Say($"scene {index}: {plan.Traits}");
        var folder = Path.Combine(Suite.Folder, $"scene-{index}");
        await using var recounter = await Recounter.StartAsync(cancellationToken);
        await using var stage = await SceneStage.SetAsync(plan.Traits, folder, shared.BootstrapAsync, cancellationToken);
        await using var scene = await CrashScene.SetAsync(plan, stage, recounter, settings.Seed, cancellationToken);
        var playing = "before the first round";
        try
        {
            foreach (var (number, round) in plan.Rounds.Index())
            {
                playing = $"{number} ({round.Name})";
                if (tally.Kills >= settings.Kills && settings.Scene is null)
                {
                    break;
                }
                await PlayAsync(scene, number, round, cancellationToken);
            }
            playing = "the end";
            await FinishAsync(scene, cancellationToken);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            await KeepAsync(scene, playing, error, cancellationToken);
        }
    }

    private async Task PlayAsync(CrashScene scene, int number, Round round, CancellationToken cancellationToken)
    {
        var started = Stopwatch.StartNew();
        var runner = new RoundRunner(scene, tally);
        await using var frazil = scene.Start(round);
        var checkedAfter = 0d;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(RoundLimit);
        try
        {
            if (round.Kind == RoundKind.Recovery)
            {
                await runner.PlayRecoveryAsync(round, frazil, limit.Token);
            }
            else
            {
                await CheckTablesAsync(scene, frazil, limit.Token);
                checkedAfter = started.Elapsed.TotalSeconds;
                await runner.PlayAsync(round, frazil, limit.Token);
            }
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            await scene.BuryAsync(frazil, cancellationToken);
            throw new TimeoutException($"the round was not over after {RoundLimit.TotalSeconds} s", error);
        }
        catch
        {
            await scene.BuryAsync(frazil, cancellationToken);
            throw;
        }
        Suite.Say($"{tally.Kills,5} scene {scene.Plan.Index} round {number,2} {round.Name,-44} {scene.Stream.Ledger.Records,7} records, checked {checkedAfter:0.0} s, {started.Elapsed.TotalSeconds:0.0} s");
    }

    /// <summary>A last start without faults, the whole table read by both foreign engines, and an orderly end.</summary>
    private async Task FinishAsync(CrashScene scene, CancellationToken cancellationToken)
    {
        await using var frazil = scene.Start(null);
        await CheckTablesAsync(scene, frazil, cancellationToken);
        var code = await frazil.StopAsync(cancellationToken);
        scene.Note(frazil.Text);
        if (code != 0)
        {
            throw new CrashFailedException($"frazil run ended with {code} after SIGTERM:\n{frazil.Text}");
        }
        if (scene.ForeignRows == 0)
        {
            var (verified, text, errors) = await FrazilProcess.RunAsync(
                scene.Stage.Folder, ["verify", scene.Table, "--deep", "-c", "data.toml"], cancellationToken);
            if (verified != 0)
            {
                throw new CrashFailedException($"frazil verify --deep ended with {verified}:\n{text}{errors}");
            }
        }
        var read = await Referee.ReadAsync("pyiceberg", scene.CatalogFile, scene.Table, cancellationToken);
        var other = await Referee.ReadAsync("duckdb", scene.CatalogFile, scene.Table, cancellationToken);
        if (read.GetProperty("row_checksum").GetString() != other.GetProperty("row_checksum").GetString())
        {
            throw new CrashFailedException($"PyIceberg and DuckDB read different rows: {read.GetRawText()} and {other.GetRawText()}");
        }
        var rows = read.GetProperty("row_count").GetInt64();
        var expected = scene.Stream.Ledger.Records + scene.ForeignRows;
        if (rows != expected)
        {
            throw new CrashFailedException(
                $"read_table.py counts {rows} rows, the ledger {expected}", Math.Max(0, expected - rows), Math.Max(0, rows - expected));
        }
        // An instance that never came back, and a lost log, leave their files to the orphan sweep.
        var isTidy = !scene.HadForeignCommits && !scene.Plan.Rounds.Any(static round =>
            round.Kind is RoundKind.Twin or RoundKind.Triplet or RoundKind.Zombie or RoundKind.Disk or RoundKind.Replay or RoundKind.Compact
            || round.Name.Contains("log.append=tear", StringComparison.Ordinal));
        tally.CountScene(scene.Stream.Ledger.Records, isTidy ? await scene.CountOrphansAsync(cancellationToken) : 0);
    }

    private static async Task CheckTablesAsync(CrashScene scene, FrazilProcess frazil, CancellationToken cancellationToken)
    {
        foreach (var table in scene.Tables)
        {
            await scene.CheckAsync(frazil, cancellationToken, table);
        }
    }

    private async Task KeepAsync(CrashScene scene, string playing, Exception error, CancellationToken cancellationToken)
    {
        var kept = $"{scene.Stage.Folder}-failed";
        await Kit.RunInAsync("/", "cp", ["-a", scene.Stage.Folder, kept], cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(kept, "journal.txt"), $"{scene.Journal}\n{error}", cancellationToken);
        var text = $"""
            FAILED: seed {settings.Seed}, scene {scene.Plan.Index}, round {playing}: {(error is CrashFailedException ? error.Message : error.ToString())}
            again: ./run crash --seed {settings.Seed} --scene {scene.Plan.Index}      kept: {kept} (journal.txt is what the processes wrote)
            """;
        Suite.Say(text);
        var failed = error as CrashFailedException;
        tally.CountFailure(text, failed?.Lost ?? 0, failed?.Duplicated ?? 0);
    }
}
