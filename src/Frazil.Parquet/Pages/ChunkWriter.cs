using Frazil.Parquet.Encodings;
using Frazil.Parquet.Levels;
using Frazil.Parquet.Metadata;
using Frazil.Parquet.Schema;
using Frazil.Parquet.Statistics;
using Frazil.Parquet.Values;

namespace Frazil.Parquet.Pages;

/// <summary>Writes one column chunk after the other. What it needs is one column of one row group, whatever the width of the
/// table.</summary>
internal sealed unsafe class ChunkWriter : IDisposable
{
    // A codec that saves less is not worth a reader's time.
    private const double WorthwhileSaving = 0.03;

    private readonly ParquetBuffers buffers;
    private readonly ParquetOptions options;
    private readonly PageWriter pages;
    private readonly PageCompressor compressor;
    private readonly PageIndex index = new();
    private readonly ThriftWriter indexes;
    private PageBounds bounds = null!;

    public ChunkWriter(FileSink sink, ParquetBuffers buffers, ParquetOptions options)
    {
        (this.buffers, this.options) = (buffers, options);
        pages = new(sink, options.HasPageChecksums);
        compressor = new(options.Codec, options.CompressionLevel);
        indexes = new(new NativeBuffer());
        Sink = sink;
    }

    /// <summary>Serialized statistics and indexes of all chunks, for the end of the file.</summary>
    public NativeBuffer Indexes => indexes.Output;

    private FileSink Sink { get; }

    /// <summary>Writes the chunk of one leaf for some rows, and adds what it saw to <paramref name="totals"/>.</summary>
    public ChunkRecord Write(LeafColumn leaf, IReadOnlyList<RowRange> rows, LeafTotals totals, out BloomFilter? bloom)
    {
        var (levels, values) = (buffers.Levels, buffers.Values);
        levels.Begin(leaf);
        values.Begin(leaf);
        foreach (var range in rows)
        {
            buffers.Shredder.Append(leaf, range.Slice, range.Start, range.Count, levels, values);
        }
        var encoding = buffers.Choice.Choose(leaf, values, options);
        bounds = new(leaf, buffers.Choice.Dictionary);
        pages.Begin();
        index.Begin(ValueBounds.Create(leaf.Field.Type));

        var (codec, dictionaryPage, firstDataPage) = WritePages(leaf, levels, values, encoding);
        bloom = CreateBloom(leaf, values);
        totals.Add(leaf, levels, values.Count, bounds.Chunk, pages.CompressedBytes);
        return new()
        {
            Leaf = leaf,
            Encoding = encoding,
            Codec = codec,
            Entries = levels.Count,
            DataPages = index.Count,
            UncompressedBytes = pages.UncompressedBytes,
            CompressedBytes = pages.CompressedBytes,
            FirstDataPage = firstDataPage,
            DictionaryPage = dictionaryPage,
            Statistics = Serialize(() => ChunkStatistics.Write(indexes, bounds.Chunk, levels.Count - values.Count)),
            ColumnIndex = options.HasPageIndex ? SerializeColumnIndex() : null,
            OffsetIndex = options.HasPageIndex ? Serialize(() => index.WriteOffsetIndex(indexes)) : null,
        };
    }

    public void Dispose()
    {
        pages.Dispose();
        compressor.Dispose();
        index.Dispose();
        indexes.Output.Dispose();
        buffers.Trim();
    }

    private (ParquetCodec Codec, long? DictionaryPage, long FirstDataPage) WritePages(
        LeafColumn leaf, ColumnLevels levels, ColumnValues values, PageEncoding encoding)
    {
        var cutter = new PageCutter(leaf, levels, values, options);
        var codec = options.Codec;
        long? dictionaryPage = null;
        var firstDataPage = -1L;
        for (var range = default(PageRange); cutter.TryNext(range, encoding != PageEncoding.RleDictionary, out range);)
        {
            BuildPage(leaf, levels, values, range, encoding);
            if (codec != ParquetCodec.Uncompressed)
            {
                compressor.Compress(buffers.Raw, buffers.Compressed);
            }
            if (firstDataPage < 0)
            {
                codec = Begin(codec, levels.Count / (double)range.Entries, out dictionaryPage);
                firstDataPage = Sink.Position;
            }
            var content = codec == ParquetCodec.Uncompressed ? buffers.Raw : buffers.Compressed;
            var location = pages.WriteData(range.Entries, encoding, buffers.Raw.Length, content);
            index.Add(range, location, bounds.Page);
        }
        return (codec, dictionaryPage, firstDataPage);
    }

    /// <summary>With the first page built and compressed: decides whether the chunk is compressed at all, and writes its
    /// dictionary.</summary>
    private ParquetCodec Begin(ParquetCodec codec, double pageCount, out long? dictionaryPage)
    {
        var dictionary = buffers.Choice.Dictionary;
        dictionaryPage = dictionary is null ? null : Sink.Position;
        buffers.RawDictionary.Clear();
        dictionary?.AppendEntries(buffers.RawDictionary);
        if (codec != ParquetCodec.Uncompressed)
        {
            compressor.Compress(buffers.RawDictionary, buffers.CompressedDictionary);
            var raw = buffers.Raw.Length * pageCount + buffers.RawDictionary.Length;
            var saved = (buffers.Raw.Length - buffers.Compressed.Length) * pageCount
                + (buffers.RawDictionary.Length - buffers.CompressedDictionary.Length);
            codec = saved < raw * WorthwhileSaving ? ParquetCodec.Uncompressed : codec;
        }
        if (dictionary is not null)
        {
            pages.WriteDictionary(
                dictionary.Count, buffers.RawDictionary.Length,
                codec == ParquetCodec.Uncompressed ? buffers.RawDictionary : buffers.CompressedDictionary);
        }
        return codec;
    }

    private void BuildPage(LeafColumn leaf, ColumnLevels levels, ColumnValues values, PageRange range, PageEncoding encoding)
    {
        var raw = buffers.Raw;
        raw.Clear();
        AppendLevels(leaf, levels, range);
        var data = values.Data + (long)range.FirstValue * values.Stride;
        switch (encoding)
        {
            case PageEncoding.RleDictionary:
                var width = RunLengthEncoder.WidthOf(buffers.Choice.Dictionary!.Count - 1);
                raw.Append((byte)width);
                RunLengthEncoder.AppendCodes(raw, buffers.Choice.Codes + range.FirstValue, range.Values, width);
                break;
            case PageEncoding.DeltaBinaryPacked:
                DeltaEncoder.Append(raw, data, values.Stride, range.Values);
                break;
            case PageEncoding.DeltaLengthByteArray:
                ValueEncoders.AppendDeltaLength(raw, (ByteRef*)data, range.Values, buffers.Scratch);
                break;
            case PageEncoding.ByteStreamSplit:
                ValueEncoders.AppendSplit(raw, data, values.Stride, range.Values);
                break;
            case var _ when leaf.Physical == PhysicalType.ByteArray:
                ValueEncoders.AppendBytes(raw, (ByteRef*)data, range.Values);
                break;
            case var _ when leaf.Physical == PhysicalType.Boolean:
                ValueEncoders.AppendBooleans(raw, data, range.Values);
                break;
            default:
                ValueEncoders.AppendFixed(raw, data, values.Stride, range.Values);
                break;
        }
        if (raw.Length > int.MaxValue - NativeBuffer.Slack)
        {
            throw new ParquetRowsException(
                $"Column {leaf} has {raw.Length} bytes in {range.Rows} rows, and a Parquet page cannot hold more than {int.MaxValue}.");
        }
        bounds.AddPage(values.Data, buffers.Choice.Codes, range);
    }

    private void AppendLevels(LeafColumn leaf, ColumnLevels levels, PageRange range)
    {
        if (leaf.IsRepeated)
        {
            var start = BeginLevels();
            RunLengthEncoder.AppendLevels(
                buffers.Raw, levels.Repetitions + range.FirstEntry, range.Entries, RunLengthEncoder.WidthOf(leaf.MaxRepetition));
            EndLevels(start);
        }
        if (leaf.MaxDefinition > 0)
        {
            var start = BeginLevels();
            var width = RunLengthEncoder.WidthOf(leaf.MaxDefinition);
            if (levels.HasDefinitions)
            {
                RunLengthEncoder.AppendLevels(buffers.Raw, levels.Definitions + range.FirstEntry, range.Entries, width);
            }
            else
            {
                RunLengthEncoder.AppendRun(buffers.Raw, leaf.MaxDefinition, range.Entries, width);
            }
            EndLevels(start);
        }
    }

    /// <summary>Leaves room for the length of levels.</summary>
    private long BeginLevels()
    {
        buffers.Raw.Reserve(sizeof(int));
        buffers.Raw.Advance(sizeof(int));
        return buffers.Raw.Length;
    }

    private void EndLevels(long start) => *(int*)(buffers.Raw.Data + start - sizeof(int)) = (int)(buffers.Raw.Length - start);

    private BloomFilter? CreateBloom(LeafColumn leaf, ColumnValues values)
    {
        // Floating point has two zeros that are equal and hash apart: a filter would hide one from who asks for the other.
        if (!options.BloomFilters.TryGetValue(leaf.Field.FieldId, out var falsePositives) || values.Count == 0
            || leaf.Physical is PhysicalType.Boolean or PhysicalType.Float or PhysicalType.Double)
        {
            return null;
        }
        var dictionary = buffers.Choice.Dictionary;
        var count = dictionary?.Count ?? values.Count;
        var filter = new BloomFilter(count, falsePositives, options.BloomFilterBytes);
        filter.Add(leaf, dictionary is null ? values.Data : dictionary.Entries, values.Stride, count);
        return filter;
    }

    private FileRange? SerializeColumnIndex()
    {
        var start = Indexes.Length;
        return index.WriteColumnIndex(indexes, bounds.Chunk.NanCount is not null) ? new(start, (int)(Indexes.Length - start)) : null;
    }

    private FileRange Serialize(Action write)
    {
        var start = Indexes.Length;
        write();
        return new(start, (int)(Indexes.Length - start));
    }
}
