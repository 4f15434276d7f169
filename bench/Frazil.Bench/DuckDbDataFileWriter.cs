using System.Security.Cryptography;
using Frazil.DuckDb;
using Frazil.Columnar.Statistics;
using Frazil.Log;
using Frazil.Tests.Parquet;
using Frazil.Flush;

namespace Frazil.Bench;

/// <param name="ConcurrentFiles">Files written at the same time, each on one thread.</param>
/// <param name="MemoryLimitMb">Megabytes (2^20) that DuckDB may take for all of them; a row group is held in memory until it is
/// full.</param>
public sealed record DuckDbWriterOptions(int ConcurrentFiles = 2, int MemoryLimitMb = 1024);

/// <summary>Writes Parquet with DuckDB's COPY, on a DuckDB instance of its own.</summary>
public sealed class DuckDbDataFileWriter : DataFileWriter
{
    private const int ReadBufferBytes = 1 << 20;

    private readonly DuckDbInstance duck;
    private readonly SemaphoreSlim turns;
    private readonly SemaphoreSlim alone = new(1);
    private readonly int concurrentFiles;
    private readonly long bytesPerFile;

    public DuckDbDataFileWriter(DuckDbWriterOptions? options = null)
    {
        options ??= new();
        concurrentFiles = options.ConcurrentFiles;
        bytesPerFile = ((long)options.MemoryLimitMb << 20) / options.ConcurrentFiles;
        turns = new SemaphoreSlim(options.ConcurrentFiles);
        duck = DuckDbInstance.Open(new Dictionary<string, string>
        {
            // One thread in DuckDB: each COPY runs on the thread that asks for it, so that rows stay in order and files are written side by
            // side.
            ["threads"] = "1",
            ["memory_limit"] = $"{options.MemoryLimitMb}MiB",
            ["temp_directory"] = "",
            ["autoinstall_known_extensions"] = "false",
            ["autoload_known_extensions"] = "false",
        });
    }

    public override async Task<WrittenDataFile> WriteAsync(DataFileRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var plan = DuckDbWritePlan.Create(request, bytesPerFile);
        try
        {
            return await WriteInTurnAsync(plan, 1, cancellationToken).ConfigureAwait(false);
        }
        catch (DataFileMemoryException)
        {
            // Alone, and with the least that a file can be written with. What does not fit then has too many rows.
            return await WriteInTurnAsync(plan with { IsThrifty = true }, concurrentFiles, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <param name="share">Of the turns: all of them for a file that is written alone.</param>
    private async Task<WrittenDataFile> WriteInTurnAsync(DuckDbWritePlan plan, int share, CancellationToken cancellationToken)
    {
        var taken = 0;
        try
        {
            if (share > 1)
            {
                await alone.WaitAsync(cancellationToken).ConfigureAwait(false); // two that gather turns would wait for each other
            }
            try
            {
                for (; taken < share; taken++)
                {
                    await turns.WaitAsync(cancellationToken).ConfigureAwait(false);
                }
            }
            finally
            {
                if (share > 1)
                {
                    alone.Release();
                }
            }
            return await Task.Factory.StartNew(
                () => Write(plan, cancellationToken), cancellationToken, TaskCreationOptions.LongRunning,
                TaskScheduler.Default).ConfigureAwait(false);
        }
        finally
        {
            if (taken > 0)
            {
                turns.Release(taken);
            }
        }
    }

    public override ValueTask DisposeAsync()
    {
        duck.Dispose();
        turns.Dispose();
        alone.Dispose();
        return base.DisposeAsync();
    }

    private WrittenDataFile Write(DuckDbWritePlan plan, CancellationToken cancellationToken)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(plan.Path))!;
        DurableFiles.CreateDirectory(folder);
        // DuckDB truncates what it finds. Taking the name first, which fails where it is taken, is what keeps any other file whole.
        new FileStream(plan.Path, FileMode.CreateNew, FileAccess.Write).Dispose();
        try
        {
            Copy(plan, cancellationToken);
            var statistics = ColumnStatistics.Measure(plan.Schema, plan.Slices, cancellationToken);
            var written = Describe(plan, statistics);
            DurableFiles.SyncDirectory(folder);
            return written;
        }
        catch
        {
            File.Delete(plan.Path);
            throw;
        }
    }

    private void Copy(DuckDbWritePlan plan, CancellationToken cancellationToken)
    {
        using var slot = duck.Scans.Open(new ColumnScan(plan.Schema, plan.Slices, keepOrder: true));
        using var connection = duck.Connect();
        try
        {
            connection.Execute(plan.CopyStatement(slot.Handle), cancellationToken);
        }
        catch (DuckDbException failure) when (failure.Kind == "Out of Memory")
        {
            throw new DataFileMemoryException(
                $"Writing {plan.Path} ({plan.RecordCount} rows of {plan.Leaves} columns) failed: {failure.Message}", failure);
        }
        catch (DuckDbException failure) when (failure.Kind is "IO" or "FATAL")
        {
            throw new IOException($"Writing {plan.Path} failed: {failure.Message}", failure);
        }
        catch (DuckDbException failure)
        {
            throw new DataFileException($"Writing {plan.Path} failed: {failure.Message}", failure);
        }
    }

    private static WrittenDataFile Describe(DuckDbWritePlan plan, IReadOnlyDictionary<int, FieldStatistics> statistics)
    {
        using var file = new FileStream(plan.Path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read, ReadBufferBytes);
        file.Flush(flushToDisk: true);
        var footer = ParquetFooter.Read(file);
        if (footer.RecordCount != plan.RecordCount)
        {
            throw new InvalidDataException($"{plan.Path} holds {footer.RecordCount} rows where {plan.RecordCount} were given to it.");
        }
        file.Position = 0;
        return new WrittenDataFile
        {
            Location = plan.Path,
            RecordCount = footer.RecordCount,
            FileSizeBytes = file.Length,
            Columns = statistics.ToDictionary(
                pair => pair.Key, pair => new ColumnMetrics(footer.ColumnSizes.GetValueOrDefault(pair.Key), pair.Value)),
            SplitOffsets = footer.SplitOffsets,
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(file)),
        };
    }
}
