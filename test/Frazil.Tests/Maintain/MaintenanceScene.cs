using Frazil.Commit;
using Frazil.Iceberg;
using Frazil.Iceberg.Manifests;
using Frazil.Kafka;
using Frazil.Maintain;
using Frazil.Tests.Commit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Frazil.Tests.Maintain;

/// <summary>A table whose files lie where a writer of Frazil puts them, and a clock that goes on when it is told to.</summary>
public abstract class MaintenanceScene : TableScene
{
    private protected SteppedTime Time { get; } = new();

    private protected List<string> OpenFlushes { get; } = [];

    private protected MaintainedTable Maintained => new()
    {
        Catalog = Catalog,
        Table = new(Catalog, State, NullLogger.Instance),
        Options = new() { SnapshotRetentionDays = 7, OrphanRetentionDays = 3 },
        Time = Time,
        OpenFlushes = () => OpenFlushes,
    };

    private protected Task<MaintenanceReport> ExpireAsync(bool isDryRun = false)
        => TableMaintenance.RunAsync(Maintained, MaintenanceJob.Expire, isDryRun, Cancel);

    private protected Task<MaintenanceReport> SweepAsync(bool isDryRun = false)
        => TableMaintenance.RunAsync(Maintained, MaintenanceJob.Sweep, isDryRun, Cancel);

    private protected static CommitUnit Unit(TopicPartition partition, long? recorded, long next, DataFile file)
        => new([new(partition, recorded, next)], [file]);

    /// <summary>A data file in the table's own folder.</summary>
    private protected async Task<DataFile> NewFileAsync(string? name = null)
    {
        var metadata = await LoadAsync();
        var location = $"{metadata.DataLocation}/kafka_partition=0/{name ?? Guid.NewGuid().ToString("N")}.parquet";
        await Catalog.FileIO.CreateAsync(location, "rows"u8.ToArray());
        return new() { Path = location, SpecId = 0, RecordCount = 10, FileSizeBytes = 4 };
    }

    private protected async Task<DataFile> IngestAsync(string flushId, long? recorded, long next)
    {
        var file = await NewFileAsync();
        await CommitAsync(flushId, Unit(P0, recorded, next, file));
        return file;
    }

    /// <summary>Every object below the table that a version, or a snapshot of it, names; nothing else is there after maintenance.</summary>
    private protected async Task<HashSet<string>> ReachedAsync()
    {
        var table = await Catalog.LoadTableAsync(Table);
        var cache = new ManifestCache(Catalog.FileIO);
        var reached = new HashSet<string> { table.MetadataLocation };
        reached.UnionWith(table.Metadata.MetadataLog.Select(static entry => entry.MetadataFile));
        reached.UnionWith(table.Metadata.Statistics.Concat(table.Metadata.PartitionStatistics).Select(static file => file.Path));
        foreach (var snapshot in table.Metadata.Snapshots)
        {
            reached.Add(snapshot.ManifestList!);
            foreach (var manifest in await cache.ReadManifestsAsync(snapshot, table.Metadata))
            {
                reached.Add(manifest.Path);
                reached.UnionWith((await cache.ReadEntriesAsync(manifest, table.Metadata)).Where(static entry => entry.IsLive).Select(static entry => entry.File.Path));
            }
        }
        return [.. reached.Select(path => Catalog.FileIO.LocalPathFor(path)!)];
    }

    private protected async Task<HashSet<string>> StoredAsync()
    {
        var found = new HashSet<string>();
        await foreach (var stored in Catalog.FileIO.ListAsync((await LoadAsync()).Location))
        {
            found.Add(Catalog.FileIO.LocalPathFor(stored.Location)!);
        }
        return found;
    }

    /// <summary>What is stored is what is reached, no more and no less.</summary>
    private protected async Task AssertExactAsync()
    {
        var (stored, reached) = (await StoredAsync(), await ReachedAsync());
        Assert.Empty(reached.Except(stored));
        Assert.Empty(stored.Except(reached));
    }

    private protected Task TagAsync(string name, long snapshotId, long? maxAgeMs = null)
        => ChangeAsync(new TableUpdate.SetSnapshotRef(name, new(snapshotId, IsBranch: false) { MaxRefAgeMs = maxAgeMs }));

    private protected sealed class SteppedTime : TimeProvider
    {
        private TimeSpan passed;

        public void Pass(TimeSpan time) => passed += time;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UtcNow + passed;
    }
}
