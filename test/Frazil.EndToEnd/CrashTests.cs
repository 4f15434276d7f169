using System.Globalization;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary>Two instances of one group, of which one ends or sleeps through a rebalance, while records arrive and flushes run every
/// second.</summary>
public sealed class CrashTests(SharedBroker shared)
{
    [Fact]
    public async Task Two_instances_of_one_group_share_a_topic_and_survive_the_death_of_one()
    {
        using var time = new CancellationTokenSource(TimeSpan.FromMinutes(8));
        var scene = await Scene.SetAsync(shared, "pair");
        var twin = Twin(scene);
        await using var first = await scene.StartReadyAsync(time.Token);
        await using var second = await StartTwinAsync(scene, twin, time.Token);
        await using var load = scene.StartLoad(time.Token);

        await UntilBothCommitAsync(first, second, time.Token);
        await second.KillAsync(time.Token);
        var ledger = await load.StopAsync();
        await scene.UntilRowsAsync(first, ledger.Records, time.Token);
        await Scene.StopCleanlyAsync(first, time.Token);

        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
    }

    [Fact]
    public async Task An_instance_that_was_frozen_while_its_partitions_moved_cannot_commit_them_twice()
    {
        using var time = new CancellationTokenSource(TimeSpan.FromMinutes(8));
        var scene = await Scene.SetAsync(shared, "zombie");
        var twin = Twin(scene);
        await using var first = await scene.StartReadyAsync(time.Token);
        await using var second = await StartTwinAsync(scene, twin, time.Token);
        await using var load = scene.StartLoad(time.Token);

        await UntilBothCommitAsync(first, second, time.Token);
        second.Freeze(); // longer than its session: the first instance takes its partitions and commits them
        var frozen = DateTime.UtcNow.ToString("O", CultureInfo.InvariantCulture);
        var before = await first.MetricAsync("frazil_records_total", time.Token);
        await first.UntilAsync(async () => await first.CountAsync(
            $"select count(distinct kafka_partition) from {scene.Config.Table} where kafka_timestamp > timestamptz '{frozen}'",
            time.Token) == 6,
            TimeSpan.FromMilliseconds(200), time.Token);
        second.Thaw();
        var ledger = await load.StopAsync();
        Assert.True(await first.MetricAsync("frazil_records_total", time.Token) > before);
        await Scene.StopCleanlyAsync(second, time.Token);
        await Scene.StopCleanlyAsync(first, time.Token);

        await using var last = await scene.StartReadyAsync(time.Token);
        await scene.UntilRowsAsync(last, ledger.Records, time.Token);
        await Scene.StopCleanlyAsync(last, time.Token);
        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
    }

    [Fact]
    public async Task Of_two_instances_that_a_copied_folder_gave_one_name_one_ends_and_the_other_reads_all_once()
    {
        using var time = new CancellationTokenSource(TimeSpan.FromMinutes(8));
        var scene = await Scene.SetAsync(shared, "namesake");
        var twin = Twin(scene);
        await using var first = await scene.StartReadyAsync(time.Token);
        await using var load = scene.StartLoad(time.Token);
        await scene.UntilRowsAsync(first, 10_000, time.Token);
        Directory.CreateDirectory(Path.Combine(scene.Folder, twin.DataDir));
        File.Copy(Path.Combine(scene.Folder, scene.Config.DataDir, "instance-id"), Path.Combine(scene.Folder, twin.DataDir, "instance-id"));
        await using var second = await StartTwinAsync(scene, twin, time.Token);

        var loser = await await Task.WhenAny(EndOfAsync(first), EndOfAsync(second)).WaitAsync(time.Token);
        Assert.Equal(1, await loser.ExitAsync(time.Token));
        Assert.Contains("remove the file instance-id from the copy", loser.Text, StringComparison.Ordinal);
        var winner = loser == first ? second : first;
        Assert.Contains("joining it anew", winner.Text, StringComparison.Ordinal);
        var ledger = await load.StopAsync();
        await scene.UntilRowsAsync(winner, ledger.Records, time.Token);
        await Scene.StopCleanlyAsync(winner, time.Token);

        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);

        async Task<FrazilProcess> EndOfAsync(FrazilProcess frazil)
        {
            await frazil.ExitAsync(time.Token);
            return frazil;
        }
    }

    private static FrazilConfig Twin(Scene scene) => new()
    {
        BootstrapServers = scene.Config.BootstrapServers,
        Topic = scene.Config.Topic,
        GroupId = scene.Config.GroupId,
        DataDir = "data-of-the-twin",
        TableLines = scene.Config.TableLines,
        KafkaProperties = scene.Config.KafkaProperties,
    };

    private static async Task<FrazilProcess> StartTwinAsync(Scene scene, FrazilConfig twin, CancellationToken cancellationToken)
    {
        var frazil = FrazilProcess.Start(scene.Folder, twin.HttpPort, "run", "-c", twin.Write(scene.Folder, "twin.toml"));
        await frazil.ReadyAsync(cancellationToken);
        return frazil;
    }

    private static async Task UntilBothCommitAsync(FrazilProcess first, FrazilProcess second, CancellationToken cancellationToken)
    {
        foreach (var frazil in new[] { first, second })
        {
            var before = await frazil.MetricAsync("frazil_commits_total", cancellationToken);
            await frazil.UntilAsync(async () => await frazil.MetricAsync("frazil_commits_total", cancellationToken) > before + 1,
                TimeSpan.FromMilliseconds(50), cancellationToken);
        }
    }
}
