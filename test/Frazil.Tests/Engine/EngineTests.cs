using Xunit;

namespace Frazil.Tests.Engine;

public sealed class EngineTests : IAsyncDisposable
{
    private readonly EngineFixture fixture = new();

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    [Fact]
    public async Task Records_are_committed_once_and_a_restart_reads_on_from_the_tables_own_progress()
    {
        fixture.Cluster.CreateTopic("events", 2);
        await fixture.ProduceAsync("events", 0, Enumerable.Range(0, 500).Select(i => $$"""{"id":{{i}},"kind":"a","at":"2026-01-01T00:00:00Z","device":{"os":"x"},"tags":["t"]}"""));
        var options = fixture.Options("events", table => table with { Columns = new Dictionary<string, string> { ["at"] = "timestamptz" }, PartitionBy = ["day(at)"] });
        await RunUntilAsync(options, 500);
        await fixture.ProduceAsync("events", 1, Enumerable.Range(0, 300).Select(i => $$"""{"id":{{i}},"kind":"b","at":"2026-01-02T00:00:00Z","new":1.5}"""));
        await RunUntilAsync(options, 300);

        await using var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs());
        Assert.Equal(0, engine.Tables[0].Records);
    }

    private static async Task RunUntilAsync(Frazil.Config.FrazilOptions options, long records)
    {
        await using var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs());
        await EngineFixture.Eventually(() => Task.FromResult(engine.Tables[0].Records >= records), $"{records} records are read");
        await engine.StopAsync();
        var table = engine.Tables[0];
        Assert.Equal(records, table.Records);
        Assert.Equal(records, table.CommittedRows);
        Assert.Equal(0, engine.HotBytes);
    }
}
