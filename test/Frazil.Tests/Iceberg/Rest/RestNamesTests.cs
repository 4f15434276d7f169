using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Xunit;
using static Frazil.Tests.Iceberg.Rest.RestScene;

namespace Frazil.Tests.Iceberg.Rest;

/// <summary>Names, lists, configuration, and changes of names whose answers are lost.</summary>
public sealed class RestNamesTests
{
    private static readonly TableIdentifier Moved = TableIdentifier.Parse("shop.moved");

    [Fact]
    public async Task The_servers_defaults_come_below_and_its_overrides_above_what_the_user_says()
    {
        await using var server = new ScriptedServer(
            static _ => new(200, Loaded(Metadata(), more: ""","config":{"s3.region":"table"}""")),
            """{"defaults":{"s3.endpoint":"default","mine":"theirs","prefix":"none"},"overrides":{"prefix":"catalogs/a%2Fb","s3.region":"override"}}""");
        StoreAccess? access = null;
        await using var catalog = await OpenAsync(server, TimeProvider.System, Keep, ("mine", "ours"), ("s3.region", "user"));
        await catalog.LoadTableAsync(Orders);
        Assert.Equal("/v1/catalogs/a%2Fb/namespaces/shop/tables/orders", server.All[0].Path);
        Assert.Equal(("default", "ours", "table"), (access!.Properties["s3.endpoint"], access.Properties["mine"], access.Properties["s3.region"]));
        IFileIO Keep(StoreAccess asked)
        {
            access = asked;
            return new LocalFileIO();
        }
    }

    [Fact]
    public async Task The_warehouse_is_asked_for_by_name_and_a_wrong_one_is_told()
    {
        await using var server = new ScriptedServer(static _ => Reply.Error(404, "NotFoundException", "Unable to find warehouse no such"), config: "");
        var error = await Assert.ThrowsAsync<ValidationException>(
            () => RestCatalog.OpenAsync(new() { Uri = server.Uri + "/", Warehouse = "no such", OpenStore = static _ => new LocalFileIO() }));
        Assert.Contains("'no such'", error.Message);
        Assert.Equal("/v1/config?warehouse=no%20such", server.Configs[0].Path);
    }

    [Theory]
    [InlineData(200, "<html>not a catalog</html>", "look at the catalog's uri")]
    [InlineData(404, "", "look at the catalog's uri")]
    public async Task An_address_without_a_catalog_is_told(int status, string body, string advice)
    {
        await using var server = new ScriptedServer(_ => new(status, body), config: "");
        Assert.Contains(advice, (await Assert.ThrowsAsync<ValidationException>(() => OpenAsync(server))).Message);
    }

    [Fact]
    public async Task A_redirect_is_told_and_not_followed()
    {
        await using var server = new ScriptedServer(static _ => new(301, "", ("Location", "https://elsewhere/catalog")), config: "");
        var error = await Assert.ThrowsAsync<CatalogUnavailableException>(() => OpenAsync(server));
        Assert.Contains("https://elsewhere/catalog", error.Message);
        Assert.Single(server.Configs);
    }

    [Theory]
    [InlineData("%1F")]
    [InlineData("%2E")]
    public async Task Levels_are_parted_by_what_the_server_announces(string separator)
    {
        await using var server = new ScriptedServer(
            static asked => new(200, """{"namespaces":[],"identifiers":[]}"""), $$$"""{"defaults":{},"overrides":{"namespace-separator":"{{{separator}}}"}}""");
        await using var catalog = await OpenAsync(server);
        await catalog.ListTablesAsync(new NamespaceName("a b", "c/d%2F", "e.f"));
        Assert.Equal($"/v1/namespaces/a%20b{separator}c%2Fd%252F{separator}e.f/tables", server.All[0].Path);
        await catalog.ListNamespacesAsync(new NamespaceName("a b", "c"));
        Assert.Equal($"/v1/namespaces?parent=a%20b{(separator == "%2E" ? "." : "%1F")}c", server.All[1].Path);
        await Assert.ThrowsAsync<ValidationException>(() => catalog.ListTablesAsync(new NamespaceName("a", "..")));
    }

    [Fact]
    public async Task Every_page_of_a_list_is_read_and_a_page_that_comes_again_ends_it()
    {
        await using var server = new ScriptedServer(static asked => asked.Path switch
        {
            "/v1/namespaces" => new(200, """{"namespaces":[["a"]],"next-page-token":"2 &"}"""),
            "/v1/namespaces?pageToken=2%20%26" => new(200, """{"namespaces":[["b","c"]],"next-page-token":null}"""),
            "/v1/namespaces/x/tables" => new(200, """{"identifiers":[],"next-page-token":"1"}"""),
            _ => new(200, """{"identifiers":[{"namespace":["x"],"name":"t"}],"next-page-token":"1"}"""),
        });
        await using var catalog = await OpenAsync(server);
        Assert.Equal(["a", "b.c"], (await catalog.ListNamespacesAsync()).Select(static name => name.ToString()));
        await Assert.ThrowsAsync<InvalidFormatException>(() => catalog.ListTablesAsync(NamespaceName.Parse("x")));
    }

    [Fact]
    public async Task What_a_server_does_not_announce_is_not_asked_of_it()
    {
        await using var server = new ScriptedServer(
            static asked => asked.Path.EndsWith("/orders", StringComparison.Ordinal) ? new(200, Loaded(Metadata())) : Reply.Error(404, "NoSuchTableException"),
            """{"defaults":{},"overrides":{},"endpoints":["GET /v1/{prefix}/namespaces/{namespace}/tables/{table}"]}""");
        await using var catalog = await OpenAsync(server);
        Assert.True(await catalog.TableExistsAsync(Orders));
        Assert.False(await catalog.TableExistsAsync(Moved));
        Assert.All(server.All, static one => Assert.Equal("GET", one.Method));
        await Assert.ThrowsAsync<ValidationException>(() => catalog.RenameTableAsync(Orders, Moved));
        await Assert.ThrowsAsync<ValidationException>(() => catalog.RegisterTableAsync(Orders, "x"));
        Assert.Empty(await catalog.ListViewsAsync(NamespaceName.Parse("shop")));
        Assert.Equal(2, server.All.Count);
    }

    /// <summary>A file that is not there, and a gateway that knows no way, are no table that was dropped.</summary>
    [Fact]
    public async Task Only_the_catalogs_own_word_makes_a_table_not_exist()
    {
        await using var server = new ScriptedServer(static _ => Reply.Page(404));
        await using var catalog = await OpenAsync(server);
        await Assert.ThrowsAsync<CatalogUnavailableException>(() => catalog.LoadTableAsync(Orders));
        server.Answer = static _ => Reply.Error(404, "NotFoundException", "File does not exist: 00001.metadata.json");
        await Assert.ThrowsAsync<CatalogUnavailableException>(() => catalog.LoadTableAsync(Orders));
        server.Answer = static _ => Reply.Error(404, "NoSuchNamespaceException");
        await Assert.ThrowsAsync<NoSuchNamespaceException>(() => catalog.LoadTableAsync(Orders));
        server.Answer = static _ => Reply.Error(404, "NoSuchTableException");
        await Assert.ThrowsAsync<NoSuchTableException>(() => catalog.LoadTableAsync(Orders));
    }

    [Fact]
    public async Task A_table_whose_creation_was_not_answered_is_found_or_made()
    {
        var (made, posts) = (default(TableMetadata), 0);
        await using var server = new ScriptedServer(asked => asked.Method == "POST" ? Create(asked)
            : made is null ? Reply.Error(404, "NoSuchTableException") : new(200, Loaded(made)));
        Reply Create(Asked asked)
        {
            posts++;
            if (posts == 2)
                made = Metadata();
            return Reply.Cut;
        }
        await using var catalog = await OpenAsync(server);
        var table = await catalog.CreateTableAsync(Orders, Simple);
        Assert.Equal(made!.TableUuid, table.Metadata.TableUuid);
        Assert.Equal(2, posts);     // lost before it was done, and looked for; done, and looked for

        // Another's table of the name, which is not as ours was to be.
        await Assert.ThrowsAsync<TableAlreadyExistsException>(
            () => catalog.CreateTableAsync(Orders, Simple, properties: new Dictionary<string, string> { ["mine"] = "1" }));
        made = made.With(NewSnapshot(7));
        await Assert.ThrowsAsync<TableAlreadyExistsException>(() => catalog.CreateTableAsync(Orders, Simple));
    }

    [Fact]
    public async Task A_creation_that_stays_unanswered_and_unseen_is_unknown()
    {
        await using var server = new ScriptedServer(static asked => asked.Method == "POST" ? Reply.Cut : Reply.Error(404, "NoSuchTableException"));
        await using var catalog = await OpenAsync(server);
        await Assert.ThrowsAsync<CommitStateUnknownException>(() => catalog.CreateTableAsync(Orders, Simple));
        server.Answer = static asked => asked.Method == "POST" ? Reply.Cut : Reply.Error(404, "NoSuchNamespaceException");
        await Assert.ThrowsAsync<CommitStateUnknownException>(() => catalog.RegisterTableAsync(Orders, "file:///x/00001-a.metadata.json"));
    }

    [Fact]
    public async Task A_registration_that_was_not_answered_is_found_by_the_metadata_file()
    {
        var metadata = Metadata();
        await using var server = new ScriptedServer(asked => asked.Method == "POST" ? Reply.Cut : new(200, Loaded(metadata)));
        await using var catalog = await OpenAsync(server);
        var location = $"{metadata.Location}/metadata/00001-x.metadata.json";
        Assert.Equal(location, (await catalog.RegisterTableAsync(Orders, location)).MetadataLocation);
        await Assert.ThrowsAsync<TableAlreadyExistsException>(() => catalog.RegisterTableAsync(Orders, "file:///other.metadata.json"));
    }

    [Fact]
    public async Task A_table_whose_drop_was_not_answered_is_gone_or_dropped_again_but_never_another_of_its_name()
    {
        var (first, second) = (Metadata(), Metadata());
        var (now, deletes) = (first, 0);
        await using var server = new ScriptedServer(asked => asked.Method == "DELETE" ? Drop() : new(200, Loaded(now)));
        Reply Drop()
        {
            if (++deletes == 2)
                now = second;       // dropped, and another made one of the same name at once
            return Reply.Page(504);
        }
        await using var catalog = await OpenAsync(server);
        await catalog.DropTableAsync(Orders);
        Assert.Equal(2, deletes);
    }

    [Fact]
    public async Task A_table_whose_renaming_was_not_answered_is_known_by_its_uuid()
    {
        var metadata = Metadata();
        var (at, posts) = ("orders", 0);
        await using var server = new ScriptedServer(asked => asked.Method == "POST" ? Rename()
            : asked.Path.EndsWith($"/{at}", StringComparison.Ordinal) ? new(200, Loaded(metadata)) : Reply.Error(404, "NoSuchTableException"));
        Reply Rename()
        {
            at = ++posts == 2 ? "moved" : at;
            return Reply.Cut;
        }
        await using var catalog = await OpenAsync(server);
        await catalog.RenameTableAsync(Orders, Moved);
        Assert.Equal(2, posts);
        at = "nowhere";
        await Assert.ThrowsAsync<NoSuchTableException>(() => catalog.RenameTableAsync(Orders, Moved));
    }

    [Fact]
    public async Task A_namespace_whose_creation_was_not_answered_is_found()
    {
        var (made, posts) = (false, 0);
        await using var server = new ScriptedServer(asked => asked.Method == "POST" ? Create()
            : made ? new(200, """{"namespace":["shop"],"properties":{"owner":"me"}}""") : Reply.Error(404, "NoSuchNamespaceException"));
        Reply Create()
        {
            made = ++posts == 2;
            return Reply.Cut;
        }
        await using var catalog = await OpenAsync(server);
        await catalog.CreateNamespaceAsync(NamespaceName.Parse("shop"));
        Assert.Equal(2, posts);
        await Assert.ThrowsAsync<NamespaceAlreadyExistsException>(
            () => catalog.CreateNamespaceAsync(NamespaceName.Parse("shop"), new Dictionary<string, string> { ["owner"] = "you" }));
    }
}
