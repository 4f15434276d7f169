using Frazil.Columnar;
using Frazil.Columnar.Statistics;
using Frazil.Iceberg.IO;
using Frazil.Parquet;

namespace Frazil.Flush;

/// <summary>
/// Turns hot rows into one Parquet file. Nothing outside an implementation knows how. Thread-safe; several files may be written at once.
/// </summary>
public abstract class DataFileWriter : IAsyncDisposable
{
    /// <summary>
    /// Writes one file. Durable and visible when the task completes, not before. On failure or cancellation nothing of it is left behind,
    /// unless the process dies or the store does not say what became of its last step. Changes nothing in memory.
    /// </summary>
    /// <exception cref="ObjectExistsException">The location is taken; what is there is not touched.</exception>
    /// <exception cref="IOException">The store failed: it is full, broken or does not answer.</exception>
    /// <exception cref="UnauthorizedAccessException">The location must not be written.</exception>
    /// <exception cref="DataFileMemoryException">Fewer rows must be written at once.</exception>
    /// <exception cref="DataFileException">The rows cannot be written as Parquet; says which column.</exception>
    public abstract Task<WrittenDataFile> WriteAsync(DataFileRequest request, CancellationToken cancellationToken = default);

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}

/// <summary>What to write.</summary>
public sealed record DataFileRequest
{
    /// <summary>Where the file goes; stays the caller's.</summary>
    public required IFileIO Store { get; init; }

    /// <summary>Its location there, which must be free; missing folders are made.</summary>
    public required string Location { get; init; }

    /// <summary>The table's schema with field ids: what the file will hold, whatever the slices lack.</summary>
    public required ColumnFields Schema { get; init; }

    /// <summary>The rows, in file order. Pinned by the caller until the task completes.</summary>
    public required IReadOnlyList<BatchSlice> Slices { get; init; }

    /// <summary>Parquet key-value metadata.</summary>
    public IReadOnlyDictionary<string, string> KeyValueMetadata { get; init; } = new Dictionary<string, string>();

    public DataFileOptions Options { get; init; } = new();
}

/// <param name="ZstdLevel">Of the codec zstd: 1 to 22. 3 costs a quarter more time than 1 and gains nothing on event data.</param>
/// <param name="RowGroupRows">Rows of a row group; memory while writing grows with it.</param>
public sealed record DataFileOptions(int ZstdLevel = 1, int RowGroupRows = 122_880)
{
    public ParquetCodec Codec { get; init; } = ParquetCodec.Zstd;

    public ParquetEncodings Encodings { get; init; } = ParquetEncodings.Basic;

    /// <summary>Bytes that the rows of a row group take in memory at most.</summary>
    public long RowGroupBytes { get; init; } = 64L << 20;

    /// <summary>Rows of a page at most.</summary>
    public int PageRows { get; init; } = 32 * 1024;

    /// <summary>Bytes of a page before compression.</summary>
    public int PageBytes { get; init; } = 1 << 20;

    /// <summary>Bytes of a dictionary before compression at most.</summary>
    public int DictionaryBytes { get; init; } = 1 << 20;

    /// <summary>Field ids of columns that get Bloom filters, and the share of absent values that each takes for present.</summary>
    public IReadOnlyDictionary<int, double> BloomFilters { get; init; } = new Dictionary<int, double>();

    /// <summary>Bytes of one Bloom filter at most.</summary>
    public int BloomFilterBytes { get; init; } = 1 << 20;
}

/// <summary>A durable file that no catalog knows yet.</summary>
public sealed record WrittenDataFile
{
    public required string Location { get; init; }

    public required long RecordCount { get; init; }

    public required long FileSizeBytes { get; init; }

    /// <summary>By field id of each leaf column.</summary>
    public required IReadOnlyDictionary<int, ColumnMetrics> Columns { get; init; }

    /// <summary>Where row groups begin, ascending.</summary>
    public required IReadOnlyList<long> SplitOffsets { get; init; }

    /// <summary>SHA-256 of the whole file, 64 lower-case hexadecimal digits.</summary>
    public required string Sha256 { get; init; }
}

/// <summary>What manifests say about one column of a file.</summary>
/// <param name="SizeBytes">Compressed bytes in the file.</param>
/// <param name="Statistics">Counts, and bounds in Iceberg's single-value form, uncut.</param>
public sealed record ColumnMetrics(long SizeBytes, FieldStatistics Statistics);

/// <summary>The rows do not fit into the writer's memory at once; fewer may. Nothing of the file is left behind.</summary>
public sealed class DataFileMemoryException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>Rows that cannot be written as they are. Writing them again fails again.</summary>
public sealed class DataFileException(string message, Exception? inner = null) : Exception(message, inner);
