using System.Text;
using Frazil.Commit;
using Frazil.Config;
using Frazil.Formats.Json;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Frazil.Tests.Commit;

/// <summary>How a table's schema grows, beside others who change it too.</summary>
public sealed class SchemaKeeperTests : IAsyncLifetime
{
    private static readonly TableIdentifier Table = TableIdentifier.Parse("shop.events");
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly string folder = Path.Combine(Path.GetTempPath(), $"frazil-test-{Guid.NewGuid():N}");
    private FaultyCatalog catalog = null!;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(folder);
        catalog = new(await SqlCatalog.OpenAsync($"sqlite:{folder}/catalog.db", $"{folder}/warehouse", new LocalFileIO()));
    }

    public async ValueTask DisposeAsync()
    {
        await catalog.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Two_writers_that_add_the_very_same_column_at_once_make_one()
    {
        var (one, other) = (Keeper(), Keeper());
        Assert.Null(await one.EvolveAsync(Samples("""{"id":1}"""), Cancel));
        await other.OpenAsync(Cancel);
        catalog.BeforeCommit = async () => Assert.Null(await other.EvolveAsync(Samples("""{"note":"x","s":{"a":1}}"""), Cancel));

        Assert.Null(await one.EvolveAsync(Samples("""{"note":"y","s":{"a":2,"b":3}}"""), Cancel));

        var schema = await SchemaAsync();
        Assert.Equal(["id", "kafka_partition", "kafka_offset", "kafka_timestamp", "note", "s"], schema.Fields.Select(static field => field.Name));
        Assert.Equal(["a", "b"], schema.FindField("s")!.Type.Fields.Select(static field => field.Name));
        Assert.Equal(schema, one.Current!.Iceberg);
    }

    [Fact]
    public async Task A_column_that_another_engine_made_optional_takes_nulls_from_then_on()
    {
        var keeper = Keeper(new() { ["id"] = "long" });
        await keeper.EnsureTableAsync(Cancel);
        await ChangeAsync(static table => [new TableUpdate.AddSchema(
            new Schema(0, [.. table.CurrentSchema.Fields.Select(static field => field.Name == "id" ? field with { Required = true } : field)]), null),
            new TableUpdate.SetCurrentSchema(TableUpdate.LastAdded)]);
        Assert.Null(await keeper.EvolveAsync(Samples("""{"a":1}"""), Cancel));
        Assert.False(keeper.Current!.Columns[0].Nullable);

        await ChangeAsync(static table => new SchemaUpdate(table).MakeOptional("id").ToUpdates());
        Assert.Null(await keeper.EvolveAsync(Samples("""{"b":1}"""), Cancel));
        Assert.True(keeper.Current!.Columns[0].Nullable);
    }

    [Fact]
    public async Task A_field_never_takes_the_place_of_a_Kafka_column_that_another_engine_dropped()
    {
        var keeper = Keeper();
        Assert.Null(await keeper.EvolveAsync(Samples("""{"id":1}"""), Cancel));
        await ChangeAsync(static table => new SchemaUpdate(table).DropColumn("kafka_offset").ToUpdates());

        Assert.Equal("reserved_field", (await keeper.EvolveAsync(Samples("""{"kafka_offset":"mine"}"""), Cancel))!.Code);

        Assert.Null((await SchemaAsync()).FindField("kafka_offset"));
        Assert.Null(await keeper.EvolveAsync(Samples("""{"below":{"kafka_offset":"mine"}}"""), Cancel));
    }

    [Fact]
    public async Task A_column_that_the_rules_of_the_format_refuse_is_told_as_the_records_fault_and_not_tried_for_ever()
    {
        var keeper = Keeper(new() { ["city"] = "string", ["l"] = "list<struct<a: int>>" }, "truncate(3, city) as \"l.x\"");
        Assert.Null(await keeper.EvolveAsync(Samples("""{"city":"x"}"""), Cancel));

        var problem = await keeper.EvolveAsync(Samples("""{"l":[{"x":1}]}"""), Cancel);
        Assert.Equal("conflicting_names", problem!.Code);
        Assert.Contains("l.x", problem.Message, StringComparison.Ordinal);

        Assert.Null(await keeper.EvolveAsync(Samples("""{"ok":1}""", """{"l":[{"x":1}]}"""), Cancel));
        var schema = await SchemaAsync();
        Assert.NotNull(schema.FindField("ok"));
        Assert.Null(schema.FindField("l.element.x"));
    }

    [Fact]
    public async Task A_table_that_cannot_be_created_as_configured_ends_its_pipeline_and_says_why()
    {
        var keeper = Keeper(properties: new() { ["format-version"] = "7" });
        var error = await Assert.ThrowsAsync<PipelineFailedException>(() => keeper.EvolveAsync(Samples("""{"id":1}"""), Cancel));
        Assert.Contains("format-version", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task New_fields_below_lists_maps_and_structs_that_were_null_or_empty_become_columns_there()
    {
        var keeper = Keeper(new() { ["m"] = "map<string, struct<a: long>>", ["l"] = "list<list<struct<a: long>>>", ["s"] = "struct<t: struct<a: long>>" });
        Assert.Null(await keeper.EvolveAsync(Samples("""{"m":{},"l":[],"s":null,"n":null}"""), Cancel));
        Assert.Null(await keeper.EvolveAsync(Samples("""{"m":{"k":{"b":1}},"l":[[{"b":true}]],"s":{"t":{"b":"x"}},"n":[{"c":1.5}]}"""), Cancel));

        var schema = await SchemaAsync();
        Assert.Equal(IcebergType.Long, schema.FindField("m.value.b")!.Type);
        Assert.Equal(IcebergType.Boolean, schema.FindField("l.element.element.b")!.Type);
        Assert.Equal(IcebergType.String, schema.FindField("s.t.b")!.Type);
        Assert.Equal(IcebergType.Double, schema.FindField("n.element.c")!.Type);
    }

    [Fact]
    public async Task What_is_declared_comes_back_with_its_declared_type_after_another_engine_dropped_or_renamed_it()
    {
        var keeper = Keeper(new()
        {
            ["at"] = "timestamptz", ["day"] = "date", ["s"] = "struct<a: date, b: long>", ["l"] = "list<struct<d: decimal(10,2), n: int>>",
            ["m"] = "map<string, struct<x: int, y: uuid>>", ["rest"] = "map<string, long>",
        });
        await keeper.EnsureTableAsync(Cancel);
        await ChangeAsync(static table => new SchemaUpdate(table).DropColumn("at").Rename("day", "when").DropColumn("s.a").DropColumn("l.d")
            .DropColumn("m.y").DropColumn("rest").ToUpdates());

        Assert.Null(await keeper.EvolveAsync(Samples(
            """{"at":"2026-01-31T00:00:00Z","day":null,"s":{"a":"2026-01-31","c":1},"l":[{"n":1},{"d":1.5}],"m":{"k":{"y":"x"}}}""", "no JSON"), Cancel));

        var schema = await SchemaAsync();
        Assert.Equal(
            ["timestamptz", "date", "decimal(10, 2)", "uuid", "long", "date"],
            new[] { "at", "s.a", "l.element.d", "m.value.y", "s.c", "when" }.Select(name => schema.FindField(name)!.Type.ToString()));
        Assert.Null(schema.FindField("day")); // nobody brought a value
        Assert.Null(schema.FindField("rest"));

        Assert.Null(await keeper.EvolveAsync(Samples("""{"rest":{"a b":1,"":2}}"""), Cancel)); // what no inferred struct could hold
        Assert.Equal("map<string, long>", (await SchemaAsync()).FindField("rest")!.Type.ToString());
    }

    [Fact]
    public async Task Two_writers_that_bring_a_dropped_column_back_at_once_make_one()
    {
        var declared = new Dictionary<string, string> { ["at"] = "timestamptz", ["id"] = "long" };
        var (one, other) = (Keeper(declared), Keeper(declared));
        await one.EnsureTableAsync(Cancel);
        await ChangeAsync(static table => new SchemaUpdate(table).DropColumn("at").ToUpdates());
        await other.OpenAsync(Cancel);
        await one.OpenAsync(Cancel);
        catalog.BeforeCommit = async () => Assert.Null(await other.EvolveAsync(Samples("""{"at":"2026-01-31T00:00:00Z"}"""), Cancel));

        Assert.Null(await one.EvolveAsync(Samples("""{"at":"2026-01-31T00:00:00Z"}"""), Cancel));

        Assert.Equal("timestamptz", Assert.Single((await SchemaAsync()).Fields, static field => field.Name == "at").Type.ToString());
    }

    private SchemaKeeper Keeper(Dictionary<string, string>? columns = null, string? partition = null, Dictionary<string, string>? properties = null)
    {
        var state = new TableState(catalog, Table);
        var options = new TableOptions
        {
            Name = Table.ToString(),
            Topics = ["events"],
            Columns = columns ?? [],
            PartitionBy = partition is null ? [] : [partition],
            Properties = properties ?? [],
        };
        return new(catalog, state, new(state, new TableMetrics(), NullLogger.Instance), options, NullLogger.Instance);
    }

    private static JsonSamples Samples(params string[] records)
    {
        var samples = new JsonSamples();
        foreach (var record in records)
        {
            samples.Add(new(Encoding.UTF8.GetBytes(record)));
        }
        return samples;
    }

    private async Task<Schema> SchemaAsync() => (await catalog.LoadTableAsync(Table, Cancel)).Metadata.CurrentSchema;

    private async Task ChangeAsync(Func<TableMetadata, IReadOnlyList<TableUpdate>> change)
        => await catalog.CommitTableAsync(Table, [], change((await catalog.LoadTableAsync(Table, Cancel)).Metadata), Cancel);
}
