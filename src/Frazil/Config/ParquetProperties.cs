using Frazil.Parquet;

namespace Frazil.Config;

/// <summary>What table properties may say about Parquet files: for the check of what users set, and for whoever writes the files.</summary>
internal static class ParquetProperties
{
    /// <summary>A property of our own, as Iceberg has none for it: <c>delta</c> makes files some 15 % smaller, which Spark with an Iceberg
    /// before 1.10 reads only without its vectorised reader.</summary>
    public const string EncodingsProperty = "frazil.parquet.encodings";

    public const int LeastZstdLevel = 1;
    public const int MostZstdLevel = 22;

    /// <summary>Values of <c>write.parquet.compression-codec</c> that are written.</summary>
    public static IReadOnlyDictionary<string, ParquetCodec> Codecs { get; } = new Dictionary<string, ParquetCodec>
    {
        ["zstd"] = ParquetCodec.Zstd,
        ["snappy"] = ParquetCodec.Snappy,
        ["gzip"] = ParquetCodec.Gzip,
        ["lz4"] = ParquetCodec.Lz4Raw,
        ["uncompressed"] = ParquetCodec.Uncompressed,
    };

    /// <summary>Values of <see cref="EncodingsProperty"/>.</summary>
    public static IReadOnlyDictionary<string, ParquetEncodings> Encodings { get; } = new Dictionary<string, ParquetEncodings>
    {
        ["basic"] = ParquetEncodings.Basic,
        ["delta"] = ParquetEncodings.Delta,
    };
}
