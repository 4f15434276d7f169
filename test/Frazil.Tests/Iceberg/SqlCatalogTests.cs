using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Json;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Frazil.Tests.Iceberg;

public sealed class SqlCatalogTests : IDisposable
{
    private readonly ScratchFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static Schema Simple { get; } = new(0, [new(1, "id", true, IcebergType.Long), new(2, "name", false, IcebergType.String)]);

    private static TableIdentifier Orders { get; } = TableIdentifier.Parse("shop.orders");

    private string Database => Path.Combine(folder.Path, "catalog.db");

    private Task<SqlCatalog> OpenAsync(TimeProvider? time = null) =>
        SqlCatalog.OpenAsync($"sqlite:{Database}", Path.Combine(folder.Path, "warehouse"), new LocalFileIO(), "test", time);

    private async Task<SqlCatalog> OpenWithTableAsync()
    {
        var catalog = await OpenAsync();
        await catalog.CreateNamespaceAsync(NamespaceName.Parse("shop"));
        await catalog.CreateTableAsync(Orders, Simple);
        return catalog;
    }

    private static TableUpdate Property(string name, string value)
        => new TableUpdate.SetProperties(new Dictionary<string, string> { [name] = value });

    [Fact]
    public async Task Twenty_committers_at_once_have_one_winner_a_version()
    {
        await using var catalog = await OpenWithTableAsync();
        const int committers = 20;
        const int rounds = 5;
        for (var round = 0; round < rounds; round++)
        {
            var table = await catalog.LoadTableAsync(Orders);
            var snapshot = new Snapshot(
                1000 + round, table.Metadata.CurrentSnapshotId, round + 1, 0, "list", new Dictionary<string,
                string>
                { ["operation"] = "append" }, 0);
            var results = await Task.WhenAll(Enumerable.Range(0, committers).Select(async i =>
            {
                await using var own = await OpenAsync();
                try
                {
                    await own.CommitTableAsync(Orders,
                        [new TableRequirement.AssertRefSnapshotId("main", table.Metadata.CurrentSnapshotId)],
                        [new TableUpdate.AddSnapshot(snapshot with { SnapshotId = 1000 * (round + 1) + i }),
                            new TableUpdate.SetSnapshotRef("main", new SnapshotRef(1000 * (round + 1) + i))]);
                    return true;
                }
                catch (CommitConflictException)
                {
                    return false;
                }
            }));
            Assert.Equal(1, results.Count(won => won));
        }
        var final = await catalog.LoadTableAsync(Orders);
        Assert.Equal(rounds, final.Metadata.Snapshots.Count);
        Assert.Equal(rounds, final.Metadata.MetadataLog.Count);
        // Losers leave nothing behind.
        Assert.Equal(rounds + 1, Directory.GetFiles(Path.Combine(LocalFileIO.PathOf(final.Metadata.Location), "metadata")).Length);
    }

    [Fact]
    public async Task Commits_without_a_conflict_in_meaning_all_succeed()
    {
        await using var catalog = await OpenWithTableAsync();
        await Task.WhenAll(Enumerable.Range(0, 5).Select(i => catalog.CommitTableAsync(Orders, [], [Property($"p{i}", "x")])));
        var table = await catalog.LoadTableAsync(Orders);
        Assert.Equal(["p0", "p1", "p2", "p3", "p4"], table.Metadata.Properties.Keys.Order());
    }

    [Fact]
    public async Task A_requirement_that_does_not_hold_is_a_conflict_and_writes_nothing()
    {
        await using var catalog = await OpenWithTableAsync();
        var before = await catalog.LoadTableAsync(Orders);
        TableRequirement[] wrong =
        [
            new TableRequirement.AssertTableUuid(Guid.NewGuid()), new TableRequirement.AssertRefSnapshotId("main", 5),
            new TableRequirement.AssertCurrentSchemaId(3),
            new TableRequirement.AssertLastAssignedFieldId(9), new TableRequirement.AssertDefaultSpecId(2),
            new TableRequirement.AssertCreate(),
            new TableRequirement.AssertLastAssignedPartitionId(1), new TableRequirement.AssertDefaultSortOrderId(7),
        ];
        foreach (var requirement in wrong)
            await Assert.ThrowsAsync<CommitConflictException>(() => catalog.CommitTableAsync(Orders, [requirement], [Property("a", "b")]));
        Assert.Equal(before.MetadataLocation, (await catalog.LoadTableAsync(Orders)).MetadataLocation);
        Assert.Single(Directory.GetFiles(Path.Combine(LocalFileIO.PathOf(before.Metadata.Location), "metadata")));
    }

    [Fact]
    public async Task Names_are_listed_renamed_and_dropped()
    {
        await using var catalog = await OpenWithTableAsync();
        await catalog.CreateNamespaceAsync(NamespaceName.Parse("shop.eu"), new Dictionary<string, string> { ["owner"] = "me" });
        Assert.Equal(["shop"], (await catalog.ListNamespacesAsync()).Select(name => name.ToString()));
        Assert.Equal(["shop.eu"], (await catalog.ListNamespacesAsync(NamespaceName.Parse("shop"))).Select(name => name.ToString()));
        Assert.Equal("me", (await catalog.LoadNamespaceAsync(NamespaceName.Parse("shop.eu")))["owner"]);
        await Assert.ThrowsAsync<NamespaceAlreadyExistsException>(() => catalog.CreateNamespaceAsync(NamespaceName.Parse("shop")));
        await Assert.ThrowsAsync<NoSuchNamespaceException>(() => catalog.CreateTableAsync(TableIdentifier.Parse("nope.t"), Simple));
        await Assert.ThrowsAsync<TableAlreadyExistsException>(() => catalog.CreateTableAsync(Orders, Simple));
        await Assert.ThrowsAsync<NamespaceNotEmptyException>(() => catalog.DropNamespaceAsync(NamespaceName.Parse("shop")));

        var moved = TableIdentifier.Parse("shop.eu.orders");
        await catalog.RenameTableAsync(Orders, moved);
        Assert.False(await catalog.TableExistsAsync(Orders));
        Assert.Equal([moved], await catalog.ListTablesAsync(NamespaceName.Parse("shop.eu")));
        await catalog.CreateTableAsync(Orders, Simple);
        await Assert.ThrowsAsync<TableAlreadyExistsException>(() => catalog.RenameTableAsync(moved, Orders));
        await catalog.DropTableAsync(moved);
        await Assert.ThrowsAsync<NoSuchTableException>(() => catalog.DropTableAsync(moved));
        await Assert.ThrowsAsync<NoSuchTableException>(() => catalog.LoadTableAsync(moved));
        await Assert.ThrowsAsync<NoSuchTableException>(() => catalog.CommitTableAsync(moved, [], [Property("a", "b")]));
        await catalog.DropNamespaceAsync(NamespaceName.Parse("shop.eu"));
        Assert.False(await catalog.NamespaceExistsAsync(NamespaceName.Parse("shop.eu")));
    }

    [Fact]
    public async Task A_purge_deletes_the_tables_files_unless_garbage_collection_is_off()
    {
        await using var catalog = await OpenWithTableAsync();
        var kept = await catalog.CreateTableAsync(
            TableIdentifier.Parse("shop.kept"), Simple, properties: new Dictionary<string, string> { ["gc.enabled"] = "false" });
        var gone = await catalog.LoadTableAsync(Orders);
        await catalog.DropTableAsync(Orders, purge: true);
        await catalog.DropTableAsync(kept.Identifier, purge: true);
        Assert.False(await catalog.FileIO.ExistsAsync(gone.MetadataLocation));
        Assert.True(await catalog.FileIO.ExistsAsync(kept.MetadataLocation));
        var back = await catalog.RegisterTableAsync(kept.Identifier, kept.MetadataLocation);
        Assert.Equal(kept.Metadata.TableUuid, back.Metadata.TableUuid);
    }

    [Fact]
    public async Task The_metadata_log_is_trimmed_and_old_files_deleted_where_asked()
    {
        await using var catalog = await OpenAsync();
        await catalog.CreateNamespaceAsync(NamespaceName.Parse("shop"));
        var table = await catalog.CreateTableAsync(Orders, Simple, properties: new Dictionary<string, string>
        {
            ["write.metadata.previous-versions-max"] = "3",
            ["write.metadata.delete-after-commit.enabled"] = "true",
            ["write.metadata.compression-codec"] = "gzip",
        });
        Assert.EndsWith(".gz.metadata.json", table.MetadataLocation);
        for (var i = 0; i < 8; i++)
            table = await catalog.CommitTableAsync(Orders, [], [Property("round", $"{i}")]);
        Assert.Equal(3, table.Metadata.MetadataLog.Count);
        Assert.Equal(4, Directory.GetFiles(Path.Combine(LocalFileIO.PathOf(table.Metadata.Location), "metadata")).Length);
        Assert.Matches("/00008-[0-9a-f-]{36}\\.gz\\.metadata\\.json$", table.MetadataLocation);
        Assert.Equal("7", (await catalog.LoadTableAsync(Orders)).Metadata.Properties["round"]);
    }

    [Fact]
    public async Task A_schema_and_a_spec_evolve_in_one_commit()
    {
        await using var catalog = await OpenWithTableAsync();
        var table = await catalog.LoadTableAsync(Orders);
        var change = new SchemaUpdate(table.Metadata).AddColumn("at", IcebergType.TimestampTz)
            .AddColumn("device", IcebergTypeParser.Parse("struct<os: string, tags: list<string>>"));
        table = await catalog.CommitTableAsync(Orders, SchemaUpdate.RequirementsFor(table.Metadata),
            [.. change.ToUpdates(), new TableUpdate.AddSpec(PartitionSpecParser.Parse(["day(at)"], change.Apply())),
                new TableUpdate.SetDefaultSpec(TableUpdate.LastAdded)]);
        Assert.Equal(1, table.Metadata.CurrentSchemaId);
        Assert.Equal(7, table.Metadata.LastColumnId);
        Assert.Equal(1, table.Metadata.DefaultSpecId);
        Assert.Equal(1000, table.Metadata.LastPartitionId);
        // The same change again is the same schema and spec.
        table = await catalog.CommitTableAsync(Orders, [],
            [new TableUpdate.AddSchema(table.Metadata.CurrentSchema), new TableUpdate.SetCurrentSchema(TableUpdate.LastAdded),
                new TableUpdate.AddSpec(table.Metadata.DefaultSpec)]);
        Assert.Equal(2, table.Metadata.Schemas.Count);
        Assert.Equal(2, table.Metadata.PartitionSpecs.Count);
        await Assert.ThrowsAsync<ValidationException>(() => catalog.CommitTableAsync(Orders, [], [new TableUpdate.SetCurrentSchema(9)]));
        await Assert.ThrowsAsync<ValidationException>(
            () => catalog.CommitTableAsync(Orders, [], [new TableUpdate.SetDefaultSpec(TableUpdate.LastAdded)]));
    }

    [Fact]
    public async Task A_catalog_that_cannot_be_opened_says_so()
    {
        File.WriteAllText(Database, "this is no database, but a text that is long enough to be looked at");
        var error = await Assert.ThrowsAsync<CatalogUnavailableException>(() => OpenAsync());
        Assert.Contains(Database, error.Message);
        await Assert.ThrowsAsync<ValidationException>(() => SqlCatalog.OpenAsync("postgresql://x", "w", new LocalFileIO()));
        await Assert.ThrowsAsync<ValidationException>(() => SqlCatalog.OpenAsync("sqlite::memory:", "w", new LocalFileIO()));
    }

    /// <summary>SQLite answers an error that does not say whether the row changed.</summary>
    private async Task RefuseUpdatesAsync()
    {
        await using var connection = new SqliteConnection($"Data Source={Database}");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText =
            "CREATE TRIGGER refuse BEFORE UPDATE ON iceberg_tables BEGIN SELECT RAISE(ABORT, 'refused by a trigger'); END";
        await command.ExecuteNonQueryAsync();
    }

    [Fact]
    public async Task After_an_unclear_answer_the_row_is_looked_up()
    {
        await using var catalog = await OpenWithTableAsync();
        var before = await catalog.LoadTableAsync(Orders);
        await RefuseUpdatesAsync();
        await Assert.ThrowsAsync<CommitConflictException>(() => catalog.CommitTableAsync(Orders, [], [Property("a", "b")]));
        Assert.Equal(before.MetadataLocation, (await catalog.LoadTableAsync(Orders)).MetadataLocation);
        Assert.Single(Directory.GetFiles(Path.Combine(LocalFileIO.PathOf(before.Metadata.Location), "metadata")));
    }

    [Fact]
    public async Task An_unclear_answer_that_cannot_be_looked_up_is_unknown_and_deletes_nothing()
    {
        var files = new FailingFileIO();
        await using var catalog = await SqlCatalog.OpenAsync($"sqlite:{Database}", Path.Combine(folder.Path, "warehouse"), files, "test");
        await catalog.CreateNamespaceAsync(NamespaceName.Parse("shop"));
        var table = await catalog.CreateTableAsync(Orders, Simple);
        await RefuseUpdatesAsync();
        files.FailReadsAfterNextCreate = true;
        await Assert.ThrowsAsync<CommitStateUnknownException>(() => catalog.CommitTableAsync(Orders, [], [Property("a", "b")]));
        Assert.Equal(2, Directory.GetFiles(Path.Combine(LocalFileIO.PathOf(table.Metadata.Location), "metadata")).Length);
    }

    [Fact]
    public async Task Javas_own_catalog_is_read()
    {
        var golden = await IcebergKit.RequireGoldenAsync();
        File.Copy(Path.Combine(golden, "catalog.db"), Database);
        await using var catalog = await SqlCatalog.OpenAsync($"sqlite:{Database}", folder.Path, new LocalFileIO(), "golden");
        var tables = await catalog.ListTablesAsync(NamespaceName.Parse("db"));
        Assert.InRange(tables.Count, 80, 91);
        foreach (var table in tables)
            Assert.NotNull((await catalog.LoadTableAsync(table)).Metadata.CurrentSchema);
    }

    [Fact]
    public async Task PyIceberg_and_we_commit_to_the_same_catalog()
    {
        await using (var catalog = await OpenWithTableAsync())
            await catalog.CommitTableAsync(Orders, [], [Property("ours", "1")]);
        var printed = await IcebergKit.RunPythonAsync("""
            import sys
            from pyiceberg.catalog import load_catalog
            from pyiceberg.schema import Schema
            from pyiceberg.types import NestedField, LongType
            catalog = load_catalog("test", type="sql", uri="sqlite:///" + sys.argv[1], warehouse="file://" + sys.argv[2])
            table = catalog.load_table("shop.orders")
            print(table.properties["ours"], table.schema().identifier_field_names(), [f.name for f in table.schema().fields])
            with table.transaction() as t: t.set_properties(theirs="2")
            with table.update_schema() as u: u.add_column("extra", LongType())
            catalog.create_table("shop.theirs", Schema(NestedField(1, "x", LongType())))
            print(catalog.list_tables("shop"), catalog.list_namespaces())
            """, Database, Path.Combine(folder.Path, "warehouse"));
        Assert.Contains("1 set() ['id', 'name']", printed);
        await using var reopened = await OpenAsync();
        var table = await reopened.LoadTableAsync(Orders);
        Assert.Equal("2", table.Metadata.Properties["theirs"]);
        Assert.NotNull(table.Metadata.CurrentSchema.FindField("extra"));
        Assert.Equal(2, (await reopened.ListTablesAsync(NamespaceName.Parse("shop"))).Count);
        table = await reopened.CommitTableAsync(Orders, [], [Property("ours", "3")]);
        Assert.Equal(4, MetadataFiles.VersionOf(table.MetadataLocation));
    }

    [Fact]
    public async Task The_clock_may_step_back()
    {
        var time = new SteppingTime();
        await using var catalog = await OpenAsync(time);
        await catalog.CreateNamespaceAsync(NamespaceName.Parse("shop"));
        var first = await catalog.CreateTableAsync(Orders, Simple);
        time.Now -= TimeSpan.FromHours(3);
        var second = await catalog.CommitTableAsync(Orders, [], [Property("a", "b")]);
        Assert.True(second.Metadata.LastUpdatedMs >= first.Metadata.LastUpdatedMs);
    }

    [Fact]
    public void Unknown_fields_of_the_metadata_are_kept()
    {
        var json = """
            {"format-version":2,"table-uuid":"5d1119a2-af98-47b8-89c0-5270662de189","location":"file:/t","last-sequence-number":0,"last-updated-ms":1,
             "last-column-id":1,"current-schema-id":0,"schemas":[{"type":"struct","schema-id":0,"fields":[{"id":1,"name":"a","required":false,"type":"int"}]}],
             "default-spec-id":0,"partition-specs":[{"spec-id":0,"fields":[]}],"last-partition-id":999,"default-sort-order-id":0,
             "sort-orders":[{"order-id":0,"fields":[]}],"encryption-keys":[{"key-id":"k"}],"from-the-future":{"a":[1,2]}}
            """u8.ToArray();
        var metadata = TableMetadataJson.Parse(json, "test");
        var changed = TableMetadataBuilder.From(metadata, TimeProvider.System).Apply([Property("a", "b")]).Build();
        var back = TableMetadataJson.Parse(TableMetadataJson.Write(changed), "test");
        Assert.Equal("""{"a":[1,2]}""", back.UnknownFields["from-the-future"]);
        Assert.Equal("""[{"key-id":"k"}]""", back.UnknownFields["encryption-keys"]);
    }

    [Theory]
    [InlineData("{}"), InlineData("not json"), InlineData("""{"format-version":4}"""), InlineData("[1]"), InlineData("""{"format-version":"two"}""")]
    public void Metadata_that_cannot_be_read_names_its_file(string text)
    {
        var error = Assert.Throws<InvalidFormatException>(
            () => TableMetadataJson.Parse(System.Text.Encoding.UTF8.GetBytes(text), "file:/x/00001.metadata.json"));
        Assert.Contains("00001.metadata.json", error.Message);
    }

    [Fact]
    public void Removing_snapshots_trims_the_log_and_never_takes_a_reference_with_it()
    {
        var metadata = FilterCases.Metadata(Simple);
        var builder = TableMetadataBuilder.From(metadata, TimeProvider.System);
        for (var i = 1; i <= 4; i++)
            builder.Apply([new TableUpdate.AddSnapshot(new Snapshot(i, i == 1 ? null : i - 1, i, i, "l", new Dictionary<string, string>(), 0)), new TableUpdate.SetSnapshotRef("main", new SnapshotRef(i))]);
        builder.Apply([new TableUpdate.SetSnapshotRef("t", new SnapshotRef(2, IsBranch: false))]);
        Assert.Throws<CommitConflictException>(() => builder.Apply([new TableUpdate.RemoveSnapshots([1, 2])]));
        builder.Apply([new TableUpdate.RemoveSnapshotRef("t"), new TableUpdate.RemoveSnapshots([1, 2])]);
        var result = builder.Build();
        Assert.Equal([3, 4], result.Snapshots.Select(s => s.SnapshotId));
        Assert.Equal([3, 4], result.SnapshotLog.Select(s => s.SnapshotId));
        Assert.Equal(["main"], result.Refs.Keys);
        Assert.Equal([4, 3], SnapshotAncestry.Of(result, result.CurrentSnapshotId).Select(s => s.SnapshotId));
        Assert.False(SnapshotAncestry.Contains(result, 4, 2));
        Assert.Throws<CommitConflictException>(() => TableMetadataBuilder.From(result, TimeProvider.System)
            .Apply([new TableUpdate.AddSnapshot(new Snapshot(9, 4, 4, 9, "l", new Dictionary<string, string>(), 0))]));
    }

    private sealed class SteppingTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UtcNow;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
