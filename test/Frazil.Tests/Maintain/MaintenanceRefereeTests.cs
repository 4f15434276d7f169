using Frazil.Config;
using Frazil.Iceberg.IO;
using Frazil.Maintain;
using Frazil.Tests.Iceberg;
using Xunit;

namespace Frazil.Tests.Maintain;

/// <summary>A table that PyIceberg made, maintained here, read by PyIceberg again: the same rows at the head and at a tag.</summary>
public sealed class MaintenanceRefereeTests : IDisposable
{
    private const string Open = """
        import sys, json
        import pyarrow as pa
        from pyiceberg.catalog.sql import SqlCatalog
        folder = sys.argv[1]
        catalog = SqlCatalog("frazil", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse")

        """;

    private const string Make = Open + """
        catalog.create_namespace("shop")
        rows = lambda a, b: pa.table({"id": pa.array(range(a, b), pa.int64()), "text": pa.array([str(i) for i in range(a, b)])})
        table = catalog.create_table("shop.theirs", schema=rows(0, 1).schema, properties={"history.expire.max-snapshot-age-ms": "0"})
        table.append(rows(0, 100))
        table.append(rows(100, 200))
        table.manage_snapshots().create_tag(table.current_snapshot().snapshot_id, "audit").commit()
        table.overwrite(rows(1000, 1050), overwrite_filter="id < 50")
        table.delete("id >= 150 and id < 160")
        table.append(rows(2000, 2100))
        """;

    private const string Read = Open + """
        table = catalog.load_table("shop.theirs")
        tag = table.metadata.refs["audit"].snapshot_id
        print(json.dumps([sorted(table.scan(snapshot_id=at).to_arrow()["id"].to_pylist()) for at in (None, tag)]))
        """;

    private readonly ScratchFolder folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private FrazilOptions Options => new()
    {
        DataDir = Path.Combine(folder.Path, "data"),
        Catalog = new() { Uri = $"sqlite:///{folder.Path}/catalog.db", Warehouse = Path.Combine(folder.Path, "warehouse") },
    };

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task PyIceberg_reads_the_same_rows_at_the_head_and_at_a_tag_after_expiry_and_sweep()
    {
        await IcebergKit.RunPythonAsync(Make, folder.Path);
        var before = await IcebergKit.RunPythonAsync(Read, folder.Path);
        var stored = Files().Count;

        var expired = await TableMaintenance.RunAsync(Options, new(MaintenanceJob.Expire, "shop.theirs"), cancellationToken: Cancel);

        Assert.True(expired.SnapshotsRemoved > 1);
        Assert.Equal(2, expired.SnapshotsLeft);
        Assert.True(expired.FilesDeleted > 2);
        Assert.Equal(stored - expired.FilesDeleted + 1, Files().Count); // one metadata file came
        Assert.Equal(before, await IcebergKit.RunPythonAsync(Read, folder.Path));

        var orphan = Path.Combine(Path.GetDirectoryName(Files().First(static path => path.EndsWith(".parquet", StringComparison.Ordinal)))!, "left.parquet");
        await File.WriteAllTextAsync(orphan, "left", Cancel);
        Files().ForEach(static path => File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddDays(-4)));
        var swept = await TableMaintenance.RunAsync(Options, new(MaintenanceJob.Sweep, "shop.theirs"), cancellationToken: Cancel);

        Assert.Equal([orphan], swept.Locations.Select(static path => new LocalFileIO().LocalPathFor(path)!));
        Assert.Equal(before, await IcebergKit.RunPythonAsync(Read, folder.Path));
    }

    private List<string> Files() => [.. Directory.GetFiles(Path.Combine(folder.Path, "warehouse"), "*", SearchOption.AllDirectories)];
}
