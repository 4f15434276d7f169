using Frazil.Commit;
using Frazil.Faults;
using Frazil.Iceberg;

namespace Frazil.Maintain;

/// <summary>
/// Takes snapshots out of a table that are older than it keeps them, then deletes what only they reached. What it holds:
/// (1) what stays is decided on the very version that the commit builds on, at every attempt, and the catalog refuses the commit where a
/// branch or tag came or moved meanwhile;
/// (2) what readers of this process stand on stays, and so do the snapshots that say how far the rows reach, and those of unfinished
/// flushes;
/// (3) files are deleted after the commit, never before, and only such as no snapshot of the committed version reaches. Killed in between
/// it leaves orphans, never a hole.
/// </summary>
internal sealed class SnapshotExpiry(MaintainedTable table)
{
    /// <summary>How far back from the head a snapshot is kept only because it says what a topic's rows reach to. Beyond, the rollback check
    /// goes by <see cref="ProgressSnapshot"/> alone.</summary>
    private const int LongestTellingLine = 100;

    /// <exception cref="MaintenanceException">There is no such table, or its files may not be deleted.</exception>
    public async Task<MaintenanceReport> RunAsync(bool isDryRun, CancellationToken cancellationToken)
    {
        var report = new MaintenanceReport { Job = MaintenanceJob.Expire, Table = table.Name, IsDryRun = isDryRun };
        var version = await table.LoadAsync(cancellationToken);
        if (!version.Metadata.TableProperties.GarbageCollection)
        {
            return report with { Skipped = "gc.enabled is false: its files belong to others too", SnapshotsLeft = version.Metadata.Snapshots.Count };
        }
        return isDryRun
            ? await ForeseeAsync(report, version, cancellationToken)
            : await ExpireAsync(report, cancellationToken);
    }

    private async Task<MaintenanceReport> ForeseeAsync(MaintenanceReport report, TableVersion version, CancellationToken cancellationToken)
    {
        var plan = PlanOn(version);
        var after = TableMetadataBuilder.From(version.Metadata, table.Time).Apply(plan.Updates).Build();
        var removed = plan.Snapshots.Select(snapshot => (version.Metadata, snapshot)).ToList();
        var files = await ExpiredFiles.FindAsync(new(version.Table.FileIO), removed, after, cancellationToken);
        var metadata = await OldMetadataAsync(version, cancellationToken);
        string[] all = [.. files.All, .. metadata];
        return Report(report, plan.Snapshots.Count, plan.Refs, after, files, all) with { FilesDeleted = all.Length };
    }

    private async Task<MaintenanceReport> ExpireAsync(MaintenanceReport report, CancellationToken cancellationToken)
    {
        var plans = new List<ExpiryPlan>();
        table.Progress?.Report(new("planning", 0, 0));
        var after = await table.Committer.ChangeAsync(version =>
        {
            var plan = PlanOn(version);
            if (plan.IsEmpty)
            {
                return null;
            }
            plans.Add(plan);
            FaultPoint.Reach("expire.planned");
            return (plan.Requirements, plan.Updates);
        }, cancellationToken);
        FaultPoint.Reach("expire.committed");
        // Of an attempt whose answer was lost only the table tells what became of it.
        var removed = plans.SelectMany(static plan => plan.Snapshots.Select(snapshot => (plan.Table, Snapshot: snapshot)))
            .Where(one => after.Metadata.SnapshotById(one.Snapshot.SnapshotId) is null)
            .DistinctBy(static one => one.Snapshot.SnapshotId).ToList();
        var refs = plans.SelectMany(static plan => plan.Refs).Distinct().Where(name => !after.Metadata.Refs.ContainsKey(name)).ToList();
        var files = await ExpiredFiles.FindAsync(new(after.Table.FileIO), removed, after.Metadata, cancellationToken);
        string[] all = [.. files.All, .. await OldMetadataAsync(after, cancellationToken)];
        var removal = new FileRemoval(table, after.Table.FileIO);
        await removal.DeleteAsync(all, cancellationToken);
        FaultPoint.Reach("expire.cleaned");
        return Report(report, removed.Count, refs, after.Metadata, files, all) with { FilesDeleted = removal.Deleted, FilesFailed = removal.Failed };
    }

    private ExpiryPlan PlanOn(TableVersion version)
    {
        if (!version.Metadata.TableProperties.GarbageCollection)
        {
            return new(version.Metadata, [], []); // set since it was looked at first
        }
        var open = table.OpenFlushes().ToHashSet(StringComparer.Ordinal);
        var telling = TellingSnapshots(version);
        return SnapshotRetention.Plan(
            version.Metadata, TimeSpan.FromDays(table.Options.SnapshotRetentionDays), table.Time.GetUtcNow(),
            snapshot => telling.Contains(snapshot.SnapshotId) || table.State.Pins.Hold(snapshot)
                || (snapshot.Summary.GetValueOrDefault(TableProgress.FlushIdKey) is { } flush && open.Contains(flush)));
    }

    /// <summary>From the head back to the newest snapshot of each topic that mirrors its progress: the rollback check walks it.</summary>
    private static HashSet<long> TellingSnapshots(TableVersion version)
    {
        var topics = version.Progress.NextOffsets.Keys.Select(static partition => partition.Topic).ToHashSet(StringComparer.Ordinal);
        var line = new List<long>();
        var needed = 0;
        foreach (var snapshot in SnapshotAncestry.Of(version.Metadata, version.Metadata.CurrentSnapshotId).Take(LongestTellingLine))
        {
            if (topics.Count == 0)
            {
                break;
            }
            line.Add(snapshot.SnapshotId);
            if (topics.RemoveWhere(topic => snapshot.Summary.ContainsKey(TableProgress.PropertyPrefix + topic)) > 0)
            {
                needed = line.Count;
            }
        }
        return [.. line.Take(needed)];
    }

    private async Task<IReadOnlyList<string>> OldMetadataAsync(TableVersion version, CancellationToken cancellationToken)
    {
        var age = SnapshotRetention.MaxAgeOf(version.Metadata, TimeSpan.FromDays(table.Options.SnapshotRetentionDays));
        var found = await ExpiredFiles.FindMetadataAsync(version.Table, table.Time.GetUtcNow() - age, cancellationToken);
        return [.. found.Select(static stored => stored.Location)];
    }

    private static MaintenanceReport Report(
        MaintenanceReport report, int removed, IReadOnlyList<string> refs, TableMetadata after, ExpiredFiles files, string[] all)
        => report with
        {
            SnapshotsRemoved = removed,
            SnapshotsLeft = after.Snapshots.Count,
            RefsRemoved = refs,
            BytesDeleted = files.ContentBytes,
            Locations = [.. all.Take(MaintenanceReport.MostLocations)],
        };
}
