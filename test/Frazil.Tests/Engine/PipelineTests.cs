using Frazil.Commit;
using Frazil.Config;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Kafka;
using Frazil.Telemetry;
using Frazil.Tests.Commit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Frazil.Tests.Engine;

/// <summary>One pipeline whose store is slow, fails or answers out of order: what that does to the order of commits, and to
/// memory.</summary>
public sealed class PipelineTests : IAsyncDisposable
{
    private const int Heartbeat = 12;
    private const int FencedInstanceId = 82;

    private readonly EngineFixture fixture = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    /// <summary>LESSONS 10.</summary>
    [Fact]
    public async Task Flushes_that_finish_out_of_order_are_committed_in_the_order_they_were_sealed()
    {
        var writer = new SteeredWriter();
        var secondIsWritten = new TaskCompletionSource();
        writer.Before = async call =>
        {
            if (call == 1)
            {
                await secondIsWritten.Task;
            }
        };
        writer.After = call =>
        {
            if (call == 2)
            {
                secondIsWritten.SetResult();
            }
        };
        var options = Options("order");
        await using var catalog = await OpenCatalogAsync(options);
        await using (var pipeline = await StartAsync(options, catalog, writer))
        {
            await fixture.ProduceAsync("order", 0, """{"id":1}""");
            await EngineFixture.Eventually(() => Task.FromResult(writer.Calls == 1), "the first flush is being written");
            Assert.Equal(0, pipeline.Status().Commits);
            await fixture.ProduceAsync("order", 0, """{"id":2}""");
            await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().Commits == 2), "both are committed");
        }

        var table = (await catalog.LoadTableAsync(TableIdentifier.Parse("shop.order"), Cancel)).Metadata;
        Assert.Equal(
            ["""{"0":1}""", """{"0":2}"""],
            SnapshotAncestry.Of(table,
                table.CurrentSnapshotId).Reverse().Select(static snapshot => snapshot.Summary["frazil.offsets.order"]));
    }

    /// <summary>LESSONS 12, and the second half of invariant 9.</summary>
    [Fact]
    public async Task A_flush_that_fails_again_and_again_keeps_its_rows_and_what_comes_behind_it_waits()
    {
        var writer = new SteeredWriter();
        var failures = 0;
        writer.Before = call => call != 2 && Interlocked.Increment(ref failures) <= 3
            ? throw new IOException("the store is down")
            : Task.CompletedTask;
        var options = Options("failing");
        await using var catalog = await OpenCatalogAsync(options);
        await using (var pipeline = await StartAsync(options, catalog, writer))
        {
            await fixture.ProduceAsync("failing", 0, """{"id":1}""");
            await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().FlushFailures > 0), "a flush has failed");
            Assert.Equal(1, pipeline.Status().HotRows);
            await fixture.ProduceAsync("failing", 0, """{"id":2}""");
            await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().CommittedRows == 2), "both are committed in the end");
        }

        var table = (await catalog.LoadTableAsync(TableIdentifier.Parse("shop.failing"), Cancel)).Metadata;
        Assert.Equal("""{"0":2}""", table.Properties["frazil.offsets.failing"]);
        Assert.Equal("2", table.CurrentSnapshot!.Summary["total-records"]);
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_an_earlier_flush_that_cannot_succeed_and_the_rows_are_read_again()
    {
        var writer = new SteeredWriter { Before = static _ => throw new IOException("the store is down") };
        var options = Options("stuck");
        await using var catalog = await OpenCatalogAsync(options);
        await using (var pipeline = await StartAsync(options, catalog, writer))
        {
            await fixture.ProduceAsync("stuck", 0, """{"id":1}""");
            await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().FlushFailures > 0), "a flush has failed");
            Assert.Equal("write: the store is down", pipeline.Status().Reason);
            using var enough = new CancellationTokenSource();
            await enough.CancelAsync();
            await pipeline.StopAsync(enough.Token);
            Assert.Equal("stopped", pipeline.Status().State);
        }
        await using (var again = await StartAsync(options, catalog, new SteeredWriter()))
        {
            await EngineFixture.Eventually(() => Task.FromResult(again.Status().CommittedRows == 1), "the row is committed");
            Assert.Null(again.Status().Reason);
        }
    }

    [Fact]
    public async Task A_stop_just_after_a_bad_record_failed_the_table_still_commits_what_stands_before_it()
    {
        var options = Options("halted", static hot => hot with { FlushIntervalSeconds = 60 });
        await using var catalog = await OpenCatalogAsync(options);
        await using var pipeline = await StartAsync(options, catalog, new SteeredWriter());
        await fixture.ProduceAsync("halted", 0, """{"id":1}""");
        await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().Records == 1), "the record is read");
        var lane = pipeline.Source.Lanes[0];

        lane.Fail(new BadRecordException(new("halted", 0), 1, "not_json", "the value is no JSON"));
        await lane.StopAsync(Cancel);

        Assert.Equal(("failed", 1, 0), (pipeline.Status().State, pipeline.Status().CommittedRows, pipeline.Status().UncommittedRecords));
        await Assert.ThrowsAsync<BadRecordException>(() => lane.Completion);
    }

    [Fact]
    public async Task A_last_flush_that_nothing_can_mend_is_the_tables_failure_and_not_the_stops()
    {
        var writer = new SteeredWriter();
        var options = Options("last", static hot => hot with { FlushIntervalSeconds = 60 });
        await using var catalog = await OpenCatalogAsync(options);
        await using var pipeline = await StartAsync(options, catalog, writer);
        await fixture.ProduceAsync("last", 0, """{"id":1}""");
        await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().Records == 1), "the record is read");
        writer.Before = static _ => throw new PipelineFailedException("the table is another one now");

        await pipeline.StopAsync(Cancel);

        var failure = await Assert.ThrowsAsync<PipelineFailedException>(() => pipeline.Completion);
        Assert.Equal("the table is another one now", failure.Message);
        Assert.Equal(("failed", failure.Message), (pipeline.Status().State, pipeline.Status().Reason));
    }

    [Fact]
    public async Task What_a_stop_could_not_commit_is_said_with_the_reason()
    {
        var writer = new SteeredWriter { Before = static _ => throw new IOException("the store is down") };
        var options = Options("left");
        await using var catalog = await OpenCatalogAsync(options);
        await using var pipeline = await StartAsync(options, catalog, writer);
        await fixture.ProduceAsync("left", 0, """{"id":1}""", """{"id":"x"}""");
        await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().FlushFailures > 0), "a flush has failed");
        using var enough = new CancellationTokenSource();
        await enough.CancelAsync();

        await pipeline.StopAsync(enough.Token);

        Assert.Equal("stopped", pipeline.Status().State);
        Assert.Equal(2, pipeline.Status().UncommittedRecords);
        Assert.Contains("the store is down", pipeline.Status().Reason, StringComparison.Ordinal);
    }

    /// <summary>Of two Kafka partitions one cannot be written at first: the file of the other is neither left behind nor written
    /// again.</summary>
    [Fact]
    public async Task When_one_file_of_a_flush_fails_the_finished_ones_are_kept_for_the_retry()
    {
        var writer = new SteeredWriter { Before = static call => call == 2 ? throw new IOException("the store is down") : Task.CompletedTask };
        fixture.Cluster.CreateTopic("halves", 2);
        var options = fixture.Options("halves", static table => table with { Columns = Ids }, new() { FlushIntervalSeconds = 60 });
        await using var catalog = await OpenCatalogAsync(options);
        await using (var pipeline = await StartAsync(options, catalog, writer))
        {
            await fixture.ProduceAsync("halves", 0, """{"id":1}""");
            await fixture.ProduceAsync("halves", 1, """{"id":2}""");
            await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().Records == 2), "both are read");
            await pipeline.StopAsync(Cancel);
            Assert.Equal(2, pipeline.Status().CommittedRows);
        }
        Assert.Equal(3, writer.Calls);
        Assert.Equal(2, DataFiles(options).Length);
    }

    [Fact]
    public async Task Files_of_a_flush_that_is_given_up_are_removed()
    {
        var writer = new SteeredWriter { Before = static call => call == 2 ? throw new PipelineFailedException("never") : Task.CompletedTask };
        fixture.Cluster.CreateTopic("given", 1);
        var options = fixture.Options(
            "given", static table => table with { Columns = Ids, PartitionBy = ["id"] }, new() { FlushIntervalSeconds = 60 });
        await using var catalog = await OpenCatalogAsync(options);
        await using (var pipeline = await StartAsync(options, catalog, writer))
        {
            await fixture.ProduceAsync("given", 0, """{"id":1}""", """{"id":2}""");
            await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().Records == 2), "both are read");
            await pipeline.StopAsync(Cancel).ContinueWith(static _ => { }, TaskScheduler.Default);
        }
        Assert.Equal(2, writer.Calls);
        Assert.Empty(DataFiles(options));
    }

    [Fact]
    public async Task A_member_that_the_group_fences_is_replaced_and_reads_on_from_where_the_table_is()
    {
        var writer = new SteeredWriter();
        var options = Options("fenced");
        options = options with { Kafka = options.Kafka with { Properties = new Dictionary<string, string> { ["heartbeat.interval.ms"] = "200" } } };
        await using var catalog = await OpenCatalogAsync(options);
        await using (var pipeline = await StartAsync(options, catalog, writer, "one"))
        {
            await fixture.ProduceAsync("fenced", 0, """{"id":1}""");
            await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().CommittedRows == 1), "the first row is committed");
            writer.Before = static _ => throw new IOException("the store is down");
            await fixture.ProduceAsync("fenced", 0, """{"id":2}""");
            await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().HotRows == 1), "the second row is not");

            fixture.Cluster.FailRequests(Heartbeat, FencedInstanceId);
            await EngineFixture.Eventually(
                () => Task.FromResult(pipeline.Status() is { State: "waiting", HotRows: 0 } status
                    && status.Reason!.StartsWith("for a new member of the consumer group", StringComparison.Ordinal)), "it was fenced");
            await fixture.ProduceAsync("fenced", 0, """{"id":3}""");
            writer.Before = static _ => Task.CompletedTask;
            await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().CommittedRows == 3), "the new member has read all");
            Assert.Equal("running", pipeline.Status().State);
        }

        var table = (await catalog.LoadTableAsync(TableIdentifier.Parse("shop.fenced"), Cancel)).Metadata;
        Assert.Equal("""{"0":3}""", table.Properties["frazil.offsets.fenced"]);
        Assert.Equal("3", table.CurrentSnapshot!.Summary["total-records"]);
    }

    [Fact]
    public async Task A_member_that_is_fenced_again_and_again_ends_and_says_that_another_has_its_name()
    {
        var options = Options("twin");
        options = options with { Kafka = options.Kafka with { Properties = new Dictionary<string, string> { ["heartbeat.interval.ms"] = "200" } } };
        await using var catalog = await OpenCatalogAsync(options);
        await using var pipeline = await StartAsync(options, catalog, new SteeredWriter(), "one");
        fixture.Cluster.FailRequests(Heartbeat, [.. Enumerable.Repeat(FencedInstanceId, 20)]);

        var failure = await Assert.ThrowsAsync<PipelineFailedException>(() => pipeline.Completion.WaitAsync(TimeSpan.FromMinutes(3), Cancel));

        Assert.Contains("table shop.twin: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("remove the file instance-id from the copy", failure.Message, StringComparison.Ordinal);
        Assert.Equal("failed", pipeline.Status().State);
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_an_assignment_that_cannot_learn_the_tables_progress()
    {
        var options = Options("unassigned");
        await using var real = await OpenCatalogAsync(options);
        var catalog = new FaultyCatalog(real);
        var looks = 0;
        catalog.BeforeLoad = () =>
        {
            if (Interlocked.Increment(ref looks) > 1) // the first is the start's own: it must find out that there is no table
            {
                throw new IOException("the catalog is down");
            }
        };
        await using var pipeline = await StartAsync(options, catalog, new SteeredWriter());
        await EngineFixture.Eventually(() => Task.FromResult(Volatile.Read(ref looks) > 2), "the assignment has asked the catalog twice");

        await pipeline.StopAsync(Cancel).WaitAsync(TimeSpan.FromMinutes(1), Cancel);

        Assert.Equal("stopped", pipeline.Status().State);
    }

    [Fact]
    public async Task Rows_that_shared_a_file_with_a_partition_that_moved_on_are_read_again_and_committed()
    {
        var firstMayGoOn = new TaskCompletionSource();
        var writer = new SteeredWriter { Before = call => call == 1 ? firstMayGoOn.Task : Task.CompletedTask };
        fixture.Cluster.CreateTopic("shared", 2);
        var options = fixture.Options(
            "shared", static table => table with
            {
                Columns = new Dictionary<string, string> { ["id"] = "long" },
                PreserveKafkaPartitions = false,
            },
            new() { FlushIntervalSeconds = 0.5 });
        await using var catalog = await OpenCatalogAsync(options);
        await using (var pipeline = await StartAsync(options, catalog, writer))
        {
            await fixture.ProduceAsync("shared", 0, """{"id":1}""");
            await EngineFixture.Eventually(() => Task.FromResult(writer.Calls == 1), "the first flush is being written");
            await fixture.ProduceAsync("shared", 0, """{"id":2}""");
            await fixture.ProduceAsync("shared", 1, """{"id":3}""");
            await EngineFixture.Eventually(() => Task.FromResult(writer.Calls == 2), "the second flush, of both partitions, is written");
            await MoveOnAsync(catalog, new("shared", 0), 1);
            firstMayGoOn.SetResult();
            await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().CommittedRows == 2), "what is left is committed");
        }

        var table = (await catalog.LoadTableAsync(TableIdentifier.Parse("shop.shared"), Cancel)).Metadata;
        Assert.Equal("""{"0":2,"1":1}""", table.Properties["frazil.offsets.shared"]);
        Assert.Equal("2", table.CurrentSnapshot!.Summary["total-records"]);
    }

    /// <summary>A fence may drop batches between the moment they are sealed and the moment they are pinned.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_flush_whose_batches_are_all_gone_by_then_commits_nothing(bool preserve)
    {
        fixture.Cluster.CreateTopic("gone", 1);
        var options = fixture.Options(
            "gone", table => table with { Columns = Ids, PreserveKafkaPartitions = preserve }, new() { FlushIntervalSeconds = 60 });
        await using var catalog = await OpenCatalogAsync(options);
        await using var pipeline = await StartAsync(options, catalog, new SteeredWriter());
        await fixture.ProduceAsync("gone", 0, """{"id":1}""");
        await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().Records == 1), "the record is read");
        var hot = pipeline.QueryTables[0].Hot!;
        hot.Evict(Assert.Single(hot.Batches));

        await pipeline.StopAsync(Cancel);

        await pipeline.Completion;
        Assert.Equal(("stopped", 0), (pipeline.Status().State, pipeline.Status().Commits));
        Assert.Null((await catalog.LoadTableAsync(TableIdentifier.Parse("shop.gone"), Cancel)).Metadata.CurrentSnapshotId);
    }

    /// <summary>LESSONS 13.</summary>
    [Fact]
    public async Task A_store_much_slower_than_the_flush_interval_gets_fewer_and_larger_files_and_no_queue_builds_up()
    {
        const int Rounds = 20;
        var writer = new SteeredWriter();
        var open = new TaskCompletionSource();
        writer.Before = _ => open.Task;
        var options = Options("slow");
        await using var catalog = await OpenCatalogAsync(options);
        await using (var pipeline = await StartAsync(options, catalog, writer))
        {
            for (var i = 0; i < Rounds; i++)
            {
                // Each is read, and due for a flush, before the next one comes.
                await fixture.ProduceAsync("slow", 0, $$"""{"id":{{i}}}""");
                await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().Records == i + 1), "the record is read");
                await Task.Delay(TimeSpan.FromSeconds(options.HotBuffer.FlushIntervalSeconds * 1.5), Cancel);
            }
            Assert.InRange(writer.Calls, 1, 2);
            open.SetResult();
            await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().CommittedRows == Rounds), "all rows are committed");
            Assert.InRange(pipeline.Status().Commits, 2, 4);
        }
    }

    /// <summary>Another instance passes the first records of a partition.</summary>
    private static async Task MoveOnAsync(ICatalog catalog, TopicPartition partition, long next)
    {
        var state = new TableState(catalog, TableIdentifier.Parse($"shop.{partition.Topic}"));
        await new TableCommitter(state, new TableMetrics(), NullLogger.Instance)
            .CommitAsync(new("another", [new([new(partition, null, next)], [])]), Cancel);
    }

    private static Dictionary<string, string> Ids => new() { ["id"] = "long" };

    private static string[] DataFiles(FrazilOptions options)
        => Directory.GetFiles(options.Catalog.Warehouse, "*.parquet", SearchOption.AllDirectories);

    private FrazilOptions Options(string topic, Func<HotBufferOptions, HotBufferOptions>? hot = null)
    {
        fixture.Cluster.CreateTopic(topic, 1);
        HotBufferOptions usual = new() { FlushIntervalSeconds = 0.1 };
        return fixture.Options(topic, static table => table with { Columns = Ids }, hot?.Invoke(usual) ?? usual);
    }

    private static Task<ICatalog> OpenCatalogAsync(FrazilOptions options) => WarehouseCatalog.OpenAsync(options.Catalog, Cancel);

    private Task<EngineFixture.RunningTable> StartAsync(FrazilOptions options, ICatalog catalog, DataFileWriter writer, string? instance = null)
        => StartAsync(options, new FaultyCatalog(catalog), writer, instance);

    private Task<EngineFixture.RunningTable> StartAsync(FrazilOptions options, FaultyCatalog catalog, DataFileWriter writer, string? instance = null)
        => fixture.StartPipelineAsync(options, catalog, writer, new(64 << 20), instance);
}
