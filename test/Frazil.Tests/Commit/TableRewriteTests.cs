using Frazil.Commit;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Frazil.Tests.Commit;

/// <summary>Commits that replace files: the same promises as those that add them, without progress.</summary>
public sealed class TableRewriteTests : IAsyncLifetime
{
    private static readonly TableIdentifier Table = TableIdentifier.Parse("shop.events");

    private readonly ScratchCatalog scene = new();
    private TableState state = null!;
    private TableCommitter committer = null!;
    private DataFile old = null!;

    public async ValueTask InitializeAsync()
    {
        await scene.CreateTableAsync(Table);
        state = new(Catalog, Table);
        committer = new(state, new TableMetrics(), NullLogger.Instance);
        old = NewFile(10);
        await IngestAsync(committer, null, 10, old);
    }

    public ValueTask DisposeAsync() => scene.DisposeAsync();

    [Fact]
    public async Task Files_are_replaced_in_one_snapshot_and_progress_stays_as_it_was()
    {
        var snapshotId = await RewriteAsync(NewFile(10));

        var table = await LoadAsync();
        Assert.Equal(snapshotId, table.CurrentSnapshotId);
        Assert.Equal(("overwrite", "r1", "10"), (table.CurrentSnapshot!.Operation, table.CurrentSnapshot.Summary["frazil.flush-id"], table.CurrentSnapshot.Summary["total-records"]));
        Assert.Equal("""{"0":10}""", table.Properties["frazil.offsets.events"]);
    }

    [Fact]
    public async Task A_conflict_with_an_ingest_is_validated_again_on_the_version_that_it_made()
    {
        var seen = new List<long?>();
        Catalog.BeforeCommit = () => IngestAsync(Other(), 10, 20, NewFile(10));

        await RewriteAsync(NewFile(10), version => seen.Add(version.Progress.NextOffset(new("events", 0))));

        Assert.Equal([10, 20], seen);
        var table = await LoadAsync();
        Assert.Equal("20", table.CurrentSnapshot!.Summary["total-records"]);
        Assert.Equal("""{"0":20}""", table.Properties["frazil.offsets.events"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_lost_answer_is_looked_up_and_nothing_is_committed_twice(bool saysUnknown)
    {
        Catalog.AfterCommit = () => throw (saysUnknown ? new CommitStateUnknownException("lost") : new IOException("connection reset"));

        var snapshotId = await RewriteAsync(NewFile(10));

        var table = await LoadAsync();
        Assert.Equal(snapshotId, table.CurrentSnapshotId);
        Assert.Equal(2, table.Snapshots.Count);
    }

    [Fact]
    public async Task A_lost_answer_is_found_also_when_a_foreign_expiry_removed_its_snapshot()
    {
        Catalog.AfterCommit = async () =>
        {
            await IngestAsync(Other(), 10, 20, NewFile(10));
            var table = await LoadAsync();
            var past = table.Snapshots.Select(static snapshot => snapshot.SnapshotId).Where(id => id != table.CurrentSnapshotId).ToList();
            await Catalog.CommitTableAsync(Table, [], [new TableUpdate.RemoveSnapshots(past)]);
            throw new CommitStateUnknownException("lost");
        };

        await RewriteAsync(NewFile(10));

        Assert.Equal("20", (await LoadAsync()).CurrentSnapshot!.Summary["total-records"]);
    }

    [Fact]
    public async Task A_rewrite_of_a_file_that_is_gone_is_stale_and_leaves_nothing()
    {
        Catalog.BeforeCommit = () => Other().RewriteAsync(Rewrite("theirs", NewFile(10), static _ => { }), CancellationToken.None);
        var manifests = 0;

        await Assert.ThrowsAsync<StaleRewriteException>(() => RewriteAsync(NewFile(10), _ => manifests = CountMetadata()));

        var table = await LoadAsync();
        Assert.Equal("theirs", table.CurrentSnapshot!.Summary["frazil.flush-id"]);
        Assert.Equal(manifests, CountMetadata());
    }

    [Fact]
    public async Task What_the_validation_throws_ends_the_rewrite()
    {
        await Assert.ThrowsAsync<InvalidDataException>(() => RewriteAsync(NewFile(10), static _ => throw new InvalidDataException("no")));
        Assert.Single((await LoadAsync()).Snapshots);
    }

    private FaultyCatalog Catalog => scene.Catalog;

    private Task<long> RewriteAsync(DataFile added, Action<TableVersion>? validate = null)
        => committer.RewriteAsync(Rewrite("r1", added, validate ?? (static _ => { })), TestContext.Current.CancellationToken);

    private TableRewrite Rewrite(string id, DataFile added, Action<TableVersion> validate) => new()
    {
        FlushId = id,
        Kind = "test",
        Start = state.Current!.Metadata.CurrentSnapshot,
        Removed = [old],
        Added = [added],
        Validate = (version, _) =>
        {
            validate(version);
            return Task.CompletedTask;
        },
    };

    private TableCommitter Other() => new(new(Catalog, Table), new TableMetrics(), NullLogger.Instance);

    private static Task IngestAsync(TableCommitter by, long? recorded, long next, DataFile file)
        => by.CommitAsync(new(Guid.NewGuid().ToString(), [new([new(new("events", 0), recorded, next)], [file])]), CancellationToken.None);

    private DataFile NewFile(long rows)
        => new() { Path = $"file://{scene.Path}/{Guid.NewGuid():N}.parquet", SpecId = 0, RecordCount = rows, FileSizeBytes = 100 };

    private int CountMetadata() => Directory.GetFiles(scene.Path, "*.avro", SearchOption.AllDirectories).Length;

    private async Task<TableMetadata> LoadAsync() => (await Catalog.LoadTableAsync(Table)).Metadata;
}
