using System.Text.Json;
using Frazil.Flush;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Tests.DuckDb;
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
        var append = new AppendFiles(cache, TimeProvider.System).SetSummary("frazil.flush-id", "f1")
            .SetProperty("frazil.offsets.t", "{\"0\":10}");
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
            var json = await IcebergKit.ReadTableAsync(
                "--engine", engine, "--catalog", "sql", "--uri", $"sqlite:///{folder.Path}/catalog.db", "--table", "db.events", "--json");
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            Assert.Equal(3, root.GetProperty("row_count").GetInt64());
            Assert.Equal("f1", root.GetProperty("snapshot").GetProperty("summary").GetProperty("frazil.flush-id").GetString());
        }
        var pruned = await IcebergKit.ReadTableAsync("--engine", "pyiceberg", "--catalog", "sql", "--uri",
            $"sqlite:///{folder.Path}/catalog.db", "--table", "db.events",
            "--where", "id > 100", "--json");
        Assert.Equal(0, JsonDocument.Parse(pruned).RootElement.GetProperty("files_planned").GetInt32());
    }

    [Theory]
    [InlineData("a#b", "events")]
    [InlineData("a?b=c", "events")]
    [InlineData("plain", "ev#en?ts")]
    [InlineData("a%23b c+", "events")]
    public async Task Other_readers_open_a_table_whose_path_holds_what_URIs_are_cut_at(string warehouse, string name)
    {
        await using var catalog = await SqlCatalog.OpenAsync(Uri, Path.Combine(folder.Path, warehouse), new LocalFileIO(), "test");
        await catalog.CreateNamespaceAsync(NamespaceName.Parse("db"));
        var identifier = new TableIdentifier(NamespaceName.Parse("db"), name);
        var schema = new Schema(0, [new(1, "id", false, IcebergType.Long)]);
        var table = await catalog.CreateTableAsync(identifier, schema);
        var path = $"{table.Metadata.DataLocation}/one.parquet";
        await using var writer = new ParquetDataFileWriter();
        using var memory = new ArrowValues();
        var columns = Frazil.Hot.ColumnSchemas.FromIceberg(schema.Fields);
        var written = await writer.WriteAsync(new()
        {
            Store = table.FileIO,
            Location = path,
            Schema = columns,
            Slices = [memory.Slice(columns, [7L, 8L])],
        });
        await AppendAsync(catalog, table, new ManifestCache(catalog.FileIO),
            new DataFile { Path = path, SpecId = 0, RecordCount = 2, FileSizeBytes = written.FileSizeBytes });
        var metadata = (await catalog.LoadTableAsync(identifier)).MetadataLocation;

        Assert.Equal("[7, 8]", (await IcebergKit.RunPythonAsync("""
            import sys
            from pyiceberg.table import StaticTable
            print(sorted(StaticTable.from_metadata(sys.argv[1]).scan().to_arrow()["id"].to_pylist()))
            """, metadata)).Trim());
    }

    [Fact]
    public async Task Manifests_are_merged_so_that_their_number_stays_bounded()
    {
        await using var catalog = await OpenAsync();
        var table = await catalog.CreateTableAsync(
            TableIdentifier.Parse("db.many"), Events, properties: new Dictionary<string,
            string>
            { ["commit.manifest.min-count-to-merge"] = "5" });
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

    private string[] MetadataFiles(LoadedTable table)
        => Directory.GetFiles(Path.Combine(table.FileIO.LocalPathFor(table.Metadata.Location)!, "metadata"), "*.avro");

    [Fact]
    public async Task A_retry_builds_on_the_refreshed_table_and_reuses_what_was_written()
    {
        await using var catalog = await OpenAsync();
        var table = await catalog.CreateTableAsync(TableIdentifier.Parse("db.retry"), Events);
        var cache = new ManifestCache(catalog.FileIO);
        var append = new AppendFiles(cache, TimeProvider.System).Add(FakeFile(table, "late", 5, PartitionTuple.Empty));
        var first = await append.StageAsync(table.Metadata);
        var winner = await AppendAsync(catalog, table, cache, FakeFile(table, "early", 3, PartitionTuple.Empty));
        await Assert.ThrowsAsync<CommitConflictException>(
            () => catalog.CommitTableAsync(table.Identifier, first.Requirements, first.Updates));

        var second = await append.StageAsync(winner.Metadata);
        Assert.Equal(first.Snapshot.SnapshotId, second.Snapshot.SnapshotId);
        Assert.Equal(2, second.Snapshot.SequenceNumber);
        Assert.Equal(first.Manifests[0].Path, second.Manifests[0].Path);
        var committed = await catalog.CommitTableAsync(table.Identifier, second.Requirements, second.Updates);
        await append.CleanAsync(second);
        Assert.Equal("8", committed.Metadata.CurrentSnapshot!.Summary["total-records"]);
        Assert.Equal(4, MetadataFiles(committed).Length);      // two manifests, two lists; the lost attempt's list is gone
        await Assert.ThrowsAsync<ValidationException>(() => append.StageAsync(committed.Metadata));
    }

    [Fact]
    public async Task A_discarded_commit_leaves_no_file_and_can_be_staged_again()
    {
        await using var catalog = await OpenAsync();
        var table = await catalog.CreateTableAsync(
            TableIdentifier.Parse("db.discard"), Events, properties: new Dictionary<string,
            string>
            { ["commit.manifest.min-count-to-merge"] = "2" });
        var cache = new ManifestCache(catalog.FileIO);
        table = await AppendAsync(catalog, table, cache, FakeFile(table, "one", 1, PartitionTuple.Empty));
        var before = MetadataFiles(table);
        var append = new AppendFiles(cache, TimeProvider.System).Add(FakeFile(table, "two", 1, PartitionTuple.Empty));
        await append.StageAsync(table.Metadata);
        await append.DiscardAsync();
        Assert.Equal(before.Order(), MetadataFiles(table).Order());
        var staged = await append.StageAsync(table.Metadata);
        table = await catalog.CommitTableAsync(table.Identifier, staged.Requirements, staged.Updates);
        await append.CleanAsync(staged);
        var plan = await new TableScan(table.Metadata, cache).PlanAsync();
        Assert.Equal(2, plan.FilesTotal);
    }

    [Fact]
    public async Task Wrong_files_are_refused_before_anything_is_written()
    {
        await using var catalog = await OpenAsync();
        var table = await catalog.CreateTableAsync(
            TableIdentifier.Parse("db.wrong"), Events, PartitionSpecParser.Parse(["day(ts)"], Events));
        var cache = new ManifestCache(catalog.FileIO);
        var file = FakeFile(table, "x", 1, PartitionTuple.Empty);
        Assert.Throws<ValidationException>(
            () => new AppendFiles(cache, TimeProvider.System).Add(file with { Content = FileContent.EqualityDeletes }));
        Assert.Throws<ValidationException>(() => new AppendFiles(cache, TimeProvider.System).Add(file).Add(file));
        await Assert.ThrowsAsync<ValidationException>(
            () => new AppendFiles(cache, TimeProvider.System).Add(file).StageAsync(table.Metadata));
        await Assert.ThrowsAsync<ValidationException>(
            () => new AppendFiles(cache, TimeProvider.System).Add(file with { SpecId = 7 }).StageAsync(table.Metadata));
        await Assert.ThrowsAsync<ValidationException>(
            () => new AppendFiles(cache, TimeProvider.System).StageAsync(table.Metadata with { FormatVersion = 1 }));
    }

    [Fact]
    public async Task An_append_without_files_is_a_snapshot_that_moves_properties()
    {
        await using var catalog = await OpenAsync();
        var table = await catalog.CreateTableAsync(TableIdentifier.Parse("db.idle"), Events);
        table = await AppendAsync(catalog, table, new ManifestCache(catalog.FileIO));
        Assert.Equal("{\"0\":10}", table.Metadata.Properties["frazil.offsets.t"]);
        Assert.Equal("0", table.Metadata.CurrentSnapshot!.Summary["total-records"]);
        var json = await IcebergKit.ReadTableAsync(
            "--engine", "pyiceberg", "--catalog", "sql", "--uri", $"sqlite:///{folder.Path}/catalog.db", "--table", "db.idle", "--json");
        Assert.Equal(0, JsonDocument.Parse(json).RootElement.GetProperty("row_count").GetInt32());
    }

    [Fact]
    public async Task A_v3_table_gets_row_ids()
    {
        await using var catalog = await OpenAsync();
        var table = await catalog.CreateTableAsync(
            TableIdentifier.Parse("db.v3"), Events, properties: new Dictionary<string, string> { ["format-version"] = "3" });
        var cache = new ManifestCache(catalog.FileIO);
        table = await AppendAsync(
            catalog, table, cache, FakeFile(table, "a", 10, PartitionTuple.Empty), FakeFile(table, "b", 5, PartitionTuple.Empty));
        table = await AppendAsync(catalog, table, cache, FakeFile(table, "c", 1, PartitionTuple.Empty));
        Assert.Equal(16, table.Metadata.NextRowId);
        Assert.Equal((15L, 1L), (table.Metadata.CurrentSnapshot!.FirstRowId!.Value, table.Metadata.CurrentSnapshot.AddedRows!.Value));
        var plan = await new TableScan(table.Metadata, cache).PlanAsync();
        Assert.Equal([0L, 10L, 15L], plan.Files.Select(file => file.File.FirstRowId!.Value).Order());
        var printed = await IcebergKit.RunPythonAsync("""
            import sys
            from pyiceberg.catalog import load_catalog
            table = load_catalog("test", type="sql", uri="sqlite:///" + sys.argv[1]).load_table("db.v3")
            print(table.metadata.format_version, table.metadata.next_row_id, len(list(table.scan().plan_files())))
            """, $"{folder.Path}/catalog.db");
        Assert.Equal("3 16 3", printed.Trim());
    }

    [Fact]
    public async Task A_rewrite_replaces_files_and_later_deletes_still_count()
    {
        await using var catalog = await OpenAsync();
        var table = await catalog.CreateTableAsync(TableIdentifier.Parse("db.rewrite"), Events);
        var cache = new ManifestCache(catalog.FileIO);
        var small = Enumerable.Range(0, 4).Select(i => FakeFile(table, $"small{i}", 10, PartitionTuple.Empty)).ToArray();
        table = await AppendAsync(catalog, table, cache, small[0], small[1]);
        table = await AppendAsync(catalog, table, cache, small[2]);
        var start = table.Metadata.CurrentSnapshot!;
        var rewrite = new RewriteFiles(cache, start, TimeProvider.System).Remove(small[0]).Remove(small[2])
            .Add(FakeFile(table, "big", 20, PartitionTuple.Empty)).SetSummary("by", "test");
        table = await AppendAsync(catalog, table, cache, small[3]);      // ingest goes on meanwhile
        var staged = await rewrite.StageAsync(table.Metadata);
        table = await catalog.CommitTableAsync(table.Identifier, staged.Requirements, staged.Updates);
        await rewrite.CleanAsync(staged);

        var summary = table.Metadata.CurrentSnapshot!.Summary;
        Assert.Equal(("replace", "40", "3", "2", "1"), (summary["operation"], summary["total-records"], summary["total-data-files"], summary["deleted-data-files"], summary["added-data-files"]));
        Assert.Equal("{\"0\":10}", table.Metadata.Properties["frazil.offsets.t"]);
        var plan = await new TableScan(table.Metadata, cache).PlanAsync();
        Assert.Equal(
            ["big.parquet", "small1.parquet", "small3.parquet"], plan.Files.Select(file => Path.GetFileName(file.File.Path)).Order());
        Assert.Equal(
            start.SequenceNumber,
            plan.Files.Single(file => file.File.Path.EndsWith("big.parquet", StringComparison.Ordinal)).SequenceNumber);
        var entries = new List<ManifestEntry>();
        foreach (var manifest in staged.Manifests)
            entries.AddRange(await cache.ReadEntriesAsync(manifest, table.Metadata));
        Assert.Equal(
            ["small0.parquet", "small2.parquet"],
            entries.Where(entry => entry is { Status: EntryStatus.Deleted } && entry.SnapshotId == rewrite.SnapshotId)
                .Select(entry => Path.GetFileName(entry.File.Path)).Order());

        var again = new RewriteFiles(cache, table.Metadata.CurrentSnapshot, TimeProvider.System).Remove(small[0])
            .Add(FakeFile(table, "big2", 10, PartitionTuple.Empty));
        await Assert.ThrowsAsync<ValidationException>(() => again.StageAsync(table.Metadata));
        await again.DiscardAsync();
        var files = await IcebergKit.RunPythonAsync("""
            import sys
            from pyiceberg.catalog import load_catalog
            table = load_catalog("test", type="sql", uri="sqlite:///" + sys.argv[1]).load_table("db.rewrite")
            print(sorted(t.file.file_path.rsplit("/", 1)[1] for t in table.scan().plan_files()), [str(s.summary.operation) for s in table.snapshots()][-1])
            """, $"{folder.Path}/catalog.db");
        Assert.Contains("['big.parquet', 'small1.parquet', 'small3.parquet']", files);
    }
}
