using System.Globalization;

namespace Frazil.Iceberg;

/// <summary>Typed access to Iceberg's standard table properties, with the defaults of the Java library.</summary>
public readonly struct TableProperties(IReadOnlyDictionary<string, string> properties)
{
    /// <summary><c>commit.retry.num-retries</c>, 4.</summary>
    public int CommitRetries => (int)Number("commit.retry.num-retries", 4);

    /// <summary><c>commit.retry.min-wait-ms</c>, 100 ms.</summary>
    public TimeSpan CommitRetryMinWait => TimeSpan.FromMilliseconds(Number("commit.retry.min-wait-ms", 100));

    /// <summary><c>commit.retry.max-wait-ms</c>, 1 minute.</summary>
    public TimeSpan CommitRetryMaxWait => TimeSpan.FromMilliseconds(Number("commit.retry.max-wait-ms", 60_000));

    /// <summary><c>commit.retry.total-timeout-ms</c>, 30 minutes.</summary>
    public TimeSpan CommitRetryTotal => TimeSpan.FromMilliseconds(Number("commit.retry.total-timeout-ms", 1_800_000));

    /// <summary><c>commit.manifest.target-size-bytes</c>, 8 MiB.</summary>
    public long ManifestTargetBytes => Number("commit.manifest.target-size-bytes", 8 * 1024 * 1024);

    /// <summary><c>commit.manifest.min-count-to-merge</c>, 100.</summary>
    public int ManifestMinCountToMerge => (int)Number("commit.manifest.min-count-to-merge", 100);

    /// <summary><c>commit.manifest-merge.enabled</c>, true.</summary>
    public bool ManifestMergeEnabled => Flag("commit.manifest-merge.enabled", true);

    /// <summary><c>write.metadata.previous-versions-max</c>, 100.</summary>
    public int PreviousVersionsMax => (int)Math.Max(1, Number("write.metadata.previous-versions-max", 100));

    /// <summary><c>write.metadata.delete-after-commit.enabled</c>, false.</summary>
    public bool DeleteMetadataAfterCommit => Flag("write.metadata.delete-after-commit.enabled", false);

    /// <summary><c>write.metadata.compression-codec</c>: true for gzip; none is the default.</summary>
    public bool CompressMetadata => Text("write.metadata.compression-codec", "none").ToLowerInvariant() switch
    {
        "none" => false,
        "gzip" => true,
        var other => throw new ValidationException(
            $"The table property write.metadata.compression-codec is '{other}'; allowed are none and gzip."),
    };

    /// <summary><c>write.target-file-size-bytes</c>, 512 MiB.</summary>
    public long TargetFileBytes => Number("write.target-file-size-bytes", 512L * 1024 * 1024);

    /// <summary><c>write.parquet.compression-codec</c>, zstd.</summary>
    public string ParquetCodec => Text("write.parquet.compression-codec", "zstd");

    /// <summary><c>history.expire.max-snapshot-age-ms</c>, 5 days.</summary>
    public TimeSpan MaxSnapshotAge => TimeSpan.FromMilliseconds(Number("history.expire.max-snapshot-age-ms", 432_000_000));

    /// <summary><c>history.expire.min-snapshots-to-keep</c>, 1.</summary>
    public int MinSnapshotsToKeep => (int)Number("history.expire.min-snapshots-to-keep", 1);

    /// <summary><c>gc.enabled</c>, true: whether files may be deleted at all.</summary>
    public bool GarbageCollection => Flag("gc.enabled", true);

    /// <summary>The text of a property, or the default where it is not set.</summary>
    public string Text(string name, string fallback) => properties.GetValueOrDefault(name, fallback);

    /// <exception cref="ValidationException">The property is set and no whole number.</exception>
    public long Number(string name, long fallback)
    {
        if (!properties.TryGetValue(name, out var text))
            return fallback;
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new ValidationException($"The table property {name} is '{text}': a whole number is expected.");
    }

    /// <exception cref="ValidationException">The property is set and neither true nor false.</exception>
    public bool Flag(string name, bool fallback)
    {
        if (!properties.TryGetValue(name, out var text))
            return fallback;
        return bool.TryParse(text, out var flag)
            ? flag
            : throw new ValidationException($"The table property {name} is '{text}': true or false is expected.");
    }
}
