using System.Text;
using Frazil.Kafka;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary>Partitions and topics come and go while the table lives, and while the group remembers who read what.</summary>
public sealed class GrowthTests(SharedBroker shared)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    /// <summary>The group keeps a dead member's assignment all through the test.</summary>
    private static readonly Dictionary<string, string> LongSession = new() { ["session.timeout.ms"] = "300000" };

    [Fact]
    public async Task Reading_from_the_latest_survives_a_kill_and_misses_nothing_of_partitions_that_come_later()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "grown", static bootstrap => new()
        {
            BootstrapServers = bootstrap,
            Topic = "grown",
            GroupId = "grown",
            StartFrom = "latest",
            FlushIntervalSeconds = 3600,
            TableLines = [],
            KafkaProperties = LongSession,
        });
        await using var admin = new KafkaAdmin(scene.Config.BootstrapServers);
        await admin.CreateTopicAsync("grown", 2, cancellationToken: time.Token);
        await ProduceAsync(scene, "grown", time.Token, (0, 10), (1, 10));
        await using (var first = await scene.StartReadyAsync(time.Token))
        {
            await first.UntilAsync(
                () => Task.FromResult(first.Text.Contains("grown[0] from offset 10", StringComparison.Ordinal)
                    && first.Text.Contains("grown[1] from offset 10", StringComparison.Ordinal)),
                TimeSpan.FromMilliseconds(50), time.Token);
            await ProduceAsync(scene, "grown", time.Token, (0, 5));
            await scene.UntilRowsAsync(first, 5, time.Token);
            await first.UntilAsync( // an hour before a flush is due
                async () => await first.MetricAsync("frazil_commits_total", time.Token) > 0, TimeSpan.FromMilliseconds(50), time.Token);
            await first.KillAsync(time.Token);
        }
        await Kit.RunAsync(
            "kafka/tool", ["topics", "--bootstrap-server", scene.Config.BootstrapServers, "--alter", "--topic", "grown", "--partitions", "3"],
            time.Token);
        await ProduceAsync(scene, "grown", time.Token, (1, 3), (2, 7));

        await scene.RunUntilAsync(15, time.Token);
        await AssertHeldAsync(scene, time.Token, "grown 0 10 5", "grown 1 10 3", "grown 2 0 7");
    }

    [Fact]
    public async Task A_topic_that_begins_to_match_the_pattern_later_is_read_from_its_beginning()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "matching", static bootstrap => new()
        {
            BootstrapServers = bootstrap,
            Topic = "^matching-.*",
            GroupId = "matching",
            StartFrom = "latest",
            TableLines = [],
        });
        await using var admin = new KafkaAdmin(scene.Config.BootstrapServers);
        await admin.CreateTopicAsync("matching-first", 1, cancellationToken: time.Token);
        await ProduceAsync(scene, "matching-first", time.Token, (0, 10));
        await using var frazil = await scene.StartReadyAsync(time.Token);
        await frazil.UntilAsync(
            () => Task.FromResult(frazil.Text.Contains("matching-first[0] from offset 10", StringComparison.Ordinal)),
            TimeSpan.FromMilliseconds(50), time.Token);
        await ProduceAsync(scene, "matching-first", time.Token, (0, 5));
        await scene.UntilRowsAsync(frazil, 5, time.Token);
        await frazil.UntilAsync(
            async () => await frazil.MetricAsync("frazil_commits_total", time.Token) > 0, TimeSpan.FromMilliseconds(50), time.Token);

        await admin.CreateTopicAsync("matching-second", 1, cancellationToken: time.Token);
        await ProduceAsync(scene, "matching-second", time.Token, (0, 7));
        await scene.UntilRowsAsync(frazil, 12, time.Token);
        await Scene.StopCleanlyAsync(frazil, time.Token);
        await AssertHeldAsync(scene, time.Token, "matching-first 0 10 5", "matching-second 0 0 7");
    }

    [Fact]
    public async Task Topics_that_the_configuration_gains_and_loses_are_read_and_left_at_the_next_start()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "kept", static bootstrap => Changing(bootstrap, "lost"));
        await using var admin = new KafkaAdmin(scene.Config.BootstrapServers);
        foreach (var topic in (string[])["kept", "lost", "gained"])
        {
            await admin.CreateTopicAsync(topic, 1, cancellationToken: time.Token);
            await ProduceAsync(scene, topic, time.Token, (0, 5));
        }
        await scene.RunUntilAsync(10, time.Token); // ends cleanly; a named member does not leave its group

        await ProduceAsync(scene, "lost", time.Token, (0, 3));
        await ProduceAsync(scene, "kept", time.Token, (0, 2));
        Changing(scene.Config.BootstrapServers, "gained", scene.Config.HttpPort).Write(scene.Folder);
        await scene.RunUntilAsync(17, time.Token);

        await AssertHeldAsync(scene, time.Token, "gained 0 0 5", "kept 0 0 7", "lost 0 0 5");

        static FrazilConfig Changing(string bootstrap, string other, int? port = null) => new()
        {
            BootstrapServers = bootstrap,
            Topic = "kept",
            MoreTopics = [other],
            GroupId = "changing",
            TableLines = [],
            KafkaProperties = LongSession,
            HttpPort = port ?? FrazilProcess.FreePort(),
        };
    }

    /// <summary>The referee finds these rows: topic, partition, first offset, count.</summary>
    private async Task AssertHeldAsync(Scene scene, CancellationToken cancellationToken, params string[] expected)
    {
        var answer = await Referee.QueryAsync(
            scene.CatalogFile, scene.Config.Table,
            "select topic, kafka_partition, min(kafka_offset), count(*) from t group by all order by all", cancellationToken);
        Assert.Equal(
            expected,
            answer.GetProperty("rows").EnumerateArray().Select(static row => string.Join(' ', row.EnumerateArray().Select(static one => one.GetString()))));
    }

    private static async Task ProduceAsync(
        Scene scene, string topic, CancellationToken cancellationToken, params (int Partition, int Records)[] batches)
    {
        await using var producer = new KafkaProducer(new() { BootstrapServers = scene.Config.BootstrapServers });
        foreach (var (partition, records) in batches)
        {
            for (var record = 0; record < records; record++)
            {
                producer.Produce(topic, partition, [], Encoding.UTF8.GetBytes($$"""{"topic":"{{topic}}"}"""), cancellationToken);
            }
        }
        await producer.FlushAsync(cancellationToken);
    }

    private static CancellationTokenSource Time()
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        source.CancelAfter(Limit);
        return source;
    }
}
