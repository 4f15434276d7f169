using System.Collections.Immutable;
using System.Diagnostics;
using Frazil.DuckDb;
using Frazil.Commit;
using Frazil.Config;
using Frazil.Faults;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Frazil.Kafka;
using Frazil.Maintain;
using Frazil.Query;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Frazil.Replay;

/// <summary>
/// Reads a range of offsets from Kafka again and lets its rows take the place of those that the table has of it. What it holds:
/// (1) every file is written before the one commit that decides, so whatever is killed when, the table is as before or as after, never
/// between;
/// (2) only rows of the range leave, and only those whose records Kafka still delivered, so nothing is lost;
/// (3) only offsets that the table has read already are replayed, and progress is not touched, so ingest neither repeats nor skips them;
/// (4) all of that is checked against the very version that the commit is built on.
/// It may run beside an ingest of the table, in this process or another.
/// </summary>
public sealed class TableReplay
{
    private readonly FrazilOptions options;
    private readonly ReplayRequest request;
    private readonly IProgress<ReplayProgress>? progress;
    private readonly ILogger logger;
    private readonly ICatalog catalog;
    private readonly ReplaySource source;
    private readonly string replayId = Guid.CreateVersion7().ToString();
    private int fileNumber;

    private TableReplay(
        FrazilOptions options, ReplayRequest request, IProgress<ReplayProgress>? progress, ILogger logger, ICatalog catalog,
        ReplaySource source)
        => (this.options, this.request, this.progress, this.logger, this.catalog, this.source) =
            (options, request, progress, logger, catalog, source);

    /// <summary>Runs one replay to its end. On return it is durable and visible to every engine.</summary>
    /// <param name="options">Where Kafka and the catalog are, and how the table is made of its records.</param>
    /// <param name="request">What to replay.</param>
    /// <param name="progress">Told now and then how far it is, from any thread.</param>
    /// <param name="loggers">For what a table's pipeline would log.</param>
    /// <param name="cancellationToken">Stops it; the table stays as it was, unless the commit was on its way.</param>
    /// <exception cref="ReplayException">It was refused, or had to stop; says why.</exception>
    /// <exception cref="KafkaException">Kafka does not answer, or cannot be read.</exception>
    /// <exception cref="FrazilStartException">The catalog cannot be used.</exception>
    public static async Task<ReplayReport> RunAsync(
        FrazilOptions options, ReplayRequest request, IProgress<ReplayProgress>? progress = null, ILoggerFactory? loggers = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(request);
        request.Check();
        var logger = (loggers ?? NullLoggerFactory.Instance).CreateLogger($"Frazil.Replay.{request.Table}");
        await using var catalog = await WarehouseCatalog.OpenAsync(options.Catalog, cancellationToken);
        return await RunAsync(options, request, progress, logger, catalog, cancellationToken);
    }

    /// <summary>The same on a catalog that is open already, and stays so.</summary>
    internal static async Task<ReplayReport> RunAsync(
        FrazilOptions options, ReplayRequest request, IProgress<ReplayProgress>? progress, ILogger logger, ICatalog catalog,
        CancellationToken cancellationToken)
    {
        try
        {
            var source = await ReplaySource.FindAsync(options, request, catalog, cancellationToken);
            return await new TableReplay(options, request, progress, logger, catalog, source).RunAsync(cancellationToken);
        }
        catch (Exception error) when (error is PipelineFailedException or DeletesNotSupportedException or BadRecordException or StaleRewriteException or CommitConflictException)
        {
            throw new ReplayException($"{error.Message}. Nothing was replaced", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or DuckDbException or DataFileException or SqlException)
        {
            throw new ReplayException($"the replay of {request.Table} failed: {error.Message}. Each of its commits is whole or not there at all; run the same replay again", error);
        }
        catch (CommitStateUnknownException error)
        {
            throw new ReplayException(
                $"the catalog did not say whether the replay of {request.Table} was committed ({error.Message}). The rows are in it once in either case; run the same replay again to "
                + "be sure which", error);
        }
    }

    private async Task<ReplayReport> RunAsync(CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        source.CheckColumns(source.State.Current!.Metadata);
        await using var kafka = new PartitionReader(options.Kafka.BootstrapServers, options.Kafka.Properties);
        await source.CheckKafkaAsync(options, kafka, logger, cancellationToken);
        var target = await ReplayTarget.OpenAsync(source, request, options, catalog, logger, cancellationToken);
        await using var writer = new ParquetDataFileWriter(concurrentFiles: 1);
        using var reader = new DataFileReader();
        var parts = Parts(target, reader, writer);
        var letters = new ReplayLetters(target, LetterParts(parts, target), catalog, writer);
        await letters.OpenAsync(cancellationToken);
        var report = request.IsDryRun
            ? await ForeseeAsync(target, parts, letters, cancellationToken)
            : await ReplaceAsync(target, parts, letters, kafka, writer, cancellationToken);
        return report with { Elapsed = Stopwatch.GetElapsedTime(started) };
    }

    private async Task<ReplayReport> ForeseeAsync(
        ReplayTarget target, RangeOverwriteParts parts, ReplayLetters letters, CancellationToken cancellationToken)
    {
        var report = Report(target) with { LettersRemoved = letters.Known.Count };
        if (target.Rows.Current is not { } version)
        {
            return report; // a side table that is not there yet
        }
        return Counted(report, await new RangeOverwrite(parts).ScanAsync(version, cancellationToken));
    }

    private async Task<ReplayReport> ReplaceAsync(
        ReplayTarget target, RangeOverwriteParts parts, ReplayLetters letters, PartitionReader kafka, DataFileWriter writer,
        CancellationToken cancellationToken)
    {
        var decoder = new RangeDecoder(new()
        {
            Source = source,
            Reader = kafka,
            Schemas = target.Schemas,
            Letters = letters,
            ReplayId = replayId,
            Time = TimeProvider.System,
            Progress = progress,
            Writer = new(writer, target.Rows, target.Schemas, preserveKafkaPartitions: true),
        });
        var overwrite = new RangeOverwrite(RefusingLoss(parts, decoder.Delivered));
        await DecodeAsync(decoder, letters, overwrite, target, cancellationToken);
        var done = await CommitAsync(decoder, letters, overwrite, target, cancellationToken);
        FaultPoint.Reach("replay.committed");
        var mended = await letters.RemoveMendedAsync(decoder.Rejected, cancellationToken);
        var report = Report(target) with
        {
            Records = decoder.Delivered.Count,
            RowsAdded = decoder.Rows,
            FilesAdded = decoder.Files.Count,
            LettersAdded = letters.Added.Count,
            LettersRemoved = mended,
            SnapshotId = done?.SnapshotId,
        };
        report = done is null ? report : Counted(report, done.Scan);
        logger.ReplayDone(
            report.Table, report.Partition.ToString(), report.From, report.To, report.RowsAdded, report.RowsRemoved, report.SnapshotId);
        return report;
    }

    /// <summary>Up to here nothing was offered to a catalog, so whatever goes wrong, the files go.</summary>
    private async Task DecodeAsync(
        RangeDecoder decoder, ReplayLetters letters, RangeOverwrite overwrite, ReplayTarget target, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Factory.StartNew(
                () => decoder.Run(cancellationToken), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            FaultPoint.Reach("replay.decoded");
            progress?.Report(new("committing", source.Last + 1, decoder.Delivered.Count, decoder.Bytes));
            // Also the commit looks for loss, but dead letters are committed before it.
            await overwrite.ScanAsync((await target.Rows.RefreshAsync(cancellationToken))!, cancellationToken);
        }
        catch
        {
            await DeleteAsync(decoder.Files, target.Rows);
            await DeleteAsync(letters.Files, target.Letters);
            throw;
        }
    }

    private async Task<RangeOverwritten?> CommitAsync(
        RangeDecoder decoder, ReplayLetters letters, RangeOverwrite overwrite, ReplayTarget target, CancellationToken cancellationToken)
    {
        try
        {
            await letters.CommitAsync(cancellationToken);
            FaultPoint.Reach("replay.letters-committed");
            return await overwrite.RunAsync([.. decoder.Files], cancellationToken);
        }
        catch (Exception error) when (error is ReplayException or DeletesNotSupportedException or StaleRewriteException or CommitConflictException)
        {
            // Those say that nothing was committed; of others that is not known.
            await target.RowsCommitter.DeleteUnusedAsync(decoder.Files);
            await target.LettersCommitter.DeleteUnusedAsync(letters.Files);
            throw;
        }
    }

    /// <summary>A row whose record Kafka did not deliver would be lost with its range.</summary>
    private RangeOverwriteParts RefusingLoss(RangeOverwriteParts parts, SeenOffsets delivered)
    {
        var missing = new SeenOffsets();
        return parts with
        {
            OnRow = offset =>
            {
                if (!delivered.Contains(offset))
                {
                    missing.Add(offset);
                }
            },
            AfterScan = () =>
            {
                if (!missing.IsEmpty)
                {
                    throw new ReplayException(
                        $"table {request.Table} has rows of {source.Partition} whose records Kafka no longer holds (compaction or retention): offsets {missing}. Replacing the range "
                        + "would lose them, so nothing was done; replay the ranges between them");
                }
            },
        };
    }

    private RangeOverwriteParts Parts(ReplayTarget target, DataFileReader reader, DataFileWriter writer)
    {
        return new()
        {
            State = target.Rows,
            Committer = target.RowsCommitter,
            Branch = target.Branch,
            Rewriter = new(reader, writer),
            FlushId = replayId,
            Kind = "replay",
            Summary = ImmutableDictionary<string, string>.Empty.Add(
                "frazil.replay", $"{source.Partition.Topic}/{source.Partition.Partition}/{source.First}-{source.Last}"),
            NextNumber = () => Interlocked.Increment(ref fileNumber) - 1,
            // The topics that a side table's rows can be of are those of the table itself.
            RangeIn = version => source.RangeIn(request.Into is null ? version : source.State.Current!),
            Leaves = static _ => true,
            Check = request.Into is null ? source.Check : static _ => { },
        };
    }

    private RangeOverwriteParts LetterParts(RangeOverwriteParts rows, ReplayTarget target) => rows with
    {
        State = target.Letters,
        Committer = target.LettersCommitter,
        Kind = "replay-letters",
        RangeIn = _ => new(source.Partition.Topic, source.Partition.Partition, source.First, source.Last),
        Leaves = static _ => false,
        TakesUnreadable = false,
        Check = static _ => { },
    };

    private ReplayReport Report(ReplayTarget target) => new()
    {
        ReplayId = replayId,
        Table = target.Rows.Identifier.ToString(),
        Branch = target.Branch,
        Partition = source.Partition,
        From = source.First,
        To = source.Last,
        IsDryRun = request.IsDryRun,
    };

    private static ReplayReport Counted(ReplayReport report, RangeScan scan) => report with
    {
        RowsRemoved = scan.LeavingRows,
        FilesRewritten = scan.Rewritten.Count(),
        FilesUnreadable = scan.Leaving.Count(static file => file.IsUnreadable),
        FilesRemoved = scan.Leaving.Length - scan.Rewritten.Count(),
    };

    private static async Task DeleteAsync(IEnumerable<DataFile> files, TableState table)
    {
        foreach (var file in files)
        {
            await table.Current!.Table.FileIO.DeleteAsync(file.Path, CancellationToken.None);
        }
    }
}
