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

    /// <summary>Failures that are played again with less, to see what it takes.</summary>
    private const int MostReduced = 3;

    private static readonly TimeSpan ReduceLimit = TimeSpan.FromSeconds(60);
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
        var failure = await TryAsync(plan, $"scene-{index}", referee, isFirst: true, cancellationToken);
        if (failure is not null && tally.Failures.Count <= MostReduced && !referee.IsLost)
        {
            await ReduceAsync(plan, failure, referee, cancellationToken);
        }
    }

    /// <summary>Plays rounds on a scene of their own.</summary>
    /// <param name="isFirst">Not a repetition of something that failed: its rounds count, and it is kept where it fails.</param>
    /// <returns>What failed; null where all is sound, or the fault is known.</returns>
    private async Task<HostileFailure?> TryAsync(
        HostileScenePlan plan, string name, Recounter referee, bool isFirst, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(Suite.Folder, name);
        await using var scene = await HostileScene.SetAsync(
            plan, folder, await shared.BootstrapAsync(), referee, settings.Seed, cancellationToken);
        var player = new HostileRoundPlayer(scene, Patience);
        var playing = plan.Rounds[0];
        HostileFailure? failure = null;
        try
        {
            await scene.StartAsync(cancellationToken);
            foreach (var round in plan.Rounds.TakeWhile(round => !player.IsOver && (!isFirst || IsWanted(round))))
            {
                playing = round;
                await PlayAsync(player, round, isFirst, cancellationToken);
            }
            await player.EndAsync(cancellationToken);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            failure = new(playing, error, [.. player.Deeds]);
        }
        if (isFirst)
        {
            tally.CountScene(scene.Fed.Records, player.HotAnswers, player.IsOver);
        }
        return failure is null ? null : await KeepAsync(scene, failure, isFirst, cancellationToken);
    }

    private bool IsWanted(HostileRound round)
        => settings.Round is { } last ? round.Number <= last : tally.Rounds < settings.Rounds;

    private async Task PlayAsync(HostileRoundPlayer player, HostileRound round, bool isFirst, CancellationToken cancellationToken)
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
        if (isFirst)
        {
            tally.CountRound(round, player.Deeds);
            tally.CountNeighbour(player.NeighbourTook, player.Deeds);
            Suite.Say($"round {round.Number,4} {(player.IsOver ? "stopped, and said so" : "sound")} {started.Elapsed.TotalSeconds:0.0} s {round.Name}{(player.IsOver ? $": {player.Stopped}" : "")}");
        }
    }

    /// <summary>Keeps the folder, and says how to see it again and what was done.</summary>
    /// <returns>The failure; null where it is a known fault.</returns>
    private async Task<HostileFailure?> KeepAsync(
        HostileScene scene, HostileFailure failure, bool isFirst, CancellationToken cancellationToken)
    {
        if (scene.Process is { HasExited: false } process)
        {
            await process.KillAsync(cancellationToken);
        }
        if (!isFirst)
        {
            return failure;
        }
        scene.Note($"{scene.Process?.Text}\n{failure.Error}");
        tally.CountRound(failure.Round, failure.Deeds);
        if (failure.Error is HostileFailedException failed && KnownFaults.NameOf(failed, scene.Journal) is { } name)
        {
            tally.CountKnown(name);
            Suite.Say($"round {failure.Round.Number,4} known fault: {name}");
            return null;
        }
        var kept = $"{scene.Folder}-failed";
        await Kit.RunInAsync("/", "cp", ["-a", scene.Folder, kept], cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(kept, "journal.txt"), scene.Journal, cancellationToken);
        var text = $"""
            FAILED: seed {settings.Seed}, round {failure.Round.Number}: {failure.Text}
              records: {string.Join(", ", failure.Round.Shapes.Distinct())}
              hands: {string.Join("\n         ", failure.Deeds)}
            again: ./run hostile --seed {settings.Seed} --round {failure.Round.Number}      kept: {kept} (journal.txt: what was sent, done and said)
            """;
        Suite.Say(text);
        tally.CountFailure(failure.Kind, text);
        return failure;
    }

    /// <summary>Plays less and less of what failed, for a while, and says the least that still fails.</summary>
    private async Task ReduceAsync(HostileScenePlan plan, HostileFailure failure, Recounter referee, CancellationToken cancellationToken)
    {
        var started = Stopwatch.StartNew();
        var least = plan with { Rounds = [.. plan.Rounds.TakeWhile(round => round.Number <= failure.Round.Number)] };
        bool goesOn;
        do
        {
            goesOn = false;
            foreach (var less in HostilePlan.Less(least).TakeWhile(_ => started.Elapsed < ReduceLimit && !referee.IsLost))
            {
                if (await TryAsync(less, $"less-{plan.Index}", referee, isFirst: false, cancellationToken) is { } same && same.Kind == failure.Kind)
                {
                    (least, goesOn) = (less, true);
                    break;
                }
            }
        }
        while (goesOn && started.Elapsed < ReduceLimit);
        Suite.Say($"  the least that failed so, of round {failure.Round.Number}: {string.Join(" | ", least.Rounds.Select(static round => round.Name))}");
    }
}
