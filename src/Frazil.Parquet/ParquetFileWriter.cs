using Frazil.Columnar;
using Frazil.Parquet.Metadata;
using Frazil.Parquet.Pages;
using Frazil.Parquet.Schema;

namespace Frazil.Parquet;

/// <summary>
/// Writes one Parquet file from columns, row group by row group and within it column by column, front to back into any stream. Memory is
/// bounded by one column of one row group, and by what the footer says of the row groups so far. One thread; any number of writers side by
/// side. Nothing is durable: that is the stream's owner's.
/// </summary>
public sealed class ParquetFileWriter : IDisposable
{
    private readonly ParquetOptions options;
    private readonly IReadOnlyDictionary<string, string> metadata;
    private readonly ParquetSchema schema;
    private readonly FileSink sink;
    private readonly ChunkWriter chunks;
    private readonly LeafTotals[] totals;
    private readonly List<RowGroupRecord> groups = [];
    private bool isBroken;

    /// <param name="output">Gets the bytes in order; stays open. Its own buffer is not needed.</param>
    /// <param name="schema">What the file holds, whatever the slices lack; structs have one field at least.</param>
    /// <param name="buffers">Memory to work in, used by nobody else meanwhile; the caller keeps it.</param>
    /// <param name="options">How to write.</param>
    /// <param name="metadata">Key-value metadata of the footer, as it is when the file is finished.</param>
    /// <exception cref="ParquetRowsException">The schema has no form in Parquet.</exception>
    public ParquetFileWriter(
        Stream output, ColumnFields schema, ParquetBuffers buffers, ParquetOptions? options = null,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(schema);
        ArgumentNullException.ThrowIfNull(buffers);
        this.options = options ?? new();
        this.options.Validate();
        this.metadata = metadata ?? new Dictionary<string, string>();
        this.schema = new(schema);
        totals = [.. this.schema.Leaves.Select(static leaf => new LeafTotals(leaf))];
        sink = new(output);
        chunks = new(sink, buffers, this.options);
        sink.Append("PAR1"u8);
    }

    /// <summary>Rows written so far.</summary>
    public long RecordCount { get; private set; }

    /// <summary>Writes all rows of the slices, in order, as one row group or more. The slices are pinned by the caller until it
    /// returns.</summary>
    /// <exception cref="ParquetRowsException">The rows cannot be written; says which column. The file is void.</exception>
    public void Write(IReadOnlyList<BatchSlice> slices, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(slices);
        ThrowIfBroken();
        isBroken = true;
        foreach (var group in RowGroupPlan.Cut(slices, options))
        {
            WriteGroup(group, cancellationToken);
        }
        isBroken = false;
    }

    /// <summary>Writes what comes behind the row groups. The stream then has the whole file.</summary>
    public ParquetFileSummary Finish()
    {
        ThrowIfBroken();
        isBroken = true;
        new FooterWriter(sink, schema, chunks.Indexes).Write(groups, metadata);
        return new()
        {
            RecordCount = RecordCount,
            Sha256 = sink.Complete(),
            FileSizeBytes = sink.Position,
            SplitOffsets = [.. groups.Select(static group => group.Chunks[0].Start)],
            Columns = schema.Leaves.Select((leaf, index) => (leaf.Field.FieldId, totals[index].ToSummary())).ToDictionary(),
        };
    }

    public void Dispose()
    {
        chunks.Dispose();
        sink.Dispose();
    }

    private void WriteGroup(IReadOnlyList<RowRange> rows, CancellationToken cancellationToken)
    {
        var records = new List<ChunkRecord>(schema.Leaves.Count);
        var blooms = new List<(ChunkRecord Chunk, BloomFilter Filter)>();
        for (var leaf = 0; leaf < schema.Leaves.Count; leaf++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            records.Add(chunks.Write(schema.Leaves[leaf], rows, totals[leaf], out var bloom));
            if (bloom is not null)
            {
                blooms.Add((records[^1], bloom));
            }
        }
        using var header = new NativeBuffer();
        foreach (var (chunk, filter) in blooms)
        {
            var start = sink.Position;
            filter.Write(new(header), sink);
            chunk.BloomFilter = new(start, (int)(sink.Position - start));
        }
        var count = rows.Sum(static range => range.Count);
        groups.Add(new(count, records));
        RecordCount += count;
    }

    private void ThrowIfBroken()
    {
        if (isBroken)
        {
            throw new InvalidOperationException("The file is finished, or writing to it failed before: nothing can follow.");
        }
    }
}
