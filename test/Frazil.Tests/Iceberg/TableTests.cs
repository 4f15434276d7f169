using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Frazil.Tests.Commit;
using Xunit;

namespace Frazil.Tests.Iceberg;

/// <summary>Commits through the library alone: what its one loop makes of every answer that a catalog can give.</summary>
public sealed class TableTests : IAsyncLifetime
{
    private static readonly TableIdentifier Name = TableIdentifier.Parse("shop.events");

    private readonly ScratchCatalog scene = new();
    private Table table = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await scene.CreateTableAsync(
            Name, null, ("commit.retry.num-retries", "3"), ("commit.retry.min-wait-ms", "1"), ("commit.retry.max-wait-ms", "2"));
        table = new(Catalog, Name);
        await table.RefreshAsync(Cancel);
    }

    public ValueTask DisposeAsync() => scene.DisposeAsync();

    [Fact]
    public async Task An_append_that_another_overtakes_is_rebased_and_leaves_no_file_of_its_first_attempt()
    {
        Catalog.BeforeCommit = () => AppendElsewhereAsync("theirs");
        var snapshot = await table.CommitAsync(table.NewAppend().Add(File("ours")), Cancel);

        Assert.Equal(["ours", "theirs"], await LiveAsync());
        Assert.Equal(snapshot.SnapshotId, table.Current!.Metadata.CurrentSnapshotId);
        Assert.Equal(2, Directory.GetFiles(MetadataFolder, "snap-*.avro").Length);
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_found_and_not_made_twice()
    {
        Catalog.AfterCommit = static () => throw new IOException("the line broke");
        var append = table.NewAppend().Add(File("ours"));
        var snapshot = await table.CommitAsync(append, Cancel);

        Assert.Equal((append.SnapshotId, 1), (snapshot.SnapshotId, Catalog.Commits));
        Assert.Equal(["ours"], await LiveAsync());
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_found_where_others_expired_its_snapshot_meanwhile()
    {
        var append = table.NewAppend().Add(File("ours"));
        Catalog.AfterCommit = async () =>
        {
            await AppendElsewhereAsync("theirs");
            await Catalog.CommitTableAsync(Name, [], [new TableUpdate.RemoveSnapshots([append.SnapshotId])], Cancel);
            throw new CommitStateUnknownException("the answer was lost");
        };
        var snapshot = await table.CommitAsync(append, Cancel);

        Assert.Equal(append.SnapshotId, snapshot.SnapshotId);
        Assert.Equal(["ours", "theirs"], await LiveAsync());
    }

    [Fact]
    public async Task Conflicts_after_an_attempt_without_an_answer_do_not_say_that_nothing_happened()
    {
        Catalog.BeforeCommit = () =>
        {
            ConflictAlways();
            throw new CommitStateUnknownException("the line broke before anything was sent");
        };
        await Assert.ThrowsAsync<CommitStateUnknownException>(() => table.CommitAsync(table.NewAppend().Add(File("ours")), Cancel));
        Assert.Empty(await LiveAsync());

        void ConflictAlways() => Catalog.BeforeCommit = () =>
        {
            ConflictAlways();
            throw new CommitConflictException("another was first");
        };
    }

    [Fact]
    public async Task What_an_attempt_without_an_answer_wrote_stays_where_a_later_attempt_fails()
    {
        var append = table.NewAppend().Add(File("ours"));
        Catalog.BeforeCommit = () =>
        {
            Catalog.BeforeCommit = static () => throw new ValidationException("the catalog refuses it now");
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
        Catalog.AfterCommit = static () => throw new CommitConflictException("another was first");
        var append = table.NewAppend().Add(File("ours"));
        Assert.Equal(append.SnapshotId, (await table.CommitAsync(append, Cancel)).SnapshotId);
        Assert.Equal(["ours"], await LiveAsync());
        Assert.Equal(1, Catalog.Commits);
    }

    [Fact]
    public async Task What_the_table_refuses_is_not_tried_again_and_leaves_nothing()
    {
        await table.CommitAsync(table.NewAppend().Add(File("first")), Cancel);
        var before = Directory.GetFiles(MetadataFolder).Order();
        var overwrite = table.NewOverwrite(table.Current!.Metadata.CurrentSnapshot).Remove(File("never there")).Add(File("ours"));
        await Assert.ThrowsAsync<ValidationException>(() => table.CommitAsync(overwrite, Cancel));

        Assert.Equal(1, Catalog.Commits);
        Assert.Equal(before, Directory.GetFiles(MetadataFolder).Order());
    }

    [Fact]
    public async Task Commits_of_one_process_wait_for_each_other_instead_of_conflicting()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(number => table.CommitAsync(table.NewAppend().Add(File($"file-{number}")), Cancel)));
        Assert.Equal((8, 8), (Catalog.Commits, (await LiveAsync()).Length));
    }

    [Fact]
    public async Task A_table_that_was_dropped_or_made_anew_is_never_taken_for_the_one_seen_before()
    {
        await Catalog.DropTableAsync(Name, cancellationToken: Cancel);
        var dropped = await Assert.ThrowsAsync<TableLostException>(() => table.CommitAsync(table.NewAppend().Add(File("ours")), Cancel));
        await Catalog.CreateTableAsync(Name, new Schema(0, [new NestedField(1, "id", false, IcebergType.Long)]), cancellationToken: Cancel);
        var replaced = await Assert.ThrowsAsync<TableLostException>(() => table.CommitAsync(table.NewAppend().Add(File("ours")), Cancel));

        Assert.Equal((TableLoss.Dropped, TableLoss.Replaced, 0), (dropped.Loss, replaced.Loss, Catalog.Commits));
    }

    /// <summary>It may live on under another name.</summary>
    [Fact]
    public async Task Files_of_a_table_whose_name_another_one_has_now_are_not_deleted_as_unnamed()
    {
        var path = $"{scene.Path}/ours";
        await System.IO.File.WriteAllTextAsync(path, "rows", Cancel);
        await table.CommitAsync(table.NewAppend().Add(File("ours")), Cancel);
        await Catalog.RenameTableAsync(Name, TableIdentifier.Parse("shop.kept"), Cancel);
        await scene.CreateTableAsync(Name);

        var lost = await Assert.ThrowsAsync<TableLostException>(() => table.DeleteUnnamedAsync([File("ours").Path], Cancel));
        await Assert.ThrowsAsync<TableLostException>(() => table.FindNamedAsync([File("ours").Path], Cancel));

        Assert.Equal(TableLoss.Replaced, lost.Loss);
        Assert.True(System.IO.File.Exists(path));
    }

    private FaultyCatalog Catalog => scene.Catalog;

    private string MetadataFolder => $"{scene.Path}/warehouse/shop/events/metadata";

    private DataFile File(string name) => new() { Path = $"file://{scene.Path}/{name}", SpecId = 0, RecordCount = 1, FileSizeBytes = 4 };

    private async Task AppendElsewhereAsync(string name)
    {
        var other = new Table(Catalog, Name);
        await other.RefreshAsync(Cancel);
        await other.CommitAsync(other.NewAppend().Add(File(name)), Cancel);
    }

    private async Task<string[]> LiveAsync()
    {
        var loaded = await Catalog.LoadTableAsync(Name, Cancel);
        if (loaded.Metadata.CurrentSnapshot is not { } snapshot)
            return [];
        var live = await new ManifestCache(loaded.FileIO).ReadLiveAsync(snapshot, loaded.Metadata, Cancel);
        return [.. live.Select(static entry => Path.GetFileName(entry.File.Path)).Order(StringComparer.Ordinal)];
    }
}
