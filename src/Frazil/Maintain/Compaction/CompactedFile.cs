using Frazil.Columnar;
using Frazil.Flush;
using Frazil.Iceberg.IO;
using Frazil.Parquet;

namespace Frazil.Maintain.Compaction;

/// <summary>
/// One new data file, written row group by row group as its rows come: memory is bounded by one row group. Durable when
/// <see cref="CompleteAsync"/> returns, in no table yet; disposed before, nothing is left of it. Not thread-safe.
/// </summary>
internal sealed class CompactedFile : IAsyncDisposable
{
    private readonly UploadStream upload;
    private readonly ParquetFileWriter writer;
    private readonly Dictionary<string, string> metadata;
    private readonly KafkaRanges ranges = new();
    private readonly DataFileOptions options;
    private readonly List<RowPiece> pieces = [];
    private IReadOnlyDictionary<string, string>? lastSource;
    private long groupBytes;
    private long groupRows;

    private CompactedFile(string location, UploadStream upload, ColumnFields schema, ParquetBuffers buffers, DataFileOptions options)
    {
        (Location, this.upload, this.options) = (location, upload, options);
        metadata = [];
        // The writer puts the metadata into the footer, when all rows have come.
        writer = new(upload, schema, buffers, ParquetDataFileWriter.ToParquet(options), metadata);
    }

    public string Location { get; }

    /// <summary>Rows taken so far.</summary>
    public long Rows { get; private set; }

    public static async Task<CompactedFile> BeginAsync(
        IFileIO store, string location, ColumnFields schema, ParquetBuffers buffers, DataFileOptions options,
        CancellationToken cancellationToken)
        => new(location, await store.BeginUploadAsync(location, cancellationToken), schema, buffers, options);

    /// <summary>Takes rows, which are its own from now on.</summary>
    /// <exception cref="ParquetRowsException">They do not fit the table's schema; the file is void.</exception>
    public void Take(RowPiece piece, CancellationToken cancellationToken)
    {
        if (pieces.Count > 0 && (groupBytes + piece.Bytes > options.RowGroupBytes || groupRows + piece.Slice.Count > options.RowGroupRows))
        {
            WriteGroup(cancellationToken);
        }
        pieces.Add(piece);
        groupBytes += piece.Bytes;
        groupRows += piece.Slice.Count;
        Rows += piece.Slice.Count;
        if (!ReferenceEquals(lastSource, piece.FileMetadata))
        {
            ranges.Add(lastSource = piece.FileMetadata);
        }
    }

    public async Task<WrittenDataFile> CompleteAsync(CancellationToken cancellationToken)
    {
        WriteGroup(cancellationToken);
        foreach (var (key, value) in ranges.ToMetadata())
        {
            metadata[key] = value;
        }
        var summary = writer.Finish();
        await upload.CompleteAsync(cancellationToken);
        return ParquetDataFileWriter.Describe(Location, summary);
    }

    public async ValueTask DisposeAsync()
    {
        Release();
        writer.Dispose();
        await upload.DisposeAsync();
    }

    private void WriteGroup(CancellationToken cancellationToken)
    {
        if (pieces.Count > 0)
        {
            writer.Write([.. pieces.Select(static piece => piece.Slice)], cancellationToken);
        }
        Release();
    }

    private void Release()
    {
        pieces.ForEach(static piece => piece.Dispose());
        pieces.Clear();
        (groupBytes, groupRows) = (0, 0);
    }
}
