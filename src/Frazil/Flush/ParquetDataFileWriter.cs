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
            return Describe(request.Location, summary);
        }
    }

    private ParquetFileSummary Write(DataFileRequest request, ColumnFields schema, Stream output, CancellationToken cancellationToken)
    {
        var options = ToParquet(request.Options);
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

    /// <summary>The same options in the words of the Parquet writer.</summary>
    internal static ParquetOptions ToParquet(DataFileOptions options) => new()
    {
        Codec = CodecOf(options.Codec),
        CompressionLevel = options.Codec == DataFileCodec.Zstd ? options.ZstdLevel : GzipLevel,
        RowGroupRows = options.RowGroupRows,
        Encodings = options.Encodings,
        RowGroupBytes = options.RowGroupBytes,
        PageRows = options.PageRows,
        PageBytes = options.PageBytes,
        DictionaryBytes = options.DictionaryBytes,
        BloomFilters = options.BloomFilters,
        BloomFilterBytes = options.BloomFilterBytes,
    };

    private static ParquetCodec CodecOf(DataFileCodec codec) => codec switch
    {
        DataFileCodec.Zstd => ParquetCodec.Zstd,
        DataFileCodec.Snappy => ParquetCodec.Snappy,
        DataFileCodec.Gzip => ParquetCodec.Gzip,
        DataFileCodec.Lz4 => ParquetCodec.Lz4Raw,
        DataFileCodec.Uncompressed => ParquetCodec.Uncompressed,
        _ => throw new NotSupportedException($"The codec {codec} has no form in Parquet."),
    };

    /// <summary>What was written, for a manifest.</summary>
    internal static WrittenDataFile Describe(string location, ParquetFileSummary summary) => new()
    {
        Location = location,
        RecordCount = summary.RecordCount,
        FileSizeBytes = summary.FileSizeBytes,
        Columns = summary.Columns.ToDictionary(
            static pair => pair.Key, static pair => new ColumnMetrics(pair.Value.SizeBytes, pair.Value.Statistics)),
        SplitOffsets = summary.SplitOffsets,
        Sha256 = summary.Sha256,
    };
}
