using Frazil.Iceberg;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Maintain;
using Frazil.Maintain.Compaction;
using Frazil.Parquet;
using Xunit;

namespace Frazil.Tests.Maintain.Compaction;

public sealed class TableCompactionTests : CompactionScene
{
    [Fact]
    public async Task Small_files_become_one_a_Kafka_partition_with_the_same_rows_in_order_and_offsets_stay()
    {
        await CreateAsync();
        for (var flush = 0; flush < 6; flush++)
        {
            await IngestAsync(0, flush * 10, 10);
            await IngestAsync(1, 100 + flush * 5, 5, "y");
        }
        var before = await LoadAsync();

        var foreseen = await CompactAsync(isDryRun: true);
        Assert.Equal((12, 2), (foreseen.FilesIn, foreseen.FilesOut));
        Assert.Equal(before.CurrentSnapshotId, (await LoadAsync()).CurrentSnapshotId);
        var counts = await CompactAsync();

        Assert.Equal((12, 2, 1), (counts.FilesIn, counts.FilesOut, counts.Commits));
        Assert.Empty(counts.Left);
        var after = await LoadAsync();
        var files = (await LiveAsync()).OrderBy(static file => file.File.Path, StringComparer.Ordinal).ToList();
        Assert.Equal(Rows(0, 0, 60).Concat(Rows(1, 100, 30, "y")), (await RowsAsync()).Order(StringComparer.Ordinal).OrderBy(static row => row[0]).ThenBy(OffsetOf));
        Assert.Equal(Rows(0, 0, 60), await RowsOfAsync(files[0].File));
        Assert.Contains("/kafka_partition=1/", files[1].File.Path, StringComparison.Ordinal);
        var metadata = await MetadataOfAsync(files[1].File);
        Assert.Equal(("events", "1", "100", "129"), (metadata["kafka.topic"], metadata["kafka.partition"], metadata["kafka.offset.start"], metadata["kafka.offset.end"]));
        Assert.Equal<(long, long)?>((100, 129), new KafkaRange(null, 1, 0, 0).OffsetsOf(files[1].File, after.CurrentSchema));
        Assert.Equal(before.Properties, after.Properties);
        Assert.Equal(before.CurrentSnapshotId, after.CurrentSnapshot!.ParentSnapshotId);
    }

    /// <summary>Lessons 29, 30 and 73.</summary>
    [Fact]
    public async Task The_commit_is_a_replace_with_deleted_entries_and_counts_and_a_second_run_finds_nothing()
    {
        await CreateAsync();
        var old = new List<string> { (await IngestAsync(0, 0, 10)).Path, (await IngestAsync(0, 10, 10)).Path };

        await CompactAsync();

        var table = await LoadAsync();
        var summary = table.CurrentSnapshot!.Summary;
        Assert.Equal(("replace", "1", "2", "20", "20", "20", "1"),
            (summary["operation"], summary["added-data-files"], summary["deleted-data-files"], summary["added-records"], summary["deleted-records"], summary["total-records"],
            summary["total-data-files"]));
        var cache = new ManifestCache(Catalog.FileIO);
        var deleted = new List<ManifestEntry>();
        foreach (var manifest in await cache.ReadManifestsAsync(table.CurrentSnapshot, table, Cancel))
        {
            deleted.AddRange((await cache.ReadEntriesAsync(manifest, table, Cancel)).Where(static entry => !entry.IsLive));
        }
        Assert.Equal(old.Order(), deleted.Select(static entry => entry.File.Path).Order());
        Assert.All(deleted, entry => Assert.Equal(table.CurrentSnapshotId, entry.SnapshotId));

        var again = await CompactAsync();
        Assert.Equal((0, 0), (again.FilesIn, again.Commits));
        Assert.Equal(table.CurrentSnapshotId, (await LoadAsync()).CurrentSnapshotId);
        await IngestAsync(0, 20, 10); // ingest goes on where it was
    }

    [Fact]
    public async Task Partition_values_stay_apart_in_their_folders()
    {
        await CreateAsync(new(0, [new(2, 1000, "text", Transform.Identity)]));
        await IngestAsync(0, 0, 5, "a/b");
        await IngestAsync(0, 5, 5, "c");
        await IngestAsync(0, 10, 5, "a/b");
        await IngestAsync(0, 15, 5, "c");

        Assert.Equal((4, 2), await CompactAsync() is var counts ? (counts.FilesIn, counts.FilesOut) : default);

        var files = (await LiveAsync()).Select(static file => file.File).OrderBy(static file => file.Partition).ToList();
        Assert.Equal(["a/b", "c"], files.Select(static file => file.Partition[0].AsString()));
        Assert.Contains("/data/text=a%2Fb/kafka_partition=0/", files[0].Path, StringComparison.Ordinal);
        Assert.Equal([.. Rows(0, 0, 5, "a/b"), .. Rows(0, 10, 5, "a/b")], await RowsOfAsync(files[0]));
    }

    /// <summary>Lesson 72.</summary>
    [Fact]
    public async Task Deletes_are_applied_and_leave_the_table_unless_they_apply_to_a_file_that_was_left()
    {
        await CreateAsync();
        var (first, second, lost) = (await IngestAsync(0, 0, 10), await IngestAsync(0, 10, 10), await IngestAsync(1, 0, 10));
        await DeletePositionsAsync(first, (first.Path, 0), (first.Path, 9), (second.Path, 4));
        await DeleteIdsAsync(first, 7, 11, null, 500);
        await IngestAsync(0, 20, 3); // newer than the deletes by value: rows with their ids stay
        await DeletePositionsAsync(first, (second.Path, 5), (lost.Path, 2));
        await Catalog.FileIO.DeleteAsync(lost.Path, Cancel);

        var counts = await CompactAsync();

        Assert.Equal((3, 1, 6L, 1), (counts.FilesIn, counts.FilesOut, counts.RowsDeleted, counts.DeleteFilesRemoved));
        Assert.Contains($"{lost.Path} is not there", counts.Left);
        var live = await LiveAsync();
        var packed = live.Single(file => file.File.Path != lost.Path);
        Assert.Empty(packed.Deletes);
        Assert.Equal(Rows(0, 0, 23).Where((_, row) => row is not (0 or 9 or 14 or 7 or 11 or 15)), await RowsOfAsync(packed.File));
        Assert.Equal(2, live.Single(file => file.File.Path == lost.Path).Deletes.Count); // by position, and by ids that it may hold
        Assert.Equal("17", (await LoadAsync()).CurrentSnapshot!.Summary["added-records"]);
    }

    [Fact]
    public async Task A_file_of_which_no_row_is_left_goes_and_deletes_that_apply_to_nothing_go_alone()
    {
        await CreateAsync();
        var file = await IngestAsync(0, 0, 3);
        await IngestAsync(1, 0, 3);
        await DeleteIdsAsync(file, 0, 1, 2);

        var counts = await CompactAsync();
        Assert.Equal((2, 0, 6L, 1), (counts.FilesIn, counts.FilesOut, counts.RowsDeleted, counts.DeleteFilesRemoved));
        Assert.Empty(await LiveAsync());

        await DeletePositionsAsync(file, (file.Path, 1)); // dangling from the beginning
        counts = await CompactAsync();
        Assert.Equal((0, 1, 1), (counts.FilesIn, counts.DeleteFilesRemoved, counts.Commits));
        Assert.Equal(0, (await CompactAsync()).Commits);
    }

    [Fact]
    public async Task A_run_is_bounded_in_bytes_and_the_next_one_goes_on()
    {
        await CreateAsync();
        for (var partition = 0; partition < 4; partition++)
        {
            await IngestAsync(partition, 0, 10);
            await IngestAsync(partition, 10, 10);
        }
        var size = (await LiveAsync())[0].File.FileSizeBytes;

        var first = await CompactAsync(mostBytes: size * 5);
        Assert.Equal((4, 2, 4), (first.FilesIn, first.FilesOut, first.FilesRest));
        var second = await CompactAsync(mostBytes: 1); // one piece of work at least
        Assert.Equal((2, 1, 2), (second.FilesIn, second.FilesOut, second.FilesRest));
        Assert.Equal((2, 0), await CompactAsync() is var third ? (third.FilesIn, third.FilesRest) : default);
        Assert.Equal(80, (await RowsAsync()).Count);
    }

    /// <summary>Lessons 17, 27 and 32.</summary>
    [Fact]
    public async Task While_it_works_its_inputs_are_kept_from_an_expiry_and_its_files_from_a_sweep_and_a_run_that_is_stopped_leaves_nothing()
    {
        await CreateAsync();
        await IngestAsync(0, 0, 10);
        await IngestAsync(0, 10, 10);
        var before = await StoredDataAsync();
        var snapshot = (await LoadAsync()).CurrentSnapshot!;
        using var stop = new CancellationTokenSource();
        var (held, open) = (false, 0);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => CompactAsync(
            new Now(_ =>
            {
                (held, open) = (State.Pins.Hold(snapshot), State.OpenWrites.Ids.Count());
                stop.Cancel();
            }),
            cancellationToken: stop.Token));

        Assert.True(held);
        Assert.Equal(1, open);
        Assert.False(State.Pins.Hold(snapshot));
        Assert.Empty(State.OpenWrites.Ids);
        Assert.Equal(before, await StoredDataAsync());
        Assert.Equal(2, (await CompactAsync()).FilesIn);
    }

    [Fact]
    public async Task A_broken_file_is_left_with_the_reason_and_the_others_are_compacted()
    {
        await CreateAsync();
        await IngestAsync(0, 0, 10);
        await IngestAsync(0, 10, 10);
        var broken = await IngestAsync(0, 20, 10);
        await IngestAsync(0, 30, 10);
        await IngestAsync(0, 40, 10);
        var bytes = await Catalog.FileIO.ReadAsync(broken.Path, Cancel);
        File.WriteAllBytes(Catalog.FileIO.LocalPathFor(broken.Path)!, bytes[..(bytes.Length / 2)]);

        var counts = await CompactAsync();

        Assert.Equal((4, 2), (counts.FilesIn, counts.FilesOut)); // what lies on both sides of it stays apart
        Assert.StartsWith($"{broken.Path} cannot be read", Assert.Single(counts.Left), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_of_a_version_that_is_not_written_is_left()
    {
        await CreateAsync();
        await IngestAsync(0, 0, 10);
        await Catalog.CommitTableAsync(Name, [], [new TableUpdate.UpgradeFormatVersion(3)], Cancel);

        var report = await TableMaintenance.RunAsync(Maintained, MaintenanceJob.Compact, isDryRun: false, Cancel);

        Assert.Contains("v3", report.Skipped, StringComparison.Ordinal);
    }

    private static long OffsetOf(string row) => long.Parse(row[(row.IndexOf('@', StringComparison.Ordinal) + 1)..row.IndexOf(' ', StringComparison.Ordinal)], null);

    private async Task<IEnumerable<string>> RowsOfAsync(DataFile file)
        => Parquet.ReadValues.All(await Catalog.FileIO.ReadAsync(file.Path, Cancel)).Select(static row => $"{row[2]}@{row[3]} {row[0]} {row[1]}");

    private async Task<IReadOnlyDictionary<string, string>> MetadataOfAsync(DataFile file)
        => (await ParquetFileReader.OpenAsync(new ParquetMemorySource(await Catalog.FileIO.ReadAsync(file.Path, Cancel)), cancellationToken: Cancel)).Metadata;

    /// <summary>Told at once, on the thread that tells it.</summary>
    private sealed class Now(Action<MaintenanceProgress> told) : IProgress<MaintenanceProgress>
    {
        public void Report(MaintenanceProgress value)
        {
            if (value.Step == "rewriting")
            {
                told(value);
            }
        }
    }
}
