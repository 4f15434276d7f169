using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Log;
using Frazil.Query;
using Xunit;

namespace Frazil.Tests.Engine;

/// <summary>The whole engine against librdkafka's mock brokers: what a user sees. Exactly-once is proven against the real broker,
/// elsewhere.</summary>
public sealed class EngineTests : IAsyncDisposable
{
    private readonly EngineFixture fixture = new();

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    [Fact]
    public async Task Records_are_committed_once_and_a_restart_reads_on_from_the_tables_own_progress()
    {
        fixture.Cluster.CreateTopic("events", 2);
        await fixture.ProduceAsync("events", 0, Enumerable.Range(0, 500).Select(i => $$"""{"id":{{i}},"at":"2026-01-01T00:00:00Z","device":{"os":"x"},"tags":["t"]}"""));
        var options = fixture.Options("events", table => table with { Columns = Declared("at", "timestamptz"), PartitionBy = ["day(at)"] });
        await RunUntilAsync(options, 500);
        await fixture.ProduceAsync("events", 1, Enumerable.Range(0, 300).Select(i => $$"""{"id":{{i}},"at":"2026-01-02T00:00:00Z","new":1.5}"""));

        await using var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs());
        await EngineFixture.Eventually(
            async () => await ScalarAsync(engine, "select count(*) from shop.events") is 800L, "all rows are seen");

        Assert.Equal(300, engine.Tables[0].Records);
        Assert.Equal(300L, await ScalarAsync(engine, "select count(\"new\") from shop.events"));
        Assert.Equal(500L, await ScalarAsync(engine, "select count(*) from events where device.os = 'x' and tags[1] = 't'"));
    }

    [Fact]
    public async Task A_record_that_does_not_fit_is_kept_whole_with_its_reason_and_the_others_go_on()
    {
        fixture.Cluster.CreateTopic("orders", 1);
        await fixture.ProduceAsync("orders", 0, """{"id":1,"amount":1.5}""", """{"id":"x","amount":2}""", "not json", null, """{"id":2,"amount":3.25}""");
        var options = fixture.Options("orders");
        await RunUntilAsync(options, 5);

        await using var reader = await SqlSession.OpenCatalogAsync(options);
        Assert.Equal(2L, await ScalarAsync(reader, "select count(*) from shop.orders"));
        var letters = await reader.QueryAsync(new("select kafka_offset, error_code, kafka_value::varchar from shop.orders_dlq order by 1"));
        Assert.Equal([1L, 2L, 3L], letters.Rows.Select(static row => row[0]));
        Assert.Equal(["wrong_type", "syntax", "null_value"], letters.Rows.Select(static row => row[1]));
        Assert.Equal("not json", letters.Rows[1][2]);
        Assert.Null(letters.Rows[2][2]);
    }

    [Fact]
    public async Task With_on_bad_record_fail_the_pipeline_stops_at_the_record_and_never_moves_past_it()
    {
        fixture.Cluster.CreateTopic("strict", 1);
        await fixture.ProduceAsync("strict", 0, """{"id":1}""", """{"id":2}""", """{"id":"three"}""", """{"id":4}""");
        var options = fixture.Options("strict", table => table with { OnBadRecord = OnBadRecord.Fail, Columns = Declared("id", "long") });

        await using (var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs()))
        {
            var failure = await Assert.ThrowsAnyAsync<Exception>(() => engine.Completion.WaitAsync(TimeSpan.FromMinutes(3)));
            Assert.Contains("offset 2", failure.GetBaseException().Message, StringComparison.Ordinal);
            Assert.Equal("failed", engine.Tables[0].State);
        }
        await using var reader = await SqlSession.OpenCatalogAsync(options);
        Assert.Equal(2L, await ScalarAsync(reader, "select count(*) from shop.strict"));
    }

    [Fact]
    public async Task A_topic_of_nothing_but_bad_records_still_keeps_them_and_its_progress()
    {
        fixture.Cluster.CreateTopic("broken", 1);
        await fixture.ProduceAsync("broken", 0, "not json", "[1]");
        var options = fixture.Options("broken");
        await RunUntilAsync(options, 2);

        await using var reader = await SqlSession.OpenCatalogAsync(options);
        Assert.Equal(2L, await ScalarAsync(reader, "select count(*) from shop.broken_dlq"));
        await fixture.ProduceAsync("broken", 0, """{"id":1}""");
        await RunUntilAsync(options, 1);
        Assert.Equal(2L, await ScalarAsync(reader, "select count(*) from shop.broken_dlq"));
        Assert.Equal(1L, await ScalarAsync(reader, "select sum(id)::bigint from shop.broken"));
    }

    [Fact]
    public async Task A_query_reads_its_own_writes()
    {
        fixture.Cluster.CreateTopic("clicks", 1);
        var options = fixture.Options("clicks");
        await using var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs());
        await fixture.ProduceAsync("clicks", 0, Enumerable.Range(0, 50).Select(i => $$"""{"id":{{i}}}"""));

        var result = await engine.Sql.QueryAsync(new(
            "select count(*) from shop.clicks", new Dictionary<string, IReadOnlyDictionary<int,
            long>>
            { ["clicks"] = new Dictionary<int, long> { [0] = 49 } }, TimeSpan.FromMinutes(3)));

        Assert.Equal(50L, result.Rows[0][0]);
        Assert.Equal(50, result.Scan.HotRows);
    }

    [Fact]
    public async Task Reading_after_a_topic_that_feeds_no_table_of_the_query_is_an_error_and_not_a_wait()
    {
        fixture.Cluster.CreateTopic("views", 1);
        await fixture.ProduceAsync("views", 0, """{"id":1}""");
        var options = fixture.Options("views");
        await using var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs());
        var after = new Dictionary<string, IReadOnlyDictionary<int, long>> { ["veiws"] = new Dictionary<int, long> { [0] = 0 } };

        var error = await Assert.ThrowsAsync<SqlException>(() => engine.Sql.QueryAsync(new("select count(*) from shop.views", after)));

        Assert.Contains("veiws", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_count_under_load_never_dips_and_never_doubles_while_flushes_and_commits_run()
    {
        fixture.Cluster.CreateTopic("load", 2);
        var options = fixture.Options("load", hot: new() { FlushIntervalSeconds = 0.2, TtlSeconds = 0 });
        await using var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs());
        using var done = new CancellationTokenSource();
        var producing = ProduceUntilAsync("load", engine, done.Token);
        await EngineFixture.Eventually(() => Task.FromResult(engine.Tables[0].Commits > 0), "a first commit");

        var last = 0L;
        while (engine.Tables[0].Commits < 12)
        {
            var read = engine.Tables[0].Records; // counted after they were published
            var row = (await engine.Sql.QueryAsync(new("select count(*), count(distinct (kafka_partition, kafka_offset)) from shop.load"))).Rows[0];
            Assert.Equal(row[0], row[1]);
            Assert.True((long)row[0]! >= read, $"{read} records were visible, and the query counted {row[0]}");
            Assert.True((long)row[0]! >= last, $"the count fell from {last} to {row[0]}");
            last = (long)row[0]!;
        }
        await done.CancelAsync();
        var produced = await producing;
        await EngineFixture.Eventually(
            async () => await ScalarAsync(engine, "select count(*) from shop.load") is long count && count == produced, "all are seen");
    }

    [Fact]
    public async Task Start_from_latest_is_recorded_before_the_first_record_so_that_a_restart_loses_nothing()
    {
        fixture.Cluster.CreateTopic("late", 1);
        await fixture.ProduceAsync("late", 0, """{"id":0}""");
        var options = fixture.Options("late", table => table with { Columns = Declared("id", "long"), EvolveSchema = false });
        options = options with { Kafka = options.Kafka with { StartFrom = StartFrom.Latest } };
        await using (var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs()))
        {
            await EngineFixture.Eventually(
                () => Task.FromResult(engine.Tables[0].Partitions == 1 && engine.Tables[0].Lag == 0), "the partition is positioned");
        }
        await fixture.ProduceAsync("late", 0, """{"id":1}""");

        await RunUntilAsync(options, 1);

        await using var reader = await SqlSession.OpenCatalogAsync(options);
        Assert.Equal(1L, await ScalarAsync(reader, "select sum(id)::bigint from shop.late"));
    }

    [Fact]
    public async Task Three_tables_fed_by_one_topic_each_have_their_own_progress_and_a_broken_one_stops_no_other()
    {
        fixture.Cluster.CreateTopic("shared", 1);
        await fixture.ProduceAsync("shared", 0, """{"id":1}""", """{"id":"two"}""", """{"id":3}""");
        var options = fixture.Options("shared", table => table with { Columns = Declared("id", "long") });
        var main = options.Tables[0];
        options = options with
        {
            Tables = [
                main, main with { Name = "shop.strict", OnBadRecord = OnBadRecord.Fail },
                main with { Name = "shop.text", Columns = Declared("id", "string") }],
        };
        await using (var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs()))
        {
            await EngineFixture.Eventually(
                () => Task.FromResult(engine.Tables[0].Records == 3 && engine.Tables[1].State == "failed" && engine.Tables[2].Records == 3),
                "all three have read");
            Assert.False(engine.Completion.IsCompleted);
        }
        await using var reader = await SqlSession.OpenCatalogAsync(options);
        Assert.Equal(2L, await ScalarAsync(reader, "select count(*) from shop.shared"));
        Assert.Equal(1L, await ScalarAsync(reader, "select count(*) from shop.strict"));
        Assert.Equal(1L, await ScalarAsync(reader, "select count(*) from shop.text"));
        Assert.Equal(2L, await ScalarAsync(reader, "select count(*) from shop.text_dlq"));
    }

    [Fact]
    public async Task A_table_that_cannot_be_written_as_configured_stops_no_other_and_alone_it_stops_the_start()
    {
        fixture.Cluster.CreateTopic("held", 1);
        await fixture.ProduceAsync("held", 0, """{"id":1}""");
        var options = fixture.Options("held", static table => table with { Columns = Declared("id", "long") });
        await RunUntilAsync(options, 1);
        var wrong = options with { Tables = [options.Tables[0] with { Columns = Declared("id", "string") }] };
        var refused = await Assert.ThrowsAsync<FrazilStartException>(() => FrazilEngine.StartAsync(wrong, EngineFixture.Logs()));
        Assert.Contains("shop.held", refused.Message, StringComparison.Ordinal);

        var beside = wrong with { Tables = [.. wrong.Tables, options.Tables[0] with { Name = "shop.beside" }] };
        await using var engine = await FrazilEngine.StartAsync(beside, EngineFixture.Logs());
        await EngineFixture.Eventually(() => Task.FromResult(engine.Tables[1].Records == 1), "the other table has read");
        Assert.Equal("failed", engine.Tables[0].State);
        Assert.Equal(refused.Message, engine.Tables[0].Reason);
        Assert.False(engine.Completion.IsCompleted);
    }

    [Fact]
    public async Task Progress_that_other_hands_spoilt_is_told_to_whoever_queries_the_table()
    {
        fixture.Cluster.CreateTopic("spoilt", 1);
        await fixture.ProduceAsync("spoilt", 0, """{"id":1}""");
        var options = fixture.Options("spoilt");
        await RunUntilAsync(options, 1);
        await using (var catalog = await WarehouseCatalog.OpenAsync(options.Catalog, TestContext.Current.CancellationToken))
        {
            await catalog.CommitTableAsync(
                TableIdentifier.Parse("shop.spoilt"), [],
                [new TableUpdate.SetProperties(new Dictionary<string, string> { ["frazil.offsets.spoilt"] = "{oops" })]);
        }
        await using var reader = await SqlSession.OpenCatalogAsync(options);
        var refused = await Assert.ThrowsAsync<SqlException>(() => ScalarAsync(reader, "select count(*) from shop.spoilt"));
        Assert.Contains("frazil.offsets.spoilt should hold", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_that_another_engine_drops_is_told_to_whoever_queries_it()
    {
        fixture.Cluster.CreateTopic("dropped", 1);
        await fixture.ProduceAsync("dropped", 0, """{"id":1}""", "no json");
        var options = fixture.Options("dropped");
        await RunUntilAsync(options, 2);
        await using var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs());
        Assert.Equal(1L, await ScalarAsync(engine, "select count(*) from shop.dropped"));
        Assert.Equal(1L, await ScalarAsync(engine, "select count(*) from shop.dropped_dlq"));
        await using (var catalog = await WarehouseCatalog.OpenAsync(options.Catalog, TestContext.Current.CancellationToken))
        {
            await catalog.DropTableAsync(TableIdentifier.Parse("shop.dropped"));
            await catalog.DropTableAsync(TableIdentifier.Parse("shop.dropped_dlq"));
        }
        foreach (var table in new[] { "shop.dropped", "shop.dropped_dlq" })
        {
            var refused = await Assert.ThrowsAsync<SqlException>(() => ScalarAsync(engine, $"select count(*) from {table}"));
            Assert.Contains($"table {table} ", refused.Message, StringComparison.Ordinal);
            Assert.Contains("was dropped", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_flush_writes_each_of_its_steps_into_the_transaction_log_in_their_order()
    {
        fixture.Cluster.CreateTopic("logged", 1);
        await fixture.ProduceAsync("logged", 0, """{"id":1}""", """{"id":2}""");
        var options = fixture.Options("logged");
        await RunUntilAsync(options, 2);

        var entries = LogSegments.Read(LogSegments.FolderOf(options.DataDir, "shop.logged"))
            .Select(static record => record.Entry!).ToList();
        var of = entries.OfType<BufferSnapshot>().Single().Flush;
        Assert.Equal(
            ["LogOpened", "SchemaVersion", "BufferSnapshot", "ParquetWritten", "OffsetCommit", "IcebergSnapshotCreated", "FlushComplete"],
            entries.Select(static entry => entry.GetType().Name));
        var written = entries.OfType<ParquetWritten>().Single();
        Assert.Equal((of, 2L, 64), (written.Flush, written.File.Rows, written.Sha256.Length));
        await using var reader = await SqlSession.OpenCatalogAsync(options);
        Assert.Equal(2L, await ScalarAsync(reader, "select count(*) from shop.logged"));
    }

    [Fact]
    public async Task The_memory_limit_pauses_reading_and_everything_still_arrives()
    {
        // The mock brokers keep 5 MiB a partition, so the load is spread: 24 MB against a limit of 16.
        fixture.Cluster.CreateTopic("big", 6);
        var text = new string('x', 2000);
        for (var partition = 0; partition < 6; partition++)
        {
            await fixture.ProduceAsync("big", partition, Enumerable.Range(0, 2000).Select(i => $$"""{"id":{{i}},"text":"{{text}}"}"""));
        }
        var options = fixture.Options("big", hot: new() { MaxMemoryMb = 16, FlushSizeMb = 16 });
        await using (var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs()))
        {
            await EngineFixture.Eventually(() => Task.FromResult(engine.Tables[0].Records >= 12_000), "all records are read");
            await engine.StopAsync();
            // The limit is looked at before each record: what may be above it is what a chunk can grow by for one record, once for each
            // worker.
            Assert.InRange(engine.PeakHotBytes, 8L << 20, 20L << 20);
        }

        await using var reader = await SqlSession.OpenCatalogAsync(options);
        Assert.Equal(12_000L, await ScalarAsync(reader, "select count(distinct (kafka_partition, id)) from shop.big"));
    }

    [Fact]
    public async Task A_stop_whose_last_flush_cannot_be_committed_frees_everything_and_the_engine_says_that_it_failed()
    {
        fixture.Cluster.CreateTopic("dropped", 1);
        await fixture.ProduceAsync("dropped", 0, """{"id":1}""");
        var options = fixture.Options("dropped");
        await RunUntilAsync(options, 1);
        var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs());
        await fixture.ProduceAsync("dropped", 0, """{"id":2}""");
        await EngineFixture.Eventually(() => Task.FromResult(engine.Tables[0].Records == 1), "the second record is read");
        await using (var catalog = await WarehouseCatalog.OpenAsync(options.Catalog, TestContext.Current.CancellationToken))
        {
            await catalog.DropTableAsync(TableIdentifier.Parse("shop.dropped"));
        }

        await engine.StopAsync(TestContext.Current.CancellationToken);

        Assert.Equal("failed", engine.Tables[0].State);
        await engine.DisposeAsync();
        var failure = await Assert.ThrowsAsync<PipelineFailedException>(() => engine.Completion);
        Assert.Contains("was dropped", failure.Message, StringComparison.Ordinal);
        await RunUntilAsync(options, 2); // the lock, the catalog and the groups are free
    }

    /// <summary>A folder name takes 255 bytes; every byte of these becomes three.</summary>
    [Fact]
    public async Task Partition_values_of_any_length_and_kind_are_committed_and_read()
    {
        string[] cities = [
            new('中', 40), new('中', 41), new('x', 255), new('/', 100), string.Concat(new('x', 400), "1"), string.Concat(new('x', 400), "2"),
            "", " ", ".", "..", "a/b", "null", "__HIVE_DEFAULT_PARTITION__", "%2F", "a\\u0000b", "#?&=", new string('é', 2000)];
        fixture.Cluster.CreateTopic("cities", 1);
        await fixture.ProduceAsync("cities", 0, cities.Select(static (city, i) => $$"""{"id":{{i}},"city":"{{city}}","other":"{{city}}"}"""));
        var options = fixture.Options("cities", static table => table with { PartitionBy = ["city", "truncate(300, other)"] });
        await RunUntilAsync(options, cities.Length);

        await using var reader = await SqlSession.OpenCatalogAsync(options);
        Assert.Equal((long)cities.Length, await ScalarAsync(reader, "select count(distinct city) from shop.cities"));
        Assert.Equal(1L, await ScalarAsync(reader, $"select count(*) from shop.cities where city = '{cities[0]}' and other = city"));
    }

    [Fact]
    public async Task A_header_whose_name_is_no_text_makes_a_dead_letter_and_never_a_string()
    {
        fixture.Cluster.CreateTopic("headers", 1);
        await fixture.ProduceWithHeaderAsync("headers", "good"u8.ToArray());
        await fixture.ProduceWithHeaderAsync("headers", [0x61, 0xFF, 0xC3]);
        await fixture.ProduceWithHeaderAsync("headers", "größe"u8.ToArray());
        var options = fixture.Options("headers", static table => table with { KafkaColumns = ["kafka_offset", "kafka_headers"] });
        await RunUntilAsync(options, 3);

        await using var reader = await SqlSession.OpenCatalogAsync(options);
        Assert.Equal("good,größe", await ScalarAsync(reader, "select string_agg(kafka_headers[1].key, ',' order by kafka_offset) from shop.headers"));
        Assert.Equal("header_name", await ScalarAsync(reader, "select error_code from shop.headers_dlq where kafka_offset = 1"));
    }

    private static Dictionary<string, string> Declared(string name, string type) => new() { [name] = type };

    /// <summary>Never far ahead of the engine, for the mock brokers keep 5 MiB a partition and forget what lies before.</summary>
    private async Task<long> ProduceUntilAsync(string topic, FrazilEngine engine, CancellationToken cancellationToken)
    {
        const int Ahead = 20_000;
        long produced = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            await fixture.ProduceAsync(topic, (int)(produced / 100 % 2), Enumerable.Range(0, 100).Select(i => $$"""{"id":{{i}},"name":"a name longer than twelve bytes {{i}}"}"""));
            produced += 100;
            await EngineFixture.Eventually(() => Task.FromResult(produced - engine.Tables[0].Records < Ahead), "the engine keeps up");
        }
        return produced;
    }

    private static Task<object?> ScalarAsync(FrazilEngine engine, string sql) => ScalarAsync(engine.Sql, sql);

    private static async Task<object?> ScalarAsync(SqlSession session, string sql) => (await session.QueryAsync(new(sql))).Rows[0][0];

    private static async Task RunUntilAsync(FrazilOptions options, long records)
    {
        await using var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs());
        await EngineFixture.Eventually(() => Task.FromResult(engine.Tables[0].Records >= records), $"{records} records are read");
        await engine.StopAsync();
        Assert.Equal(records, engine.Tables[0].Records);
        Assert.Equal(records, engine.Tables[0].CommittedRows + engine.Tables[0].BadRecords);
        Assert.Equal(0, engine.HotBytes);
    }
}
