using System.Text;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Xunit;

namespace Frazil.Tests.Iceberg.Rest;

/// <summary>The catalog on real servers: the Iceberg project's own, and Apache Polaris, which differs from it wherever the protocol lets
/// it. Each test has a namespace of its own.</summary>
public sealed class RestServerTests(CatalogServers servers) : IClassFixture<CatalogServers>
{
    private static Schema Events { get; } = new(0,
    [
        new(1, "id", true, IcebergType.Long), new(2, "name", false, IcebergType.String), new(3, "ts", false, IcebergType.TimestampTz),
        new(4, "device", false, IcebergTypeParser.Parse("struct<os: string, tags: list<string>>")),
    ]);

    private static TableUpdate Property(string name, string value)
        => new TableUpdate.SetProperties(new Dictionary<string, string> { [name] = value });

    private static DataFile FakeFile(LoadedTable table, string name) => new()
    {
        Path = $"{table.Metadata.DataLocation}/{name}.parquet",
        SpecId = table.Metadata.DefaultSpecId,
        RecordCount = 1,
        FileSizeBytes = 1000,
    };

    private async Task<(RestCatalog Catalog, NamespaceName Space)> SetAsync(string server, string space)
    {
        var (catalog, name) = (await servers.OpenAsync(server), NamespaceName.Parse(space));
        await catalog.CreateNamespaceAsync(name);
        return (catalog, name);
    }

    [Theory]
    [InlineData(CatalogServers.Reference)]
    [InlineData(CatalogServers.Polaris)]
    public async Task Namespaces_and_tables_are_made_found_renamed_registered_and_dropped(string server)
    {
        var (catalog, space) = await SetAsync(server, "life");
        await using var _ = catalog;
        var (nested, orders) = (new NamespaceName("life", "eu"), new TableIdentifier(space, "orders"));
        await catalog.CreateNamespaceAsync(nested, new Dictionary<string, string> { ["owner"] = "me" });
        Assert.Equal([nested], await catalog.ListNamespacesAsync(space));
        Assert.Contains(space, await catalog.ListNamespacesAsync());
        Assert.Equal("me", (await catalog.LoadNamespaceAsync(nested))["owner"]);
        Assert.True(await catalog.NamespaceExistsAsync(nested));
        Assert.False(await catalog.NamespaceExistsAsync(NamespaceName.Parse("life.us")));
        await Assert.ThrowsAsync<NamespaceAlreadyExistsException>(() => catalog.CreateNamespaceAsync(space));
        await Assert.ThrowsAsync<NoSuchNamespaceException>(() => catalog.LoadNamespaceAsync(NamespaceName.Parse("life.us")));
        await Assert.ThrowsAsync<NoSuchNamespaceException>(() => catalog.ListTablesAsync(NamespaceName.Parse("life.us")));
        await Assert.ThrowsAsync<NoSuchNamespaceException>(() => catalog.CreateTableAsync(TableIdentifier.Parse("life.us.t"), Events));

        Assert.False(await catalog.TableExistsAsync(orders));
        await Assert.ThrowsAsync<NoSuchTableException>(() => catalog.LoadTableAsync(orders));
        var spec = PartitionSpecParser.Parse(["day(ts)", "bucket(4, id)"], Events);
        var table = await catalog.CreateTableAsync(orders, Events, spec, null, new Dictionary<string, string> { ["owner"] = "me" });
        Assert.Equal((2, "me"), (table.Metadata.FormatVersion, table.Metadata.Properties["owner"]));
        var ours = TableMetadataBuilder.Create(Events, spec, SortOrder.Unsorted, "", new Dictionary<string, string>(), TimeProvider.System);
        Assert.True(table.Metadata.CurrentSchema.SameAs(ours.CurrentSchema), table.Metadata.CurrentSchema.ToString());
        Assert.True(table.Metadata.DefaultSpec.SameAs(ours.DefaultSpec));
        Assert.Equal(["ts_day", "id_bucket"], table.Metadata.DefaultSpec.Fields.Select(static field => field.Name));
        Assert.True(await catalog.TableExistsAsync(orders));
        Assert.Equal([orders], await catalog.ListTablesAsync(space));
        await Assert.ThrowsAsync<TableAlreadyExistsException>(() => catalog.CreateTableAsync(orders, Events));
        await Assert.ThrowsAsync<NamespaceNotEmptyException>(() => catalog.DropNamespaceAsync(space));

        var moved = new TableIdentifier(space, "moved");
        await catalog.RenameTableAsync(orders, moved);
        Assert.Equal(table.Metadata.TableUuid, (await catalog.LoadTableAsync(moved)).Metadata.TableUuid);
        await Assert.ThrowsAsync<NoSuchTableException>(() => catalog.RenameTableAsync(orders, moved));
        await catalog.CreateTableAsync(orders with { Name = "third" }, Events);
        await Assert.ThrowsAsync<TableAlreadyExistsException>(() => catalog.RenameTableAsync(moved, orders with { Name = "third" }));
        await catalog.DropTableAsync(moved);
        await Assert.ThrowsAsync<NoSuchTableException>(() => catalog.DropTableAsync(moved));
        await Assert.ThrowsAsync<NoSuchTableException>(() => catalog.CommitTableAsync(moved, [], [Property("a", "b")]));
        var back = await catalog.RegisterTableAsync(moved, table.MetadataLocation);
        Assert.Equal((table.Metadata.TableUuid, table.MetadataLocation), (back.Metadata.TableUuid, back.MetadataLocation));
        await Assert.ThrowsAnyAsync<IcebergException>(() => catalog.RegisterTableAsync(moved, table.MetadataLocation));

        await catalog.DropNamespaceAsync(nested);
        await Assert.ThrowsAsync<NoSuchNamespaceException>(() => catalog.DropNamespaceAsync(nested));
    }

    /// <summary>LESSONS 64.</summary>
    [Theory]
    [InlineData(CatalogServers.Reference)]
    [InlineData(CatalogServers.Polaris)]
    public async Task Of_first_appends_at_once_one_wins_the_others_conflict_and_every_row_arrives(string server)
    {
        const int Committers = 6;
        var (catalog, space) = await SetAsync(server, "race");
        await using var _ = catalog;
        var id = new TableIdentifier(space, "orders");
        var table = await catalog.CreateTableAsync(id, Events);
        var won = await Task.WhenAll(Enumerable.Range(0, Committers).Select(async i =>
        {
            var append = new AppendFiles(new ManifestCache(table.FileIO), TimeProvider.System).Add(FakeFile(table, $"first-{i}"));
            var staged = await append.StageAsync(table.Metadata);
            try
            {
                await catalog.CommitTableAsync(id, staged.Requirements, staged.Updates);
                return true;
            }
            catch (CommitConflictException)
            {
                return false;
            }
        }));
        Assert.Equal(1, won.Count(static one => one));

        await Task.WhenAll(Enumerable.Range(0, Committers).Select(async i =>
        {
            await using var own = await servers.OpenAsync(server);
            var held = new Table(own, id);
            await held.RefreshAsync();
            await held.CommitAsync(held.NewAppend().Add(FakeFile(table, $"later-{i}")));
        }));
        var now = await catalog.LoadTableAsync(id);
        var live = await new ManifestCache(now.FileIO).ReadLiveAsync(now.Metadata.CurrentSnapshot!, now.Metadata);
        Assert.Equal(1 + Committers, live.Count());
        Assert.Equal(1 + Committers, now.Metadata.Snapshots.Count);
    }

    [Theory]
    [InlineData(CatalogServers.Reference)]
    [InlineData(CatalogServers.Polaris)]
    public async Task Every_requirement_that_does_not_hold_is_a_conflict_and_changes_nothing(string server)
    {
        var (catalog, space) = await SetAsync(server, "demands");
        await using var _ = catalog;
        var id = new TableIdentifier(space, "orders");
        var before = await catalog.CreateTableAsync(id, Events);
        TableRequirement[] wrong =
        [
            new TableRequirement.AssertTableUuid(Guid.NewGuid()), new TableRequirement.AssertRefSnapshotId("main", 5),
            new TableRequirement.AssertCurrentSchemaId(3), new TableRequirement.AssertLastAssignedFieldId(99),
            new TableRequirement.AssertDefaultSpecId(2), new TableRequirement.AssertLastAssignedPartitionId(1),
            new TableRequirement.AssertDefaultSortOrderId(7),
        ];
        foreach (var requirement in wrong)
            await Assert.ThrowsAsync<CommitConflictException>(() => catalog.CommitTableAsync(id, [requirement], [Property("a", "b")]));
        Assert.Equal(before.MetadataLocation, (await catalog.LoadTableAsync(id)).MetadataLocation);
        await Assert.ThrowsAsync<ValidationException>(() => catalog.CommitTableAsync(id, [], [new TableUpdate.SetCurrentSchema(9)]));
    }

    [Theory]
    [InlineData(CatalogServers.Reference)]
    [InlineData(CatalogServers.Polaris)]
    public async Task Every_update_is_understood(string server)
    {
        var (catalog, space) = await SetAsync(server, "updates");
        await using var _ = catalog;
        var id = new TableIdentifier(space, "orders");
        var table = await catalog.CreateTableAsync(id, Events);
        var change = new SchemaUpdate(table.Metadata).AddColumn("at", IcebergType.TimestampTz);
        table = await catalog.CommitTableAsync(id, SchemaUpdate.RequirementsFor(table.Metadata),
            [.. change.ToUpdates(), new TableUpdate.AddSpec(PartitionSpecParser.Parse(["day(at)"], change.Apply())), new TableUpdate.SetDefaultSpec(TableUpdate.LastAdded),
                new TableUpdate.AddSortOrder(new SortOrder(1, [new(1, Transform.Parse("identity"), SortDirection.Descending, NullOrder.NullsLast)])),
                new TableUpdate.SetDefaultSortOrder(TableUpdate.LastAdded), Property("kept", "1"), Property("gone", "1")]);
        Assert.NotNull(table.Metadata.CurrentSchema.FindField("at"));
        Assert.Equal(("at_day", SortDirection.Descending), (table.Metadata.DefaultSpec.Fields[0].Name, table.Metadata.DefaultSortOrder.Fields[0].Direction));

        var held = new Table(catalog, id);
        await held.RefreshAsync();
        var partition = new PartitionTuple(IcebergValue.Null);
        var first = await held.CommitAsync(held.NewAppend().Add(FakeFile(table, "a") with { Partition = partition }));
        var second = await held.CommitAsync(held.NewAppend().Add(FakeFile(table, "b") with { Partition = partition }));
        table = await catalog.CommitTableAsync(id, [],
            [new TableUpdate.SetSnapshotRef("mark", new SnapshotRef(first.SnapshotId, IsBranch: false) { MaxRefAgeMs = 1_000_000 }),
                new TableUpdate.SetSnapshotRef("side", new SnapshotRef(first.SnapshotId) { MinSnapshotsToKeep = 3, MaxSnapshotAgeMs = 5 }), new TableUpdate.RemoveProperties(["gone"])]);
        Assert.Equal((false, 3), (table.Metadata.Refs["mark"].IsBranch, table.Metadata.Refs["side"].MinSnapshotsToKeep));
        Assert.Equal(("1", false), (table.Metadata.Properties["kept"], table.Metadata.Properties.ContainsKey("gone")));
        var statistics = new StatisticsFile(second.SnapshotId, $"{table.Metadata.Location}/metadata/s.puffin",
            $$"""{"snapshot-id":{{second.SnapshotId}},"statistics-path":"{{table.Metadata.Location}}/metadata/s.puffin","file-size-in-bytes":10,"file-footer-size-in-bytes":5,"blob-metadata":[]}""");
        table = await catalog.CommitTableAsync(id, [], [new TableUpdate.SetStatistics(statistics)]);
        Assert.Equal(second.SnapshotId, Assert.Single(table.Metadata.Statistics).SnapshotId);
        table = await catalog.CommitTableAsync(id, [],
            [new TableUpdate.RemoveStatistics(second.SnapshotId), new TableUpdate.RemoveSnapshotRef("mark"), new TableUpdate.RemoveSnapshotRef("side"),
                new TableUpdate.RemoveSnapshots([first.SnapshotId])]);
        Assert.Equal([second.SnapshotId], table.Metadata.Snapshots.Select(static snapshot => snapshot.SnapshotId));
        Assert.Equal(["main"], table.Metadata.Refs.Keys);
        Assert.Empty(table.Metadata.Statistics);
    }

    /// <summary>LESSONS 68, for catalogs: names are taken as they are.</summary>
    [Theory]
    [InlineData(CatalogServers.Reference, "%", "with blank", "ünïcode", "plus+and&", "per%2Fcent", "hash#query?")]
    [InlineData(CatalogServers.Polaris, "", "with blank", "ünïcode", "plus+and&")]
    public async Task Odd_names_come_back_as_they_were_given(string server, string inNamespace, params string[] names)
    {
        var catalog = await servers.OpenAsync(server);
        await using var _ = catalog;
        var space = new NamespaceName("odd names" + inNamespace, "näme d");
        await catalog.EnsureNamespaceAsync(space);
        await catalog.EnsureNamespaceAsync(space);
        foreach (var name in names)
        {
            var id = new TableIdentifier(space, name);
            await catalog.CreateTableAsync(id, Events);
            Assert.Equal("1", (await catalog.CommitTableAsync(id, [], [Property("round", "1")])).Metadata.Properties["round"]);
            Assert.True(await catalog.TableExistsAsync(id));
        }
        Assert.Equal(names.Order(StringComparer.Ordinal), (await catalog.ListTablesAsync(space)).Select(static id => id.Name).Order(StringComparer.Ordinal));
        Assert.Equal([space], await catalog.ListNamespacesAsync(new NamespaceName(space.Levels[0])));
    }

    [Theory]
    [InlineData(CatalogServers.Reference)]
    [InlineData(CatalogServers.Polaris)]
    public async Task PyIceberg_and_we_commit_to_the_same_table_and_its_views_are_no_tables(string server)
    {
        var (catalog, space) = await SetAsync(server, "both");
        await using var _ = catalog;
        var id = new TableIdentifier(space, "orders");
        await catalog.CreateTableAsync(id, Events);
        await catalog.CommitTableAsync(id, [], [Property("ours", "1")]);
        var said = await servers.StartAsync(server);
        var properties = string.Join(',', said.Where(static pair => pair.Key is "uri" or "warehouse" or "credential" or "scope")
            .Append(new("oauth2-server-uri", said.GetValueOrDefault("token_uri", "none"))).Select(static pair => $"\"{pair.Key}\":\"{pair.Value}\""));
        var printed = await IcebergKit.RunPythonAsync("""
            import json, sys
            from pyiceberg.catalog import load_catalog
            catalog = load_catalog("r", type="rest", **json.loads(sys.argv[1]))
            table = catalog.load_table("both.orders")
            print(table.properties["ours"], [f.name for f in table.schema().fields])
            with table.transaction() as t: t.set_properties(theirs="2")
            print(catalog.list_tables("both"))
            """, $"{{{properties}}}");
        Assert.Contains("1 ['id', 'name', 'ts', 'device']", printed);
        Assert.Equal("2", (await catalog.LoadTableAsync(id)).Metadata.Properties["theirs"]);

        await MakeViewAsync(server, space, "seen");
        var view = new TableIdentifier(space, "seen");
        Assert.Equal([view], await catalog.ListViewsAsync(space));
        Assert.Equal([id], await catalog.ListTablesAsync(space));
        Assert.False(await catalog.TableExistsAsync(view));
        await Assert.ThrowsAsync<NoSuchTableException>(() => catalog.LoadTableAsync(view));
        await Assert.ThrowsAsync<TableAlreadyExistsException>(() => catalog.CreateTableAsync(view, Events));
    }

    [Fact]
    public async Task Tokens_of_Polaris_end_and_its_tags_spare_a_load()
    {
        var (catalog, space) = await SetAsync(CatalogServers.Polaris, "tokens");
        await using var _ = catalog;
        var id = new TableIdentifier(space, "orders");
        var table = await catalog.CreateTableAsync(id, Events);
        table = await catalog.LoadTableAsync(id);
        Assert.Same(table, await catalog.LoadTableAsync(id));
        await Task.Delay(TimeSpan.FromSeconds(6), TestContext.Current.CancellationToken);
        await catalog.CommitTableAsync(id, [], [Property("after", "1")]);
        Assert.NotSame(table, await catalog.LoadTableAsync(id));
    }

    [Fact]
    public async Task What_Polaris_refuses_says_what_to_look_at()
    {
        var wrong = await Assert.ThrowsAsync<CatalogUnavailableException>(() => servers.OpenAsync(CatalogServers.Polaris, ("credential", "root:not-the-secret")));
        Assert.Contains("credential", wrong.Message);
        Assert.DoesNotContain("not-the-secret", wrong.Message);
        var scope = await Assert.ThrowsAsync<CatalogUnavailableException>(() => servers.OpenAsync(CatalogServers.Polaris, ("scope", "")));
        Assert.Contains("scope", scope.Message);
        var none = await Assert.ThrowsAsync<CatalogUnavailableException>(() => servers.OpenAsync(CatalogServers.Polaris, ("rest.auth.type", "none")));
        Assert.Contains("set credential", none.Message);
        var (catalog, space) = await SetAsync(CatalogServers.Polaris, "refusals");
        await using var _ = catalog;
        var elsewhere = await Assert.ThrowsAsync<CatalogUnavailableException>(
            () => catalog.CreateTableAsync(new TableIdentifier(space, "t"), Events, location: "file:///tmp/frazil-elsewhere"));
        Assert.Contains("403 ForbiddenException", elsewhere.Message);
    }

    private async Task MakeViewAsync(string server, NamespaceName space, string name)
    {
        var said = await servers.StartAsync(server);
        using var http = new HttpClient();
        if (server == CatalogServers.Polaris)
        {
            var form = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "client_credentials",
                ["client_id"] = said["client_id"],
                ["client_secret"] = said["client_secret"],
                ["scope"] = said["scope"],
            });
            var token = System.Text.Json.JsonDocument.Parse(await (await http.PostAsync(said["token_uri"], form)).Content.ReadAsStringAsync());
            http.DefaultRequestHeaders.Authorization = new("Bearer", token.RootElement.GetProperty("access_token").GetString());
        }
        var body = $$$"""
            {"name":"{{{name}}}","properties":{},"schema":{"type":"struct","schema-id":0,"fields":[{"id":1,"name":"x","type":"int","required":false}]},
             "view-version":{"version-id":1,"timestamp-ms":1,"schema-id":0,"summary":{},"default-namespace":["{{{space}}}"],
             "representations":[{"type":"sql","sql":"select 1","dialect":"spark"}]}}
            """;
        var root = server == CatalogServers.Polaris ? $"{said["uri"]}/v1/{said["warehouse"]}" : $"{said["uri"]}/v1";
        var answer = await http.PostAsync($"{root}/namespaces/{space}/views", new StringContent(body, Encoding.UTF8, "application/json"));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
