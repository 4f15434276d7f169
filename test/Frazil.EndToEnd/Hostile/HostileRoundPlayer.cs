using System.Runtime.InteropServices;
using System.Text;
using Frazil.Rig;

namespace Frazil.EndToEnd.Hostile;

/// <summary>Plays the rounds of one scene: producers and hands first, then everything that must hold whatever they did.</summary>
internal sealed class HostileRoundPlayer(HostileScene scene, TimeSpan patience)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    private readonly RoundChecks checks = new(scene);

    /// <summary>Whether a hand has acted that may stop the table.</summary>
    private bool mayStop;

    /// <summary>Whether a hand has acted that may keep the table from starting again: it is no longer what the configuration says.</summary>
    private bool mayRefuse;

    public long HotAnswers => checks.HotAnswers;

    /// <summary>Why the table has stopped, in its own words; nothing can follow. Null while it goes on.</summary>
    public string? Stopped { get; private set; }

    public bool IsOver => Stopped is not null;

    /// <summary>How long the neighbour's rows of the round took to be committed.</summary>
    public TimeSpan NeighbourTook { get; private set; }

    /// <summary>What the hands of the round did.</summary>
    public List<string> Deeds { get; } = [];

    public async Task PlayAsync(HostileRound round, CancellationToken cancellationToken)
    {
        Deeds.Clear();
        checks.BeginRound();
        scene.Note($"=== round {round.Number}: {round.Name}");
        if (round.Restart)
        {
            await EndAsync(cancellationToken);
            mayStop |= mayRefuse;
            await scene.StartAsync(cancellationToken);
        }
        foreach (var hand in round.Hands.Where(static hand => hand.Moment == HandMoment.Before))
        {
            await LayAsync(hand, cancellationToken);
        }
        await WriteAsync(round, cancellationToken);
        using var life = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var beside = checks.NeighbourAsync(patience, life.Token);
        try
        {
            var first = await checks.AskFirstAsync(mayStop, cancellationToken);
            await HarmAsync(round, cancellationToken);
            await SettleAsync(cancellationToken);
            NeighbourTook = await beside;
            if (!IsOver)
            {
                await checks.SoundAsync(round, first, cancellationToken);
            }
        }
        finally
        {
            await life.CancelAsync();
            await ((Task)beside).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>SIGTERM and the right exit code.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        var said = await scene.SaidAsync(HostileScene.Victim, cancellationToken);
        var code = await scene.StopAsync(TimeSpan.FromSeconds(60), cancellationToken);
        var expected = said.State is "failed" or "failing" ? 1 : 0;
        if (code != expected)
        {
            throw new HostileFailedException("exit-code", $"{code} after SIGTERM, where the state was {said}; {expected} is right");
        }
    }

    private async Task WriteAsync(HostileRound round, CancellationToken cancellationToken)
    {
        var random = new Random(round.Seed);
        var odd = round.Shapes.Select(shape => OddRecords.Make(shape, random, scene.Fed.NextSeq())).ToList();
        var plain = Enumerable.Range(0, random.Next(3, 30)).Select(_ => OddRecords.Plain(random, scene.Fed.NextSeq())).ToList();
        foreach (var record in odd)
        {
            scene.Note($"{record.Shape}: {(record.Value is null ? "tombstone" : Encoding.Latin1.GetString(record.Value.AsSpan(0, Math.Min(300, record.Value.Length))))}");
        }
        List<OddRecord> all = [.. odd, .. plain];
        if (!scene.Plan.Traits.OddFirst)
        {
            random.Shuffle(CollectionsMarshal.AsSpan(all));
        }
        await scene.Fed.WriteAsync(all, random, cancellationToken);
        await scene.Beside.WriteAsync(Enumerable.Range(0, 10).Select(_ => OddRecords.Plain(random, scene.Beside.NextSeq())), random, cancellationToken);
    }

    /// <summary>Hands that act while rows are committed, and records that arrive meanwhile.</summary>
    private async Task HarmAsync(HostileRound round, CancellationToken cancellationToken)
    {
        var random = new Random(round.Seed + 1);
        foreach (var hand in round.Hands.Where(static hand => hand.Moment == HandMoment.During))
        {
            await Task.Delay(hand.Milliseconds, cancellationToken);
            await scene.Fed.WriteAsync(
                Enumerable.Range(0, random.Next(1, 6)).Select(_ => OddRecords.Plain(random, scene.Fed.NextSeq())).ToList(), random, cancellationToken);
            await LayAsync(hand, cancellationToken);
        }
        // Something must come after a hand, or a table that it has stuck would look settled.
        await scene.Fed.WriteAsync([OddRecords.Plain(random, scene.Fed.NextSeq())], random, cancellationToken);
        await scene.AskAsync(new() { ["op"] = "book", ["records"] = scene.Fed.TakeUnbooked() }, cancellationToken);
    }

    private async Task LayAsync(Hand hand, CancellationToken cancellationToken)
    {
        await scene.AskAsync(new() { ["op"] = "book", ["records"] = scene.Fed.TakeUnbooked() }, cancellationToken);
        var table = hand.OnLetters ? $"{HostileScene.Victim}_dlq" : HostileScene.Victim;
        if (hand.Name == HostilePlan.OwnCompaction)
        {
            await CompactAsync(table, cancellationToken);
            return;
        }
        var answer = await scene.AskAsync(
            new() { ["op"] = "hand", ["hand"] = hand.Name, ["pick"] = hand.Pick, ["table"] = table }, cancellationToken);
        var did = answer.TryGetProperty("did", out var text) ? text.GetString()! : answer.GetRawText();
        Deeds.Add($"{hand}: {did}");
        var acted = !did.StartsWith("nothing", StringComparison.Ordinal);
        mayStop |= acted && hand.Risk == HandRisk.Stops;
        mayRefuse |= acted && (hand.Risk == HandRisk.Columns || hand.Name is "change-spec" or "raw-old-spec");
        checks.Note(hand, acted, answer);
    }

    /// <summary>Whatever others made of the table: it is compacted, or the compaction says why not. No row may change.</summary>
    private async Task CompactAsync(string table, CancellationToken cancellationToken)
    {
        var (code, output, errors) = await FrazilProcess.RunAsync(
            scene.Folder, ["maintain", "compact", "-c", "frazil.toml", "--table", table], cancellationToken);
        Deeds.Add($"{HostilePlan.OwnCompaction}: {code} {output.Trim()} {errors.Trim()}");
        if (code is not (0 or 1) || errors.Contains("   at ", StringComparison.Ordinal))
        {
            throw new HostileFailedException("compaction", $"frazil maintain compact ended with {code}:\n{output}\n{errors}");
        }
    }

    /// <summary>Until the victim's commits hold everything, or it says that it cannot.</summary>
    private async Task SettleAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(patience);
        while (!await scene.IsSettledAsync(HostileScene.Victim, scene.Fed, cancellationToken))
        {
            if (scene.Process!.HasExited)
            {
                throw new HostileFailedException("died", $"the process ended by itself:\n{scene.Process.Text}");
            }
            var said = await scene.SaidAsync(HostileScene.Victim, cancellationToken);
            if (said.State == "failed")
            {
                await checks.SaysSoAsync(said, mayStop, cancellationToken);
                Stopped = said.Reason;
                return;
            }
            if (limit.IsCancellationRequested)
            {
                throw new HostileFailedException("stuck", $"after {patience.TotalSeconds} s not all is committed, and the state is {said}");
            }
            await Task.Delay(Pause, cancellationToken);
        }
    }
}
