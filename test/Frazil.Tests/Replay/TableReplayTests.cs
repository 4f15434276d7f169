using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Query;
using Frazil.Replay;
using Frazil.Tests.Commit;
using Frazil.Tests.Engine;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Frazil.Tests.Replay;

/// <summary>Replays against librdkafka's mock brokers. What other engines say of the result, and kills, are proven against the real broker,
/// elsewhere.</summary>
public sealed class TableReplayTests : IAsyncDisposable
{
    private readonly EngineFixture fixture = new();

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    [Fact]
    public async Task Rows_in_the_middle_of_a_file_are_replaced_and_their_neighbours_stay()
    {
        var options = await IngestAsync("middle", Numbers(0, 100));
        var before = await RowsAsync(options, "select * from shop.middle order by kafka_offset");

        var report = await ReplayAsync(options, "middle", 40, 59);

        Assert.Equal((20L, 20L, 20L), (report.Records, report.RowsAdded, report.RowsRemoved));
        Assert.Equal((1, 1, 0), (report.FilesAdded, report.FilesRewritten, report.FilesRemoved));
        Assert.Equivalent(before, await RowsAsync(options, "select * from shop.middle order by kafka_offset"), strict: true);
        var snapshot = (await LoadAsync(options, "shop.middle")).Metadata.CurrentSnapshot!;
        Assert.Equal(
            ("overwrite", report.SnapshotId, "middle/0/40-59"),
            (snapshot.Operation, snapshot.SnapshotId, snapshot.Summary["frazil.replay"]));
        Assert.Equal(report.ReplayId, snapshot.Summary["frazil.flush-id"]);
        Assert.Equal("100", snapshot.Summary["total-records"]);
    }

    [Fact]
    public async Task A_range_over_several_files_removes_the_inner_ones_and_rewrites_the_outer_ones()
    {
        var options = await IngestAsync("across", Numbers(0, 50), Numbers(50, 50), Numbers(100, 50));

        var report = await ReplayAsync(options, "across", 25, 124);

        Assert.Equal((100L, 100L), (report.RowsAdded, report.RowsRemoved));
        Assert.Equal((1, 2), (report.FilesRemoved, report.FilesRewritten));
        await AssertWholeAsync(options, "across", 150);
    }

    [Fact]
    public async Task Replaying_twice_leaves_the_same_rows_and_the_same_progress()
    {
        var options = await IngestAsync("twice", Numbers(0, 60));
        var progress = (await LoadAsync(options, "shop.twice")).Metadata.Properties["frazil.offsets.twice"];

        await ReplayAsync(options, "twice", 0, 59);
        await ReplayAsync(options, "twice", 10, 19);
        var third = await ReplayAsync(options, "twice", 10, 19);

        Assert.Equal((10L, 1, 0), (third.RowsRemoved, third.FilesRemoved, third.FilesRewritten));
        await AssertWholeAsync(options, "twice", 60);
        Assert.Equal(progress, (await LoadAsync(options, "shop.twice")).Metadata.Properties["frazil.offsets.twice"]);
    }

    [Fact]
    public async Task Files_of_a_partitioned_table_stay_in_their_partitions()
    {
        var options = await IngestAsync(
            "days", table => table with { Columns = Declared("at", "timestamptz"), PartitionBy = ["day(at)", "bucket(3, name)"] },
            Enumerable.Range(0, 90).Select(i => $$"""{"id":{{i}},"at":"2026-01-0{{1 + (i % 3)}}T00:00:00Z","name":"n{{i % 7}}"}"""));

        await ReplayAsync(options, "days", 30, 44);

        await AssertWholeAsync(options, "days", 90);
        var perDay = await RowsAsync(options, "select count(*) from shop.days where \"at\" < '2026-01-02'");
        Assert.Equal(30L, perDay[0][0]);
    }

    [Fact]
    public async Task Files_from_before_a_schema_change_are_rewritten_by_field_id_with_every_kind_of_value()
    {
        const string Old = """{"id":1,"amount":1.25,"uuid":"123e4567-e89b-12d3-a456-426614174000","day":"2024-02-29","ok":true,"nested":{"a":"x","b":[1,2]},"tags":["t",null],"text":""}""";
        var options = await IngestAsync(
            "evolved", table => table with
            {
                Columns = new Dictionary<string, string>
                {
                    ["amount"] = "decimal(10,2)",
                    ["uuid"] = "uuid",
                    ["day"] = "date",
                    ["wide"] = "decimal(38,3)",
                    ["bytes"] = "binary",
                    ["map"] = "map<string, long>",
                    ["at"] = "timestamp",
                    ["clock"] = "time",
                    ["ratio"] = "float",
                },
            },
            Enumerable.Repeat(Old, 20),
            Enumerable.Range(0, 20).Select(i => $$$"""{"id":{{{i}}},"amount":-{{{i}}}.5,"new":{"deep":{{{i}}}},"nested":{"a":null,"b":[],"c":{{{i}}}},"wide":12345678901234567890123.{{{i:000}}},"tags":[]}"""),
            Enumerable.Range(0, 20).Select(i => $$$"""{"id":{{{i}}},"map":{"k":{{{i}}}},"bytes":"AAEC","at":"1969-12-31T23:59:59.5","clock":"23:59:59.000001","ratio":0.1}"""));
        var before = await RowsAsync(options, "select * from shop.evolved order by kafka_offset");

        await ReplayAsync(options, "evolved", 10, 10);
        await ReplayAsync(options, "evolved", 30, 30);
        await ReplayAsync(options, "evolved", 50, 50);

        Assert.Equivalent(before, await RowsAsync(options, "select * from shop.evolved order by kafka_offset"), strict: true);
    }

    [Fact]
    public async Task Records_that_are_dead_letters_already_do_not_become_them_twice()
    {
        var values = Enumerable.Range(0, 30).Select(i => i % 3 == 0 ? $$"""{"id":"x{{i}}"}""" : $$"""{"id":{{i}}}""");
        var options = await IngestAsync("letters", table => table with { Columns = Declared("id", "long") }, values);
        Assert.Equal(10L, (await RowsAsync(options, "select count(*) from shop.letters_dlq"))[0][0]);

        var same = await ReplayAsync(options, "letters", 0, 14);
        Assert.Equal((10L, 10L, 0L, 0L), (same.RowsAdded, same.RowsRemoved, same.LettersAdded, same.LettersRemoved));
        Assert.Equal(10L, (await RowsAsync(options, "select count(*) from shop.letters_dlq"))[0][0]);
        var dry = await TableReplay.RunAsync(
            options, new() { Table = "shop.letters", Partition = 0, From = 0, To = 14, IsDryRun = true }, cancellationToken: Token);
        Assert.Equal((10L, 5L, null), (dry.RowsRemoved, dry.LettersRemoved, dry.SnapshotId));
    }

    [Fact]
    public async Task A_bug_in_the_configuration_is_mended_by_replaying_its_dead_letters()
    {
        var options = await IngestAsync("mended", table => table with { EvolveSchema = false, Columns = Declared("id", "long") }, Enumerable.Range(0, 30).Select(i => $$"""{"id":{{i}},"extra":"e{{i}}"}"""));
        Assert.Equal(30L, (await RowsAsync(options, "select count(*) from shop.mended_dlq"))[0][0]);
        var mended = options with { Tables = [options.Tables[0] with { EvolveSchema = true }] };

        var report = await ReplayAsync(mended, "mended", 0, 19);

        Assert.Equal((20L, 0L, 0L, 20L), (report.RowsAdded, report.RowsRemoved, report.LettersAdded, report.LettersRemoved));
        Assert.Equal([20L, 20L], (await RowsAsync(mended, "select count(*), count(extra) from shop.mended"))[0]);
        Assert.Equal(
            [10L, 20L, 29L], (await RowsAsync(mended, "select count(*), min(kafka_offset), max(kafka_offset) from shop.mended_dlq"))[0]);

        await DropColumnAsync(options, "shop.mended", "extra"); // and the bug again
        var back = await ReplayAsync(options, "mended", 5, 9);
        Assert.Equal((0L, 5L, 5L), (back.RowsAdded, back.RowsRemoved, back.LettersAdded));
        Assert.Equal(15L, (await RowsAsync(mended, "select count(*) from shop.mended"))[0][0]);
        Assert.Equal(15L, (await RowsAsync(mended, "select count(*) from shop.mended_dlq"))[0][0]);
    }

    [Fact]
    public async Task Two_replays_of_one_range_at_the_same_time_never_double_a_row_or_a_dead_letter()
    {
        var options = await IngestAsync("race", table => table with { EvolveSchema = false, Columns = Declared("id", "long") }, Enumerable.Range(0, 40).Select(i => $$"""{"id":{{i}},"extra":"e{{i}}"}"""));
        var mended = options with { Tables = [options.Tables[0] with { EvolveSchema = true }] };

        for (var round = 0; round < 4; round++)
        {
            var (from, to) = (round * 10, (round * 10) + 9); // nothing but dead letters at first: both would only add
            var outcomes = await Task.WhenAll(
                Enumerable.Range(0, 3).Select(
                    async _ => await Record.ExceptionAsync(() => Task.Run(() => ReplayAsync(mended, "race", from, to)))));
            Assert.All(outcomes, static error => Assert.True(error is null or ReplayException, error?.ToString()));
            Assert.Contains(null, outcomes);
            Assert.Equal(
                [(round * 10) + 10L, (round * 10) + 10L],
                (await RowsAsync(mended, "select count(*), count(distinct kafka_offset) from shop.race"))[0]);
        }
        Assert.Equal([0L], (await RowsAsync(mended, "select count(*) from shop.race_dlq"))[0]);
    }

    [Fact]
    public async Task A_replay_that_another_one_of_the_same_range_overtakes_before_its_commit_doubles_nothing()
    {
        var options = await IngestAsync("overtaken", table => table with { EvolveSchema = false, Columns = Declared("id", "long") },
            Enumerable.Range(0, 20).Select(i => $$"""{"id":{{i}},"extra":"e{{i}}"}"""));
        var mended = options with { Tables = [options.Tables[0] with { EvolveSchema = true }] };
        await ReplayAsync(mended, "overtaken", 0, 9); // adds the column, so that the next commit is that of the rows

        await using var catalog = new FaultyCatalog(await WarehouseCatalog.OpenAsync(mended.Catalog, Token));
        catalog.BeforeCommit = () => ReplayAsync(mended, "overtaken", 10, 19);
        await TableReplay.RunAsync( // replaces the rows of the other one, seeing at its commit that they are there now
            mended, new() { Table = "shop.overtaken", Partition = 0, From = 10, To = 19 }, null, NullLogger.Instance, catalog, Token);
        Assert.Null(catalog.BeforeCommit);
        Assert.Equal([20L, 20L], (await RowsAsync(mended, "select count(*), count(distinct kafka_offset) from shop.overtaken"))[0]);
        Assert.Equal([0L], (await RowsAsync(mended, "select count(*) from shop.overtaken_dlq"))[0]);
    }

    [Fact]
    public async Task In_a_table_of_several_topics_only_the_named_ones_rows_are_replaced()
    {
        fixture.Cluster.CreateTopic("left", 1);
        fixture.Cluster.CreateTopic("right", 1);
        await fixture.ProduceAsync("left", 0, Numbers(0, 40));
        await fixture.ProduceAsync("right", 0, Numbers(1000, 40));
        var options = fixture.Options(
            "left",
            table => table with
            {
                Topics = ["left", "right"],
                KafkaColumns = [.. table.KafkaColumns, "kafka_topic"],
                PreserveKafkaPartitions = false,
            });
        await using (var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs()))
        {
            await EngineFixture.Eventually(() => Task.FromResult(engine.Tables[0].Records >= 80), "all records are read");
        }
        var refused = await Assert.ThrowsAsync<ReplayException>(() => ReplayAsync(options, "left", 0, 9));
        Assert.Contains("name one with --topic: left, right", refused.Message, StringComparison.Ordinal);

        var report = await TableReplay.RunAsync(
            options, new() { Table = "shop.left", Topic = "right", Partition = 0, From = 10, To = 19 }, cancellationToken: Token);

        Assert.Equal((10L, 10L), (report.RowsAdded, report.RowsRemoved));
        Assert.Equal([80L, 80L, 40L * 39 / 2, 40_000 + (40L * 39 / 2)], (await RowsAsync(options, """
            select count(*), count(distinct (kafka_topic, kafka_offset)), (sum(id) filter (kafka_topic = 'left'))::bigint, (sum(id) filter (kafka_topic = 'right'))::bigint from shop.left
            """))[0]);
    }

    [Fact]
    public async Task A_record_that_does_not_fit_stops_the_replay_where_the_table_says_so_and_nothing_is_left_behind()
    {
        var options = await IngestAsync("strict", table => table with { Columns = Declared("id", "long") }, ["""{"id":1}""", """{"id":"x"}""", """{"id":3}"""]);
        var before = (await LoadAsync(options, "shop.strict")).MetadataLocation;
        var files = Directory.GetFiles(options.Catalog.Warehouse, "*.parquet", SearchOption.AllDirectories).Length;

        var refused = await Assert.ThrowsAsync<ReplayException>(
            () => ReplayAsync(options with { Tables = [options.Tables[0] with { OnBadRecord = OnBadRecord.Fail }] }, "strict", 0, 2));

        Assert.Contains("offset 1", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, (await LoadAsync(options, "shop.strict")).MetadataLocation);
        Assert.Equal(files, Directory.GetFiles(options.Catalog.Warehouse, "*.parquet", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public async Task A_branch_gets_the_rows_and_main_stays_as_it_is()
    {
        var options = await IngestAsync("branched", Numbers(0, 40));
        var before = (await LoadAsync(options, "shop.branched")).Metadata;

        var first = await ReplayAsync(options, "branched", 10, 19, branch: "audit");
        var second = await ReplayAsync(options, "branched", 15, 24, branch: "audit");

        var after = (await LoadAsync(options, "shop.branched")).Metadata;
        Assert.Equal(before.CurrentSnapshotId, after.CurrentSnapshotId);
        Assert.Equal(second.SnapshotId, after.Refs["audit"].SnapshotId);
        Assert.Equal(before.CurrentSnapshotId, after.SnapshotById(first.SnapshotId!.Value)!.ParentSnapshotId);
        Assert.Equal("40", after.SnapshotById(second.SnapshotId!.Value)!.Summary["total-records"]);
    }

    [Fact]
    public async Task A_side_table_gets_the_rows_once_however_often_it_is_replayed_into()
    {
        var options = await IngestAsync("sided", Numbers(0, 40));

        await ReplayAsync(options, "sided", 10, 19, into: "other.side");
        await ReplayAsync(options, "sided", 10, 19, into: "other.side");
        await ReplayAsync(options, "sided", 15, 24, into: "other.side");

        Assert.Equal(
            [15L, 15L, 10L, 24L],
            (await RowsAsync(options, "select count(*), count(distinct kafka_offset), min(id), max(id) from other.side"))[0]);
        await AssertWholeAsync(options, "sided", 40);
        var refused = await Assert.ThrowsAsync<ReplayException>(() => ReplayAsync(options, "sided", 0, 1, into: "shop.sided_dlq"));
        Assert.Contains("Frazil itself writes", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("shop.refused", 0, 10, 30, "read up to|give a --to of at most 29")]
    [InlineData("shop.refused", 0, 10, 9, "--from is 10 and --to is 9")]
    [InlineData("shop.refused", 7, 0, 1, "has read nothing of refused")]
    [InlineData("shop.refuse", 0, 0, 1, "did you mean shop.refused")]
    [InlineData("shop.refused", 0, -1, 1, "--from is -1")]
    public async Task A_range_that_cannot_be_replayed_is_refused_and_nothing_changes(
        string table, int partition, long from, long to, string words)
    {
        var options = await IngestAsync("refused", Numbers(0, 30));
        var before = (await LoadAsync(options, "shop.refused")).MetadataLocation;

        var refused = await Assert.ThrowsAsync<ReplayException>(
            () => TableReplay.RunAsync(options, new() { Table = table, Partition = partition, From = from, To = to },
                cancellationToken: Token));

        Assert.Contains(words.Split('|')[^1], refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, (await LoadAsync(options, "shop.refused")).MetadataLocation);
    }

    [Fact]
    public async Task Replays_beside_an_ingest_lose_nothing_and_double_nothing()
    {
        fixture.Cluster.CreateTopic("beside", 1);
        var options = fixture.Options("beside", hot: new() { FlushIntervalSeconds = 0.1, TtlSeconds = 0 });
        await using var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs());
        var produced = 0;
        while (produced < 3000)
        {
            await fixture.ProduceAsync("beside", 0, Numbers(produced, 200));
            produced += 200;
            await EngineFixture.Eventually(() => Task.FromResult(engine.Tables[0].CommittedRows >= produced - 200), "commits go on");
            if (produced >= 600)
            {
                await ReplayAsync(options, "beside", produced - 550, produced - 250);
            }
        }
        await EngineFixture.Eventually(() => Task.FromResult(engine.Tables[0].CommittedRows == produced), "all is committed");
        await AssertWholeAsync(options, "beside", produced);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static IEnumerable<string> Numbers(int first, int count) => Enumerable.Range(first, count).Select(static i => $$"""{"id":{{i}},"name":"n{{i}}"}""");

    private static Dictionary<string, string> Declared(string name, string type) => new() { [name] = type };

    private static async Task<ReplayReport> ReplayAsync(
        FrazilOptions options, string topic, long from, long to, string? branch = null, string? into = null)
    {
        using var logs = EngineFixture.Logs();
        return await TableReplay.RunAsync(
            options, new() { Table = $"shop.{topic}", Partition = 0, From = from, To = to, Branch = branch, Into = into }, loggers: logs,
            cancellationToken: Token);
    }

    private Task<FrazilOptions> IngestAsync(string topic, params IEnumerable<string>[] runs) => IngestAsync(topic, null, runs);

    /// <summary>A file a run of the engine.</summary>
    private async Task<FrazilOptions> IngestAsync(string topic, Func<TableOptions, TableOptions>? table, params IEnumerable<string>[] runs)
    {
        fixture.Cluster.CreateTopic(topic, 1);
        var options = fixture.Options(topic, table);
        foreach (var run in runs.Select(static values => values.ToList()))
        {
            await fixture.ProduceAsync(topic, 0, run);
            await using var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs());
            await EngineFixture.Eventually(() => Task.FromResult(engine.Tables[0].Records >= run.Count), "all records are read");
        }
        return options;
    }

    private static async Task AssertWholeAsync(FrazilOptions options, string topic, long records)
    {
        var row = (await RowsAsync(options, $"select count(*), count(distinct kafka_offset), min(kafka_offset), max(kafka_offset), sum(id)::bigint, count(*) filter (id = kafka_offset) from shop.{topic}"))[0];
        Assert.Equal([records, records, 0L, records - 1, records * (records - 1) / 2, records], row);
    }

    private static async Task<IReadOnlyList<object?[]>> RowsAsync(FrazilOptions options, string sql)
    {
        await using var reader = await SqlSession.OpenCatalogAsync(options);
        return [.. (await reader.QueryAsync(new(sql))).Rows.Select(static row => row.ToArray())];
    }

    private static async Task DropColumnAsync(FrazilOptions options, string table, string column)
    {
        await using var catalog = await WarehouseCatalog.OpenAsync(options.Catalog);
        var loaded = await catalog.LoadTableAsync(TableIdentifier.Parse(table));
        await catalog.CommitTableAsync(
            loaded.Identifier, SchemaUpdate.RequirementsFor(loaded.Metadata),
            new SchemaUpdate(loaded.Metadata).DropColumn(column).ToUpdates());
    }

    private static async Task<LoadedTable> LoadAsync(FrazilOptions options, string table)
    {
        await using var catalog = await WarehouseCatalog.OpenAsync(options.Catalog);
        return await catalog.LoadTableAsync(TableIdentifier.Parse(table));
    }
}
