using System.Collections.Concurrent;
using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Parquet;

namespace Frazil.Flush;

/// <summary>Writes Parquet straight from the columns: statistics and SHA-256 come out of the same pass.</summary>
/// <param name="concurrentFiles">Files written at the same time, each on one thread. A file needs the memory of one column of one row
/// group, whatever the width of its table.</param>
public sealed class ParquetDataFileWriter(int concurrentFiles = 2) : DataFileWriter
{
    private const int GzipLevel = 6;

    private readonly SemaphoreSlim turns = new(concurrentFiles);
    private readonly ConcurrentBag<ParquetBuffers> idle = [];

    public override async Task<WrittenDataFile> WriteAsync(DataFileRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var schema = SchemaOf(request);
        await turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await WriteAsync(request, schema, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            turns.Release();
        }
    }

    public override ValueTask DisposeAsync()
    {
        turns.Dispose();
        while (idle.TryTake(out var buffers))
        {
            buffers.Dispose();
        }
        return base.DisposeAsync();
    }

    /// <summary>The file's columns, with names that SQL can say.</summary>
    private static ColumnFields SchemaOf(DataFileRequest request)
    {
        if (request.Slices.Sum(static slice => slice.Count) == 0)
        {
            throw new DataFileException($"{request.Location} would have no rows; a data file needs one at least.");
        }
        var schema = SqlNames.Apply(request.Schema);
        return schema.Count > 0
            ? schema
            : throw new DataFileException($"{request.Location} would have no columns; a data file needs one at least.");
    }

    private async Task<WrittenDataFile> WriteAsync(DataFileRequest request, ColumnFields schema, CancellationToken cancellationToken)
    {
        var upload = await request.Store.BeginUploadAsync(request.Location, cancellationToken).ConfigureAwait(false);
        await using (upload.ConfigureAwait(false))
        {
            var summary = await Task.Factory.StartNew(
                () => Write(request, schema, upload, cancellationToken), cancellationToken, TaskCreationOptions.LongRunning,
                TaskScheduler.Default).ConfigureAwait(false);
            await upload.CompleteAsync(cancellationToken).ConfigureAwait(false);
            return Describe(request, summary);
        }
    }

    private ParquetFileSummary Write(DataFileRequest request, ColumnFields schema, Stream output, CancellationToken cancellationToken)
    {
        var options = new ParquetOptions
        {
            Codec = request.Options.Codec,
            CompressionLevel = request.Options.Codec == ParquetCodec.Zstd ? request.Options.ZstdLevel : GzipLevel,
            RowGroupRows = request.Options.RowGroupRows,
            Encodings = request.Options.Encodings,
            RowGroupBytes = request.Options.RowGroupBytes,
            PageRows = request.Options.PageRows,
            PageBytes = request.Options.PageBytes,
            DictionaryBytes = request.Options.DictionaryBytes,
            BloomFilters = request.Options.BloomFilters,
            BloomFilterBytes = request.Options.BloomFilterBytes,
        };
        var buffers = idle.TryTake(out var used) ? used : new ParquetBuffers();
        try
        {
            using var writer = new ParquetFileWriter(output, schema, buffers, options, request.KeyValueMetadata);
            writer.Write(request.Slices, cancellationToken);
            return writer.Finish();
        }
        catch (ParquetRowsException failure)
        {
            throw new DataFileException($"Writing {request.Location} failed: {failure.Message}", failure);
        }
        catch (OutOfMemoryException failure)
        {
            throw new DataFileMemoryException($"Writing {request.Location} failed: the machine gave no memory for it.", failure);
        }
        finally
        {
            idle.Add(buffers);
        }
    }

    private static WrittenDataFile Describe(DataFileRequest request, ParquetFileSummary summary) => new()
    {
        Location = request.Location,
        RecordCount = summary.RecordCount,
        FileSizeBytes = summary.FileSizeBytes,
        Columns = summary.Columns.ToDictionary(
            static pair => pair.Key, static pair => new ColumnMetrics(pair.Value.SizeBytes, pair.Value.Statistics)),
        SplitOffsets = summary.SplitOffsets,
        Sha256 = summary.Sha256,
    };
}
