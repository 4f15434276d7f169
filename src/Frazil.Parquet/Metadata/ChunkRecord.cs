using Frazil.Parquet.Schema;

namespace Frazil.Parquet.Metadata;

/// <summary>Encodings; the numbers are the format's own.</summary>
internal enum PageEncoding : byte
{
    Plain = 0, RunLength = 3, DeltaBinaryPacked = 5, DeltaLengthByteArray = 6, RleDictionary = 8, ByteStreamSplit = 9,
}

/// <summary>Bytes in a file.</summary>
internal readonly record struct FileRange(long Offset, int Length);

/// <summary>What the footer says about one column chunk, besides its statistics.</summary>
internal sealed class ChunkRecord
{
    public required LeafColumn Leaf { get; init; }

    public required PageEncoding Encoding { get; init; }

    public required ParquetCodec Codec { get; init; }

    /// <summary>Entries, nulls included.</summary>
    public required long Entries { get; init; }

    public required long DataPages { get; init; }

    public required long UncompressedBytes { get; init; }

    public required long CompressedBytes { get; init; }

    public required long FirstDataPage { get; init; }

    /// <summary>Null where there is no dictionary.</summary>
    public required long? DictionaryPage { get; init; }

    /// <summary>The serialized statistics, in the buffer of the file.</summary>
    public required FileRange Statistics { get; init; }

    /// <summary>The serialized column index, in the buffer of the file; null where the chunk has none.</summary>
    public required FileRange? ColumnIndex { get; init; }

    /// <summary>The serialized offset index, likewise.</summary>
    public required FileRange? OffsetIndex { get; init; }

    public FileRange? BloomFilter { get; set; }

    public long Start => DictionaryPage ?? FirstDataPage;
}

/// <summary>One row group of the footer.</summary>
internal sealed record RowGroupRecord(long Rows, IReadOnlyList<ChunkRecord> Chunks);
