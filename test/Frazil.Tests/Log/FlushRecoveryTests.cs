using System.Security.Cryptography;
using Frazil.Commit;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Kafka;
using Frazil.Log;
using Frazil.Telemetry;
using Frazil.Tests.Commit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Frazil.Tests.Log;

/// <summary>
/// Invariant 8: what a dead process had finished is used, what it had not is cleared away, and no log, however wrong, can lose or double a
/// row. Real catalog, real files, logs as a killed process leaves them.
/// </summary>
public sealed class FlushRecoveryTests : IAsyncLifetime
{
    private static readonly TableIdentifier Table = TableIdentifier.Parse("shop.events");
    private static readonly TopicPartition P0 = new("events", 0);

    private readonly string folder = Path.Combine(Path.GetTempPath(), $"frazil-recovery-{Guid.NewGuid():N}");
    private FaultyCatalog catalog = null!;
    private TableMetadata table = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string LogFolder => Path.Combine(folder, "log");

    private string DataFolder => Path.Combine(folder, "warehouse", "data-of-the-table");

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(folder);
        catalog = new(await SqlCatalog.OpenAsync($"sqlite:{folder}/catalog.db", $"{folder}/warehouse", new LocalFileIO()));
        await catalog.CreateNamespaceAsync(Table.Namespace);
        await CreateTableAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await catalog.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_written_file_whose_checksum_matches_is_committed_as_it_is()
    {
        var file = NewFile("f1", 0);
        await LogAsync(Sealed("f1"), Written("f1", file, null, 10));

        await RecoverAsync();

        Assert.Equal([file.File.Path], await LiveFilesAsync());
        await AssertProgressAsync("""{"0":10}""");
        Assert.Equal("f1", (await LoadAsync()).CurrentSnapshot!.Summary["frazil.flush-id"]);
        Assert.Equal("recovered", Assert.IsType<FlushComplete>(LogSegments.Read(LogFolder).Last().Entry).Outcome);
    }

    [Fact]
    public async Task Several_unfinished_flushes_are_committed_in_the_order_they_were_sealed()
    {
        var (first, second) = (NewFile("f1", 0), NewFile("f2", 0));
        // The second one was written first: only the sealing orders them (LESSONS 10).
        await LogAsync(Sealed("f1"), Sealed("f2"), Written("f2", second, 10, 20), Written("f1", first, null, 10));

        await RecoverAsync();

        await AssertProgressAsync("""{"0":20}""");
        Assert.Equal(2, (await LiveFilesAsync()).Count);
        Assert.Equal(2, (await LoadAsync()).Snapshots.Count);
    }

    [Fact]
    public async Task Behind_a_hole_nothing_is_committed_because_only_a_contiguous_prefix_may_be()
    {
        var second = NewFile("f2", 0);
        await LogAsync(Sealed("f1"), Sealed("f2"), Written("f2", second, 10, 20));

        await RecoverAsync();

        Assert.Null((await LoadAsync()).CurrentSnapshot);
        Assert.False(File.Exists(PathOf(second)));
    }

    [Theory]
    [InlineData("torn")]
    [InlineData("changed")]
    [InlineData("gone")]
    public async Task A_file_that_is_not_what_the_log_says_is_removed_and_its_rows_are_read_again(string damage)
    {
        var file = NewFile("f1", 0);
        await LogAsync(Sealed("f1"), Written("f1", file, null, 10));
        var bytes = await File.ReadAllBytesAsync(PathOf(file), Cancel);
        switch (damage)
        {
            case "torn":
                await File.WriteAllBytesAsync(PathOf(file), bytes[..(bytes.Length / 2)], Cancel);
                break;
            case "changed":
                bytes[^1] ^= 1;
                await File.WriteAllBytesAsync(PathOf(file), bytes, Cancel);
                break;
            default:
                File.Delete(PathOf(file));
                break;
        }

        await RecoverAsync();

        Assert.Null((await LoadAsync()).CurrentSnapshot);
        Assert.Empty(Directory.EnumerateFiles(DataFolder));
    }

    [Fact]
    public async Task Files_that_no_entry_tells_of_are_removed_when_they_are_named_after_the_flush()
    {
        var (unlogged, foreign) = (NewFile("f1", 3), NewFile("somebody-elses", 0));
        var unfinished = await catalog.FileIO.BeginUploadAsync($"{(await LoadAsync()).DataLocation}/f1-4.parquet", Cancel); // as a dead process leaves it
        await unfinished.WriteAsync("half"u8.ToArray(), Cancel);
        await LogAsync(Sealed("f1"));

        await RecoverAsync();

        Assert.False(File.Exists(PathOf(unlogged)));
        Assert.Empty(Directory.GetFiles(folder, "*.tmp", SearchOption.AllDirectories));
        await unfinished.DisposeAsync();
        Assert.True(File.Exists(PathOf(foreign)));
    }

    [Fact]
    public async Task A_unit_some_of_whose_files_were_not_logged_is_not_committed()
    {
        var file = NewFile("f1", 0);
        await LogAsync(Sealed("f1"), Written("f1", file, null, 10) with { UnitFiles = 2 });

        await RecoverAsync();

        Assert.Null((await LoadAsync()).CurrentSnapshot);
        Assert.False(File.Exists(PathOf(file)));
    }

    [Fact]
    public async Task A_crash_after_the_commit_before_it_was_noted_commits_nothing_again_even_below_a_foreign_commit()
    {
        var file = NewFile("f1", 0);
        await LogAsync(Sealed("f1"), Written("f1", file, null, 10), new OffsetCommit("f1", [new("events", 0, null, 10)]));
        await CommitAsync("f1", file, null, 10);
        await ForeignAppendAsync();

        await RecoverAsync();

        Assert.Equal(2, (await LoadAsync()).Snapshots.Count);
        Assert.Contains(file.File.Path, await LiveFilesAsync());
        Assert.True(File.Exists(PathOf(file)));
    }

    [Fact]
    public async Task A_committed_file_stays_even_when_the_snapshot_that_added_it_was_expired_and_the_log_lost_the_end()
    {
        var file = NewFile("f1", 0);
        await LogAsync(Sealed("f1"), Written("f1", file, null, 10));
        await CommitAsync("f1", file, null, 10);
        await ForeignAppendAsync();
        var now = await LoadAsync();
        await catalog.CommitTableAsync(Table, [], [new TableUpdate.RemoveSnapshots([.. now.Snapshots.Select(static one => one.SnapshotId).Where(id => id != now.CurrentSnapshotId)])]);

        await RecoverAsync();

        Assert.True(File.Exists(PathOf(file)));
        Assert.Single((await LoadAsync()).Snapshots);
        await AssertProgressAsync("""{"0":10}""");
    }

    [Fact]
    public async Task Another_writer_that_was_there_first_fences_the_files_of_the_dead()
    {
        var (ours, theirs) = (NewFile("f1", 0), NewFile("theirs", 0));
        await LogAsync(Sealed("f1"), Written("f1", ours, null, 10));
        await CommitAsync("theirs", theirs, null, 12);

        await RecoverAsync();

        Assert.Equal([theirs.File.Path], await LiveFilesAsync());
        Assert.False(File.Exists(PathOf(ours)));
        await AssertProgressAsync("""{"0":12}""");
    }

    [Fact]
    public async Task A_log_that_says_covered_where_the_table_does_not_moves_no_progress()
    {
        // LESSONS 11: the log is ahead of what was ever written.
        await LogAsync(Sealed("f1"), new OffsetCommit("f1", [new("events", 0, null, 10)]),
            new IcebergSnapshotCreated("f1", 77, 1, [new("events", 0, null, 10)]),
            new FlushComplete("f1", "committed", 10));

        await RecoverAsync();

        Assert.False((await LoadAsync()).Properties.ContainsKey("frazil.offsets.events"));
    }

    [Fact]
    public async Task Files_of_a_table_that_was_dropped_and_made_anew_are_never_spliced_into_the_new_one()
    {
        var file = NewFile("f1", 0);
        await LogAsync(Sealed("f1"), Written("f1", file, null, 10));
        await catalog.DropTableAsync(Table);
        await CreateTableAsync();

        await RecoverAsync();

        Assert.Null((await LoadAsync()).CurrentSnapshot);
    }

    [Fact]
    public async Task Rows_whose_dead_letters_did_not_reach_their_table_are_read_again()
    {
        var file = NewFile("f1", 0);
        await LogAsync(Sealed("f1"), Written("f1", file, null, 10) with { DeadLetters = 1 });

        await RecoverAsync();

        Assert.Null((await LoadAsync()).CurrentSnapshot); // invariant 5: progress never moves past a record that is in neither place
        Assert.False(File.Exists(PathOf(file)));
    }

    [Fact]
    public async Task Progress_of_a_dead_letter_table_whose_letters_were_cleared_away_is_no_proof_that_they_are_kept()
    {
        var file = NewFile("f1", 0);
        await LogAsync(Sealed("f1"), Written("f1", file, null, 10) with { DeadLetters = 1 });
        await catalog.CreateTableAsync(
            TableIdentifier.Parse("shop.events_dlq"), DeadLetterColumns.Schema,
            properties: new Dictionary<string, string> { ["frazil.offsets.events"] = """{"0":10}""" });

        await RecoverAsync();

        Assert.Null((await LoadAsync()).CurrentSnapshot);
    }

    [Fact]
    public async Task A_lost_log_loses_nothing()
    {
        var file = NewFile("f1", 0);
        await LogAsync(Sealed("f1"), Written("f1", file, null, 10));
        Directory.Delete(LogFolder, recursive: true);

        await RecoverAsync();

        Assert.Null((await LoadAsync()).CurrentSnapshot); // the rows are still in Kafka, before the table's progress
    }

    [Fact]
    public async Task A_crash_in_the_middle_of_a_recovery_is_recovered_from()
    {
        var (first, second) = (NewFile("f1", 0), NewFile("f2", 0));
        await LogAsync(Sealed("f1"), Sealed("f2"), Written("f1", first, null, 10), Written("f2", second, 10, 20));
        catalog.AfterCommit = () => throw new IOException("the machine went down");
        await Assert.ThrowsAsync<IOException>(RecoverAsync);

        await RecoverAsync();

        await AssertProgressAsync("""{"0":20}""");
        Assert.Equal(2, (await LoadAsync()).Snapshots.Count);
        Assert.Equal(2, (await LiveFilesAsync()).Count);
    }

    private async Task RecoverAsync()
    {
        var state = new TableState(catalog, Table);
        var version = await state.RefreshAsync(Cancel);
        using var log = new TransactionLog(LogFolder, TimeProvider.System);
        var scan = log.Open(new("shop.events", version!.Metadata.TableUuid, version.Metadata.CurrentSnapshotId, []));
        var letters = new TableState(catalog, TableIdentifier.Parse("shop.events_dlq"));
        await new FlushRecovery(new()
        {
            Table = new(catalog, state, NullLogger.Instance),
            DeadLetters = new(catalog, letters, NullLogger.Instance),
            Log = log,
        }).RunAsync(scan, Cancel);
    }

    private static BufferSnapshot Sealed(string flush) => new(flush, [new("events", 0, null, 0, 10, 10, 0)]);

    private ParquetWritten Written(string flush, (DataFile File, string Sha256) file, long? recorded, long next)
        => new(flush, table.TableUuid, 0, 1, [new("events", 0, recorded, next)], 0, LoggedFile.Of(file.File, table), file.Sha256);

    private async Task LogAsync(params IReadOnlyList<LogEntry> entries)
    {
        using var log = new TransactionLog(LogFolder, TimeProvider.System);
        log.Open(new("shop.events", table.TableUuid, null, []));
        await log.AppendAsync(entries, sync: true, Cancel);
    }

    private (DataFile File, string Sha256) NewFile(string flush, int number)
    {
        Directory.CreateDirectory(DataFolder);
        var bytes = RandomNumberGenerator.GetBytes(500);
        var path = Path.Combine(DataFolder, $"{flush}-{number}.parquet");
        File.WriteAllBytes(path, bytes);
        return (new DataFile { Path = $"file://{path}", SpecId = 0, RecordCount = 10, FileSizeBytes = 500 }, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    private static string PathOf((DataFile File, string Sha256) file) => file.File.Path["file://".Length..];

    private async Task CommitAsync(string flush, (DataFile File, string Sha256) file, long? recorded, long next)
    {
        var state = new TableState(catalog, Table);
        await state.RefreshAsync(Cancel);
        await new TableCommitter(state, new TableMetrics(), NullLogger.Instance)
            .CommitAsync(new(flush, [new([new(P0, recorded, next)], [file.File])]), Cancel);
    }

    private async Task CreateTableAsync() => table = (await catalog.CreateTableAsync(
        Table, new Schema(0, [new NestedField(1, "id", false, IcebergType.Long)]),
        properties: new Dictionary<string, string> { ["write.data.path"] = $"file://{DataFolder}" })).Metadata;

    private async Task ForeignAppendAsync()
    {
        var append = new AppendFiles(new ManifestCache(catalog.FileIO), TimeProvider.System).Add(NewFile("foreign", 0).File);
        var staged = await append.StageAsync(await LoadAsync());
        await catalog.CommitTableAsync(Table, staged.Requirements, staged.Updates);
    }

    private async Task<TableMetadata> LoadAsync() => (await catalog.LoadTableAsync(Table)).Metadata;

    private async Task<List<string>> LiveFilesAsync()
    {
        var metadata = await LoadAsync();
        var cache = new ManifestCache(catalog.FileIO);
        var paths = new List<string>();
        foreach (var manifest in await cache.ReadManifestsAsync(metadata.CurrentSnapshot!, metadata))
        {
            paths.AddRange(
                (await cache.ReadEntriesAsync(manifest, metadata)).Where(static entry => entry.IsLive)
                    .Select(static entry => entry.File.Path));
        }
        return paths;
    }

    private async Task AssertProgressAsync(string expected)
        => Assert.Equal(expected, (await LoadAsync()).Properties["frazil.offsets.events"]);
}
