using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Xunit;

namespace Frazil.Tests.Iceberg;

public sealed class OverwriteFilesTests : IDisposable
{
    private readonly ScratchFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static Schema Events { get; } = new(0, [new(1, "id", false, IcebergType.Long)]);

    [Fact]
    public async Task An_overwrite_takes_files_out_and_puts_newer_ones_in_and_PyIceberg_agrees()
    {
        await using var catalog = await OpenAsync();
        var table = await catalog.CreateTableAsync(TableIdentifier.Parse("db.over"), Events);
        var cache = new ManifestCache(catalog.FileIO);
        table = await AppendAsync(catalog, table, cache, "a", "b");
        table = await AppendAsync(catalog, table, cache, "c");
        var overwrite = new OverwriteFiles(cache, table.Metadata.CurrentSnapshot, TimeProvider.System).Remove(FakeFile(table, "a"))
            .Remove(FakeFile(table, "c"))
            .Add(FakeFile(table, "x")).SetSummary("frazil.flush-id", "r1");
        table = await AppendAsync(catalog, table, cache, "d"); // ingest goes on meanwhile
        table = await CommitAsync(catalog, table, overwrite);

        var summary = table.Metadata.CurrentSnapshot!.Summary;
        Assert.Equal(("overwrite", "r1", "30", "2", "1", "3"),
            (summary["operation"], summary["frazil.flush-id"], summary["total-records"], summary["deleted-data-files"],
            summary["added-data-files"], summary["total-data-files"]));
        var plan = await new TableScan(table.Metadata, cache).PlanAsync();
        Assert.Equal(["b", "d", "x"], Names(plan.Files.Select(file => file.File.Path)));
        Assert.Equal(
            table.Metadata.CurrentSnapshot.SequenceNumber,
            plan.Files.Single(file => file.File.Path.EndsWith("x.parquet", StringComparison.Ordinal)).SequenceNumber);
        var deleted = new List<ManifestEntry>();
        foreach (var manifest in await cache.ReadManifestsAsync(table.Metadata.CurrentSnapshot, table.Metadata))
            deleted.AddRange((await cache.ReadEntriesAsync(manifest, table.Metadata)).Where(entry => !entry.IsLive));
        Assert.Equal(["a", "c"], Names(deleted.Select(entry => entry.File.Path)));
        Assert.All(deleted, entry => Assert.Equal(overwrite.SnapshotId, entry.SnapshotId));

        var seen = await IcebergKit.RunPythonAsync("""
            import sys
            from pyiceberg.catalog import load_catalog
            table = load_catalog("test", type="sql", uri="sqlite:///" + sys.argv[1]).load_table("db.over")
            print(sorted(t.file.file_path.rsplit("/", 1)[1] for t in table.scan().plan_files()), str(table.current_snapshot().summary.operation))
            """, $"{folder.Path}/catalog.db");
        Assert.Equal("['b.parquet', 'd.parquet', 'x.parquet'] Operation.OVERWRITE", seen.Trim());
    }

    [Fact]
    public async Task A_file_that_is_gone_or_was_given_deletes_makes_the_overwrite_stale()
    {
        await using var catalog = await OpenAsync();
        var table = await catalog.CreateTableAsync(TableIdentifier.Parse("db.stale"), Events);
        var cache = new ManifestCache(catalog.FileIO);
        table = await AppendAsync(catalog, table, cache, "a", "b");
        var late = new OverwriteFiles(cache, table.Metadata.CurrentSnapshot, TimeProvider.System).Remove(FakeFile(table, "a"))
            .Add(FakeFile(table, "y"));
        table = await CommitAsync(
            catalog, table,
            new OverwriteFiles(cache, table.Metadata.CurrentSnapshot, TimeProvider.System).Remove(FakeFile(table, "a"))
                .Add(FakeFile(table, "x")));

        await Assert.ThrowsAsync<ValidationException>(() => late.StageAsync(table.Metadata));
        await late.DiscardAsync();
        Assert.Throws<ValidationException>(() => late.Add(FakeFile(table, "z") with { Content = FileContent.EqualityDeletes }));
        Assert.Throws<ValidationException>(() => late.Remove(FakeFile(table, "a")));
    }

    [Fact]
    public async Task A_branch_that_does_not_exist_begins_at_main_and_main_does_not_move()
    {
        await using var catalog = await OpenAsync();
        var table = await catalog.CreateTableAsync(TableIdentifier.Parse("db.branch"), Events);
        var cache = new ManifestCache(catalog.FileIO);
        table = await AppendAsync(catalog, table, cache, "a", "b");
        var main = table.Metadata.CurrentSnapshotId;

        table = await CommitAsync(
            catalog, table,
            new OverwriteFiles(cache, table.Metadata.CurrentSnapshot, TimeProvider.System) { Branch = "audit" }.Remove(FakeFile(table, "a"))
                .Add(FakeFile(table, "x")));
        Assert.Equal(main, table.Metadata.CurrentSnapshotId);
        table = await AppendAsync(catalog, table, cache, "c");
        table = await CommitAsync(
            catalog, table,
            new OverwriteFiles(
                cache, table.Metadata.SnapshotByRef("audit"), TimeProvider.System)
            { Branch = "audit" }.Add(FakeFile(table, "y")));

        Assert.Equal(["a", "b", "c"], Names((await new TableScan(table.Metadata, cache).PlanAsync()).Files.Select(file => file.File.Path)));
        Assert.Equal(
            ["b", "x", "y"],
            Names((await new TableScan(table.Metadata, cache).UseRef("audit").PlanAsync()).Files.Select(file => file.File.Path)));
        var seen = await IcebergKit.RunPythonAsync("""
            import sys
            from pyiceberg.catalog import load_catalog
            table = load_catalog("test", type="sql", uri="sqlite:///" + sys.argv[1]).load_table("db.branch")
            print(sorted(t.file.file_path.rsplit("/", 1)[1][0] for t in table.scan(snapshot_id=table.snapshot_by_name("audit").snapshot_id).plan_files()))
            """, $"{folder.Path}/catalog.db");
        Assert.Equal("['b', 'x', 'y']", seen.Trim());

        var tagged = await catalog.CommitTableAsync(
            table.Identifier, [], [new TableUpdate.SetSnapshotRef("v1", new SnapshotRef(main!.Value, IsBranch: false))]);
        var onTag = new OverwriteFiles(cache, null, TimeProvider.System) { Branch = "v1" }.Add(FakeFile(table, "z"));
        await Assert.ThrowsAsync<ValidationException>(() => onTag.StageAsync(tagged.Metadata));
    }

    [Fact]
    public async Task Two_commits_that_would_both_make_the_branch_cannot_both_win()
    {
        await using var catalog = await OpenAsync();
        var table = await catalog.CreateTableAsync(TableIdentifier.Parse("db.race"), Events);
        var cache = new ManifestCache(catalog.FileIO);
        table = await AppendAsync(catalog, table, cache, "a");
        var second = new OverwriteFiles(
            cache, table.Metadata.CurrentSnapshot, TimeProvider.System)
        { Branch = "audit" }.Add(FakeFile(table, "y"));
        var staged = await second.StageAsync(table.Metadata);
        await CommitAsync(
            catalog, table,
            new OverwriteFiles(cache, table.Metadata.CurrentSnapshot, TimeProvider.System) { Branch = "audit" }.Add(FakeFile(table, "x")));
        await Assert.ThrowsAsync<CommitConflictException>(
            () => catalog.CommitTableAsync(table.Identifier, staged.Requirements, staged.Updates));
    }

    private async Task<SqlCatalog> OpenAsync()
    {
        var catalog = await SqlCatalog.OpenAsync(
            $"sqlite:{folder.Path}/catalog.db", Path.Combine(folder.Path, "warehouse"), new LocalFileIO(), "test");
        await catalog.CreateNamespaceAsync(NamespaceName.Parse("db"));
        return catalog;
    }

    private static async Task<LoadedTable> AppendAsync(ICatalog catalog, LoadedTable table, ManifestCache cache, params string[] names)
    {
        var append = new AppendFiles(cache, TimeProvider.System);
        foreach (var name in names)
            append.Add(FakeFile(table, name));
        var staged = await append.StageAsync(table.Metadata);
        return await catalog.CommitTableAsync(table.Identifier, staged.Requirements, staged.Updates);
    }

    private static async Task<LoadedTable> CommitAsync(ICatalog catalog, LoadedTable table, OverwriteFiles overwrite)
    {
        var staged = await overwrite.StageAsync(table.Metadata);
        var committed = await catalog.CommitTableAsync(table.Identifier, staged.Requirements, staged.Updates);
        await overwrite.CleanAsync(staged);
        return committed;
    }

    private static DataFile FakeFile(LoadedTable table, string name) => new()
    {
        Path = $"{table.Metadata.DataLocation}/{name}.parquet",
        SpecId = 0,
        RecordCount = 10,
        FileSizeBytes = 1000,
        SplitOffsets = [4],
    };

    private static string[] Names(IEnumerable<string> paths)
        => [.. paths.Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)];
}
