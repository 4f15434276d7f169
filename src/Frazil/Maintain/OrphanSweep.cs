using Frazil.Commit;
using Frazil.Faults;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;

namespace Frazil.Maintain;

/// <summary>
/// Deletes what killed flushes, commits, replays and expiries left below a table. What it holds:
/// (1) only files below the table's own location, of a kind that Iceberg's writers make, older than <c>orphan_retention_days</c>;
/// (2) none that a snapshot of the current version names, or of a former one that the metadata log still lists, and none of a flush that
/// the transaction log knows as unfinished;
/// (3) in doubt nothing: another table in the same place, or metadata that cannot be read, ends it.
/// </summary>
internal sealed class OrphanSweep(MaintainedTable table)
{
    private readonly List<string> locations = [];

    /// <exception cref="MaintenanceException">There is no such table.</exception>
    /// <exception cref="ValidationException">What is an orphan cannot be told.</exception>
    public async Task<MaintenanceReport> RunAsync(bool isDryRun, CancellationToken cancellationToken)
    {
        var report = new MaintenanceReport { Job = MaintenanceJob.Sweep, Table = table.Name, IsDryRun = isDryRun };
        var version = await table.LoadAsync(cancellationToken);
        report = report with { SnapshotsLeft = version.Metadata.Snapshots.Count };
        if (!version.Metadata.TableProperties.GarbageCollection)
        {
            return report with { Skipped = "gc.enabled is false: its files belong to others too" };
        }
        var age = TimeSpan.FromDays(table.Options.OrphanRetentionDays);
        if (age < TimeSpan.FromHours(OrphanFiles.LeastAgeHours))
        {
            throw new MaintenanceException($"files younger than {OrphanFiles.LeastAgeHours} hours may be of a commit that is under way: orphan_retention_days must be 1 at least");
        }
        await RefuseNeighboursAsync(version, cancellationToken);
        return await SweepAsync(report, version, table.Time.GetUtcNow() - age, cancellationToken);
    }

    private async Task<MaintenanceReport> SweepAsync(
        MaintenanceReport report, TableVersion version, DateTimeOffset before, CancellationToken cancellationToken)
    {
        string[] open = [.. table.OpenFlushes(), .. table.State.OpenWrites.Ids];
        var search = new OrphanSearch(before, name => Array.Exists(open, flush => name.Contains(flush, StringComparison.Ordinal)));
        var (tally, removal, bytes, found) = (new OrphanTally(), new FileRemoval(table, version.Table.FileIO), 0L, 0L);
        table.Progress?.Report(new("listing", 0, 0));
        FaultPoint.Reach("sweep.begin");
        await foreach (var batch in new OrphanFiles(table.NewReferences(version.Table)).FindAsync(version.Table, search, tally, cancellationToken))
        {
            found += batch.Count;
            bytes += batch.Sum(static stored => stored.SizeBytes);
            locations.AddRange(batch.Select(static stored => stored.Location).Take(MaintenanceReport.MostLocations - locations.Count));
            if (!report.IsDryRun)
            {
                await removal.DeleteAsync([.. batch.Select(static stored => stored.Location)], cancellationToken);
                FaultPoint.Reach("sweep.deleted");
            }
        }
        return report with
        {
            FilesDeleted = report.IsDryRun ? found : removal.Deleted,
            FilesFailed = removal.Failed,
            BytesDeleted = bytes,
            Listed = tally.Listed,
            Fresh = tally.Fresh,
            Held = tally.Held,
            UnknownKind = tally.Unknown,
            Locations = locations,
        };
    }

    /// <summary>A table of the same catalog that keeps its files where this one's are swept.</summary>
    private async Task RefuseNeighboursAsync(TableVersion version, CancellationToken cancellationToken)
    {
        foreach (var identifier in await ListTablesAsync(cancellationToken))
        {
            if (identifier != table.State.Identifier && await TryLoadAsync(identifier, cancellationToken) is { } other
                && OrphanFiles.IsInTheWay(version.Metadata, other.Metadata))
            {
                throw new MaintenanceException(
                    $"{identifier} keeps its files where those of {table.Name} are ({other.Metadata.Location}): nothing is swept where tables lie in each other");
            }
        }
    }

    private async Task<List<TableIdentifier>> ListTablesAsync(CancellationToken cancellationToken)
    {
        var (found, open) = (new List<TableIdentifier>(), new Queue<NamespaceName?>([null]));
        while (open.TryDequeue(out var parent))
        {
            foreach (var name in await table.Catalog.ListNamespacesAsync(parent, cancellationToken))
            {
                found.AddRange(await table.Catalog.ListTablesAsync(name, cancellationToken));
                open.Enqueue(name);
            }
        }
        return found;
    }

    /// <summary>One table that cannot be read does not stop the others' maintenance.</summary>
    private async Task<LoadedTable?> TryLoadAsync(TableIdentifier identifier, CancellationToken cancellationToken)
    {
        try
        {
            return await table.Catalog.LoadTableAsync(identifier, cancellationToken);
        }
        catch (Exception error) when (error is IcebergException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
