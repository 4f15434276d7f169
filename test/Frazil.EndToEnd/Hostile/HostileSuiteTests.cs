using System.Diagnostics;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd.Hostile;

/// <summary>
/// The seeded hostile suite: other hands act on the table between and during our commits, and producers send what nobody expects. A scene
/// is a process with a table that is harmed and one that must not notice; its rounds follow from the seed. <c>./run hostile --help</c>.
/// </summary>
public sealed class HostileSuiteTests(SharedBroker shared, ITestOutputHelper output)
{
    /// <summary>Something is wrong enough by then; more would only hide the first.</summary>
    private const int MostFailures = 25;

    private static readonly TimeSpan RoundLimit = TimeSpan.FromMinutes(3);

    private readonly HostileSettings settings = HostileSettings.Of(new("HOSTILE", output));
    private readonly HostileTally tally = new();
    private int nextScene = -1;

    private SuiteEnvironment Suite => settings.Suite;

    /// <summary>How long a table has to commit what it was sent, or to say that it cannot.</summary>
    private TimeSpan Patience => TimeSpan.FromSeconds(Suite.Number("PATIENCE") ?? 60);

    [Fact]
    public async Task Whatever_other_hands_do_and_producers_send_every_record_is_a_row_or_a_dead_letter_exactly_once()
    {
        SharedBroker.SkipWithoutKit();
        var cancellationToken = TestContext.Current.CancellationToken;
        Suite.Say($"hostile suite: seed {settings.Seed}, {settings.Rounds} rounds, {settings.Lanes} lanes");
        await shared.BootstrapAsync();
        var started = Stopwatch.StartNew();
        var lanes = settings.Round is null ? settings.Lanes : 1;
        await Task.WhenAll(Enumerable.Range(0, lanes).Select(_ => Task.Run(() => RunLaneAsync(cancellationToken), cancellationToken)));
        Suite.RemoveFolderIfEmpty();
        Suite.Conclude(tally.ToJson(settings, started.Elapsed.TotalSeconds));
        Assert.True(tally.Failures.Count == 0, string.Join("\n", tally.Failures));
    }

    private async Task RunLaneAsync(CancellationToken cancellationToken)
    {
        var referee = await Recounter.StartAsync("Hostile/referee.py", cancellationToken);
        do
        {
            if (referee.IsLost)
            {
                await referee.DisposeAsync();
                referee = await Recounter.StartAsync("Hostile/referee.py", cancellationToken);
            }
            var index = settings.Round / HostilePlan.RoundsPerScene ?? Interlocked.Increment(ref nextScene);
            try
            {
                await RunSceneAsync(index, referee, cancellationToken);
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                // The scene could not be set or cleared: told, and the others go on.
                tally.CountFailure("suite", $"FAILED: seed {settings.Seed}, scene {index}: {error}");
                Suite.Say(tally.Failures[^1]);
            }
        }
        while (settings.Round is null && tally.Rounds < settings.Rounds && tally.Failures.Count < MostFailures);
        await referee.DisposeAsync();
    }

    private async Task RunSceneAsync(int index, Recounter referee, CancellationToken cancellationToken)
    {
        var plan = HostilePlan.Draw(settings.Seed, index, settings.Only);
        Suite.Say($"scene {index}: {plan.Traits}");
        var folder = Path.Combine(Suite.Folder, $"scene-{index}");
        await using var scene = await HostileScene.SetAsync(plan, folder, await shared.BootstrapAsync(), referee, settings.Seed, cancellationToken);
        var player = new HostileRoundPlayer(scene, Patience);
        var playing = plan.Rounds[0];
        try
        {
            await scene.StartAsync(cancellationToken);
            foreach (var round in plan.Rounds.TakeWhile(round => !player.IsOver && round.Number <= (settings.Round ?? int.MaxValue)
                && (settings.Round is not null || tally.Rounds < settings.Rounds)))
            {
                playing = round;
                await PlayAsync(player, round, cancellationToken);
            }
            await player.EndAsync(cancellationToken);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            await KeepAsync(scene, playing, player, error, cancellationToken);
        }
        tally.CountScene(scene.Fed.Records, player.HotAnswers, player.IsOver);
    }

    private async Task PlayAsync(HostileRoundPlayer player, HostileRound round, CancellationToken cancellationToken)
    {
        var started = Stopwatch.StartNew();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(RoundLimit);
        try
        {
            await player.PlayAsync(round, limit.Token);
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"the round was not over after {RoundLimit.TotalSeconds} s", error);
        }
        tally.CountRound(round, player.Deeds);
        Suite.Say($"round {round.Number,4} {(player.IsOver ? "stopped, and said so" : "sound")} {started.Elapsed.TotalSeconds:0.0} s {round.Name}");
    }

    /// <summary>Keeps the folder, and says how to see it again and what it takes.</summary>
    private async Task KeepAsync(HostileScene scene, HostileRound round, HostileRoundPlayer player, Exception error, CancellationToken cancellationToken)
    {
        if (scene.Process is { HasExited: false } process)
        {
            await process.KillAsync(cancellationToken);
        }
        scene.Note($"{scene.Process?.Text}\n{error}");
        tally.CountRound(round, player.Deeds);
        if (error is HostileFailedException failed && KnownFaults.NameOf(failed, scene.Journal) is { } name)
        {
            tally.CountKnown(name);
            Suite.Say($"round {round.Number,4} known fault: {name}");
            return;
        }
        var kept = $"{scene.Folder}-failed";
        await Kit.RunInAsync("/", "cp", ["-a", scene.Folder, kept], cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(kept, "journal.txt"), scene.Journal, cancellationToken);
        var text = $"""
            FAILED: seed {settings.Seed}, round {round.Number}: {(error is HostileFailedException ? error.Message : error.ToString())}
              records: {string.Join(", ", round.Shapes.Distinct())}
              hands: {string.Join("\n         ", player.Deeds)}
            again: ./run hostile --seed {settings.Seed} --round {round.Number}      kept: {kept} (journal.txt: what was sent, done and said)
            """;
        Suite.Say(text);
        tally.CountFailure(error is HostileFailedException one ? one.Kind : error.GetType().Name, text);
    }
}
