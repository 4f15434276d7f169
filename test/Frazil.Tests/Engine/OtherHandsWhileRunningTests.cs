using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Xunit;

namespace Frazil.Tests.Engine;

/// <summary>What other hands do to a table while it is fed, and what of Kafka is read again then.</summary>
public sealed class OtherHandsWhileRunningTests : IAsyncDisposable
{
    private readonly EngineFixture fixture = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    [Fact]
    public async Task A_rollback_that_one_partition_finds_out_has_the_others_read_again_too()
    {
        fixture.Cluster.CreateTopic("back", 2);
        var options = Options("back", static table => table with { OnRollback = OnRollback.ReadAgain });
        await using var catalog = await WarehouseCatalog.OpenAsync(options.Catalog, Cancel);
        await using (var pipeline = await fixture.StartPipelineAsync(options, catalog, new SteeredWriter(), new(64 << 20)))
        {
            await FeedAsync(pipeline, "back", 0, """{"id":1}""");
            await FeedAsync(pipeline, "back", 1, """{"id":2}""");
            var former = (await LoadAsync(catalog, "back")).CurrentSnapshotId!.Value;
            await FeedAsync(pipeline, "back", 0, """{"id":3}""");
            await FeedAsync(pipeline, "back", 1, """{"id":4}""");
            await ChangeAsync(catalog, "back", _ => [new TableUpdate.SetSnapshotRef("main", new SnapshotRef(former))]);

            await fixture.ProduceAsync("back", 0, """{"id":5}"""); // nothing comes to the other partition

            await EngineFixture.Eventually(
                async () => (await LoadAsync(catalog, "back")).Properties["frazil.offsets.back"] == """{"0":3,"1":2}""", "both are read again");
        }

        await using var reader = await Frazil.Query.SqlSession.OpenCatalogAsync(options);
        Assert.Equal("1,2,3,4,5", (await reader.QueryAsync(new("select string_agg(id::varchar, ',' order by id) from shop.back"))).Rows[0][0]);
    }

    [Fact]
    public async Task A_record_that_is_a_dead_letter_stays_one_when_a_rollback_has_it_read_again_and_it_would_fit_by_then()
    {
        fixture.Cluster.CreateTopic("loose", 1);
        var options = Options("loose", static table => table with { OnRollback = OnRollback.ReadAgain });
        await using var catalog = await WarehouseCatalog.OpenAsync(options.Catalog, Cancel);
        await using (var pipeline = await fixture.StartPipelineAsync(options, catalog, new SteeredWriter(), new(64 << 20)))
        {
            await FeedAsync(pipeline, "loose", 0, """{"id":1,"price":1}""");
            var former = (await LoadAsync(catalog, "loose")).CurrentSnapshotId!.Value;
            await RequireAsync(catalog, "loose", true);
            await FeedAsync(pipeline, "loose", 0, """{"id":2,"price":2}"""); // the commit that learns of it
            await fixture.ProduceAsync("loose", 0, """{"id":3}""");
            await FeedAsync(pipeline, "loose", 0, """{"id":4,"price":4}""");
            await RequireAsync(catalog, "loose", false);
            await ChangeAsync(catalog, "loose", _ => [new TableUpdate.SetSnapshotRef("main", new SnapshotRef(former))]);

            await fixture.ProduceAsync("loose", 0, """{"id":5,"price":5}""");

            await EngineFixture.Eventually(
                async () => (await LoadAsync(catalog, "loose")).Properties["frazil.offsets.loose"] == """{"0":5}"""
                    && (await LoadAsync(catalog, "loose")).CurrentSnapshot!.ParentSnapshotId == former, "all are read again");
        }

        await using var reader = await Frazil.Query.SqlSession.OpenCatalogAsync(options);
        Assert.Equal("1,2,4,5", (await reader.QueryAsync(new("select string_agg(id::varchar, ',' order by id) from shop.loose"))).Rows[0][0]);
        Assert.Equal(
            "2 missing_required",
            (await reader.QueryAsync(new("select string_agg(kafka_offset || ' ' || error_code, ', ') from shop.loose_dlq"))).Rows[0][0]);
    }

    [Fact]
    public async Task Rows_with_a_null_in_a_column_that_became_required_meanwhile_are_read_again_and_are_dead_letters()
    {
        fixture.Cluster.CreateTopic("tight", 1);
        var options = Options("tight");
        await using var catalog = await WarehouseCatalog.OpenAsync(options.Catalog, Cancel);
        var held = new TaskCompletionSource();
        var writer = new SteeredWriter { Before = call => call == 2 ? held.Task : Task.CompletedTask };
        await using (var pipeline = await fixture.StartPipelineAsync(options, catalog, writer, new(64 << 20)))
        {
            await FeedAsync(pipeline, "tight", 0, """{"id":1,"price":1}""");
            await fixture.ProduceAsync("tight", 0, """{"id":2,"price":2}""");
            await EngineFixture.Eventually(() => Task.FromResult(writer.Calls == 2), "the second flush is being written");
            await RequireAsync(catalog, "tight", true);
            await fixture.ProduceAsync("tight", 0, """{"id":3}""", """{"id":4,"price":4}"""); // read while the price is still optional
            await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().Records == 4), "all are read");
            held.SetResult();

            await EngineFixture.Eventually(
                async () => (await LoadAsync(catalog, "tight")).Properties["frazil.offsets.tight"] == """{"0":4}""", "all are committed");
            Assert.Equal(("running", 0), (pipeline.Status().State, pipeline.Status().FlushFailures));
        }

        await using var reader = await Frazil.Query.SqlSession.OpenCatalogAsync(options);
        Assert.Equal("1,2,4", (await reader.QueryAsync(new("select string_agg(id::varchar, ',' order by id) from shop.tight"))).Rows[0][0]);
        Assert.Equal("2 missing_required", (await reader.QueryAsync(new("select kafka_offset || ' ' || error_code from shop.tight_dlq"))).Rows[0][0]);
    }

    private FrazilOptions Options(string topic, Func<TableOptions, TableOptions>? table = null) => fixture.Options(
        topic, one => (table?.Invoke(one) ?? one) with { Columns = new Dictionary<string, string> { ["id"] = "long", ["price"] = "long" } },
        new() { FlushIntervalSeconds = 0.1 });

    /// <summary>Waits until the records are committed.</summary>
    private async Task FeedAsync(EngineFixture.RunningTable pipeline, string topic, int partition, params string[] values)
    {
        var committed = pipeline.Status().CommittedRows;
        await fixture.ProduceAsync(topic, partition, values);
        await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().CommittedRows == committed + values.Length), "they are committed");
    }

    /// <summary>Makes the price required, or optional.</summary>
    private static Task RequireAsync(ICatalog catalog, string topic, bool required) => ChangeAsync(catalog, topic, table => [
        new TableUpdate.AddSchema(
            new(0, [.. table.CurrentSchema.Fields.Select(field => field.Name == "price" ? field with { Required = required } : field)]), null),
        new TableUpdate.SetCurrentSchema(TableUpdate.LastAdded)]);

    private static async Task<TableMetadata> LoadAsync(ICatalog catalog, string topic)
        => (await catalog.LoadTableAsync(TableIdentifier.Parse($"shop.{topic}"), Cancel)).Metadata;

    private static async Task ChangeAsync(ICatalog catalog, string topic, Func<TableMetadata, IReadOnlyList<TableUpdate>> change)
        => await catalog.CommitTableAsync(TableIdentifier.Parse($"shop.{topic}"), [], change(await LoadAsync(catalog, topic)), Cancel);
}
