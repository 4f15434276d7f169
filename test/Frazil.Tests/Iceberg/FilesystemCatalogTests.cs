using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Xunit;

namespace Frazil.Tests.Iceberg;

public sealed class FilesystemCatalogTests : IDisposable
{
    private readonly ScratchFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static Schema Simple { get; } = new(0, [new(1, "id", false, IcebergType.Long)]);

    private static TableIdentifier Orders { get; } = TableIdentifier.Parse("shop.orders");

    private FilesystemCatalog Open(IFileIO? files = null) => new(folder.Path, files ?? new LocalFileIO());

    private static TableUpdate Property(string name, string value)
        => new TableUpdate.SetProperties(new Dictionary<string, string> { [name] = value });

    [Fact]
    public async Task Twenty_committers_at_once_have_one_winner_a_version()
    {
        await using var catalog = Open();
        await catalog.CreateNamespaceAsync(NamespaceName.Parse("shop"));
        var table = await catalog.CreateTableAsync(Orders, Simple);
        var results = await Task.WhenAll(Enumerable.Range(1, 20).Select(async i =>
        {
            try
            {
                var snapshot = new Snapshot(i, null, 1, 0, "list", new Dictionary<string, string> { ["operation"] = "append" }, 0);
                await Open().CommitTableAsync(Orders, [new TableRequirement.AssertRefSnapshotId("main", null)],
                    [new TableUpdate.AddSnapshot(snapshot), new TableUpdate.SetSnapshotRef("main", new SnapshotRef(i))]);
                return true;
            }
            catch (CommitConflictException)
            {
                return false;
            }
        }));
        Assert.Equal(1, results.Count(won => won));
        Assert.Single((await catalog.LoadTableAsync(Orders)).Metadata.Snapshots);
    }

    /// <summary>LESSONS 70.</summary>
    [Fact]
    public async Task A_purge_leaves_a_table_alone_whose_name_begins_with_the_other_ones()
    {
        await using var catalog = new FilesystemCatalog("bucket://lake/warehouse", new BucketFileIO());
        var (one, other) = (TableIdentifier.Parse("ns.test"), TableIdentifier.Parse("ns.test2"));
        await catalog.CreateTableAsync(one, Simple);
        var kept = await catalog.CreateTableAsync(other, Simple);
        await catalog.DropTableAsync(one, purge: true);
        Assert.False(await catalog.TableExistsAsync(one));
        Assert.Equal(kept.Metadata.TableUuid, (await catalog.LoadTableAsync(other)).Metadata.TableUuid);
    }

    [Fact]
    public async Task A_local_folder_creates_exclusively_and_a_store_that_does_not_say_so_is_taken_for_one_that_does_not()
    {
        Assert.True(await new LocalFileIO().CreatesExclusivelyAsync(Path.Combine(folder.Path, "new")));
        Assert.Empty(Directory.GetFiles(Path.Combine(folder.Path, "new")));
        Assert.False(await ((IFileIO)new BucketFileIO()).CreatesExclusivelyAsync("bucket://lake"));
    }

    [Fact]
    public async Task Tables_are_found_with_an_old_hint_and_with_none()
    {
        await using var catalog = Open();
        await catalog.CreateNamespaceAsync(NamespaceName.Parse("shop"));
        await catalog.CreateTableAsync(Orders, Simple);
        for (var i = 0; i < 3; i++)
            await catalog.CommitTableAsync(Orders, [], [Property("round", $"{i}")]);
        var hint = Path.Combine(folder.Path, "shop/orders/metadata/version-hint.text");
        Assert.Equal("4", File.ReadAllText(hint));
        File.WriteAllText(hint, "2");
        Assert.EndsWith("/v4.metadata.json", (await catalog.LoadTableAsync(Orders)).MetadataLocation);
        File.Delete(hint);
        Assert.Equal("2", (await catalog.LoadTableAsync(Orders)).Metadata.Properties["round"]);
        Assert.Equal([Orders], await catalog.ListTablesAsync(NamespaceName.Parse("shop")));
        Assert.Equal(["shop"], (await catalog.ListNamespacesAsync()).Select(name => name.ToString()));
        await Assert.ThrowsAsync<TableAlreadyExistsException>(() => catalog.CreateTableAsync(Orders, Simple));
        await Assert.ThrowsAsync<NamespaceNotEmptyException>(() => catalog.DropNamespaceAsync(NamespaceName.Parse("shop")));
        await Assert.ThrowsAsync<ValidationException>(() => catalog.DropTableAsync(Orders));
        await catalog.DropTableAsync(Orders, purge: true);
        await Assert.ThrowsAsync<NoSuchTableException>(() => catalog.LoadTableAsync(Orders));
        await catalog.DropNamespaceAsync(NamespaceName.Parse("shop"));
        await Assert.ThrowsAsync<NoSuchNamespaceException>(() => catalog.ListTablesAsync(NamespaceName.Parse("shop")));
        await Assert.ThrowsAsync<ValidationException>(() => catalog.CreateNamespaceAsync(new NamespaceName("..")));
    }

    [Fact]
    public async Task DuckDB_reads_a_table_by_its_folder()
    {
        await using var catalog = Open();
        await catalog.CreateNamespaceAsync(NamespaceName.Parse("shop"));
        var table = await catalog.CreateTableAsync(Orders, Simple);
        var append = new AppendFiles(new Frazil.Iceberg.Manifests.ManifestCache(catalog.FileIO), TimeProvider.System);
        var staged = await append.StageAsync(table.Metadata);
        await catalog.CommitTableAsync(Orders, staged.Requirements, staged.Updates);
        var printed = await IcebergKit.RunPythonAsync("""
            import sys, duckdb, pathlib, importlib
            connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
            for name in ("avro", "iceberg"):
                package = pathlib.Path(importlib.import_module(f"duckdb_extension_{name}").__file__).parent
                connection.execute(f"LOAD '{next(package.glob(f'extensions/v{duckdb.__version__}/{name}.duckdb_extension'))}'")
            print(connection.execute("SELECT count(*) FROM iceberg_scan(?)", [sys.argv[1]]).fetchone())
            print(connection.execute("SELECT count(*) FROM iceberg_snapshots(?)", [sys.argv[1]]).fetchone())
            """, Path.Combine(folder.Path, "shop/orders"));
        Assert.Equal("(0,)\n(1,)", printed.Trim());
    }

    [Fact]
    public async Task The_golden_filesystem_table_is_read()
    {
        var golden = await IcebergKit.RequireGoldenAsync();
        await using var catalog = new FilesystemCatalog(Path.GetDirectoryName(golden)!, new LocalFileIO());
        var table = await catalog.LoadTableAsync(new TableIdentifier(new NamespaceName("frazil-golden"), "hadoop_catalog"));
        Assert.NotNull(table.Metadata.CurrentSnapshot);
    }
}
