using System.Collections.Immutable;
using Frazil.Commit;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Kafka;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Frazil.Tests.Commit;

/// <summary>Invariants 1, 2, 3, 7 and 10 against a real SQL catalog; only the line to it is made to fail.</summary>
public sealed class TableCommitterTests : IAsyncLifetime
{
    private static readonly TableIdentifier Table = TableIdentifier.Parse("shop.events");
    private static readonly TopicPartition P0 = new("events", 0);
    private static readonly TopicPartition P1 = new("events", 1);

    private readonly string folder = Path.Combine(Path.GetTempPath(), $"frazil-test-{Guid.NewGuid():N}");
    private FaultyCatalog catalog = null!;
    private TableState state = null!;
    private TableCommitter committer = null!;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(folder);
        catalog = new(await SqlCatalog.OpenAsync($"sqlite:{folder}/catalog.db", $"{folder}/warehouse", new LocalFileIO()));
        await catalog.CreateNamespaceAsync(Table.Namespace);
        await CreateTableAsync();
        (state, committer) = NewProcess();
    }

    public async ValueTask DisposeAsync()
    {
        await catalog.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Files_and_progress_are_one_snapshot_and_the_summary_mirrors_them()
    {
        var outcome = await CommitAsync("f1", Unit(P0, null, 10), Unit(P1, null, 7));

        var table = await LoadAsync();
        Assert.Equal(outcome.SnapshotId, table.CurrentSnapshotId);
        Assert.Single(table.Snapshots);
        Assert.Equal("""{"0":10,"1":7}""", table.Properties["frazil.offsets.events"]);
        Assert.Equal("""{"0":10,"1":7}""", table.CurrentSnapshot!.Summary["frazil.offsets.events"]);
        Assert.Equal("f1", table.CurrentSnapshot.Summary["frazil.flush-id"]);
        Assert.Equal("2", table.CurrentSnapshot.Summary["added-data-files"]);
    }

    [Fact]
    public async Task Gaps_are_recorded_with_the_progress_that_passes_them_and_never_without()
    {
        await CommitAsync("f1", Gap(Unit(P0, null, 10), new(3, 5)), Unit(P1, null, 7));
        Assert.Equal("""{"0":{"first":0,"retention":[[3,5]]}}""", await GapsAsync());

        await CommitAsync("fenced", Gap(Unit(P0, 5, 20), new(6, 8)), Unit(P1, 7, 9));
        Assert.Equal("""{"0":{"first":0,"retention":[[3,5]]}}""", await GapsAsync());

        // Another instance records a gap of another partition between our staging and our swap: both are kept.
        var (_, other) = NewProcess();
        catalog.BeforeCommit = () => other.CommitAsync(new("theirs", [Gap(Unit(P1, 9, 30), new(9, 11))]), CancellationToken.None);
        await CommitAsync("ours", Gap(Unit(P0, 10, 20), new(12, 12)));
        Assert.Equal("""{"0":{"first":0,"retention":[[3,5],[12,12]]},"1":{"first":0,"retention":[[9,11]]}}""", await GapsAsync());
        await AssertProgressAsync("""{"0":20,"1":30}""");
    }

    [Fact]
    public async Task A_lost_answer_records_a_gap_once()
    {
        catalog.AfterCommit = () => throw new CommitStateUnknownException("the answer was lost");

        await CommitAsync("f1", Gap(Unit(P0, null, 10), new(3, 5)));

        Assert.Equal("""{"0":{"first":0,"retention":[[3,5]]}}""", await GapsAsync());
    }

    [Fact]
    public async Task A_unit_that_does_not_begin_where_the_table_is_is_fenced_and_the_others_go_in()
    {
        await CommitAsync("f1", Unit(P0, null, 10));

        var outcome = await CommitAsync("f2", Unit(P0, 5, 20), Unit(P1, null, 7));

        Assert.Equal(P0, Assert.Single(outcome.Fenced).Steps[0].Partition);
        Assert.True(outcome.FencedFilesAreOurs);
        await AssertProgressAsync("""{"0":10,"1":7}""");
    }

    [Fact]
    public async Task A_first_commit_of_a_partition_is_fenced_when_another_instance_made_it_first()
    {
        var (_, other) = NewProcess();
        await other.CommitAsync(new("theirs", [Unit(P0, null, 10)]), TestContext.Current.CancellationToken);

        var outcome = await CommitAsync("ours", Unit(P0, null, 12));

        Assert.Null(outcome.SnapshotId);
        Assert.Single(outcome.Fenced);
        await AssertProgressAsync("""{"0":10}""");
    }

    [Fact]
    public async Task Contiguity_is_checked_again_on_the_retry_after_a_conflict()
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        var (_, zombie) = NewProcess();
        // Between our staging and our swap, another instance commits the very same offsets.
        catalog.BeforeCommit = () => zombie.CommitAsync(new("zombie", [Unit(P0, 10, 25)]), CancellationToken.None);

        var outcome = await CommitAsync("ours", Unit(P0, 10, 20));

        Assert.Single(outcome.Fenced);
        await AssertProgressAsync("""{"0":25}""");
        Assert.Equal(["zombie", "f1"], await FlushesAsync());
    }

    [Fact]
    public async Task A_foreign_commit_between_ours_is_kept_and_ours_goes_on_top()
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        catalog.BeforeCommit = async () => await ForeignAppendAsync();

        var outcome = await CommitAsync("f2", Unit(P0, 10, 20));

        Assert.Empty(outcome.Fenced);
        Assert.Equal(3, (await LoadAsync()).Snapshots.Count);
        await AssertProgressAsync("""{"0":20}""");
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_found_and_not_made_again()
    {
        catalog.AfterCommit = () => throw new CommitStateUnknownException("the answer was lost");

        var outcome = await CommitAsync("f1", Unit(P0, null, 10));

        Assert.Empty(outcome.Fenced);
        Assert.Equal(1, catalog.Commits);
        Assert.Single((await LoadAsync()).Snapshots);
        Assert.Equal(outcome.SnapshotId, (await LoadAsync()).CurrentSnapshotId);
    }

    [Fact]
    public async Task A_lost_answer_is_found_below_a_foreign_commit_on_top()
    {
        catalog.AfterCommit = async () =>
        {
            await ForeignAppendAsync();
            throw new CommitStateUnknownException("the answer was lost");
        };

        var outcome = await CommitAsync("f1", Unit(P0, null, 10));

        Assert.Empty(outcome.Fenced);
        Assert.Equal(1, (await FlushesAsync()).Count(static id => id == "f1"));
    }

    [Fact]
    public async Task A_lost_answer_is_found_by_its_progress_when_a_foreign_expiry_removed_the_snapshot()
    {
        catalog.AfterCommit = async () =>
        {
            await ForeignAppendAsync();
            await ExpireAllButCurrentAsync();
            throw new CommitStateUnknownException("the answer was lost");
        };

        var outcome = await CommitAsync("f1", Unit(P0, null, 10));

        Assert.Empty(outcome.Fenced);
        Assert.False(outcome.FencedFilesAreOurs);
        Assert.Empty(await FlushesAsync());
        await AssertProgressAsync("""{"0":10}""");
        await CommitAsync("f2", Unit(P0, 10, 20));
        await AssertProgressAsync("""{"0":20}""");
    }

    [Fact]
    public async Task A_commit_that_never_arrived_is_made_again()
    {
        catalog.BeforeCommit = () => throw new CommitStateUnknownException("no answer, and nothing happened");

        await CommitAsync("f1", Unit(P0, null, 10));

        Assert.Equal(["f1"], await FlushesAsync());
    }

    [Fact]
    public async Task An_unknown_failure_of_the_line_is_looked_up_when_the_flush_is_tried_again()
    {
        catalog.AfterCommit = () => throw new IOException("connection reset");
        await Assert.ThrowsAsync<IOException>(() => CommitAsync("f1", Unit(P0, null, 10)));

        var outcome = await CommitAsync("f1", Unit(P0, null, 10));

        Assert.Empty(outcome.Fenced);
        Assert.Equal(1, catalog.Commits);
        Assert.Equal(["f1"], await FlushesAsync());
    }

    /// <summary>LESSONS 12.</summary>
    [Fact]
    public async Task A_commit_that_fails_leaves_what_is_known_of_the_table_exactly_as_it_was()
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        var before = state.Current;
        catalog.BeforeCommit = () => throw new IOException("connection refused");

        await Assert.ThrowsAsync<IOException>(() => CommitAsync("f2", Unit(P0, 10, 20)));

        Assert.Same(before, state.Current);
        await CommitAsync("f2", Unit(P0, 10, 20));
        Assert.Equal(["f2", "f1"], await FlushesAsync());
    }

    [Fact]
    public async Task Progress_survives_a_foreign_expiry_of_all_our_snapshots()
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        await ForeignAppendAsync();
        await ExpireAllButCurrentAsync();

        var (fresh, _) = NewProcess();

        Assert.Equal(10, (await fresh.RefreshAsync(TestContext.Current.CancellationToken))!.Progress.NextOffset(P0));
    }

    [Fact]
    public async Task A_dropped_table_is_an_error_and_progress_goes_nowhere()
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        await catalog.DropTableAsync(Table);

        await Assert.ThrowsAsync<PipelineFailedException>(() => CommitAsync("f2", Unit(P0, 10, 20)));
    }

    [Fact]
    public async Task A_table_made_anew_under_the_same_name_is_never_spliced()
    {
        await CommitAsync("f1", Unit(P0, null, 10));
        await catalog.DropTableAsync(Table);
        await CreateTableAsync();

        var error = await Assert.ThrowsAsync<PipelineFailedException>(() => CommitAsync("f2", Unit(P0, 10, 20)));

        Assert.Contains("UUID", error.Message, StringComparison.Ordinal);
        Assert.Null((await LoadAsync()).CurrentSnapshot);
    }

    [Fact]
    public async Task Twenty_instances_that_race_for_the_same_offsets_commit_them_once()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var racers = Enumerable.Range(0, 20).Select(_ => NewProcess().Committer).ToList();

        var outcomes = await Task.WhenAll(racers.Select((racer, i) =>
        {
            var delay = random.Next(10);
            return Task.Run(async () =>
            {
                await Task.Delay(delay);
                return await RetryConflictsAsync(racer, $"racer-{i}", Unit(P0, null, 10 + i));
            });
        }));

        Assert.Single(outcomes, static outcome => outcome.Fenced.IsEmpty);
        Assert.Single((await LoadAsync()).Snapshots);
    }

    [Fact]
    public async Task Commits_and_changes_of_one_process_reach_the_catalog_one_at_a_time_in_the_order_they_were_asked_for()
    {
        var arrived = new List<string>();
        var first = new TaskCompletionSource();
        catalog.BeforeCommit = async () =>
        {
            arrived.Add("held");
            await first.Task;
            arrived.Add("released");
            catalog.BeforeCommit = () =>
            {
                arrived.Add("next");
                return Task.CompletedTask;
            };
        };
        var one = CommitAsync("f1", Unit(P0, null, 10));
        while (arrived.Count == 0)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
        var two = CommitAsync("f2", Unit(P0, 10, 20));
        var three = committer.ChangeAsync(static version => version.Metadata.Properties.ContainsKey("mine") ? null : ([],
            [new TableUpdate.SetProperties(
            new Dictionary<string, string> { ["mine"] = "1" })]), TestContext.Current.CancellationToken);
        for (var i = 0; i < 50; i++)
        {
            await Task.Yield();
            Assert.Equal(1, catalog.Commits);
        }
        first.SetResult();
        await Task.WhenAll(one, two, three);

        Assert.Equal(["held", "released", "next"], arrived);
        Assert.Equal(3, catalog.Commits);
        Assert.Equal(["f2", "f1"], await FlushesAsync());
    }

    private static async Task<CommitOutcome> RetryConflictsAsync(TableCommitter racer, string flushId, CommitUnit unit)
    {
        for (; ; )
        {
            try
            {
                return await racer.CommitAsync(new(flushId, [unit]), TestContext.Current.CancellationToken);
            }
            catch (CommitConflictException)
            {
                // As the flusher does: again, with the same flush id.
            }
        }
    }

    private (TableState State, TableCommitter Committer) NewProcess()
    {
        var mine = new TableState(catalog, Table);
        return (mine, new(mine, new TableMetrics(), NullLogger.Instance));
    }

    private Task<CommitOutcome> CommitAsync(string flushId, params ImmutableArray<CommitUnit> units)
        => committer.CommitAsync(new(flushId, units), TestContext.Current.CancellationToken);

    private CommitUnit Unit(TopicPartition partition, long? recorded, long next) => new(
        [new(partition, recorded, next)],
        [new DataFile { Path = $"file://{folder}/{Guid.NewGuid():N}.parquet", SpecId = 0, RecordCount = next - (recorded ?? 0),
            FileSizeBytes = 100 }]);

    private static CommitUnit Gap(CommitUnit unit, OffsetRange removed)
    {
        var skipped = new SkippedOffsets();
        skipped.Add(removed, SkipKind.Retention);
        return unit with { Steps = [unit.Steps[0] with { Skipped = skipped }] };
    }

    private async Task<string?> GapsAsync() => (await LoadAsync()).Properties.GetValueOrDefault("frazil.gaps.events");

    private Task CreateTableAsync() => catalog.CreateTableAsync(
        Table, new Schema(0, [new NestedField(1, "id", false, IcebergType.Long)]),
        properties: new Dictionary<string, string> { ["commit.retry.min-wait-ms"] = "1", ["commit.retry.max-wait-ms"] = "10" });

    private async Task ForeignAppendAsync()
    {
        var table = await catalog.LoadTableAsync(Table);
        var append = new AppendFiles(new ManifestCache(catalog.FileIO), TimeProvider.System).Add(Unit(P0, 0, 1).Files[0]);
        var staged = await append.StageAsync(table.Metadata);
        await catalog.CommitTableAsync(Table, staged.Requirements, staged.Updates);
    }

    private async Task ExpireAllButCurrentAsync()
    {
        var table = (await catalog.LoadTableAsync(Table)).Metadata;
        var old = table.Snapshots.Select(static snapshot => snapshot.SnapshotId).Where(id => id != table.CurrentSnapshotId).ToList();
        await catalog.CommitTableAsync(Table, [], [new TableUpdate.RemoveSnapshots(old)]);
    }

    private async Task<TableMetadata> LoadAsync() => (await catalog.LoadTableAsync(Table)).Metadata;

    private async Task<IEnumerable<string>> FlushesAsync()
    {
        var table = await LoadAsync();
        return [
            .. SnapshotAncestry.Of(table, table.CurrentSnapshotId)
                .Select(static snapshot => snapshot.Summary.GetValueOrDefault("frazil.flush-id")).OfType<string>()];
    }

    private async Task AssertProgressAsync(string expected)
        => Assert.Equal(expected, (await LoadAsync()).Properties["frazil.offsets.events"]);
}
