using System.Text.Json;
using Frazil.Config;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Query;
using Frazil.Tests.Iceberg;
using Xunit;

namespace Frazil.Tests.Engine;

/// <summary>Producers name fields as they like. Whatever they do, every record is a row or a dead letter, and the table is one that PyIceberg and Java load.</summary>
public sealed class OddNamesTests : IAsyncDisposable
{
    private static readonly Dictionary<string, string> None = [];

    /// <summary>What each topic carries; what PyIceberg then reads, nulls and Kafka columns left out; codes of the dead letters.</summary>
    private static readonly Case[] Cases =
    [
        new("dotted_first", ["""{"a.b":10}""", """{"a":{"b":20}}""", """{"a.b":30}"""], """[{"a.b": 10}, {"a.b": 30}]""", ["conflicting_names"]),
        new("dotted_last", ["""{"a":{"b":20}}""", """{"a.b":10}"""], """[{"a": {"b": 20}}]""", ["conflicting_names"]),
        new("list_first", ["""{"l":[1]}""", """{"l.element":2}"""], """[{"l": [1]}]""", ["conflicting_names"]),
        new("list_last", ["""{"l.element":2}""", """{"l":[1]}"""], """[{"l.element": 2}]""", ["conflicting_names"]),
        new("map_key", ["""{"m":{"x":1},"id":1}""", """{"m.key":2}""", """{"m.value":2}""", """{"m.other":3}"""],
            """[{"id": 1, "m": [["x", 1]]}, {"m.other": 3}]""", ["conflicting_names", "conflicting_names"])
        { Columns = new() { ["m"] = "map<string, int>" } },
        new("within_one", ["""{"a.b":1,"a":{"b":2}}""", """{"ok":true}"""], """[{"ok": true}]""", ["conflicting_names"]),
        new("deep", ["""{"s":{"a.b":1}}""", """{"s":{"a":{"b":2}}}""", """{"s":{"a":{"c":3}}}"""], """[{"s": {"a.b": 1}}, {"s": {"a": {"c": 3}}}]""", ["conflicting_names"]),
        new("wrong_struct", ["""{"x.y":{"p":1}}""", """{"x":{"y":{"q":1}}}""", """{"x":{"y":{"n":5}}}"""], """[{"x.y": {"p": 1}}]""", ["conflicting_names", "conflicting_names"]),
        new("short_name", ["""{"l":[{"x":{"p":1}}]}""", """{"l.x":{"q":1}}""", """{"l.x":{"n":5}}"""],
            """[{"l": [{"x": {"p": 1}}]}, {"l.x": {"q": 1}}, {"l.x": {"n": 5}}]""", []),
        new("case_twins", ["""{"arr":[{"k":1},{"K":2}]}""", """{"arr":[{"k":1}]}""", """{"arr":[{"K":2}]}""", """{"o":{"l":[[{"z":1,"Z":2}]]}}"""],
            """[{"arr": [{"k": 1}]}]""", ["conflicting_names", "conflicting_names", "conflicting_names"]),
        new("twins_in_a_map", ["""{"m":{"k":{"a":1}}}""", """{"m":{"K":{"A":2}}}""", """{"m":{"k":{"b":1,"B":2}}}"""],
            """[{"m": [["k", {"a": 1}]]}]""", ["conflicting_names", "conflicting_names"])
        { Columns = new() { ["m"] = "map<string, struct<a: long>>" } },
        new("partition_first", ["""{"event_timestamp_day":"x","event_timestamp":"2026-01-01T00:00:00Z"}""", """{"event_timestamp":"2026-01-01T00:00:00Z","id":1}"""],
            """[{"event_timestamp": "2026-01-01 00:00:00+00:00", "id": 1}]""", ["conflicting_names"])
        { Columns = new() { ["event_timestamp"] = "timestamptz" }, PartitionBy = ["day(event_timestamp)"] },
        new("partition_later", ["""{"event_timestamp":"2026-01-01T00:00:00Z","id":1}""", """{"id":2,"event_timestamp_day":"x"}""", """{"id":3,"more":true}"""],
            """[{"event_timestamp": "2026-01-01 00:00:00+00:00", "id": 1}, {"id": 3, "more": true}]""", ["conflicting_names"])
        { Columns = new() { ["event_timestamp"] = "timestamptz" }, PartitionBy = ["day(event_timestamp)"] },
        new("partition_inferred", ["""{"user_id":1,"user_id_bucket":2}""", """{"user_id":2}"""], """[{"user_id": 2}]""", ["conflicting_names"])
        { Columns = new() { ["user_id"] = "long" }, PartitionBy = ["bucket(4, user_id)"] },
        new("partition_identity", ["""{"city":"x"}""", """{"place":1}"""], """[{"city": "x"}, {"place": 1}]""", [])
        { Columns = new() { ["city"] = "string" }, PartitionBy = ["city"] },
        new("duckdbs_own_word", ["""{"__duckdb_field_id":1,"s":{"__DuckDB_Field_Id":"x","y":[{"__duckdb_field_id":true}]}}""", """{"id":2}"""],
            """[{"__duckdb_field_id": 1, "s": {"__DuckDB_Field_Id": "x", "y": [{"__duckdb_field_id": true}]}}, {"id": 2}]""", []),
    ];

    private readonly EngineFixture fixture = new();

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    [Fact]
    public async Task Every_record_is_a_row_or_a_letter_of_a_table_that_PyIceberg_and_Java_load()
    {
        foreach (var one in Cases)
        {
            fixture.Cluster.CreateTopic(one.Topic, 1);
            await fixture.ProduceAsync(one.Topic, 0, one.Records);
        }
        var options = fixture.Options(Cases[0].Topic) with { Tables = [.. Cases.Select(static one => one.Table)] };
        await using (var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs()))
        {
            await EngineFixture.Eventually(
                () => Task.FromResult(engine.Tables.All(table => table.Records >= Cases.Single(one => one.Table.Name == table.Name).Records.Length)), "all records are read");
            await engine.StopAsync();
            Assert.Equal(Cases.Select(static one => (long)one.Records.Length).ToArray(), engine.Tables.Select(static table => table.CommittedRows + table.BadRecords).ToArray());
        }

        await using var session = await SqlSession.OpenCatalogAsync(options);
        var read = JsonDocument.Parse(await ReadAsync(options)).RootElement;
        await using var catalog = await SqlCatalog.OpenAsync(options.Catalog.Uri, options.Catalog.Warehouse, new LocalFileIO());
        foreach (var one in Cases)
        {
            var metadata = (await catalog.LoadTableAsync(TableIdentifier.Parse(one.Table.Name))).Metadata;
            Assert.Empty(JavaRules.Problems(metadata));
            Assert.Equal($"{one.Topic} {one.Rows}", $"{one.Topic} {read.GetProperty(one.Topic).GetString()}");
            Assert.Equal((long)(one.Records.Length - one.Codes.Length), (await session.QueryAsync(new($"select count(*) from {one.Table.Name}"))).Rows[0][0]);
            var letters = one.Codes.Length == 0 ? [] : (await session.QueryAsync(new($"select error_code from {one.Table.Name}_dlq order by kafka_offset"))).Rows;
            Assert.Equal(one.Codes, letters.Select(static row => row[0]));
        }
        var own = await session.QueryAsync(new("select * from shop.duckdbs_own_word order by kafka_offset"));
        Assert.Equal(1L, own.Rows[0][0]);
        await AssertJavaLoadsAsync(catalog);
    }

    /// <summary>The reference REST catalog is Java's library: to register a table it reads its metadata.</summary>
    private static async Task AssertJavaLoadsAsync(ICatalog catalog)
    {
        await using var java = await JavaCatalog.StartAsync();
        foreach (var one in Cases)
        {
            await java.RegisterAsync(one.Topic, (await catalog.LoadTableAsync(TableIdentifier.Parse(one.Table.Name))).MetadataLocation);
        }
    }

    private static Task<string> ReadAsync(FrazilOptions options) => IcebergKit.RunPythonAsync(
        """
        import json, sys
        from pyiceberg.catalog.sql import SqlCatalog
        catalog = SqlCatalog("frazil", uri="sqlite:///" + sys.argv[1])
        def plain(value):
            if isinstance(value, dict):
                return {name: plain(one) for name, one in sorted(value.items()) if one is not None and one != [] and not name.startswith("kafka_")}
            return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value
        read = {} # empty lists are left out, because PyIceberg reads a null list of structs as one
        for name in sys.argv[2:]:
            table = catalog.load_table("shop." + name)
            rows = sorted(table.scan().to_arrow().to_pylist(), key=lambda row: row["kafka_offset"])
            read[name] = json.dumps([plain(row) for row in rows], default=str, sort_keys=True)
        print(json.dumps(read))
        """,
        [options.Catalog.Uri["sqlite:".Length..], .. Cases.Select(static one => one.Topic)]);

    private sealed record Case(string Topic, string[] Records, string Rows, string[] Codes)
    {
        public Dictionary<string, string> Columns { get; init; } = None;

        public string[] PartitionBy { get; init; } = [];

        public TableOptions Table => new() { Name = $"shop.{Topic}", Topics = [Topic], Columns = Columns, PartitionBy = PartitionBy };
    }
}
