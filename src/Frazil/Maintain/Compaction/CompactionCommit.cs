using System.Collections.Immutable;
using System.Globalization;
using Frazil.Commit;
using Frazil.Faults;
using Frazil.Iceberg;
using Frazil.Iceberg.Manifests;
using Frazil.Telemetry;

namespace Frazil.Maintain.Compaction;

/// <summary>Commits what a compaction wrote. A race that is lost costs only the units whose own files it was about: the others are committed
/// on the new version as they are.</summary>
internal sealed class CompactionCommit(MaintainedTable table)
{
    private const int MostAttempts = 20;

    /// <returns>What the run has done up to now, and whether anything of the batch was committed.</returns>
    /// <exception cref="MaintenanceException">Others kept winning, or it is not known whether it was committed.</exception>
    public async Task<(CompactionCounts Counts, bool IsCommitted)> RunAsync(
        CompactionBatch batch, CompactionCounts counts, CancellationToken cancellationToken)
    {
        for (var attempts = 1; ; attempts++)
        {
            try
            {
                var snapshotId = await table.Committer.RewriteAsync(ToRewrite(batch), cancellationToken);
                FaultPoint.Reach("compact.committed");
                return (Counted(counts, batch, snapshotId), true);
            }
            catch (StaleRewriteException error)
            {
                await DropStaleAsync(batch, error.Message, cancellationToken);
                if (batch.Units.Count == 0)
                {
                    return (counts, false);
                }
            }
            catch (CommitConflictException error)
            {
                if (attempts == MostAttempts)
                {
                    await table.Committer.DeleteUnusedAsync(batch.Added);
                    throw new MaintenanceException(
                        $"compact of {table.Name}: others kept committing first ({error.Message}); nothing was replaced by the last commit", error);
                }
            }
            catch (CommitStateUnknownException error)
            {
                throw new MaintenanceException(
                    $"the catalog did not say whether the compaction of {table.Name} was committed ({error.Message}). The rows are in it once in "
                    + "either case; run it again", error);
            }
        }
    }

    private TableRewrite ToRewrite(CompactionBatch batch) => new()
    {
        FlushId = batch.Id,
        Kind = "compact",
        Start = batch.Start.Metadata.CurrentSnapshot,
        Removed = [.. batch.Removed],
        Added = [.. batch.Added],
        HoldsSameRows = true,
        Summary = ImmutableDictionary<string, string>.Empty.Add("frazil.maintenance", "compact"),
        Validate = (version, _) => HasAllColumns(batch, version)
            ? Task.CompletedTask
            : throw new StaleRewriteException($"{table.Name} has a column back that it did not have when its files were compacted"),
    };

    /// <summary>A column that was dropped is not in the new files; where it came back since, they lack it.</summary>
    private static bool HasAllColumns(CompactionBatch batch, TableVersion version)
    {
        var start = batch.Start.Metadata;
        return version.Metadata.CurrentSchema.FieldIds.All(id => id > start.LastColumnId || start.CurrentSchema.FindField(id) is not null);
    }

    /// <summary>Gives up the units that no longer fit the table, and their files.</summary>
    private async Task DropStaleAsync(CompactionBatch batch, string reason, CancellationToken cancellationToken)
    {
        var version = await table.LoadAsync(cancellationToken);
        var scan = await new TableScan(version.Metadata, table.State.Table.Manifests).PlanAsync(cancellationToken);
        var live = scan.Files.ToDictionary(static file => file.File.Path, StringComparer.Ordinal);
        var stale = batch.Units.FindAll(
            unit => !HasAllColumns(batch, version) || unit.Unit.Files.Any(file => !IsAsRead(file, live.GetValueOrDefault(file.File.Path))));
        if (stale.Count == 0)
        {
            stale = [.. batch.Units]; // for a reason that is not theirs: planned anew they may be right
        }
        table.Logger.CompactionStale(table.Name, stale.Sum(static unit => unit.Unit.Files.Length), reason);
        batch.Units.RemoveAll(stale.Contains);
        await table.Committer.DeleteUnusedAsync(stale.SelectMany(static unit => unit.Files));
    }

    /// <summary>Live, and given no deletes of positions since: deletes of equal values apply to the new file just as well.</summary>
    private static bool IsAsRead(ScanFile read, ScanFile? now)
        => now is not null && now.Deletes.Where(static delete => delete.Content == FileContent.PositionDeletes)
            .All(delete => read.Deletes.Any(seen => seen.Path == delete.Path && seen.ContentOffset == delete.ContentOffset));

    private CompactionCounts Counted(CompactionCounts counts, CompactionBatch batch, long snapshotId)
    {
        var summary = table.State.Current?.Metadata.SnapshotById(snapshotId)?.Summary;
        var isTold = int.TryParse(summary?.GetValueOrDefault("removed-delete-files"), NumberStyles.None, CultureInfo.InvariantCulture, out var dropped);
        var (filesIn, filesOut, bytesOut) = (batch.Removed.Count(), batch.Added.Count(), batch.Added.Sum(static file => file.FileSizeBytes));
        table.Logger.CompactionCommitted(table.Name, filesIn, filesOut, batch.BytesIn, bytesOut, snapshotId);
        return counts with
        {
            FilesIn = counts.FilesIn + filesIn,
            BytesIn = counts.BytesIn + batch.BytesIn,
            FilesOut = counts.FilesOut + filesOut,
            BytesOut = counts.BytesOut + bytesOut,
            RowsDeleted = counts.RowsDeleted + batch.Units.Sum(static unit => unit.RowsDeleted),
            DeleteFilesRemoved = counts.DeleteFilesRemoved + (isTold ? dropped : 0),
            Commits = counts.Commits + 1,
        };
    }
}
