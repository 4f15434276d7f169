using System.Globalization;
using System.Net;
using System.Text;
using Frazil.Kafka;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary>Wide tables, large rows and long names are committed on machines of any size; and a stop that cannot commit says so.</summary>
public sealed class LimitsTests(SharedBroker shared)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    /// <summary>As many files are written at once as half of the cores, and they share the writer's memory.</summary>
    [Theory]
    [InlineData(800, 1, 2)]
    [InlineData(400, 4, 4)]
    [InlineData(150, 16, 16)]
    public async Task A_wide_table_is_committed_however_many_cores_share_the_writers_memory(int columns, int partitions, int cores)
    {
        using var time = Time();
        var topic = $"wide{columns}";
        var scene = await SetAsync(topic, partitions, static config => config, time.Token);
        await using (var producer = new KafkaProducer(new() { BootstrapServers = scene.Config.BootstrapServers }))
        {
            foreach (var partition in Enumerable.Range(0, partitions))
            {
                for (var record = 0; record < 20; record++)
                {
                    producer.Produce(topic, partition, "k"u8, Encoding.UTF8.GetBytes(Record(columns)), time.Token);
                }
            }
            await producer.FlushAsync(time.Token);
        }

        await RunUntilCommittedAsync(scene, 20 * partitions, cores, time.Token);
    }

    /// <summary>A flush of 720 MB of 10 kB strings, of 16 partitions.</summary>
    [Fact]
    public async Task A_large_flush_of_large_strings_is_committed()
    {
        const int Records = 72_000;
        using var time = Time();
        var scene = await SetAsync("large", 16, static config => config, time.Token, flushSizeMb: 1000, maxMemoryMb: 2048, flushSeconds: 60);
        await using (var producer = new KafkaProducer(new() { BootstrapServers = scene.Config.BootstrapServers }))
        {
            var random = new Random(1);
            for (var record = 0; record < Records; record++)
            {
                var text = string.Concat(Enumerable.Range(0, 10).Select(_ => random.NextInt64().ToString("D19", CultureInfo.InvariantCulture)));
                producer.Produce("large", record % 16, "k"u8, Encoding.UTF8.GetBytes($$"""{"id":{{record}},"text":"{{text.PadRight(10_000, 'x')}}"}"""), time.Token);
            }
            await producer.FlushAsync(time.Token);
        }

        await RunUntilCommittedAsync(scene, Records, 16, time.Token);
    }

    /// <summary>A folder's name has 255 bytes, and every byte of the value becomes three.</summary>
    [Fact]
    public async Task A_long_partition_value_is_committed_and_read_by_others()
    {
        using var time = Time();
        var scene = await SetAsync("cities", 1, static config => config, time.Token, tableLines: """partition_by = ["city"]""");
        await ProduceAsync(scene, "cities", time.Token, $$"""{"city":"{{new string('中', 40)}}"}""", $$"""{"city":"{{new string('中', 41)}}"}""", """{"city":"x"}""");

        await RunUntilCommittedAsync(scene, 3, 2, time.Token);

        var answer = await Referee.QueryAsync(
            scene.CatalogFile, scene.Config.Table, "select count(*), count(distinct city), max(length(city)) from t", time.Token);
        Assert.Equal(["3", "3", "41"], answer.GetProperty("rows")[0].EnumerateArray().Select(static value => value.GetString()));
    }

    [Fact]
    public async Task A_stop_that_cannot_commit_exits_with_1_and_says_what_is_left_and_the_next_start_reads_it_again()
    {
        using var time = Time();
        var scene = await SetAsync("left", 1, static config => config, time.Token);
        var inTheWay = Path.Combine(scene.Folder, scene.Config.Warehouse, "shop", "user_events", "data");
        Directory.CreateDirectory(Path.GetDirectoryName(inTheWay)!);
        await File.WriteAllTextAsync(inTheWay, "a file where the folder should be", time.Token);
        await ProduceAsync(scene, "left", time.Token, """{"id":1}""", """{"id":2}""");
        await using (var frazil = await scene.StartReadyAsync(time.Token))
        {
            await scene.UntilRowsAsync(frazil, 2, time.Token);
            await frazil.UntilAsync(
                async () => await frazil.MetricAsync("frazil_failing_seconds", time.Token) > 0, TimeSpan.FromMilliseconds(50), time.Token);
            Assert.Contains("\"degraded\"", await frazil.GetAsync("/readyz", time.Token), StringComparison.Ordinal);

            Assert.Equal(1, await frazil.StopAsync(time.Token));

            Assert.Contains("2 records that could not be committed", frazil.Text, StringComparison.Ordinal);
        }
        File.Delete(inTheWay);
        await RunUntilCommittedAsync(scene, 2, 2, time.Token);
    }

    /// <summary>DuckDB does not look up from this pattern for hours. It was asked for half a second and given up, or is under way as the stop comes.</summary>
    [Theory]
    [InlineData(500)]
    [InlineData(300_000)]
    public async Task A_stop_commits_everything_and_ends_the_process_under_a_query_that_nothing_can_interrupt(int timeoutMs)
    {
        using var time = Time();
        var topic = $"endless{timeoutMs}";
        var scene = await SetAsync(topic, 1, static config => config, time.Token, flushSeconds: 60);
        await ProduceAsync(scene, topic, time.Token, """{"id":1}""", """{"id":2}""");
        await using (var frazil = await scene.StartReadyAsync(time.Token))
        {
            await scene.UntilRowsAsync(frazil, 2, time.Token);
            var asking = frazil.PostSqlAsync(
                $$"""{"sql":"select repeat('a', 300) glob '{{string.Concat(Enumerable.Repeat("*a", 20))}}*b' from {{scene.Config.Table}}","timeout_ms":{{timeoutMs}}}""", time.Token);
            if (timeoutMs < 1000)
            {
                Assert.Equal(HttpStatusCode.GatewayTimeout, (await Assert.ThrowsAsync<FrazilHttpException>(() => asking)).Status);
            }
            else
            {
                await Task.Delay(TimeSpan.FromSeconds(1), time.Token); // most likely it runs by then; what follows must hold if not, too
                _ = asking.ContinueWith(static ended => ended.Exception, TaskScheduler.Default); // it ends with the process, in whatever way
            }

            Assert.Equal(0, await frazil.StopAsync(time.Token));
            Assert.DoesNotContain("could not be committed", frazil.Text, StringComparison.Ordinal);
        }
        var answer = await Referee.QueryAsync(scene.CatalogFile, scene.Config.Table, "select count(*) from t", time.Token);
        Assert.Equal("2", answer.GetProperty("rows")[0][0].GetString());
    }

    private async Task<Scene> SetAsync(
        string topic, int partitions, Func<FrazilConfig, FrazilConfig> change, CancellationToken cancellationToken,
        int flushSizeMb = 64, int maxMemoryMb = 1024, double flushSeconds = 1, string? tableLines = null)
    {
        var scene = await Scene.SetAsync(shared, topic, bootstrap => change(new()
        {
            BootstrapServers = bootstrap,
            Topic = topic,
            GroupId = topic,
            FlushSizeMb = flushSizeMb,
            MaxMemoryMb = maxMemoryMb,
            FlushIntervalSeconds = flushSeconds,
            TableLines = tableLines is null ? [] : [tableLines],
        }));
        await using var admin = new KafkaAdmin(scene.Config.BootstrapServers);
        await admin.CreateTopicAsync(topic, partitions, cancellationToken: cancellationToken);
        return scene;
    }

    private static async Task RunUntilCommittedAsync(Scene scene, long rows, int cores, CancellationToken cancellationToken)
    {
        await using var frazil = FrazilProcess.Start(
            scene.Folder, scene.Config.HttpPort,
            new Dictionary<string, string> { ["DOTNET_PROCESSOR_COUNT"] = cores.ToString(CultureInfo.InvariantCulture) },
            "run", "-c", scene.ConfigFile);
        await frazil.ReadyAsync(cancellationToken);
        await frazil.UntilAsync(
            async () => await frazil.MetricAsync("frazil_committed_rows_total", cancellationToken) >= rows, TimeSpan.FromMilliseconds(100),
            cancellationToken);
        await Scene.StopCleanlyAsync(frazil, cancellationToken);
    }

    private static async Task ProduceAsync(Scene scene, string topic, CancellationToken cancellationToken, params string[] records)
    {
        await using var producer = new KafkaProducer(new() { BootstrapServers = scene.Config.BootstrapServers });
        foreach (var record in records)
        {
            producer.Produce(topic, 0, "k"u8, Encoding.UTF8.GetBytes(record), cancellationToken);
        }
        await producer.FlushAsync(cancellationToken);
    }

    private static string Record(int columns) => "{" + string.Join(',', Enumerable.Range(0, columns).Select(static column => (column % 3) switch
    {
        0 => $"\"c{column:D4}\":{column}",
        1 => $"\"c{column:D4}\":\"v{column}\"",
        _ => $"\"c{column:D4}\":{column}.5",
    })) + "}";

    private static CancellationTokenSource Time()
    {
        var time = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        time.CancelAfter(Limit);
        return time;
    }
}
