namespace Frazil.Parquet;

/// <summary>How pages are compressed; the numbers are the format's own.</summary>
public enum ParquetCodec : byte
{
    Uncompressed = 0,
    Snappy = 1,
    Gzip = 2,
    Zstd = 6,
    /// <summary>LZ4 blocks without a frame.</summary>
    Lz4Raw = 7,
}

/// <summary>Which encodings a file may have, from what every reader knows to what only new ones do.</summary>
public enum ParquetEncodings : byte
{
    /// <summary>PLAIN and RLE_DICTIONARY.</summary>
    Basic,
    /// <summary>DELTA_BINARY_PACKED for integers too: smaller and faster, but Iceberg's vectorised Spark reader knows it only since
    /// 1.10.</summary>
    Delta,
    /// <summary>DELTA_LENGTH_BYTE_ARRAY for text and BYTE_STREAM_SPLIT for floating point too.</summary>
    All,
}

/// <summary>How a file is written. The same options and rows give the same bytes.</summary>
public sealed record ParquetOptions
{
    public ParquetCodec Codec { get; init; } = ParquetCodec.Zstd;

    /// <summary>1 to 22 for zstd (negative ones are faster still), 1 to 9 for gzip; others have none.</summary>
    public int CompressionLevel { get; init; } = 1;

    public ParquetEncodings Encodings { get; init; } = ParquetEncodings.Basic;

    /// <summary>Rows of a row group at most.</summary>
    public int RowGroupRows { get; init; } = 1 << 20;

    /// <summary>Bytes of a row group in memory at most, unless one row alone is larger. Bounds what a writer needs.</summary>
    public long RowGroupBytes { get; init; } = 128L << 20;

    /// <summary>Rows of a page at most: the grain at which readers skip by the page index.</summary>
    public int PageRows { get; init; } = 32 * 1024;

    /// <summary>Bytes of a page before compression at most, unless one row alone is larger.</summary>
    public int PageBytes { get; init; } = 1 << 20;

    /// <summary>Bytes of a dictionary page before compression at most; a column that needs more gets none.</summary>
    public int DictionaryBytes { get; init; } = 1 << 20;

    /// <summary>Column and offset index, so that readers can skip pages.</summary>
    public bool HasPageIndex { get; init; } = true;

    /// <summary>A CRC-32 in every page header.</summary>
    public bool HasPageChecksums { get; init; } = true;

    /// <summary>Field ids of leaf columns that get a Bloom filter in every row group, and the share of absent values that each takes for
    /// present. Booleans and floating point get none.</summary>
    public IReadOnlyDictionary<int, double> BloomFilters { get; init; } = new Dictionary<int, double>();

    /// <summary>Bytes of one Bloom filter at most.</summary>
    public int BloomFilterBytes { get; init; } = 1 << 20;

    /// <exception cref="ArgumentOutOfRangeException">A size is not positive, a share not between 0 and 1, or a level none of the codec's.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(RowGroupRows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(RowGroupBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(PageRows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(PageBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(DictionaryBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(BloomFilterBytes, 32);
        var areRates = BloomFilters.Values.All(static share => share is > 0 and < 1);
        var isLevel = Codec switch
        {
            ParquetCodec.Zstd => CompressionLevel is >= -7 and <= 22 and not 0,
            ParquetCodec.Gzip => CompressionLevel is >= 1 and <= 9,
            ParquetCodec.Uncompressed or ParquetCodec.Snappy or ParquetCodec.Lz4Raw => true,
            _ => throw new ArgumentOutOfRangeException(nameof(Codec), Codec, "The codec is none that can be written."),
        };
        ArgumentOutOfRangeException.ThrowIfNotEqual(areRates, true, nameof(BloomFilters));
        ArgumentOutOfRangeException.ThrowIfNotEqual(isLevel, true, nameof(CompressionLevel));
    }
}

/// <summary>Rows that cannot be Parquet as they are. Writing them again fails again.</summary>
public sealed class ParquetRowsException(string message) : Exception(message);
