using Frazil.Config;
using Frazil.Iceberg.Catalogs;
using Xunit;

namespace Frazil.Tests.Engine;

/// <summary>When a table's flusher wakes: at what is due, and never without need.</summary>
public sealed class FlushTimingTests : IAsyncDisposable
{
    private readonly EngineFixture fixture = new();
    private readonly SkippedTime time = new();
    private readonly SteeredWriter writer = new();

    public async ValueTask DisposeAsync()
    {
        await writer.DisposeAsync();
        await fixture.DisposeAsync();
    }

    [Fact]
    public async Task A_table_that_holds_nothing_sleeps_until_a_record_comes()
    {
        var options = Options("idle", new() { FlushIntervalSeconds = 0.2, TtlSeconds = 60 });
        await using var catalog = await OpenCatalogAsync(options);
        await using var pipeline = await StartAsync(options, catalog);
        await fixture.ProduceAsync("idle", 0, """{"id":1}""");
        await Eventually(() => pipeline.Status().CommittedRows == 1, "the first row is committed");
        await Eventually(() => time.Sleep != Timeout.InfiniteTimeSpan && pipeline.Status().HotBytes > 0, "what is kept for lookups will be evicted");

        time.Skip(TimeSpan.FromSeconds(60));
        await Eventually(() => pipeline.Status().HotBytes == 0 && time.Sleep == Timeout.InfiniteTimeSpan, "nothing is held, and nothing wakes the flusher");

        await fixture.ProduceAsync("idle", 0, """{"id":2}""");
        await Eventually(() => pipeline.Status().CommittedRows == 2, "the second row is committed");
    }

    [Fact]
    public async Task Rows_are_flushed_when_the_first_of_them_is_old_enough_however_long_it_was_waited_for()
    {
        var options = Options("slow", new() { FlushIntervalSeconds = 3600, TtlSeconds = 0 });
        await using var catalog = await OpenCatalogAsync(options);
        await using var pipeline = await StartAsync(options, catalog);
        await Eventually(() => pipeline.Status().State == "running", "the partition is assigned");
        time.Skip(TimeSpan.FromHours(2));
        await fixture.ProduceAsync("slow", 0, """{"id":1}""");
        await Eventually(() => pipeline.Status().HotRows == 1, "the row is visible");

        time.Skip(TimeSpan.FromMinutes(59));
        var sleeps = time.Sleeps;
        await Eventually(() => time.Sleeps > sleeps + 1, "the flusher has looked");
        Assert.Equal(0, writer.Calls);

        time.Skip(TimeSpan.FromMinutes(1));
        await Eventually(() => pipeline.Status().CommittedRows == 1, "the row is committed");
    }

    [Fact]
    public async Task Tables_that_begin_together_are_flushed_one_after_the_other_and_stay_apart()
    {
        fixture.Cluster.CreateTopic("one", 1);
        fixture.Cluster.CreateTopic("two", 1);
        var options = fixture.Options(
            "one", table => table with { Name = "shop.{topic}", Topics = ["one", "two"] }, new() { FlushIntervalSeconds = 3600, TtlSeconds = 0 });
        await using var catalog = await OpenCatalogAsync(options);
        await using var tables = await StartAsync(options, catalog);
        await ProduceAsync(tables, rows: 1);

        time.Skip(TimeSpan.FromMinutes(30));
        await Eventually(() => Committed(tables) is (0, 1), "the second table is flushed after half the interval");
        await ProduceAsync(tables, rows: 2);

        time.Skip(TimeSpan.FromMinutes(30));
        await Eventually(() => Committed(tables) is (2, 1), "the first table is flushed after the whole interval");
        await ProduceAsync(tables, rows: 3);

        time.Skip(TimeSpan.FromMinutes(30));
        await Eventually(() => Committed(tables) is (2, 3), "the second table is flushed an interval after its first flush");
    }

    private async Task ProduceAsync(EngineFixture.RunningTable tables, int rows)
    {
        await fixture.ProduceAsync("one", 0, $$"""{"id":{{rows}}}""");
        await fixture.ProduceAsync("two", 0, $$"""{"id":{{rows}}}""");
        await Eventually(() => tables.Source.Lanes.All(lane => lane.Status().Records == rows), $"row {rows} of each table is visible");
    }

    private static (long One, long Two) Committed(EngineFixture.RunningTable tables)
        => (tables.Source.Lanes[0].Status().CommittedRows, tables.Source.Lanes[1].Status().CommittedRows);

    private FrazilOptions Options(string topic, HotBufferOptions hot)
    {
        fixture.Cluster.CreateTopic(topic, 1);
        return fixture.Options(topic, hot: hot);
    }

    private static Task<ICatalog> OpenCatalogAsync(FrazilOptions options)
        => WarehouseCatalog.OpenAsync(options.Catalog, TestContext.Current.CancellationToken);

    private Task<EngineFixture.RunningTable> StartAsync(FrazilOptions options, ICatalog catalog)
        => fixture.StartPipelineAsync(options, catalog, writer, new(64 << 20), time: time);

    private static Task Eventually(Func<bool> condition, string what) => EngineFixture.Eventually(() => Task.FromResult(condition()), what);
}
