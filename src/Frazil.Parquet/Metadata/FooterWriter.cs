using Frazil.Parquet.Schema;

namespace Frazil.Parquet.Metadata;

/// <summary>Writes the page indexes and the footer behind the row groups.</summary>
internal sealed unsafe class FooterWriter(FileSink sink, ParquetSchema schema, NativeBuffer indexes)
{
    private const string CreatedBy = "frazil version 0.1.0";
    private const int FormatVersion = 2;

    public void Write(IReadOnlyList<RowGroupRecord> groups, IReadOnlyDictionary<string, string> metadata)
    {
        var columnIndexes = WriteIndexes(groups, static chunk => chunk.ColumnIndex);
        var offsetIndexes = WriteIndexes(groups, static chunk => chunk.OffsetIndex);
        using var output = new NativeBuffer();
        var thrift = new ThriftWriter(output);
        thrift.BeginStruct();
        thrift.WriteInt32(1, FormatVersion);
        schema.Write(thrift, 2);
        thrift.WriteInt64(3, groups.Sum(static group => group.Rows));
        thrift.BeginStructList(4, groups.Count);
        for (var ordinal = 0; ordinal < groups.Count; ordinal++)
        {
            WriteGroup(thrift, groups[ordinal], ordinal, columnIndexes, offsetIndexes);
        }
        WriteMetadata(thrift, metadata);
        thrift.WriteText(6, CreatedBy);
        thrift.BeginStructList(7, schema.Leaves.Count);
        for (var leaf = 0; leaf < schema.Leaves.Count; leaf++)
        {
            thrift.BeginStruct();
            thrift.WriteEmptyStruct(1);
            thrift.EndStruct();
        }
        thrift.EndStruct();
        var length = checked((int)output.Length);
        output.Append(new ReadOnlySpan<byte>(&length, sizeof(int)));
        output.Append("PAR1"u8);
        sink.Append(output);
    }

    private Dictionary<ChunkRecord, FileRange> WriteIndexes(IReadOnlyList<RowGroupRecord> groups, Func<ChunkRecord, FileRange?> select)
    {
        var written = new Dictionary<ChunkRecord, FileRange>(ReferenceEqualityComparer.Instance);
        foreach (var chunk in groups.SelectMany(static group => group.Chunks))
        {
            if (select(chunk) is { } range)
            {
                written[chunk] = range with { Offset = sink.Position };
                sink.Append(Bytes(range));
            }
        }
        return written;
    }

    private void WriteGroup(
        ThriftWriter thrift, RowGroupRecord group, int ordinal, Dictionary<ChunkRecord, FileRange> columnIndexes,
        Dictionary<ChunkRecord, FileRange> offsetIndexes)
    {
        thrift.BeginStruct();
        thrift.BeginStructList(1, group.Chunks.Count);
        foreach (var chunk in group.Chunks)
        {
            thrift.BeginStruct();
            thrift.WriteInt64(2, 0);
            WriteChunk(thrift, chunk);
            if (offsetIndexes.TryGetValue(chunk, out var offsets))
            {
                thrift.WriteInt64(4, offsets.Offset);
                thrift.WriteInt32(5, offsets.Length);
            }
            if (columnIndexes.TryGetValue(chunk, out var columns))
            {
                thrift.WriteInt64(6, columns.Offset);
                thrift.WriteInt32(7, columns.Length);
            }
            thrift.EndStruct();
        }
        thrift.WriteInt64(2, group.Chunks.Sum(static chunk => chunk.UncompressedBytes));
        thrift.WriteInt64(3, group.Rows);
        thrift.WriteInt64(5, group.Chunks[0].Start);
        thrift.WriteInt64(6, group.Chunks.Sum(static chunk => chunk.CompressedBytes));
        if (ordinal <= short.MaxValue)
        {
            thrift.WriteInt16(7, (short)ordinal);
        }
        thrift.EndStruct();
    }

    private void WriteChunk(ThriftWriter thrift, ChunkRecord chunk)
    {
        thrift.BeginStruct(3);
        thrift.WriteInt32(1, (int)chunk.Leaf.Physical);
        WriteEncodings(thrift, chunk);
        thrift.BeginBinaryList(3, chunk.Leaf.Names.Count);
        foreach (var name in chunk.Leaf.Names)
        {
            thrift.WriteTextElement(name);
        }
        thrift.WriteInt32(4, (int)chunk.Codec);
        thrift.WriteInt64(5, chunk.Entries);
        thrift.WriteInt64(6, chunk.UncompressedBytes);
        thrift.WriteInt64(7, chunk.CompressedBytes);
        thrift.WriteInt64(9, chunk.FirstDataPage);
        if (chunk.DictionaryPage is { } dictionary)
        {
            thrift.WriteInt64(11, dictionary);
        }
        thrift.WriteSerializedStruct(12, Bytes(chunk.Statistics));
        WriteEncodingStats(thrift, chunk);
        if (chunk.BloomFilter is { } bloom)
        {
            thrift.WriteInt64(14, bloom.Offset);
            thrift.WriteInt32(15, bloom.Length);
        }
        thrift.EndStruct();
    }

    private static void WriteEncodings(ThriftWriter thrift, ChunkRecord chunk)
    {
        PageEncoding[] encodings = chunk.DictionaryPage is null
            ? [PageEncoding.RunLength, chunk.Encoding]
            : [PageEncoding.Plain, PageEncoding.RunLength, chunk.Encoding];
        thrift.BeginInt32List(2, encodings.Length);
        Array.ForEach(encodings, encoding => thrift.WriteIntegerElement((int)encoding));
    }

    private static void WriteEncodingStats(ThriftWriter thrift, ChunkRecord chunk)
    {
        const int DataPage = 0, DictionaryPage = 2;
        thrift.BeginStructList(13, chunk.DictionaryPage is null ? 1 : 2);
        if (chunk.DictionaryPage is not null)
        {
            Write(DictionaryPage, PageEncoding.Plain, 1);
        }
        Write(DataPage, chunk.Encoding, chunk.DataPages);

        void Write(int page, PageEncoding encoding, long count)
        {
            thrift.BeginStruct();
            thrift.WriteInt32(1, page);
            thrift.WriteInt32(2, (int)encoding);
            thrift.WriteInt32(3, (int)count);
            thrift.EndStruct();
        }
    }

    private static void WriteMetadata(ThriftWriter thrift, IReadOnlyDictionary<string, string> metadata)
    {
        if (metadata.Count == 0)
        {
            return;
        }
        thrift.BeginStructList(5, metadata.Count);
        foreach (var (key, value) in metadata.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            thrift.BeginStruct();
            thrift.WriteText(1, key);
            thrift.WriteText(2, value);
            thrift.EndStruct();
        }
    }

    private ReadOnlySpan<byte> Bytes(FileRange range) => new(indexes.Data + range.Offset, range.Length);
}
