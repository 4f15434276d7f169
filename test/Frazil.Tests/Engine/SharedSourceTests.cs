using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Ingest;
using Frazil.Log;
using Frazil.Query;
using Frazil.Tests.Commit;
using Xunit;

namespace Frazil.Tests.Engine;

/// <summary>Several tables of one entry share a consumer and a worker: what one of them meets is its own affair.</summary>
public sealed class SharedSourceTests : IAsyncDisposable
{
    private readonly EngineFixture fixture = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    [Fact]
    public async Task A_pattern_makes_a_table_of_each_topic_also_of_those_that_come_later()
    {
        CreateTopics("many_a", "many_b");
        await fixture.ProduceAsync("many_a", 0, """{"id":1}""");
        await fixture.ProduceAsync("many_b", 0, """{"id":2,"text":"x"}""", """{"id":3}""");
        var options = Options();
        options = options with { Kafka = options.Kafka with { Properties = new Dictionary<string, string> { ["topic.metadata.refresh.interval.ms"] = "200" } } };
        await using (var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs(), Cancel))
        {
            await EngineFixture.Eventually(() => Task.FromResult(engine.Tables.Sum(static table => table.Records) == 3), "both are read");
            CreateTopics("many_c");
            await fixture.ProduceAsync("many_c", 0, """{"id":4}""");
            await EngineFixture.Eventually(() => Task.FromResult(engine.Tables.Sum(static table => table.Records) == 4), "the third is read");
            Assert.Equal(["shop.many_a", "shop.many_b", "shop.many_c"], engine.Tables.Select(static table => table.Name).Order());
            Assert.Equal(2L, await ScalarAsync(engine.Sql, "select count(*) from shop.many_b"));
            await engine.StopAsync(Cancel);
            Assert.Equal(4, engine.Tables.Sum(static table => table.CommittedRows));
        }
        await fixture.ProduceAsync("many_b", 0, """{"id":5}""");
        await using (var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs(), Cancel))
        {
            await EngineFixture.Eventually(() => Task.FromResult(engine.Tables.Sum(static table => table.Records) == 1), "only the new one is read");
        }
        await using var reader = await SqlSession.OpenCatalogAsync(options);
        Assert.Equal(3L, await ScalarAsync(reader, "select count(distinct kafka_offset) from shop.many_b"));
    }

    [Fact]
    public async Task A_pattern_that_no_topic_matches_yet_is_one_entry_that_waits()
    {
        await using var engine = await FrazilEngine.StartAsync(Options(), EngineFixture.Logs(), Cancel);
        Assert.Equal(("shop.{topic}", "waiting"), (Assert.Single(engine.Tables).Name, engine.Tables[0].State));
    }

    /// <summary>Records of both topics come in one batch, in which one of them looks ahead for samples.</summary>
    [Fact]
    public async Task No_table_gets_columns_from_records_of_another()
    {
        CreateTopics("many_a", "many_b");
        await fixture.ProduceAsync("many_a", 0, Enumerable.Range(0, 200).Select(static i => $$"""{"a":{{i}}}"""));
        await fixture.ProduceAsync("many_b", 0, Enumerable.Range(0, 200).Select(static i => $$"""{"b":{{i}}}"""));
        await using var engine = await FrazilEngine.StartAsync(Options(), EngineFixture.Logs(), Cancel);
        await EngineFixture.Eventually(() => Task.FromResult(engine.Tables.Sum(static table => table.Records) == 400), "both are read");
        foreach (var name in new[] { "a", "b" })
        {
            var result = await engine.Sql.QueryAsync(new($"select * from shop.many_{name} limit 1"));
            Assert.Equal([name, "kafka_partition", "kafka_offset", "kafka_timestamp"], result.Columns.Select(static column => column.Name));
        }
    }

    [Fact]
    public async Task A_poison_record_stops_its_own_table_and_the_others_of_its_source_go_on()
    {
        CreateTopics("many_a", "many_b");
        await fixture.ProduceAsync("many_a", 0, """{"id":1}""", "poison", """{"id":2}""");
        var options = Options();
        options = options with { Tables = [options.Tables[0] with { OnBadRecord = OnBadRecord.Fail }] };
        await using (var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs(), Cancel))
        {
            await EngineFixture.Eventually(() => Task.FromResult(Table(engine, "many_a")?.State == "failed"), "the first has failed");
            await fixture.ProduceAsync("many_b", 0, """{"id":1}""");
            await EngineFixture.Eventually(() => Task.FromResult(Table(engine, "many_b")?.Records == 1), "the second is read");
            Assert.Contains("offset 1", Table(engine, "many_a")!.Reason, StringComparison.Ordinal);
        }
        await using var reader = await SqlSession.OpenCatalogAsync(options);
        Assert.Equal(1L, await ScalarAsync(reader, "select count(*) from shop.many_a"));
        Assert.Equal(1L, await ScalarAsync(reader, "select count(*) from shop.many_b"));
    }

    /// <summary>The stuck table's partition is paused in the middle of what was fetched; nothing of it is missing or doubled when it goes
    /// on.</summary>
    [Fact]
    public async Task A_table_that_has_no_room_is_detached_and_caught_up_exactly_and_the_others_go_on()
    {
        const int Records = 900;
        CreateTopics("many_a", "many_b");
        var isDown = true;
        var writer = new SteeredWriter
        {
            BeforePath = path =>
            {
                if (Volatile.Read(ref isDown) && path.Contains("many_a", StringComparison.Ordinal))
                {
                    throw new IOException("the store is down");
                }
            },
        };
        var options = Options(new() { FlushIntervalSeconds = 0.5, TtlSeconds = 0 });
        await using var catalog = await WarehouseCatalog.OpenAsync(options.Catalog, Cancel);
        await using (var source = (await fixture.StartPipelineAsync(options, catalog, writer, new(2 << 20))).Source)
        {
            var text = new string('x', 5_000);
            await fixture.ProduceAsync("many_a", 0, Enumerable.Range(0, Records).Select(i => $$"""{"id":{{i}},"text":"{{text}}"}"""));
            await EngineFixture.Eventually(() => Task.FromResult(Table(source, "many_a") is { State: "failing" } && Lane(source, "many_a")!.IsHeldBack), "the first is full");
            await fixture.ProduceAsync("many_b", 0, Enumerable.Range(0, Records).Select(i => $$"""{"id":{{i}},"text":"{{text}}"}"""));
            await EngineFixture.Eventually(() => Task.FromResult(Table(source, "many_b")?.CommittedRows == Records), "the second is committed");
            Assert.True(Table(source, "many_a")!.Records < Records);

            Volatile.Write(ref isDown, false);
            await EngineFixture.Eventually(() => Task.FromResult(Table(source, "many_a")!.CommittedRows == Records), "the first has caught up");
            Assert.False(Lane(source, "many_a")!.IsHeldBack);
        }
        await using var reader = await SqlSession.OpenCatalogAsync(options);
        foreach (var table in new[] { "many_a", "many_b" })
        {
            Assert.Equal(
                [(long)Records, (long)Records, (long)Records - 1, (Int128)(Records * (Records - 1L) / 2)],
                (await reader.QueryAsync(new($"select count(*), count(distinct kafka_offset), max(kafka_offset), sum(id)::hugeint from shop.{table}"))).Rows[0]
                    .Select(static value => value is System.Numerics.BigInteger big ? (Int128)big : value));
        }
    }

    [Fact]
    public async Task A_table_whose_schema_change_waits_for_the_catalog_holds_no_other_up()
    {
        CreateTopics("many_a", "many_b");
        var options = Options();
        await using var real = await WarehouseCatalog.OpenAsync(options.Catalog, Cancel);
        var catalog = new FaultyCatalog(real);
        await using (var source = (await fixture.StartPipelineAsync(options, catalog, new SteeredWriter(), new(64 << 20))).Source)
        {
            await fixture.ProduceAsync("many_a", 0, """{"id":1}""");
            await fixture.ProduceAsync("many_b", 0, """{"id":1}""");
            await EngineFixture.Eventually(() => Task.FromResult(source.Lanes.Sum(static lane => lane.Metrics.Records) == 2), "both are read");
            var isDown = true;
            catalog.BeforeLoadOf = name =>
            {
                if (Volatile.Read(ref isDown) && name.Name == "many_a")
                {
                    throw new IOException("the catalog is down");
                }
            };
            await fixture.ProduceAsync("many_a", 0, """{"id":2,"new":true}""", """{"id":3}""");
            await EngineFixture.Eventually(() => Task.FromResult(Lane(source, "many_a")!.IsFailing), "the schema cannot change");
            await fixture.ProduceAsync("many_b", 0, """{"id":2}""");
            await EngineFixture.Eventually(() => Task.FromResult(Table(source, "many_b")!.Records == 2), "the second reads on");
            Assert.Equal(1, Table(source, "many_a")!.Records);

            Volatile.Write(ref isDown, false);
            await EngineFixture.Eventually(() => Task.FromResult(Table(source, "many_a")!.Records == 3), "the first has caught up");
        }
        await using var reader = await SqlSession.OpenCatalogAsync(options);
        Assert.Equal(3L, await ScalarAsync(reader, "select count(distinct kafka_offset) from shop.many_a"));
        Assert.Equal(true, await ScalarAsync(reader, "select \"new\" from shop.many_a where id = 2"));
    }

    /// <summary>What is wrong with one is told with its name, at the start; those beside it, of the same entry and of others, run.</summary>
    [Fact]
    public async Task A_spoilt_table_is_refused_by_name_and_the_others_run()
    {
        string[] topics = ["progress", "metadata", "log", "sound"];
        CreateTopics(topics);
        var options = Options();
        options = options with { Tables = [options.Tables[0] with { Topics = topics, TopicPattern = null }] };
        foreach (var topic in topics)
        {
            await fixture.ProduceAsync(topic, 0, """{"id":1}""");
        }
        await using (var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs(), Cancel))
        {
            await EngineFixture.Eventually(() => Task.FromResult(engine.Tables.Sum(static table => table.Records) == 4), "all are read");
        }
        await SpoilAsync(options);
        await fixture.ProduceAsync("sound", 0, """{"id":2}""");

        await using (var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs(), Cancel))
        {
            await EngineFixture.Eventually(
                () => Task.FromResult(engine.Tables.Single(static table => table.Name == "shop.sound").Records == 1), "the sound one is read");
            foreach (var (topic, why) in new[] { ("progress", "frazil.offsets.progress"), ("metadata", "metadata.json"), ("log", "log") })
            {
                var table = engine.Tables.Single(table => table.Name == $"shop.{topic}");
                Assert.Equal("failed", table.State);
                Assert.Contains($"shop.{topic}", table.Reason, StringComparison.Ordinal);
                Assert.Contains(why, table.Reason, StringComparison.Ordinal);
            }
        }
    }

    private static async Task SpoilAsync(FrazilOptions options)
    {
        await using var catalog = await WarehouseCatalog.OpenAsync(options.Catalog, Cancel);
        await catalog.CommitTableAsync(
            TableIdentifier.Parse("shop.progress"), [],
            [new TableUpdate.SetProperties(new Dictionary<string, string> { ["frazil.offsets.progress"] = "much" })], Cancel);
        var loaded = await catalog.LoadTableAsync(TableIdentifier.Parse("shop.metadata"), Cancel);
        await File.WriteAllTextAsync(loaded.MetadataLocation.Replace("file://", "", StringComparison.Ordinal), "{\"format-version\":", Cancel);
        var log = LogSegments.FolderOf(options.DataDir, "shop.log");
        Directory.Delete(log, recursive: true);
        await File.WriteAllTextAsync(log, "no folder", Cancel);
    }

    private static Pipeline? Lane(TableSource source, string topic) => source.Lanes.FirstOrDefault(lane => lane.Name == $"shop.{topic}");

    private static TableStatus? Table(TableSource source, string topic) => Lane(source, topic)?.Status();

    private static TableStatus? Table(FrazilEngine engine, string topic) => engine.Tables.FirstOrDefault(table => table.Name == $"shop.{topic}");

    private static async Task<object?> ScalarAsync(SqlSession session, string sql) => (await session.QueryAsync(new(sql))).Rows[0][0];

    private void CreateTopics(params string[] topics) => Array.ForEach(topics, topic => fixture.Cluster.CreateTopic(topic, 1));

    private FrazilOptions Options(HotBufferOptions? hot = null)
    {
        var options = fixture.Options("any", hot: hot);
        return options with { Tables = [options.Tables[0] with { Name = "shop.{topic}", Topics = [], TopicPattern = "^many_.*" }] };
    }
}
