using System.Globalization;

namespace Frazil.Iceberg;

/// <summary>
/// Typed access to Iceberg's standard table properties, with the defaults of the Java library. Any engine may have set any value, so
/// reading never throws: what is no number counts as not set, and of flags only <c>true</c> is true, as in Java. What our own users set is
/// judged by <see cref="TablePropertyRules"/> before it gets into a table.
/// </summary>
public readonly struct TableProperties(IReadOnlyDictionary<string, string> properties)
{
    internal const string ParquetBloomFilterPrefix = "write.parquet.bloom-filter-enabled.column.";
    internal const string ParquetBloomFilterSharePrefix = "write.parquet.bloom-filter-fpp.column.";

    /// <summary>Longer waits are no waits: it is also the most that a timer takes.</summary>
    private const long LongestWaitMs = int.MaxValue;

    /// <summary><c>commit.retry.num-retries</c>, 4.</summary>
    public int CommitRetries => (int)Number("commit.retry.num-retries", 4, 0, int.MaxValue);

    /// <summary><c>commit.retry.min-wait-ms</c>, 100 ms.</summary>
    public TimeSpan CommitRetryMinWait => Wait("commit.retry.min-wait-ms", 100);

    /// <summary><c>commit.retry.max-wait-ms</c>, 1 minute.</summary>
    public TimeSpan CommitRetryMaxWait => Wait("commit.retry.max-wait-ms", 60_000);

    /// <summary><c>commit.retry.total-timeout-ms</c>, 30 minutes.</summary>
    public TimeSpan CommitRetryTotal => Wait("commit.retry.total-timeout-ms", 1_800_000);

    /// <summary><c>commit.manifest.target-size-bytes</c>, 8 MiB.</summary>
    public long ManifestTargetBytes => Number("commit.manifest.target-size-bytes", 8 * 1024 * 1024, 1, long.MaxValue / 2);

    /// <summary><c>commit.manifest.min-count-to-merge</c>, 100.</summary>
    public int ManifestMinCountToMerge => (int)Number("commit.manifest.min-count-to-merge", 100, 0, int.MaxValue);

    /// <summary><c>commit.manifest-merge.enabled</c>, true.</summary>
    public bool ManifestMergeEnabled => Flag("commit.manifest-merge.enabled", true);

    /// <summary><c>write.metadata.previous-versions-max</c>, 100.</summary>
    public int PreviousVersionsMax => (int)Number("write.metadata.previous-versions-max", 100, 1, int.MaxValue);

    /// <summary><c>write.metadata.delete-after-commit.enabled</c>, false.</summary>
    public bool DeleteMetadataAfterCommit => Flag("write.metadata.delete-after-commit.enabled", false);

    /// <summary><c>write.metadata.compression-codec</c>: true for gzip; none is the default, and what a codec that we do not know comes
    /// to.</summary>
    public bool CompressMetadata => Text("write.metadata.compression-codec", "none").Equals("gzip", StringComparison.OrdinalIgnoreCase);

    /// <summary><c>write.target-file-size-bytes</c>, 512 MiB.</summary>
    public long TargetFileBytes => Number("write.target-file-size-bytes", 512L * 1024 * 1024, 1, long.MaxValue / 2);

    /// <summary><c>write.parquet.compression-codec</c>, zstd; lower case.</summary>
    public string ParquetCodec => Text("write.parquet.compression-codec", "zstd").ToLowerInvariant();

    /// <summary><c>write.parquet.compression-level</c>; null for the codec's own default.</summary>
    public int? ParquetLevel
        => TryNumber(properties.GetValueOrDefault("write.parquet.compression-level"), out var level)
            ? (int)Math.Clamp(level, int.MinValue, int.MaxValue) : null;

    /// <summary><c>write.parquet.row-group-size-bytes</c>; null where it is not set.</summary>
    public long? ParquetRowGroupBytes => Size("write.parquet.row-group-size-bytes", 1, long.MaxValue / 2);

    /// <summary><c>write.parquet.page-size-bytes</c>; null where it is not set.</summary>
    public int? ParquetPageBytes => (int?)Size("write.parquet.page-size-bytes", 1, int.MaxValue / 4);

    /// <summary><c>write.parquet.page-row-limit</c>; null where it is not set.</summary>
    public int? ParquetPageRows => (int?)Size("write.parquet.page-row-limit", 1, int.MaxValue / 4);

    /// <summary><c>write.parquet.dict-size-bytes</c>; null where it is not set.</summary>
    public int? ParquetDictionaryBytes => (int?)Size("write.parquet.dict-size-bytes", 1, int.MaxValue / 4);

    /// <summary><c>write.parquet.bloom-filter-max-bytes</c>, 1 MiB; 32 bytes is the smallest filter that there is.</summary>
    public int ParquetBloomFilterBytes => (int)Number("write.parquet.bloom-filter-max-bytes", 1024 * 1024, 32, int.MaxValue / 4);

    /// <summary><c>write.parquet.bloom-filter-enabled.column.NAME</c>: whether the column of this dotted name gets Bloom filters.</summary>
    public bool ParquetBloomFilter(string column, bool fallback) => Flag(ParquetBloomFilterPrefix + column, fallback);

    /// <summary><c>write.parquet.bloom-filter-fpp.column.NAME</c>, 0.01: the share of absent values that a filter takes for present.</summary>
    public double ParquetBloomFilterShare(string column)
        => TryShare(properties.GetValueOrDefault(ParquetBloomFilterSharePrefix + column), out var share) ? share : 0.01;

    /// <summary>Names of the columns that <c>write.parquet.bloom-filter-enabled.column.</c> speaks of, whatever it says.</summary>
    public IEnumerable<string> ParquetBloomFilterColumns
        => properties.Keys.Where(static name => name.StartsWith(ParquetBloomFilterPrefix, StringComparison.Ordinal))
            .Select(static name => name[ParquetBloomFilterPrefix.Length..]);

    /// <summary><c>write.object-storage.enabled</c>, false: folders of data files begin with a hash.</summary>
    public bool ObjectStorage => Flag("write.object-storage.enabled", false);

    /// <summary><c>write.object-storage.partitioned-paths</c>, true: partition values are in the paths of hashed folders too.</summary>
    public bool ObjectStoragePartitionedPaths => Flag("write.object-storage.partitioned-paths", true);

    /// <summary><c>history.expire.max-snapshot-age-ms</c>, 5 days.</summary>
    public TimeSpan MaxSnapshotAge
        => TimeSpan.FromMilliseconds(Number("history.expire.max-snapshot-age-ms", 432_000_000, 0, (long)TimeSpan.FromDays(36_500).TotalMilliseconds));

    /// <summary><c>history.expire.min-snapshots-to-keep</c>, 1.</summary>
    public int MinSnapshotsToKeep => (int)Number("history.expire.min-snapshots-to-keep", 1, 1, int.MaxValue);

    /// <summary><c>gc.enabled</c>, true: whether files may be deleted at all.</summary>
    public bool GarbageCollection => Flag("gc.enabled", true);

    /// <summary>The text of a property, or the default where it is not set.</summary>
    public string Text(string name, string fallback) => properties.GetValueOrDefault(name, fallback);

    /// <summary>A whole number, at most <paramref name="most"/>; the default where the property is not set, is no number, or too low.</summary>
    public long Number(string name, long fallback, long least = long.MinValue, long most = long.MaxValue)
        => TryNumber(properties.GetValueOrDefault(name), out var number) && number >= least ? Math.Min(number, most) : fallback;

    /// <summary>True only for <c>true</c> in any case; the default where the property is not set.</summary>
    public bool Flag(string name, bool fallback)
        => properties.TryGetValue(name, out var text) ? text.Trim().Equals("true", StringComparison.OrdinalIgnoreCase) : fallback;

    internal static bool TryNumber(string? text, out long number)
        => long.TryParse(text?.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);

    /// <summary>A number between 0 and 1, both left out.</summary>
    internal static bool TryShare(string? text, out double share)
        => double.TryParse(text?.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out share) && share is > 0 and < 1;

    private long? Size(string name, long least, long most)
        => TryNumber(properties.GetValueOrDefault(name), out var number) && number >= least ? Math.Min(number, most) : null;

    private TimeSpan Wait(string name, long fallback) => TimeSpan.FromMilliseconds(Number(name, fallback, 0, LongestWaitMs));
}
