using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Maintain;
using Xunit;

namespace Frazil.Tests.Maintain;

/// <summary>The sweep: what is an orphan, and what never is (LESSONS 32, 70).</summary>
public sealed class OrphanSweepTests : MaintenanceScene
{
    private static readonly TimeSpan Old = TimeSpan.FromDays(4);

    [Fact]
    public async Task Lesson_32_what_nothing_names_goes_when_it_is_old_and_nothing_else_does()
    {
        await IngestAsync("f1", null, 10);
        await IngestAsync("f2", 10, 20);
        var orphans = await OrphansAsync();
        var (_, young) = (await NewFileAsync("young"), await StoredAsync());

        Assert.Equal(0, (await SweepAsync()).FilesDeleted);
        Assert.Equal(young, await StoredAsync());
        await AgeAllButAsync("young");
        var foreseen = await SweepAsync(isDryRun: true);
        Assert.Equal(young, await StoredAsync());
        var report = await SweepAsync();

        Assert.Equal((orphans.Count, orphans.Count, 1), (foreseen.FilesDeleted, report.FilesDeleted, report.Fresh));
        Assert.Equal(orphans.Order(), young.Except(await StoredAsync()).Order());
        Assert.Equal(2, (await LiveFilesAsync()).Count(static path => File.Exists(path["file://".Length..])));
        Assert.Equal(0, (await SweepAsync()).FilesDeleted);
    }

    [Fact]
    public async Task Lesson_32_files_of_a_flush_that_is_not_finished_stay_whatever_their_age()
    {
        await IngestAsync("f1", null, 10);
        var flush = Guid.NewGuid().ToString();
        OpenFlushes.Add(flush);
        var held = await NewFileAsync($"{flush}-0");
        await AgeAllButAsync("none");

        var report = await SweepAsync();

        Assert.Equal((0, 1), (report.FilesDeleted, report.Held));
        Assert.True(File.Exists(LocalPath(held)));
        OpenFlushes.Clear();
        Assert.Equal(1, (await SweepAsync()).FilesDeleted);
    }

    [Fact]
    public async Task Lesson_32_files_of_a_kind_that_is_not_known_stay()
    {
        await IngestAsync("f1", null, 10);
        var metadata = await LoadAsync();
        foreach (var name in new[] { "_SUCCESS", "version-hint.text", "notes.txt", ".part.parquet.crc", "a.lance" })
        {
            await Catalog.FileIO.CreateAsync(metadata.MetadataLocationFor(name), "x"u8.ToArray());
        }
        await AgeAllButAsync("none");

        var report = await SweepAsync();

        Assert.Equal((0, 5), (report.FilesDeleted, report.UnknownKind));
    }

    [Fact]
    public async Task Lesson_70_a_location_spelled_otherwise_is_the_same_file()
    {
        var file = await NewFileAsync();
        var spelled = file with { Path = $"file:{LocalPath(file)}" };
        await CommitAsync("f1", Unit(P0, null, 10, spelled));
        await AgeAllButAsync("none");

        Assert.Equal(0, (await SweepAsync()).FilesDeleted);
        Assert.True(File.Exists(LocalPath(file)));
    }

    [Fact]
    public async Task Lesson_70_a_neighbour_whose_name_begins_alike_is_untouched()
    {
        await IngestAsync("f1", null, 10);
        var location = (await LoadAsync()).Location;
        foreach (var place in new[] { $"{location}2/data", $"{location}_dlq/data", $"{location}/other" })
        {
            await Catalog.FileIO.CreateAsync($"{place}/neighbour.parquet", "x"u8.ToArray());
        }
        foreach (var path in Directory.GetFiles(Path.GetDirectoryName(LocalOf(location))!, "*", SearchOption.AllDirectories))
        {
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow - Old);
        }

        Assert.Equal(0, (await SweepAsync()).FilesDeleted);
    }

    [Fact]
    public async Task Nothing_is_swept_where_another_table_lies_in_the_same_place_or_within()
    {
        await IngestAsync("f1", null, 10);
        var table = await Catalog.LoadTableAsync(Table);
        var twin = TableIdentifier.Parse("shop.twin");
        await Catalog.RegisterTableAsync(twin, table.MetadataLocation);
        await NewFileAsync("orphan");
        await AgeAllButAsync("none");

        Assert.Contains("shop.twin", (await Assert.ThrowsAsync<MaintenanceException>(() => SweepAsync())).Message);

        await Catalog.DropTableAsync(twin);
        var nested = $"{table.Metadata.DataLocation}/inner/metadata/00000-{Guid.NewGuid()}.metadata.json";
        await Catalog.FileIO.CreateAsync(nested, "{}"u8.ToArray());
        Assert.Contains("another table", (await Assert.ThrowsAsync<ValidationException>(() => SweepAsync())).Message);
        await Catalog.FileIO.DeleteAsync(nested);
        Assert.Equal(1, (await SweepAsync()).FilesDeleted);
    }

    /// <summary>What kills leave: data, a manifest, a list, a version that was never swapped in, a file without its name.</summary>
    private async Task<List<string>> OrphansAsync()
    {
        var metadata = await LoadAsync();
        var orphan = await NewFileAsync("orphan");
        string[] others =
        [
            metadata.MetadataLocationFor($"{Guid.NewGuid()}-m0.avro"), metadata.MetadataLocationFor($"snap-1-1-{Guid.NewGuid()}.avro"),
            metadata.MetadataLocationFor($"00009-{Guid.NewGuid()}.metadata.json"),
            metadata.MetadataLocationFor($".00003-{Guid.NewGuid()}.metadata.json.{Guid.NewGuid():N}.tmp"),
        ];
        foreach (var location in others)
        {
            await Catalog.FileIO.CreateAsync(location, "left"u8.ToArray());
        }
        return [LocalPath(orphan), .. others.Select(LocalOf)];
    }

    private async Task AgeAllButAsync(string name)
    {
        foreach (var path in (await StoredAsync()).Where(path => Path.GetFileNameWithoutExtension(path) != name))
        {
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow - Old);
        }
    }

    private string LocalOf(string location) => Catalog.FileIO.LocalPathFor(location)!;
}
