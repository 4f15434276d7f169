using System.Text.Json;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Xunit;

namespace Frazil.Tests.Iceberg;

public sealed class AppendFilesTests : IDisposable
{
    private readonly ScratchFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static Schema Events { get; } = new(0,
    [
        new(1, "id", false, IcebergType.Long),
        new(2, "name", false, IcebergType.String),
        new(3, "ts", false, IcebergType.TimestampTz),
    ]);

    private string Uri => $"sqlite:{folder.Path}/catalog.db";

    private async Task<SqlCatalog> OpenAsync()
    {
        var catalog = await SqlCatalog.OpenAsync(Uri, Path.Combine(folder.Path, "warehouse"), new LocalFileIO(), "test");
        if (!await catalog.NamespaceExistsAsync(NamespaceName.Parse("db")))
            await catalog.CreateNamespaceAsync(NamespaceName.Parse("db"));
        return catalog;
    }

    private static async Task<LoadedTable> AppendAsync(ICatalog catalog, LoadedTable table, ManifestCache cache, params DataFile[] files)
    {
        var append = new AppendFiles(cache, TimeProvider.System).SetSummary("frazil.flush-id", "f1").SetProperty("frazil.offsets.t", "{\"0\":10}");
        foreach (var file in files)
            append.Add(file);
        var staged = await append.StageAsync(table.Metadata);
        var committed = await catalog.CommitTableAsync(table.Identifier, staged.Requirements, staged.Updates);
        await append.CleanAsync(staged);
        return committed;
    }

    private static DataFile FakeFile(LoadedTable table, string name, long rows, PartitionTuple partition) => new()
    {
        Path = $"{table.Metadata.DataLocation}/{name}.parquet",
        SpecId = table.Metadata.DefaultSpecId,
        Partition = partition,
        RecordCount = rows,
        FileSizeBytes = 1000,
        ValueCounts = new FieldMap<long>([new(1, rows), new(2, rows)]),
        LowerBounds = new FieldMap<byte[]>([new(1, SingleValue.Serialize(IcebergType.Long, 1L))]),
        UpperBounds = new FieldMap<byte[]>([new(1, SingleValue.Serialize(IcebergType.Long, rows))]),
        SplitOffsets = [4],
    };

    [Fact]
    public async Task PyIceberg_and_DuckDB_read_what_was_created_and_appended()
    {
        await using var catalog = await OpenAsync();
        var spec = PartitionSpecParser.Parse(["day(ts)", "bucket(4, name)"], Events);
        var table = await catalog.CreateTableAsync(TableIdentifier.Parse("db.events"), Events, spec);
        var local = table.FileIO.LocalPathFor(table.Metadata.DataLocation)!;
        var written = await IcebergKit.RunPythonAsync("""
            import sys, os, json, datetime, pyarrow as pa, pyarrow.parquet as pq
            folder = sys.argv[1] + "/ts_day=2026-08-21/name_bucket=1"; os.makedirs(folder, exist_ok=True)
            field = lambda n, t, i: pa.field(n, t, metadata={"PARQUET:field_id": str(i)})
            schema = pa.schema([field("id", pa.int64(), 1), field("name", pa.string(), 2), field("ts", pa.timestamp("us", "UTC"), 3)])
            ts = datetime.datetime(2026, 8, 21, 12, tzinfo=datetime.timezone.utc)
            pq.write_table(pa.table({"id": [1, 2, 3], "name": ["a", "a", "a"], "ts": [ts] * 3}, schema), folder + "/one.parquet")
            print(os.path.getsize(folder + "/one.parquet"))
            """, local);
        var day = CalendarOrdinals.DayOfDate(2026, 8, 21);
        var bucket = Transform.Bucket(4).Apply(IcebergType.String, "a");
        var cache = new ManifestCache(catalog.FileIO);
        var file = new DataFile
        {
            Path = $"{table.Metadata.DataLocation}/ts_day=2026-08-21/name_bucket=1/one.parquet",
            SpecId = 0,
            Partition = new PartitionTuple((int)day, bucket),
            RecordCount = 3,
            FileSizeBytes = long.Parse(written),
            LowerBounds = new FieldMap<byte[]>([new(1, SingleValue.Serialize(IcebergType.Long, 1L)), new(2, "a"u8.ToArray())]),
            UpperBounds = new FieldMap<byte[]>([new(1, SingleValue.Serialize(IcebergType.Long, 3L)), new(2, "a"u8.ToArray())]),
        };
        await AppendAsync(catalog, table, cache, file);

        foreach (var engine in new[] { "pyiceberg", "duckdb" })
        {
            var json = await IcebergKit.ReadTableAsync("--engine", engine, "--catalog", "sql", "--uri", $"sqlite:///{folder.Path}/catalog.db", "--table", "db.events", "--json");
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            Assert.Equal(3, root.GetProperty("row_count").GetInt64());
            Assert.Equal("f1", root.GetProperty("snapshot").GetProperty("summary").GetProperty("frazil.flush-id").GetString());
        }
        var pruned = await IcebergKit.ReadTableAsync("--engine", "pyiceberg", "--catalog", "sql", "--uri", $"sqlite:///{folder.Path}/catalog.db", "--table", "db.events",
            "--where", "id > 100", "--json");
        Assert.Equal(0, JsonDocument.Parse(pruned).RootElement.GetProperty("files_planned").GetInt32());
    }

    [Fact]
    public async Task Manifests_are_merged_so_that_their_number_stays_bounded()
    {
        await using var catalog = await OpenAsync();
        var table = await catalog.CreateTableAsync(TableIdentifier.Parse("db.many"), Events, properties: new Dictionary<string, string> { ["commit.manifest.min-count-to-merge"] = "5" });
        var cache = new ManifestCache(catalog.FileIO);
        for (var i = 0; i < 23; i++)
        {
            table = await AppendAsync(catalog, table, cache, FakeFile(table, $"f{i}", 10, PartitionTuple.Empty));
            var manifests = await cache.ReadManifestsAsync(table.Metadata.CurrentSnapshot!, table.Metadata);
            Assert.InRange(manifests.Count, 1, 5);
            var entries = new List<ManifestEntry>();
            foreach (var manifest in manifests)
                entries.AddRange(await cache.ReadEntriesAsync(manifest, table.Metadata));
            Assert.Equal(i + 1, entries.Count);
            Assert.Equal(Enumerable.Range(1, i + 1).Select(n => (long)n), entries.Select(entry => entry.SequenceNumber!.Value).Order());
        }
        Assert.Equal("230", table.Metadata.CurrentSnapshot!.Summary["total-records"]);
        Assert.Equal("23", table.Metadata.CurrentSnapshot.Summary["total-data-files"]);
    }
}
