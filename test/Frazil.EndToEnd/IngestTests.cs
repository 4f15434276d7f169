using System.Globalization;
using System.Text.Json;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary>A real broker's records through the real binary into a table that foreign engines read.</summary>
public sealed class IngestTests(SharedBroker shared)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task Every_record_of_six_partitions_is_in_the_table_exactly_once()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "six");
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, "six", 200_000, time.Token);

        await using var frazil = await scene.StartReadyAsync(time.Token);
        await scene.UntilRowsAsync(frazil, ledger.Records, time.Token);
        await Scene.StopCleanlyAsync(frazil, time.Token);

        var seen = await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
        AssertProgress(seen, "six", ledger.Counts!);
        await AssertSchemaAsync(scene, time.Token);
        await AssertPruningAsync(scene, time.Token);
    }

    [Fact]
    public async Task A_second_run_goes_on_where_the_first_one_stopped()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "twice");
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, "twice", 20_000, time.Token);
        await using (var first = await scene.StartReadyAsync(time.Token))
        {
            await scene.UntilRowsAsync(first, ledger.Records, time.Token);
            await Scene.StopCleanlyAsync(first, time.Token);
        }
        ledger += await Kit.LoadAsync(scene.Config.BootstrapServers, "twice", 20_000, time.Token, "--first", "20000");
        await using (var second = await scene.StartReadyAsync(time.Token))
        {
            await scene.UntilRowsAsync(second, ledger.Records, time.Token);
            await Scene.StopCleanlyAsync(second, time.Token);
        }

        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
    }

    [Fact]
    public async Task Aborted_transactions_are_never_seen()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "transactions");
        var ledger = await Kit.LoadAsync(
            scene.Config.BootstrapServers, "transactions", 20_000, time.Token, "--txn", "500", "--abort-every", "3");
        Assert.InRange(ledger.Records, 1, 19_999);

        await using var frazil = await scene.StartReadyAsync(time.Token);
        await scene.UntilRowsAsync(frazil, ledger.Records, time.Token);
        await Scene.StopCleanlyAsync(frazil, time.Token);

        await scene.AssertExactlyAsync(ledger, gaps: true, time.Token);
    }

    [Fact]
    public async Task Batches_of_every_compression_are_read()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "codecs");
        var ledger = Ledger.Empty;
        foreach (var (codec, number) in new[] { "none", "gzip", "snappy", "lz4", "zstd" }.Select((codec, number) => (codec, number)))
        {
            ledger += await Kit.LoadAsync(scene.Config.BootstrapServers, "codecs", 5_000, time.Token,
                "--compression", codec, "--first", (number * 5_000).ToString(CultureInfo.InvariantCulture));
        }

        await using var frazil = await scene.StartReadyAsync(time.Token);
        await scene.UntilRowsAsync(frazil, ledger.Records, time.Token);
        await Scene.StopCleanlyAsync(frazil, time.Token);

        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
    }

    [Fact]
    public async Task Records_that_do_not_parse_land_in_the_dead_letter_table_with_bytes_and_position()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "bad");
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, "bad", 10_000, time.Token, "--bad-every", "100");
        Assert.Equal(100, ledger.Bad);

        await using var frazil = await scene.StartReadyAsync(time.Token);
        await scene.UntilRowsAsync(frazil, ledger.Records, time.Token);
        await Scene.UntilRowsAsync(frazil, "shop.user_events_dlq", ledger.Bad, time.Token);
        await Scene.StopCleanlyAsync(frazil, time.Token);

        await scene.AssertExactlyAsync(ledger, gaps: true, time.Token);
        var letters = await Referee.QueryAsync(scene.CatalogFile, "shop.user_events_dlq", """
            select count(*), count(distinct (kafka_partition, kafka_offset)), count(*) filter (reason <> ''),
                   count(*) filter (decode(kafka_value) like '{"user_id":%' and octet_length(kafka_value) > 50)
            from t
            """, time.Token);
        Assert.All(letters.GetProperty("rows")[0].EnumerateArray(), count => Assert.Equal("100", count.GetString()));
    }

    [Fact]
    public async Task A_broker_that_is_killed_and_restarted_in_mid_stream_costs_nothing()
    {
        SharedBroker.SkipWithoutKit();
        using var time = Time();
        await using var broker = await Broker.StartAsync(shared.NewFolder("broker"), time.Token);
        var scene = await Scene.SetAsync(shared, "restart", _ => Scene.Usual(broker.Bootstrap, "restart"));
        await using var frazil = await scene.StartReadyAsync(time.Token);

        var load = Kit.LoadAsync(broker.Bootstrap, "restart", 60_000, time.Token, "--rate", "6000");
        await scene.UntilRowsAsync(frazil, 5_000, time.Token);
        await broker.KillAsync(time.Token);
        await broker.RestartAsync(time.Token);
        var ledger = await load;
        await scene.UntilRowsAsync(frazil, ledger.Records, time.Token);
        await Scene.StopCleanlyAsync(frazil, time.Token);

        await scene.AssertExactlyAsync(ledger, gaps: true, time.Token); // the idempotent producer's retries may leave gaps, never doubles
    }

    [Fact]
    public async Task A_topic_that_does_not_exist_yet_is_waited_for_and_said()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "later");
        await using var frazil = scene.Start();
        await frazil.UntilAsync(
            () => Task.FromResult(frazil.Text.Contains("later", StringComparison.Ordinal)), TimeSpan.FromMilliseconds(50), time.Token);
        await frazil.ReadyAsync(time.Token);

        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, "later", 5_000, time.Token);
        await scene.UntilRowsAsync(frazil, ledger.Records, time.Token);
        await Scene.StopCleanlyAsync(frazil, time.Token);

        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
    }

    private static CancellationTokenSource Time()
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        source.CancelAfter(Limit);
        return source;
    }

    private static void AssertProgress(JsonElement seen, string topic, IReadOnlyDictionary<int, long> counts)
    {
        var recorded = JsonSerializer.Deserialize<Dictionary<int, long>>(
            seen.GetProperty("properties").GetProperty($"frazil.offsets.{topic}").GetString()!);
        Assert.Equal(counts.OrderBy(count => count.Key), recorded!.OrderBy(next => next.Key));
    }

    private async Task AssertSchemaAsync(Scene scene, CancellationToken cancellationToken)
    {
        var table = await Referee.ReadAsync("pyiceberg", scene.CatalogFile, scene.Config.Table, cancellationToken);
        var types = table.GetProperty("schema").EnumerateArray()
            .ToDictionary(field => field.GetProperty("name").GetString()!, field => field.GetProperty("type").GetString()!);
        Assert.Equal("timestamptz", types["event_timestamp"]);
        Assert.Equal("decimal(10, 2)", types["amount"]);
        Assert.Equal("long", types["user_id"]);
        Assert.Equal("string", types["event_type"]);
        Assert.StartsWith("struct<", types["device"]);
        Assert.Equal("list<string>", types["tags"]);
        Assert.Equal("int", types["kafka_partition"]);
        Assert.Equal("long", types["kafka_offset"]);
        Assert.Equal("timestamptz", types["kafka_timestamp"]);
        Assert.All(table.GetProperty("columns").EnumerateObject(), column => Assert.Equal(0, column.Value.GetProperty("nulls").GetInt64()));
    }

    private async Task AssertPruningAsync(Scene scene, CancellationToken cancellationToken)
    {
        foreach (var engine in new[] { "pyiceberg", "duckdb" })
        {
            var pruned = await Referee.ReadAsync(
                engine, scene.CatalogFile, scene.Config.Table, cancellationToken, "--where", "kafka_partition = 3");
            Assert.InRange(pruned.GetProperty("files_planned").GetInt64(), 1, pruned.GetProperty("files_total").GetInt64() - 5);
        }
    }
}
