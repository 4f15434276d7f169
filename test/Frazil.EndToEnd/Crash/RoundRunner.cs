using System.Diagnostics;
using System.Text.Json.Nodes;
using Frazil.Rig;

namespace Frazil.EndToEnd.Crash;

/// <summary>Plays one round on a process that came up and was found sound, and leaves no process behind.</summary>
internal sealed class RoundRunner(CrashScene scene, CrashTally tally)
{
    private static readonly TimeSpan PointLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan TakeoverLimit = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(40);

    /// <summary>Plays it; the process is dead on return.</summary>
    public async Task PlayAsync(Round round, FrazilProcess frazil, CancellationToken cancellationToken)
    {
        scene.Arm();
        bool? fired = null;
        switch (round.Kind)
        {
            case RoundKind.Point or RoundKind.Tear:
                fired = await UntilPointAsync(round, frazil, cancellationToken);
                break;
            case RoundKind.Error:
                await LoadForAsync(TimeSpan.FromMilliseconds(1200), cancellationToken);
                scene.Disarm();
                await scene.DrainAsync(frazil, cancellationToken);
                break;
            case RoundKind.Foreign:
                fired = await ForeignAsync(round, frazil, cancellationToken);
                break;
            case RoundKind.Twin or RoundKind.Triplet:
                await CompanyAsync(round, cancellationToken);
                break;
            case RoundKind.Zombie:
                await ZombieAsync(frazil, cancellationToken);
                break;
            case RoundKind.Broker:
                await BrokerAsync(frazil, cancellationToken);
                break;
            case RoundKind.Replay:
                fired = await ReplayAsync(round, cancellationToken);
                break;
            case RoundKind.Compact:
                fired = await CompactAsync(round, cancellationToken);
                break;
            case RoundKind.DiskFull:
                await DiskFullAsync(frazil, cancellationToken);
                break;
            default:
                await UnderLoadAsync(round, cancellationToken);
                break;
        }
        await KillAsync(frazil, cancellationToken);
        if (round.Kind == RoundKind.Disk)
        {
            LocalDisk.Damage(scene.DataDir, round.Detail);
        }
        tally.CountRound(round, fired);
    }

    /// <summary>A start that is to die in its recovery.</summary>
    public async Task PlayRecoveryAsync(Round round, FrazilProcess frazil, CancellationToken cancellationToken)
    {
        while (!frazil.HasExited && !frazil.Text.Contains("ready: ", StringComparison.Ordinal))
        {
            await Task.Delay(Pause, cancellationToken);
        }
        if (!frazil.HasExited && !round.Faults.StartsWith("recovery.", StringComparison.Ordinal))
        {
            await Task.Delay(1000, cancellationToken); // the point is not only in recovery: reading again reaches it, too
        }
        var fired = frazil.HasExited;
        await KillAsync(frazil, cancellationToken);
        tally.CountRound(round, fired);
    }

    /// <summary>Kills, unless a fault did.</summary>
    /// <exception cref="CrashFailedException">It had ended by itself.</exception>
    public async Task KillAsync(FrazilProcess frazil, CancellationToken cancellationToken)
    {
        var died = frazil.HasExited;
        await scene.BuryAsync(frazil, cancellationToken);
        if (died && !frazil.Text.Contains("fault: ", StringComparison.Ordinal))
        {
            throw new CrashFailedException($"frazil ended by itself:\n{frazil.Text}");
        }
        tally.CountKill();
    }

    /// <summary>Loads until the process has died of its fault, or for a while: five seconds unless told otherwise.</summary>
    public async Task<bool> UntilPointAsync(
        Round round, FrazilProcess frazil, CancellationToken cancellationToken, TimeSpan? atMost = null)
    {
        if (round.Faults.StartsWith("schema.", StringComparison.Ordinal))
        {
            scene.Stream.ExtraFields++;
        }
        var started = Stopwatch.StartNew();
        while (!frazil.HasExited && started.Elapsed < (atMost ?? PointLimit))
        {
            await scene.Stream.SliceAsync(cancellationToken);
            await Task.Delay(Pause, cancellationToken);
        }
        return frazil.HasExited;
    }

    private async Task UnderLoadAsync(Round round, CancellationToken cancellationToken)
    {
        if (round.Kind == RoundKind.NewField)
        {
            scene.Stream.ExtraFields++;
        }
        if (round.Kind == RoundKind.Clock)
        {
            await LoadForAsync(TimeSpan.FromMilliseconds(300), cancellationToken);
            await File.WriteAllTextAsync(scene.ClockFile, round.Detail.Split(' ')[0], cancellationToken);
        }
        await LoadForAsync(TimeSpan.FromMilliseconds(round.Milliseconds), cancellationToken);
    }

    /// <summary>Writes slices for so long, one at least.</summary>
    public async Task LoadForAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        var started = Stopwatch.StartNew();
        do
        {
            await scene.Stream.SliceAsync(cancellationToken);
            var left = time - started.Elapsed;
            await Task.Delay(left < Pause && left > TimeSpan.Zero ? left : Pause, cancellationToken);
        }
        while (started.Elapsed < time);
    }

    /// <summary>With a fault that kills: the foreign commit lands on top of what we committed or did not, before we restart (lesson
    /// 1).</summary>
    private async Task<bool?> ForeignAsync(Round round, FrazilProcess frazil, CancellationToken cancellationToken)
    {
        var kills = round.Faults.Contains("=kill", StringComparison.Ordinal);
        bool? fired = kills ? await UntilPointAsync(round, frazil, cancellationToken) : null;
        var load = kills ? Task.CompletedTask : LoadForAsync(TimeSpan.FromMilliseconds(round.Milliseconds + 300), cancellationToken);
        try
        {
            await Task.Delay(kills ? 0 : round.Milliseconds / 2, cancellationToken);
            foreach (var operation in round.Detail.Split(',', StringSplitOptions.TrimEntries))
            {
                await CommitForeignAsync(operation, cancellationToken);
            }
        }
        finally
        {
            await load;
        }
        return fired;
    }

    /// <summary>PyIceberg does <c>expire</c>, <c>compact</c>, <c>append</c> or <c>property</c>.</summary>
    public async Task CommitForeignAsync(string operation, CancellationToken cancellationToken)
    {
        const int Rows = 3;
        var ledger = scene.Stream.Ledger;
        if (await scene.CommittedAsync(scene.Table, cancellationToken) == 0)
        {
            return; // no table yet, or an empty one
        }
        var request = operation switch
        {
            "compact" => new JsonObject { ["partition"] = ledger.Partitions.First().Key, ["below"] = ledger.Partitions.First().Value / 2 },
            "append" => new JsonObject { ["rows"] = Rows },
            "property" => new JsonObject { ["key"] = "note", ["value"] = $"foreign {ledger.Records}" },
            _ => [],
        };
        request["op"] = operation;
        var answer = await scene.AskAsync(request, cancellationToken);
        scene.Note($"foreign {operation}: {answer.GetRawText()}");
        scene.HadForeignCommits = true;
        scene.ForeignRows += operation == "append" && !answer.TryGetProperty("gave_up", out _) ? Rows : 0;
    }

    private async Task CompanyAsync(Round round, CancellationToken cancellationToken)
    {
        await using var second = scene.Start(null, "data-second");
        await using var third = round.Kind == RoundKind.Triplet ? scene.Start(null, "data-third") : null;
        await second.ReadyAsync(cancellationToken);
        await LoadForAsync(TimeSpan.FromMilliseconds(1000 + round.Milliseconds), cancellationToken);
        await KillAsync(second, cancellationToken);
        await LoadForAsync(TimeSpan.FromMilliseconds(300), cancellationToken);
        if (third is not null)
        {
            var code = await third.StopAsync(cancellationToken);
            scene.Note(third.Text);
            if (code != 0)
            {
                throw new CrashFailedException($"the third instance ended with {code} after SIGTERM:\n{third.Text}");
            }
        }
    }

    private async Task ZombieAsync(FrazilProcess frazil, CancellationToken cancellationToken)
    {
        await using var second = scene.Start(null, "data-second");
        await second.ReadyAsync(cancellationToken);
        var started = Stopwatch.StartNew();
        while (await second.MetricAsync("frazil_commits_total", cancellationToken) == 0 && started.Elapsed < TakeoverLimit)
        {
            await LoadForAsync(TimeSpan.FromMilliseconds(100), cancellationToken);
        }
        await scene.FreezeAsync(frazil, cancellationToken); // its session ends, and the second one takes its partitions over
        await LoadForAsync(TimeSpan.FromMilliseconds(200), cancellationToken);
        await scene.DrainAsync(second, cancellationToken);
        frazil.Thaw();
        await LoadForAsync(TimeSpan.FromMilliseconds(700), cancellationToken);
        await KillAsync(second, cancellationToken);
    }

    private async Task BrokerAsync(FrazilProcess frazil, CancellationToken cancellationToken)
    {
        var broker = scene.Stage.Broker ?? throw new InvalidOperationException("the scene shares its broker, which nobody may kill");
        var load = LoadForAsync(TimeSpan.FromSeconds(1), cancellationToken);
        await Task.Delay(300, cancellationToken);
        await broker.KillAsync(cancellationToken);
        await broker.RestartAsync(cancellationToken);
        await load;
        await LoadForAsync(TimeSpan.FromMilliseconds(300), cancellationToken);
        await scene.DrainAsync(frazil, cancellationToken);
    }

    /// <summary>The older half of one partition is replayed under load: the same rows again, whatever becomes of the replay.</summary>
    private Task<bool?> ReplayAsync(Round round, CancellationToken cancellationToken)
    {
        var (partition, rows) = scene.Stream.Ledger.Partitions.LastOrDefault();
        return BesideAsync(round, () => scene.StartReplay(round, partition, rows / 4, rows / 2), cancellationToken);
    }

    /// <summary>Small files are packed under load: the same rows in others, whatever becomes of the compaction.</summary>
    public Task<bool?> CompactAsync(Round round, CancellationToken cancellationToken)
        => BesideAsync(round, () => scene.StartCompaction(round), cancellationToken);

    /// <summary>Another process of ours changes the table under load. It may die of its fault; ended otherwise it must have done its
    /// work.</summary>
    private async Task<bool?> BesideAsync(Round round, Func<FrazilProcess> start, CancellationToken cancellationToken)
    {
        if (await scene.CommittedAsync(scene.Table, cancellationToken) == 0)
        {
            await LoadForAsync(TimeSpan.FromMilliseconds(500), cancellationToken); // no table yet
            return null;
        }
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var load = LoadUntilAsync(stop.Token, cancellationToken);
        await using var beside = start();
        var code = await beside.ExitAsync(cancellationToken);
        scene.Note(beside.Text);
        var fired = beside.Text.Contains("fault: ", StringComparison.Ordinal);
        if (fired)
        {
            tally.CountKill();
        }
        else if (code != 0)
        {
            throw new CrashFailedException($"frazil, started for {round.Name}, ended with {code}:\n{beside.Text}");
        }
        await Task.Delay(round.Milliseconds, cancellationToken);
        await stop.CancelAsync();
        await load;
        return round.Faults.Length > 0 ? fired : null;
    }

    /// <summary>Writes slices until told to stop.</summary>
    public async Task LoadUntilAsync(CancellationToken stop, CancellationToken cancellationToken)
    {
        while (!stop.IsCancellationRequested)
        {
            await LoadForAsync(Pause, cancellationToken);
        }
    }

    private async Task DiskFullAsync(FrazilProcess frazil, CancellationToken cancellationToken)
    {
        await LoadForAsync(TimeSpan.FromMilliseconds(200), cancellationToken);
        if (scene.Stage.CanFill)
        {
            scene.Stage.Fill();
        }
        await LoadForAsync(TimeSpan.FromMilliseconds(800), cancellationToken);
        if (scene.Stage.CanFill)
        {
            scene.Stage.MakeRoom();
        }
        scene.Disarm();
        await scene.DrainAsync(frazil, cancellationToken);
    }
}
