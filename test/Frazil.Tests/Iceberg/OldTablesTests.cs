using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Json;
using Frazil.Iceberg.Manifests;
using Frazil.Tests.Commit;
using Xunit;

namespace Frazil.Tests.Iceberg;

/// <summary>What writers of earlier days, and of the newest version, left in a table is kept by our commits.</summary>
public sealed class OldTablesTests : IAsyncDisposable
{
    private static readonly TableIdentifier Orders = TableIdentifier.Parse("shop.orders");

    private readonly FailingFileIO files = new();
    private readonly ScratchCatalog scene;

    public OldTablesTests() => scene = new(files);

    public ValueTask DisposeAsync() => scene.DisposeAsync();

    private static Schema Simple { get; } = new(0, [new(1, "id", true, IcebergType.Long), new(2, "name", false, IcebergType.String)]);

    private async Task<(ICatalog Catalog, LoadedTable Table)> CreateAsync(params (string Name, string Value)[] properties)
    {
        var table = await scene.CreateTableAsync(Orders, Simple, properties);
        return (scene.Catalog, table);
    }

    private static DataFile File(string name) => new() { Path = $"file:///{name}.parquet", SpecId = 0, RecordCount = 5, FileSizeBytes = 10 };

    private static async Task<LoadedTable> AppendAsync(ICatalog catalog, params string[] names)
    {
        var table = await catalog.LoadTableAsync(Orders);
        var append = new AppendFiles(new ManifestCache(table.FileIO), TimeProvider.System);
        foreach (var name in names)
            append.Add(File(name));
        var staged = await append.StageAsync(table.Metadata);
        return await catalog.CommitTableAsync(Orders, staged.Requirements, staged.Updates);
    }

    private static async Task<IEnumerable<string>> LiveAsync(LoadedTable table)
    {
        var plan = await new TableScan(table.Metadata, new ManifestCache(table.FileIO)).PlanAsync();
        return plan.Files.Select(file => Path.GetFileNameWithoutExtension(file.File.Path)).Order();
    }

    /// <summary>Puts a snapshot into the table as another writer would have made it.</summary>
    private static async Task<LoadedTable> AddSnapshotAsync(ICatalog catalog, Func<Snapshot, Snapshot> make)
    {
        var table = await catalog.LoadTableAsync(Orders);
        var snapshot = make(new Snapshot(4711, null, 1, table.Metadata.LastUpdatedMs, null, new Dictionary<string, string> { ["operation"] = "append" }, 0));
        return await catalog.CommitTableAsync(
            Orders, [], [new TableUpdate.AddSnapshot(snapshot), new TableUpdate.SetSnapshotRef("main", new SnapshotRef(snapshot.SnapshotId))]);
    }

    private static async Task<ManifestFile> WriteManifestAsync(LoadedTable table, Action<ManifestWriter> fill)
    {
        var writer = new ManifestWriter(table.Metadata, table.Metadata.DefaultSpec, ManifestContent.Data);
        fill(writer);
        var (content, manifest) = writer.Finish(table.Metadata.MetadataLocationFor("old-m0.avro"), 4711);
        await table.FileIO.CreateAsync(manifest.Path, content);
        return manifest;
    }

    [Fact]
    public async Task Manifests_of_a_v1_snapshot_that_lists_no_counts_stay_over_all_commits()
    {
        var (catalog, table) = await CreateAsync();
        var manifest = await WriteManifestAsync(table, writer => writer.Add(4711, File("old")));
        await AddSnapshotAsync(catalog, snapshot => snapshot with { Manifests = [manifest.Path] });

        foreach (var name in new[] { "a", "b", "c" })
            table = await AppendAsync(catalog, name);

        Assert.Equal(["a", "b", "c", "old"], await LiveAsync(table));
        var listed = await new ManifestCache(files).ReadManifestsAsync(table.Metadata.CurrentSnapshot!, table.Metadata);
        Assert.All(listed, one => Assert.Equal((1, 0, 5L), (one.AddedFiles!.Value, one.ExistingFiles!.Value, one.AddedRows!.Value)));
    }

    [Fact]
    public async Task Existing_entries_without_a_file_sequence_number_are_merged_as_they_are()
    {
        var (catalog, table) = await CreateAsync(("commit.manifest.min-count-to-merge", "2"));
        var manifest = await WriteManifestAsync(table, writer => writer.Keep(new ManifestEntry(EntryStatus.Existing, 4000, 1, null, File("old"))));
        var list = ManifestListWriter.Write(2, 4711, null, 1, 0, [manifest]);
        var location = table.Metadata.MetadataLocationFor("snap-4711.avro");
        await files.CreateAsync(location, list.Content);
        await AddSnapshotAsync(catalog, snapshot => snapshot with { ManifestList = location });

        await AppendAsync(catalog, "a");
        table = await AppendAsync(catalog, "b");

        Assert.Equal(["a", "b", "old"], await LiveAsync(table));
        var cache = new ManifestCache(files);
        var merged = Assert.Single(await cache.ReadManifestsAsync(table.Metadata.CurrentSnapshot!, table.Metadata));
        var old = (await cache.ReadEntriesAsync(merged, table.Metadata)).Single(entry => entry.File.Path.EndsWith("old.parquet", StringComparison.Ordinal));
        Assert.Equal((1L, null), (old.SequenceNumber, old.FileSequenceNumber));
    }

    [Fact]
    public async Task One_readers_cancellation_does_not_end_the_read_that_others_wait_for()
    {
        var (catalog, _) = await CreateAsync();
        var table = await AppendAsync(catalog, "a");
        var (cache, answer) = (new ManifestCache(files), new TaskCompletionSource());
        files.ReadsWaitFor = answer.Task;
        using var first = new CancellationTokenSource();
        var hasty = cache.ReadManifestsAsync(table.Metadata.CurrentSnapshot!, table.Metadata, first.Token);
        var patient = cache.ReadManifestsAsync(table.Metadata.CurrentSnapshot!, table.Metadata, TestContext.Current.CancellationToken);

        await first.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hasty);
        answer.SetResult();

        Assert.Single(await patient);
    }

    /// <summary>The upgrade gives row ids to manifests that were read, and kept parsed, without them.</summary>
    [Fact]
    public async Task Row_ids_that_a_manifest_got_later_are_seen_by_who_has_read_it_before()
    {
        var (catalog, _) = await CreateAsync();
        var table = await AppendAsync(catalog, "a");
        var cache = new ManifestCache(files);
        var before = Assert.Single(await cache.ReadManifestsAsync(table.Metadata.CurrentSnapshot!, table.Metadata));
        Assert.Null((await cache.ReadEntriesAsync(before, table.Metadata))[0].File.FirstRowId);

        await catalog.CommitTableAsync(Orders, [], [new TableUpdate.UpgradeFormatVersion(3)]);
        table = await AppendAsync(catalog, "b");

        foreach (var manifest in await cache.ReadManifestsAsync(table.Metadata.CurrentSnapshot!, table.Metadata))
            Assert.All(await cache.ReadEntriesAsync(manifest, table.Metadata), entry => Assert.NotNull(entry.File.FirstRowId));
    }

    [Fact]
    public void Every_source_of_a_sort_field_is_kept()
    {
        var metadata = FilterCases.Metadata(Simple) with
        {
            FormatVersion = 3,
            SortOrders = [new SortOrder(1, [new SortField(1, Transform.Parse("zorder"), SortDirection.Ascending, NullOrder.NullsFirst) { SourceIds = [1, 2] }])],
            DefaultSortOrderId = 1,
        };
        var back = TableMetadataJson.Parse(TableMetadataJson.Write(metadata), "test");
        Assert.Equal([1, 2], back.DefaultSortOrder.Fields[0].SourceIds!);
        Assert.Equal(metadata.DefaultSortOrder, back.DefaultSortOrder);
        Assert.NotEqual(
            metadata.DefaultSortOrder.Fields[0], metadata.DefaultSortOrder.Fields[0] with { SourceIds = [1, 3] });
    }

    [Fact]
    public async Task A_manifest_target_of_one_byte_makes_no_manifest_without_files()
    {
        var (catalog, _) = await CreateAsync(("commit.manifest.target-size-bytes", "1"));
        var table = await AppendAsync(catalog, "a", "b");
        var manifests = await new ManifestCache(files).ReadManifestsAsync(table.Metadata.CurrentSnapshot!, table.Metadata);
        Assert.Equal([1, 1], manifests.Select(manifest => manifest.AddedFiles!.Value));
    }

    /// <summary>LESSONS 64.</summary>
    [Fact]
    public async Task Two_first_appends_to_a_new_table_are_one_conflict_and_both_files()
    {
        var (catalog, table) = await CreateAsync();
        var late = new AppendFiles(new ManifestCache(files), TimeProvider.System).Add(File("late"));
        var first = await late.StageAsync(table.Metadata);
        await AppendAsync(catalog, "early");
        await Assert.ThrowsAsync<CommitConflictException>(() => catalog.CommitTableAsync(Orders, first.Requirements, first.Updates));

        Assert.True(await late.TryDiscardAsync(catalog, Orders));
        var second = await late.StageAsync((await catalog.LoadTableAsync(Orders)).Metadata);
        table = await catalog.CommitTableAsync(Orders, second.Requirements, second.Updates);

        Assert.Equal(["early", "late"], await LiveAsync(table));
    }

    [Fact]
    public async Task Manifests_of_a_commit_that_happened_are_not_discarded_whatever_its_answer_was()
    {
        var (catalog, table) = await CreateAsync(("write.metadata.previous-versions-max", "1"));
        var append = new AppendFiles(new ManifestCache(files), TimeProvider.System).Add(File("a"));
        var staged = await append.StageAsync(table.Metadata);
        await catalog.CommitTableAsync(Orders, staged.Requirements, staged.Updates);
        await AppendAsync(catalog, "foreign");
        table = await AppendAsync(catalog, "foreign2");
        await catalog.CommitTableAsync(Orders, [], [new TableUpdate.RemoveSnapshots([append.SnapshotId])]);

        Assert.False(await append.TryDiscardAsync(catalog, Orders));

        Assert.Equal(["a", "foreign", "foreign2"], await LiveAsync(table));
    }

    [Theory]
    [InlineData("to is current", true)]
    [InlineData("to is logged", true)]
    [InlineData("another took its place", false)]
    [InlineData("nothing changed", false)]
    [InlineData("the log was cut off and the snapshot is there", true)]
    [InlineData("the log was cut off", null)]
    public void A_swap_without_an_answer_is_told_by_the_versions_and_by_its_snapshot(string now, bool? happened)
    {
        var metadata = FilterCases.Metadata(Simple);
        TableUpdate[] updates = [new TableUpdate.AddSnapshot(new Snapshot(7, null, 1, 1, "l", new Dictionary<string, string>(), 0))];
        var (log, current) = now switch
        {
            "to is current" => (new[] { "from" }, "to"),
            "to is logged" => (["from", "to"], "theirs"),
            "another took its place" => (["from"], "theirs"),
            "nothing changed" => ([], "from"),
            _ => (["theirs1"], "theirs2"),
        };
        if (now.EndsWith("snapshot is there", StringComparison.Ordinal))
            metadata = TableMetadataBuilder.From(metadata, TimeProvider.System).Apply(updates).Build();
        var table = new LoadedTable(
            Orders, metadata with { MetadataLog = [.. log.Select(file => new MetadataLogEntry(1, file))] }, current, files);

        Assert.Equal(happened, TableCommit.Happened(table, "from", "to", updates));
    }

    [Fact]
    public async Task A_version_of_a_filesystem_table_whose_own_creation_is_answered_with_exists_is_committed()
    {
        var catalog = new FilesystemCatalog(Path.Combine(scene.Path, "fs"), files);
        await catalog.CreateNamespaceAsync(Orders.Namespace);
        await catalog.CreateTableAsync(Orders, Simple);
        files.AfterCreate = location => location.EndsWith("v2.metadata.json", StringComparison.Ordinal) ? new ObjectExistsException(location) : null;

        await catalog.CommitTableAsync(Orders, [], [new TableUpdate.SetProperties(new Dictionary<string, string> { ["a"] = "b" })]);

        Assert.Equal(2, files.Created.Count(location => location.EndsWith(".metadata.json", StringComparison.Ordinal)));
        Assert.Equal("b", (await catalog.LoadTableAsync(Orders)).Metadata.Properties["a"]);
    }

    [Theory]
    [InlineData("format-version", "1")]
    [InlineData("write.metadata.compression-codec", "zstd")]
    [InlineData("write.metadata.metrics.default", "truncate(0)")]
    [InlineData("write.metadata.metrics.column.note", "some")]
    [InlineData("write.metadata.delete-after-commit.enabled", "yes")]
    [InlineData("write.target-file-size-bytes", "0")]
    [InlineData("commit.retry.num-retries", "-1")]
    [InlineData("write.data.path", "relative/folder")]
    public async Task A_value_that_would_be_passed_over_creates_no_table(string name, string value)
    {
        var error = await Assert.ThrowsAsync<ValidationException>(() => CreateAsync((name, value)));
        Assert.Contains($"{name} is '{value}'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_of_a_column_that_comes_later_may_be_set_now()
    {
        var (_, table) = await CreateAsync(("write.metadata.metrics.column.note", "none"), ("my.own", "anything"));
        Assert.Equal("none", table.Metadata.Properties["write.metadata.metrics.column.note"]);
    }
}
