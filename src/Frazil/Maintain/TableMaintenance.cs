using System.Diagnostics;
using Frazil.Commit;
using Frazil.Config;
using Frazil.Faults;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Log;
using Frazil.Maintain.Compaction;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Frazil.Maintain;

/// <summary>What to run.</summary>
/// <param name="Job">The job.</param>
/// <param name="Table">Any table of the catalog, ingested here or not.</param>
/// <param name="IsDryRun">Only says what would be done.</param>
/// <param name="MostBytes">Of compaction: bytes of data files that are rewritten at most; null for 10 GiB.</param>
public sealed record MaintenanceRequest(MaintenanceJob Job, string Table, bool IsDryRun = false, long? MostBytes = null);

/// <summary>Maintenance of one table, now. May run beside a server that ingests it, in another process: its commits meet those of ingest as any
/// other engine's do.</summary>
public static class TableMaintenance
{
    /// <summary>Runs one job to its end.</summary>
    /// <param name="options">Where the catalog is, and what <c>[maintenance]</c> says.</param>
    /// <param name="request">What to run.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="loggers">For what goes wrong without ending the job.</param>
    /// <param name="cancellationToken">Stops it; what was committed stays, files that were not deleted yet are left for the sweep.</param>
    /// <exception cref="MaintenanceException">It could not be done; says why.</exception>
    /// <exception cref="IcebergException">The table or its catalog cannot be used.</exception>
    /// <exception cref="FrazilStartException">The catalog cannot be opened.</exception>
    public static async Task<MaintenanceReport> RunAsync(
        FrazilOptions options, MaintenanceRequest request, IProgress<MaintenanceProgress>? progress = null, ILoggerFactory? loggers = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(request);
        var logger = (loggers ?? NullLoggerFactory.Instance).CreateLogger($"Frazil.Maintain.{request.Table}");
        await using var catalog = await WarehouseCatalog.OpenAsync(options.Catalog, cancellationToken);
        var state = new TableState(catalog, TableIdentifier.Parse(request.Table), FaultPoint.Clock);
        var table = new MaintainedTable
        {
            Catalog = catalog,
            State = state,
            Committer = new(state, new TableMetrics(), logger, null, OnRollback.GoOn),
            Options = options.Maintenance,
            Time = FaultPoint.Clock,
            Logger = logger,
            OpenFlushes = () => LoggedFlushes(options.DataDir, request.Table),
            Progress = progress,
            CompactionBytes = request.MostBytes,
        };
        return await RunAsync(table, request.Job, request.IsDryRun, cancellationToken);
    }

    /// <summary>The same on a table that is open already.</summary>
    internal static async Task<MaintenanceReport> RunAsync(
        MaintainedTable table, MaintenanceJob job, bool isDryRun, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            var report = await (job switch
            {
                MaintenanceJob.Expire => new SnapshotExpiry(table).RunAsync(isDryRun, cancellationToken),
                MaintenanceJob.Compact => new TableCompaction(table).RunAsync(isDryRun, cancellationToken),
                _ => new OrphanSweep(table).RunAsync(isDryRun, cancellationToken),
            });
            return report with { Elapsed = Stopwatch.GetElapsedTime(started) };
        }
        catch (Exception error) when (error is PipelineFailedException or ProgressFormatException or IOException or UnauthorizedAccessException)
        {
            throw new MaintenanceException($"{job.ToString().ToLowerInvariant()} of {table.Name} failed: {error.Message}", error);
        }
    }

    /// <summary>Flushes that the table's transaction log of this installation knows as unfinished; those of a dead-letter table are its main
    /// table's.</summary>
    private static string[] LoggedFlushes(string dataDir, string table)
    {
        var main = table.EndsWith(DeadLetterColumns.TableSuffix, StringComparison.Ordinal) ? table[..^DeadLetterColumns.TableSuffix.Length] : table;
        return [.. new[] { table, main }.Distinct()
            .SelectMany(name => LogScan.Of(LogSegments.Read(LogSegments.FolderOf(dataDir, name))).Unfinished).Select(static flush => flush.Id)];
    }
}
