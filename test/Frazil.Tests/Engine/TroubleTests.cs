using Frazil.Config;
using Frazil.Hot;
using Frazil.Query;
using Xunit;

namespace Frazil.Tests.Engine;

/// <summary>A table that cannot commit: what it says of itself, and that it takes nothing from the others (LESSONS 36, 39, 42, 43).</summary>
public sealed class TroubleTests : IAsyncDisposable
{
    private const long Limit = 8 << 20;

    private readonly EngineFixture fixture = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    /// <summary>LESSONS 43. The limit is reached by the stuck table alone; the other one is fed much more than its share afterwards.</summary>
    [Fact]
    public async Task A_table_that_cannot_flush_takes_what_is_free_and_never_stops_another()
    {
        var memory = new MemoryBudget(Limit);
        var stuckWriter = new SteeredWriter { Before = static _ => throw new IOException("the store is down") };
        var (stuckOptions, soundOptions) = (Options("stuck", 8), Options("sound", 4));
        await using var catalog = await WarehouseCatalog.OpenAsync(stuckOptions.Catalog, Cancel);
        await using var stuck = await fixture.StartPipelineAsync(stuckOptions, catalog, stuckWriter, memory);
        await ProduceMegabytesAsync("stuck", 8, partitions: 8);
        await EngineFixture.Eventually(
            () => Task.FromResult(stuck.Status().HotBytes >= Limit / 4 * 3 && stuck.IsHeldBack), "the stuck table has taken what is free");
        await EngineFixture.Eventually(() => Task.FromResult(stuck.Status().State == "failing"), "it says so");

        await using var sound = await fixture.StartPipelineAsync(soundOptions, catalog, new SteeredWriter(), memory);
        var records = await ProduceMegabytesAsync("sound", 8, partitions: 4);
        await EngineFixture.Eventually(() => Task.FromResult(sound.Status().Records == records), "the sound table has read all");
        await sound.StopAsync(Cancel);

        var status = sound.Status();
        Assert.Equal(records, status.CommittedRows);
        Assert.InRange(status.Commits, 2, 8 * 1024 * 1024 / (Limit / 4 / 8)); // an eighth of its share each, at least
        Assert.True(stuck.IsHeldBack);
        using var enough = new CancellationTokenSource();
        await enough.CancelAsync();
        await stuck.StopAsync(enough.Token);
        Assert.InRange(memory.Account.PeakBytes, 0, Limit / 2 * 3); // buffers double
    }

    /// <summary>LESSONS 39.</summary>
    [Fact]
    public async Task A_dead_letter_table_that_cannot_be_written_stops_its_own_tables_progress_and_nothing_else()
    {
        fixture.Cluster.CreateTopic("letters", 1);
        fixture.Cluster.CreateTopic("sound", 1);
        await fixture.ProduceAsync("letters", 0, """{"id":1}""", "not json", """{"id":2}""");
        await fixture.ProduceAsync("sound", 0, """{"id":1}""");
        var options = fixture.Options("letters", hot: new() { FlushIntervalSeconds = 0.1 });
        options = options with { Tables = [options.Tables[0], options.Tables[0] with { Name = "shop.sound", Topics = ["sound"] }] };
        var inTheWay = Path.Combine(options.Catalog.Warehouse, "shop", "letters_dlq", "data");
        Directory.CreateDirectory(Path.GetDirectoryName(inTheWay)!);
        await File.WriteAllTextAsync(inTheWay, "a file where the folder should be", Cancel);
        await using (var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs(), Cancel))
        {
            await EngineFixture.Eventually(
                () => Task.FromResult(engine.Tables[0].State == "failing" && engine.Tables[1].CommittedRows == 1), "one fails and one commits");
            Assert.StartsWith("dead letters: ", engine.Tables[0].Reason, StringComparison.Ordinal);
            Assert.True(engine.Tables[0].FailingSeconds > 0);
            Assert.Equal(0, engine.Tables[0].Commits);
            Assert.Equal(("running", null), (engine.Tables[1].State, engine.Tables[1].Reason));

            File.Delete(inTheWay);
            await EngineFixture.Eventually(
                () => Task.FromResult(engine.Tables[0] is { State: "running", CommittedRows: 2, FailingSeconds: 0 }), "it goes on where it was");
        }
        await using var reader = await SqlSession.OpenCatalogAsync(options);
        Assert.Equal(1L, (await reader.QueryAsync(new("select count(*) from shop.letters_dlq"))).Rows[0][0]);
    }

    /// <summary>LESSONS 42.</summary>
    [Fact]
    public async Task A_table_whose_commits_have_failed_for_as_long_as_configured_fails_itself_and_the_others_go_on()
    {
        fixture.Cluster.CreateTopic("ends", 1);
        fixture.Cluster.CreateTopic("lives", 1);
        await fixture.ProduceAsync("ends", 0, """{"id":1}""");
        await fixture.ProduceAsync("lives", 0, """{"id":1}""");
        var options = fixture.Options("ends", hot: new() { FlushIntervalSeconds = 0.1, FailAfterSeconds = 0.5 });
        options = options with { Tables = [options.Tables[0], options.Tables[0] with { Name = "shop.lives", Topics = ["lives"] }] };
        var inTheWay = Path.Combine(options.Catalog.Warehouse, "shop", "ends", "data");
        Directory.CreateDirectory(Path.GetDirectoryName(inTheWay)!);
        await File.WriteAllTextAsync(inTheWay, "a file where the folder should be", Cancel);
        await using var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs(), Cancel);

        await EngineFixture.Eventually(() => Task.FromResult(engine.Tables[0].State == "failed"), "its time is over");

        Assert.Contains("hot_buffer.fail_after_seconds = 0.5", engine.Tables[0].Reason, StringComparison.Ordinal);
        await EngineFixture.Eventually(() => Task.FromResult(engine.Tables[1].CommittedRows == 1), "the other one commits");
        Assert.False(engine.Completion.IsCompleted);
    }

    /// <summary>One spoilt table at start is refused by name; the others run.</summary>
    [Fact]
    public async Task A_table_whose_log_cannot_be_written_is_refused_by_name_and_the_others_run()
    {
        fixture.Cluster.CreateTopic("nolog", 1);
        fixture.Cluster.CreateTopic("beside", 1);
        await fixture.ProduceAsync("beside", 0, """{"id":1}""");
        var options = fixture.Options("nolog");
        options = options with { Tables = [options.Tables[0], options.Tables[0] with { Name = "shop.beside", Topics = ["beside"] }] };
        Directory.CreateDirectory(Path.Combine(options.DataDir, "log"));
        await File.WriteAllTextAsync(Path.Combine(options.DataDir, "log", "shop.nolog"), "a file where the folder should be", Cancel);

        await using var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs(), Cancel);

        Assert.Equal("failed", engine.Tables[0].State);
        Assert.StartsWith("table shop.nolog cannot be opened: ", engine.Tables[0].Reason, StringComparison.Ordinal);
        await EngineFixture.Eventually(() => Task.FromResult(engine.Tables[1].Records == 1), "the other table reads");
    }

    private FrazilOptions Options(string topic, int partitions)
    {
        fixture.Cluster.CreateTopic(topic, partitions);
        return fixture.Options(
            topic, static table => table with { Columns = new Dictionary<string, string> { ["id"] = "long", ["text"] = "string" } },
            new() { FlushIntervalSeconds = 3600, TtlSeconds = 0 });
    }

    private async Task<long> ProduceMegabytesAsync(string topic, int megabytes, int partitions)
    {
        var text = new string('x', 10_000);
        var count = megabytes * 1024 * 1024 / text.Length;
        foreach (var chunk in Enumerable.Range(0, count).Chunk(100))
        {
            await fixture.ProduceAsync(topic, chunk[0] / 100 % partitions, chunk.Select(i => $$"""{"id":{{i}},"text":"{{text}}"}"""));
        }
        return count;
    }
}
