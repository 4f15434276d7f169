using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Frazil.Iceberg.Metrics;

namespace Frazil.Maintain;

/// <summary>Says which of the new files takes a row, from 0 up; below 0: none, the row is left out.</summary>
/// <param name="offset">The row's offset where it is of the range's Kafka partition; else -1.</param>
internal delegate int RowSort(long offset);

/// <summary>
/// Writes the rows of a data file anew: under the table's schema of today, in the same partition tuple, through the same
/// <see cref="DataFileWriter"/> as a flush (field ids, statistics, key-value metadata). Rows stay in order. Memory is bounded: a new file
/// is begun after so many bytes. What it writes is durable and in no table yet.
/// </summary>
internal sealed class DataFileRewriter(DataFileReader reader, DataFileWriter writer)
{
    private const int ChunkRows = 32 * 1024;

    private readonly DataFileReader source = reader;
    private readonly DataFileWriter sink = writer;

    /// <summary>Bytes of decoded rows after which another file is begun.</summary>
    public long FileBytes { get; init; } = 128L << 20;

    /// <summary>Rewrites one file.</summary>
    /// <param name="file">Of the table; no delete applies to it.</param>
    /// <param name="target">The table and how to name new files.</param>
    /// <param name="range">Whose offsets <paramref name="sort"/> is told.</param>
    /// <param name="sort">Called once a row, in file order.</param>
    /// <param name="cancellationToken">Cancels; nothing is left behind.</param>
    public async Task<ImmutableArray<DataFile>> RewriteAsync(
        DataFile file, RewriteTarget target, KafkaRange? range, RowSort sort, CancellationToken cancellationToken)
    {
        var run = new FileRun(this, file, target);
        try
        {
            await run.OpenAsync(cancellationToken);
            await source.VisitRowsAsync(
                file, target.Table, range, run.Columns, chunk => run.TakeAsync(chunk, sort, cancellationToken), cancellationToken);
            return await run.CompleteAsync(cancellationToken);
        }
        catch
        {
            foreach (var written in run.Written)
            {
                await target.Table.FileIO.DeleteAsync(written.Path, CancellationToken.None); // certainly in no table: nobody was told of it
            }
            throw;
        }
        finally
        {
            run.Release();
        }
    }

    /// <summary>One file being rewritten.</summary>
    private sealed class FileRun(DataFileRewriter owner, DataFile file, RewriteTarget target)
    {
        private readonly MemoryAccount account = new();
        private readonly SortedDictionary<int, Heap> heaps = [];
        private readonly ColumnFields schema = ColumnSchemas.FromIceberg(target.Metadata.CurrentSchema.Fields);
        private readonly MetricsConfig metrics = new(target.Metadata);
        private IReadOnlyDictionary<string, string> metadata = new Dictionary<string, string>();

        public List<DataFile> Written { get; } = [];

        public ColumnFields Columns { get; } = SqlNames.Apply(ColumnSchemas.FromIceberg(target.Metadata.CurrentSchema.Fields));

        /// <summary>Reads what the file says of itself.</summary>
        public async Task OpenAsync(CancellationToken cancellationToken)
            => metadata = (await ParquetFooter.ReadAsync(target.Table.FileIO, file.Path, file.FileSizeBytes, cancellationToken)).KeyValueMetadata;

        public async Task TakeAsync(DuckDbChunk rows, RowSort sort, CancellationToken cancellationToken)
        {
            Distribute(rows, sort);
            foreach (var heap in heaps.Values)
            {
                heap.Fill(rows, Columns, account);
                if (heap.UsedBytes >= owner.FileBytes)
                {
                    await WriteAsync(heap, cancellationToken);
                }
            }
        }

        public async Task<ImmutableArray<DataFile>> CompleteAsync(CancellationToken cancellationToken)
        {
            foreach (var heap in heaps.Values.Where(static heap => heap.Rows > 0))
            {
                await WriteAsync(heap, cancellationToken);
            }
            return [.. Written];
        }

        public void Release()
        {
            foreach (var heap in heaps.Values)
            {
                heap.Clear();
            }
        }

        private void Distribute(DuckDbChunk rows, RowSort sort)
        {
            var offsets = rows.Longs(Columns.Count);
            for (var row = 0; row < offsets.Length; row++)
            {
                var number = sort(offsets[row]);
                if (number < 0)
                {
                    continue;
                }
                if (!heaps.TryGetValue(number, out var heap))
                {
                    heaps[number] = heap = new();
                }
                heap.Add(row, offsets[row]);
            }
        }

        private async Task WriteAsync(Heap heap, CancellationToken cancellationToken)
        {
            var folder = file.Path[..file.Path.LastIndexOf('/')];
            var name = string.Create(CultureInfo.InvariantCulture, $"{target.FileId}-{target.NextNumber()}.parquet");
            // Beside the old file, unless that was taken into the table from elsewhere.
            var location = IsBelow(folder, target.Metadata.Location) || IsBelow(folder, target.Metadata.DataLocation)
                ? $"{folder}/{name}" : DataFileLocations.Of(target.Metadata, "", name);
            var written = await owner.sink.WriteAsync(
                new()
                {
                    Store = target.Table.FileIO,
                    Location = location,
                    Schema = schema,
                    Slices = heap.TakeSlices(),
                    KeyValueMetadata = heap.Describe(metadata),
                    Options = DataFileFormat.OptionsOf(target.Metadata),
                },
                cancellationToken);
            Written.Add(DataFileMetrics.ToDataFile(written, location, file.SpecId, file.Partition, target.Metadata.CurrentSchema, metrics));
            heap.Clear();
        }

        private static bool IsBelow(string folder, string root)
            => folder.StartsWith(root, StringComparison.Ordinal) && (folder.Length == root.Length || folder[root.Length] == '/');
    }

    /// <summary>Rows on their way into one new file.</summary>
    private sealed class Heap
    {
        private readonly List<ColumnChunk> chunks = [];
        private readonly List<int> picked = [];
        private (long First, long Last)? span;
        private bool hasOthers;

        public long Rows => chunks.Sum(static chunk => (long)chunk.Rows);

        public long UsedBytes => chunks.Sum(static chunk => chunk.UsedBytes);

        public void Add(int row, long offset)
        {
            picked.Add(row);
            hasOthers |= offset < 0;
            span = span is { } known ? (Math.Min(known.First, offset), Math.Max(known.Last, offset)) : (offset, offset);
        }

        public void Fill(DuckDbChunk rows, ColumnFields columns, MemoryAccount account)
        {
            if (picked.Count == 0)
            {
                return;
            }
            if (chunks.Count == 0 || chunks[^1].Rows >= ChunkRows)
            {
                chunks.Add(new(columns, chunks.Count > 0 ? chunks[^1].TakeSizing() : ChunkSizing.ForRows(picked.Count), account));
            }
            rows.AppendTo(chunks[^1], CollectionsMarshal.AsSpan(picked));
            picked.Clear();
        }

        public IReadOnlyList<BatchSlice> TakeSlices()
        {
            chunks.ForEach(static chunk => chunk.Publish());
            return [.. chunks.Select(FlushWriter.ToSlice)];
        }

        /// <summary>What the file says of its place in Kafka: the old file's own words, cut to what is left. Only where all rows are of one
        /// partition.</summary>
        public IReadOnlyDictionary<string, string> Describe(IReadOnlyDictionary<string, string> old)
        {
            if (hasOthers || span is not { } rows || !old.TryGetValue("kafka.topic", out var topic)
                || !old.TryGetValue("kafka.partition", out var partition))
            {
                return new Dictionary<string, string>();
            }
            return new Dictionary<string, string>
            {
                ["kafka.topic"] = topic,
                ["kafka.partition"] = partition,
                ["kafka.offset.start"] = rows.First.ToString(CultureInfo.InvariantCulture),
                ["kafka.offset.end"] = rows.Last.ToString(CultureInfo.InvariantCulture),
            };
        }

        public void Clear()
        {
            (span, hasOthers) = (null, false);
            chunks.ForEach(static chunk => chunk.Unpin());
            chunks.Clear();
        }
    }
}

/// <summary>What rewritten files are written for.</summary>
/// <param name="Table">Its current schema is what the files will have, and its store where they go.</param>
/// <param name="FileId">What new names begin with; no other file's may.</param>
/// <param name="NextNumber">Numbers the files.</param>
internal sealed record RewriteTarget(LoadedTable Table, string FileId, Func<int> NextNumber)
{
    public TableMetadata Metadata => Table.Metadata;
}
