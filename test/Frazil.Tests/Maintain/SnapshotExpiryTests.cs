using Frazil.Iceberg;
using Frazil.Iceberg.Manifests;
using Xunit;

namespace Frazil.Tests.Maintain;

/// <summary>Expiry: what stays, what goes, and in which order (LESSONS 17, 32, 33, 71).</summary>
public sealed class SnapshotExpiryTests : MaintenanceScene
{
    [Fact]
    public async Task Exactly_the_files_that_no_kept_snapshot_reaches_are_deleted()
    {
        var first = await IngestAsync("f1", null, 10);
        await IngestAsync("f2", 10, 20);
        await ReplaceAsync(first);
        await IngestAsync("f3", 20, 30);
        Time.Pass(TimeSpan.FromDays(8));
        var files = (await LiveFilesAsync()).ToHashSet();

        var report = await ExpireAsync();

        Assert.Equal((3, 1), (report.SnapshotsRemoved, report.SnapshotsLeft));
        Assert.False(File.Exists(LocalPath(first)));
        Assert.Equal(files, [.. await LiveFilesAsync()]);
        await AssertExactAsync();
        Assert.Equal((0, 0), await ExpireAgainAsync());
    }

    [Fact]
    public async Task Lesson_32_expiry_keeps_what_the_retention_a_branch_and_a_tag_still_need()
    {
        var tagged = await IngestAsync("f1", null, 10);
        await TagAsync("audit", (await LoadAsync()).CurrentSnapshotId!.Value);
        await ReplaceAsync(tagged);
        await IngestAsync("f2", 10, 20);
        await ForeignAppendAsync("side");
        await ForeignAppendAsync("side");
        await ChangeAsync(new TableUpdate.SetProperties(new Dictionary<string, string> { ["history.expire.min-snapshots-to-keep"] = "2" }));
        var before = await LoadAsync();

        Assert.Equal(0, (await ExpireAsync()).SnapshotsRemoved);
        Time.Pass(TimeSpan.FromDays(8));
        var report = await ExpireAsync();

        // Two of main, two of side, and what the tag names.
        var after = await LoadAsync();
        Assert.Equal(["audit", "main", "side"], after.Refs.Keys.Order());
        Assert.Equal(before.Refs, after.Refs);
        Assert.Equal(5, after.Snapshots.Count);
        Assert.Equal(0, report.FilesFailed);
        Assert.True(File.Exists(LocalPath(tagged)));
        Assert.All(await ReachedAsync(), static path => Assert.True(File.Exists(path), path));
    }

    [Fact]
    public async Task Lesson_71_a_tag_made_meanwhile_refuses_the_removal_and_its_snapshot_stays()
    {
        var first = await IngestAsync("f1", null, 10);
        var old = (await LoadAsync()).CurrentSnapshotId!.Value;
        await ReplaceAsync(first);
        await IngestAsync("f2", 10, 20);
        Time.Pass(TimeSpan.FromDays(8));
        Catalog.BeforeCommit = () => TagAsync("just-now", old);

        var report = await ExpireAsync();

        var after = await LoadAsync();
        Assert.Equal(1, report.SnapshotsRemoved);
        Assert.Equal(old, after.Refs["just-now"].SnapshotId);
        Assert.True(File.Exists(LocalPath(first)));
        Assert.All(await ReachedAsync(), static path => Assert.True(File.Exists(path), path));
    }

    [Fact]
    public async Task Lesson_71_a_tag_that_is_older_than_it_may_get_goes_with_its_snapshot()
    {
        var first = await IngestAsync("f1", null, 10);
        await TagAsync("short", (await LoadAsync()).CurrentSnapshotId!.Value, maxAgeMs: 1000);
        await ReplaceAsync(first);
        await IngestAsync("f2", 10, 20);
        Time.Pass(TimeSpan.FromDays(8));

        var report = await ExpireAsync();

        Assert.Equal(["short"], report.RefsRemoved);
        Assert.Equal(["main"], (await LoadAsync()).Refs.Keys);
        Assert.False(File.Exists(LocalPath(first)));
    }

    [Fact]
    public async Task Lesson_71_an_ingest_commit_in_between_is_planned_on_and_its_manifests_stay()
    {
        await IngestAsync("f1", null, 10);
        await IngestAsync("f2", 10, 20);
        Time.Pass(TimeSpan.FromDays(8));
        var (_, other) = NewProcess();
        var file = await NewFileAsync();
        Catalog.BeforeCommit = () => other.CommitAsync(new("f3", [Unit(P0, 20, 30, file)]), Cancel);

        var report = await ExpireAsync();

        Assert.Equal(2, report.SnapshotsRemoved);
        Assert.Equal(3, (await LiveFilesAsync()).Count);
        await AssertExactAsync();
    }

    [Fact]
    public async Task A_lost_answer_is_looked_up_and_what_went_is_deleted_all_the_same()
    {
        var first = await IngestAsync("f1", null, 10);
        await ReplaceAsync(first);
        await IngestAsync("f2", 10, 20);
        Time.Pass(TimeSpan.FromDays(8));
        Catalog.AfterCommit = static () => throw new CommitStateUnknownException("lost");

        var report = await ExpireAsync();

        Assert.Equal((2, 1), (report.SnapshotsRemoved, report.SnapshotsLeft));
        Assert.False(File.Exists(LocalPath(first)));
        await AssertExactAsync();
    }

    [Fact]
    public async Task Lesson_17_a_snapshot_that_a_reader_of_this_process_stands_on_stays_until_it_is_done()
    {
        var first = await IngestAsync("f1", null, 10);
        var pin = State.Pins.Begin(State.Current?.Metadata);
        pin.Settle((await State.RefreshAsync(Cancel))!.Metadata.CurrentSnapshotId);
        await ReplaceAsync(first);
        await IngestAsync("f2", 10, 20);
        Time.Pass(TimeSpan.FromDays(8));

        Assert.Equal(1, (await ExpireAsync()).SnapshotsRemoved);
        Assert.True(File.Exists(LocalPath(first)));

        pin.Dispose();
        Assert.Equal(1, (await ExpireAsync()).SnapshotsRemoved);
        Assert.False(File.Exists(LocalPath(first)));
    }

    [Fact]
    public async Task Lesson_17_a_reader_that_does_not_know_its_snapshot_yet_holds_all_that_it_may_get()
    {
        await IngestAsync("f1", null, 10);
        await IngestAsync("f2", 10, 20);
        using var pin = State.Pins.Begin(State.Current?.Metadata);
        await IngestAsync("f3", 20, 30);
        await IngestAsync("f4", 30, 40);
        Time.Pass(TimeSpan.FromDays(8));

        Assert.Equal(1, (await ExpireAsync()).SnapshotsRemoved);
        Assert.Equal(3, (await LoadAsync()).Snapshots.Count);
    }

    [Fact]
    public async Task The_snapshots_that_say_how_far_the_rows_reach_and_those_of_unfinished_flushes_stay()
    {
        await IngestAsync("open", null, 10);
        await IngestAsync("f2", 10, 20);
        await ForeignAppendAsync();
        await ForeignAppendAsync();
        OpenFlushes.Add("open");
        Time.Pass(TimeSpan.FromDays(8));

        var report = await ExpireAsync();

        Assert.Equal((0, 4), (report.SnapshotsRemoved, report.SnapshotsLeft));
        OpenFlushes.Clear();
        Assert.Equal(1, (await ExpireAsync()).SnapshotsRemoved);
        Assert.Contains((await LoadAsync()).Snapshots, static snapshot => snapshot.Summary.GetValueOrDefault("frazil.flush-id") == "f2");
    }

    [Fact]
    public async Task Nothing_expires_where_files_may_not_be_deleted()
    {
        await IngestAsync("f1", null, 10);
        await IngestAsync("f2", 10, 20);
        await ChangeAsync(new TableUpdate.SetProperties(new Dictionary<string, string> { ["gc.enabled"] = "false" }));
        Time.Pass(TimeSpan.FromDays(8));

        Assert.Contains("gc.enabled", (await ExpireAsync()).Skipped);
        Assert.Equal(2, (await LoadAsync()).Snapshots.Count);
        Assert.Contains("gc.enabled", (await SweepAsync()).Skipped);
    }

    [Fact]
    public async Task The_tables_own_retention_goes_before_the_configured_one()
    {
        await IngestAsync("f1", null, 10);
        await IngestAsync("f2", 10, 20);
        await ChangeAsync(new TableUpdate.SetProperties(new Dictionary<string, string> { ["history.expire.max-snapshot-age-ms"] = "3600000" }));
        Time.Pass(TimeSpan.FromHours(2));

        Assert.Equal(1, (await ExpireAsync()).SnapshotsRemoved);
    }

    [Fact]
    public async Task Lesson_71_statistics_files_live_as_long_as_their_snapshot()
    {
        await IngestAsync("f1", null, 10);
        var (old, kept) = (await StatisticsAsync("old"), "");
        await IngestAsync("f2", 10, 20);
        kept = await StatisticsAsync("kept");
        Time.Pass(TimeSpan.FromDays(8));

        await ExpireAsync();

        Assert.False(File.Exists(old));
        Assert.True(File.Exists(kept));
        Assert.Single((await LoadAsync()).Statistics);
    }

    [Fact]
    public async Task Lesson_33_metadata_files_that_left_the_log_go_when_they_are_as_old_as_snapshots_may_get()
    {
        await ChangeAsync(new TableUpdate.SetProperties(new Dictionary<string, string> { ["write.metadata.previous-versions-max"] = "2" }));
        for (var i = 0; i < 5; i++)
        {
            await IngestAsync($"f{i}", i == 0 ? null : i * 10, (i + 1) * 10);
        }
        Assert.Equal(7, MetadataFiles("*.metadata.json").Length);

        Assert.Equal(0, (await ExpireAsync()).FilesDeleted);
        Time.Pass(TimeSpan.FromDays(8));
        await ExpireAsync();

        Assert.Equal(3, MetadataFiles("*.metadata.json").Length);
        await AssertExactAsync();
    }

    [Fact]
    public async Task A_dry_run_says_what_would_go_and_changes_nothing()
    {
        var first = await IngestAsync("f1", null, 10);
        await ReplaceAsync(first);
        await IngestAsync("f2", 10, 20);
        Time.Pass(TimeSpan.FromDays(8));
        var stored = await StoredAsync();

        var foreseen = await ExpireAsync(isDryRun: true);

        Assert.Equal(stored, await StoredAsync());
        Assert.Equal(3, (await LoadAsync()).Snapshots.Count);
        var done = await ExpireAsync();
        Assert.Equal((foreseen.SnapshotsRemoved, foreseen.FilesDeleted, foreseen.BytesDeleted), (done.SnapshotsRemoved, done.FilesDeleted, done.BytesDeleted));
        Assert.Contains(first.Path, foreseen.Locations);
    }

    private async Task ReplaceAsync(DataFile old)
    {
        var table = await Catalog.LoadTableAsync(Table);
        var rewrite = new RewriteFiles(new ManifestCache(Catalog.FileIO), table.Metadata.CurrentSnapshot!, TimeProvider.System).Remove(old).Add(await NewFileAsync());
        var staged = await rewrite.StageAsync(table.Metadata);
        await Catalog.CommitTableAsync(Table, staged.Requirements, staged.Updates);
    }

    private async Task<string> StatisticsAsync(string name)
    {
        var metadata = await LoadAsync();
        var location = metadata.MetadataLocationFor($"{name}.stats");
        await Catalog.FileIO.CreateAsync(location, "sketch"u8.ToArray());
        var id = metadata.CurrentSnapshotId!.Value;
        var json = $$"""{"snapshot-id":{{id}},"statistics-path":"{{location}}","file-size-in-bytes":6,"file-footer-size-in-bytes":1,"blob-metadata":[]}""";
        await ChangeAsync(new TableUpdate.SetStatistics(new(id, location, json)));
        return Catalog.FileIO.LocalPathFor(location)!;
    }

    private async Task<(int, int)> ExpireAgainAsync()
    {
        var report = await ExpireAsync();
        return (report.SnapshotsRemoved, (int)report.FilesDeleted);
    }
}
