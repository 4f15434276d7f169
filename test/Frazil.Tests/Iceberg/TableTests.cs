using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Tests.Commit;
using Xunit;

namespace Frazil.Tests.Iceberg;

/// <summary>Commits through the library alone: what its one loop makes of every answer that a catalog can give.</summary>
public sealed class TableTests : IAsyncLifetime
{
    private static readonly TableIdentifier Name = TableIdentifier.Parse("shop.events");

    private readonly ScratchFolder folder = new();
    private FaultyCatalog catalog = null!;
    private Table table = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        catalog = new(await SqlCatalog.OpenAsync($"sqlite:{folder.Path}/catalog.db", $"{folder.Path}/warehouse", new LocalFileIO()));
        await catalog.CreateNamespaceAsync(Name.Namespace);
        await catalog.CreateTableAsync(
            Name, new Schema(0, [new NestedField(1, "id", false, IcebergType.Long)]),
            properties: new Dictionary<string, string>
            {
                ["commit.retry.num-retries"] = "3",
                ["commit.retry.min-wait-ms"] = "1",
                ["commit.retry.max-wait-ms"] = "2",
            });
        table = new(catalog, Name);
        await table.RefreshAsync(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await catalog.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task An_append_that_another_overtakes_is_rebased_and_leaves_no_file_of_its_first_attempt()
    {
        catalog.BeforeCommit = () => AppendElsewhereAsync("theirs");
        var snapshot = await table.CommitAsync(table.NewAppend().Add(File("ours")), Cancel);

        Assert.Equal(["ours", "theirs"], await LiveAsync());
        Assert.Equal(snapshot.SnapshotId, table.Current!.Metadata.CurrentSnapshotId);
        Assert.Equal(2, Directory.GetFiles(MetadataFolder, "snap-*.avro").Length);
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_found_and_not_made_twice()
    {
        catalog.AfterCommit = static () => throw new IOException("the line broke");
        var append = table.NewAppend().Add(File("ours"));
        var snapshot = await table.CommitAsync(append, Cancel);

        Assert.Equal((append.SnapshotId, 1), (snapshot.SnapshotId, catalog.Commits));
        Assert.Equal(["ours"], await LiveAsync());
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_found_where_others_expired_its_snapshot_meanwhile()
    {
        var append = table.NewAppend().Add(File("ours"));
        catalog.AfterCommit = async () =>
        {
            await AppendElsewhereAsync("theirs");
            await catalog.CommitTableAsync(Name, [], [new TableUpdate.RemoveSnapshots([append.SnapshotId])], Cancel);
            throw new CommitStateUnknownException("the answer was lost");
        };
        var snapshot = await table.CommitAsync(append, Cancel);

        Assert.Equal(append.SnapshotId, snapshot.SnapshotId);
        Assert.Equal(["ours", "theirs"], await LiveAsync());
    }

    [Fact]
    public async Task Conflicts_after_an_attempt_without_an_answer_do_not_say_that_nothing_happened()
    {
        catalog.BeforeCommit = () =>
        {
            ConflictAlways();
            throw new CommitStateUnknownException("the line broke before anything was sent");
        };
        await Assert.ThrowsAsync<CommitStateUnknownException>(() => table.CommitAsync(table.NewAppend().Add(File("ours")), Cancel));
        Assert.Empty(await LiveAsync());

        void ConflictAlways() => catalog.BeforeCommit = () =>
        {
            ConflictAlways();
            throw new CommitConflictException("another was first");
        };
    }

    [Fact]
    public async Task What_an_attempt_without_an_answer_wrote_stays_where_a_later_attempt_fails()
    {
        var append = table.NewAppend().Add(File("ours"));
        catalog.BeforeCommit = () =>
        {
            catalog.BeforeCommit = static () => throw new ValidationException("the catalog refuses it now");
            throw new CommitStateUnknownException("it is still on its way");
        };
        await Assert.ThrowsAsync<CommitStateUnknownException>(() => table.CommitAsync(append, Cancel));

        // The first attempt could still be applied: its list and manifest must be there.
        Assert.NotEmpty(Directory.GetFiles(MetadataFolder, "snap-*.avro"));
        Assert.Equal(append.SnapshotId, (await table.CommitAsync(append, Cancel)).SnapshotId);
        Assert.Equal(["ours"], await LiveAsync());
    }

    [Fact]
    public async Task A_definite_answer_to_a_commit_that_was_made_is_not_believed()
    {
        // A proxy that sends a commit twice answers the second one so.
        catalog.AfterCommit = static () => throw new CommitConflictException("another was first");
        var append = table.NewAppend().Add(File("ours"));
        Assert.Equal(append.SnapshotId, (await table.CommitAsync(append, Cancel)).SnapshotId);
        Assert.Equal(["ours"], await LiveAsync());
        Assert.Equal(1, catalog.Commits);
    }

    [Fact]
    public async Task What_the_table_refuses_is_not_tried_again_and_leaves_nothing()
    {
        await table.CommitAsync(table.NewAppend().Add(File("first")), Cancel);
        var before = Directory.GetFiles(MetadataFolder).Order();
        var overwrite = table.NewOverwrite(table.Current!.Metadata.CurrentSnapshot).Remove(File("never there")).Add(File("ours"));
        await Assert.ThrowsAsync<ValidationException>(() => table.CommitAsync(overwrite, Cancel));

        Assert.Equal(1, catalog.Commits);
        Assert.Equal(before, Directory.GetFiles(MetadataFolder).Order());
    }

    [Fact]
    public async Task Commits_of_one_process_wait_for_each_other_instead_of_conflicting()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(number => table.CommitAsync(table.NewAppend().Add(File($"file-{number}")), Cancel)));
        Assert.Equal((8, 8), (catalog.Commits, (await LiveAsync()).Length));
    }

    [Fact]
    public async Task A_table_that_was_dropped_or_made_anew_is_never_taken_for_the_one_seen_before()
    {
        await catalog.DropTableAsync(Name, cancellationToken: Cancel);
        var dropped = await Assert.ThrowsAsync<TableLostException>(() => table.CommitAsync(table.NewAppend().Add(File("ours")), Cancel));
        await catalog.CreateTableAsync(Name, new Schema(0, [new NestedField(1, "id", false, IcebergType.Long)]), cancellationToken: Cancel);
        var replaced = await Assert.ThrowsAsync<TableLostException>(() => table.CommitAsync(table.NewAppend().Add(File("ours")), Cancel));

        Assert.Equal((TableLoss.Dropped, TableLoss.Replaced, 0), (dropped.Loss, replaced.Loss, catalog.Commits));
    }

    private string MetadataFolder => $"{folder.Path}/warehouse/shop/events/metadata";

    private DataFile File(string name) => new() { Path = $"file://{folder.Path}/{name}", SpecId = 0, RecordCount = 1, FileSizeBytes = 4 };

    private async Task AppendElsewhereAsync(string name)
    {
        var other = new Table(catalog, Name);
        await other.RefreshAsync(Cancel);
        await other.CommitAsync(other.NewAppend().Add(File(name)), Cancel);
    }

    private async Task<string[]> LiveAsync()
    {
        var loaded = await catalog.LoadTableAsync(Name, Cancel);
        if (loaded.Metadata.CurrentSnapshot is not { } snapshot)
            return [];
        var live = await new ManifestCache(loaded.FileIO).ReadLiveAsync(snapshot, loaded.Metadata, Cancel);
        return [.. live.Select(static entry => Path.GetFileName(entry.File.Path)).Order(StringComparer.Ordinal)];
    }
}
