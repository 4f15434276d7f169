using Frazil.Commit;
using Frazil.Faults;
using Frazil.Iceberg;
using Frazil.Iceberg.Manifests;
using Frazil.Telemetry;

namespace Frazil.Maintain.Compaction;

/// <summary>
/// Packs small data files into large ones and applies deletes. What it holds:
/// (1) the rows stay the same: as many are written as were read less those deleted, in the same order, spec, partition and Kafka partition;
/// (2) files are written first, then one <c>replace</c> snapshot takes the old ones out and puts them in; offsets are not touched. Killed
/// at any moment the table is as before or as after;
/// (3) the commit is refused where an input is gone or was given deletes that were not seen; of what else was written the commit is tried
/// again, so that ingest never makes a run's work worthless;
/// (4) inputs are never deleted here: they stay for whoever reads them until an expiry, which leaves the snapshot that they are read of;
/// (5) a run is bounded in bytes, and ends when nothing is left to do: another one right after it finds nothing.
/// </summary>
internal sealed class TableCompaction(MaintainedTable table)
{
    /// <summary>Bytes that one run rewrites at most, where nothing else is said.</summary>
    public const long UsualRunBytes = 10L << 30;

    /// <summary>Commits in a row that another's change of the same files made worthless, until a run leaves it to the next one.</summary>
    private const int MostLost = 10;

    private readonly KafkaPlaces places = new();
    private readonly Dictionary<string, string> left = new(StringComparer.Ordinal);
    private readonly CompactionCommit commit = new(table);
    private CompactionCounts counts = new();
    private long filesRead;
    private long filesPlanned;

    private CompactionLimits Limits { get; } = new(
        (long)table.Options.CompactThresholdMb << 20, (long)table.Options.CompactTargetMb << 20, table.CompactionBytes ?? UsualRunBytes);

    /// <exception cref="MaintenanceException">There is no such table, or it keeps changing.</exception>
    /// <exception cref="IOException">The store failed; what was committed stays.</exception>
    public async Task<MaintenanceReport> RunAsync(bool isDryRun, CancellationToken cancellationToken)
    {
        var report = new MaintenanceReport { Job = MaintenanceJob.Compact, Table = table.Name, IsDryRun = isDryRun };
        if ((await table.LoadAsync(cancellationToken)).Metadata is { FormatVersion: not 2 } odd)
        {
            return report with { Skipped = $"it is an Iceberg v{odd.FormatVersion} table, and only v2 tables can be written" };
        }
        await table.State.CompactionTurn.WaitAsync(cancellationToken);
        try
        {
            counts = isDryRun ? await ForeseeAsync(cancellationToken) : await CompactAsync(cancellationToken);
            return report with
            {
                SnapshotsLeft = table.State.Current!.Metadata.Snapshots.Count,
                Compaction = counts with { Left = [.. left.Select(static one => $"{one.Key} {one.Value}").Order(StringComparer.Ordinal)] },
            };
        }
        finally
        {
            table.State.CompactionTurn.Release();
        }
    }

    private async Task<CompactionCounts> ForeseeAsync(CancellationToken cancellationToken)
    {
        var look = await LookAsync(cancellationToken);
        var units = UnitsOf(look.Plan, Limits.RunBytes);
        return new()
        {
            FilesIn = units.Sum(static unit => unit.Files.Length),
            BytesIn = units.Sum(static unit => unit.Bytes),
            FilesOut = units.Count,
            DeleteFilesRemoved = look.Dangling,
            FilesRest = look.Plan.Files - units.Sum(static unit => unit.Files.Length),
            BytesRest = look.Plan.Bytes - units.Sum(static unit => unit.Bytes),
        };
    }

    private async Task<CompactionCounts> CompactAsync(CancellationToken cancellationToken)
    {
        table.Progress?.Report(new("planning", 0, 0));
        for (var (lost, hasDropped) = (0, false); ;)
        {
            // Anew for each commit: ingest goes on meanwhile, and what was packed may be packed with what came.
            using var pin = table.State.Pins.Begin(table.State.Current?.Metadata);
            var look = await LookAsync(cancellationToken);
            pin.Settle(look.Version.Metadata.CurrentSnapshotId);
            var units = lost < MostLost ? UnitsOf(look.Plan, Limits.RunBytes - counts.BytesIn, mayExceed: counts.FilesIn == 0) : [];
            var isDropping = units.Count == 0 && look.Dangling > 0 && !hasDropped && lost == 0;
            if (units.Count == 0 && !isDropping)
            {
                return counts with { FilesRest = look.Plan.Files, BytesRest = look.Plan.Bytes };
            }
            filesPlanned = filesRead + look.Plan.Files;
            FaultPoint.Reach("compact.planned");
            lost = await RewriteAsync(look, units, cancellationToken) ? 0 : lost + 1;
            hasDropped |= isDropping;
        }
    }

    /// <summary>Rewrites units until they make a commit worth it, and commits. A unit that cannot be rewritten is left for this run.</summary>
    /// <returns>False where another's commit made the work worthless.</returns>
    private async Task<bool> RewriteAsync(CompactionLook look, List<CompactionUnit> units, CancellationToken cancellationToken)
    {
        var batch = new CompactionBatch(Guid.CreateVersion7().ToString(), look.Version);
        using var open = table.State.OpenWrites.Begin(batch.Id);
        try
        {
            using var rewriter = new UnitRewriter(look.Version.Table, batch.Id, Limits.TargetBytes);
            foreach (var unit in units)
            {
                await TryRewriteAsync(rewriter, unit, batch, cancellationToken);
                if (batch.BytesIn >= Limits.TargetBytes)
                {
                    break; // the rest is planned anew with what has come meanwhile
                }
            }
            FaultPoint.Reach("compact.files-written");
        }
        catch
        {
            await table.Committer.DeleteUnusedAsync(batch.Added); // never offered to a catalog
            throw;
        }
        if (batch.Units.Count == 0 && look.Dangling == 0)
        {
            return true; // what could not be rewritten is not planned again
        }
        var (after, isCommitted) = await commit.RunAsync(batch, counts, cancellationToken);
        counts = after;
        return isCommitted;
    }

    private async Task TryRewriteAsync(UnitRewriter rewriter, CompactionUnit unit, CompactionBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            batch.Units.Add(await rewriter.RewriteAsync(
                unit, () => table.Progress?.Report(new("rewriting", ++filesRead, Math.Max(filesPlanned, filesRead))), cancellationToken));
        }
        catch (UnfitFileException error)
        {
            foreach (var location in error.Locations)
            {
                left[location] = error.Reason;
                table.Logger.FileNotCompacted(table.Name, location, error.Reason);
            }
        }
    }

    /// <summary>What there is to do on the newest version.</summary>
    private async Task<CompactionLook> LookAsync(CancellationToken cancellationToken)
    {
        var version = await table.LoadAsync(cancellationToken);
        var scan = await new TableScan(version.Metadata, table.State.Table.Manifests).PlanAsync(cancellationToken);
        var inputs = new List<CompactionInput>();
        foreach (var file in scan.Files)
        {
            if (ProblemOf(file) is { } problem)
            {
                left.TryAdd(file.File.Path, problem);
            }
            var place = await places.OfAsync(file.File, version, cancellationToken);
            var first = KafkaPlaces.FirstOffsetOf(file.File, version.Metadata.CurrentSchema);
            inputs.Add(new(file, new(file.File.SpecId, file.File.Partition, place), first) { IsLeft = left.ContainsKey(file.File.Path) });
        }
        return new(version, CompactionPlan.Of(inputs, Limits), await CountDanglingAsync(version, scan, cancellationToken));
    }

    private static string? ProblemOf(ScanFile file)
        => file.File.Format != FileFormat.Parquet ? $"is {file.File.Format}, and only Parquet is read" : RowDeletes.ProblemOf(file);

    /// <summary>Delete files that apply to no data file.</summary>
    private async Task<int> CountDanglingAsync(TableVersion version, ScanPlan scan, CancellationToken cancellationToken)
    {
        if (version.Metadata.CurrentSnapshot is not { } snapshot)
        {
            return 0;
        }
        var manifests = await table.State.Table.Manifests.ReadManifestsAsync(snapshot, version.Metadata, cancellationToken);
        var needed = scan.Files.SelectMany(static file => file.Deletes).Select(static file => file.Path).ToHashSet(StringComparer.Ordinal);
        var dangling = 0;
        foreach (var manifest in manifests.Where(static one => one.Content == ManifestContent.Deletes && one.MayHaveLiveFiles))
        {
            var entries = await table.State.Table.Manifests.ReadEntriesAsync(manifest, version.Metadata, cancellationToken);
            dangling += entries.Count(entry => entry.IsLive && !needed.Contains(entry.File.Path));
        }
        return dangling;
    }

    /// <summary>The first units, as many as there is room for.</summary>
    private static List<CompactionUnit> UnitsOf(CompactionPlan plan, long room, bool mayExceed = true)
    {
        var units = new List<CompactionUnit>();
        foreach (var unit in plan.Units)
        {
            if (unit.Bytes > room && (units.Count > 0 || !mayExceed))
            {
                continue; // a smaller one may fit
            }
            units.Add(unit);
            room -= unit.Bytes;
        }
        return units;
    }

    private sealed record CompactionLook(TableVersion Version, CompactionPlan Plan, int Dangling);
}
