using Frazil.Iceberg.Metrics;

namespace Frazil.Iceberg;

/// <param name="Name">The property.</param>
/// <param name="Value">What it is set to.</param>
/// <param name="What">What is wrong with that, as the end of a sentence about it.</param>
/// <param name="Allowed">What may be written instead.</param>
public sealed record TablePropertyProblem(string Name, string Value, string What, string Allowed)
{
    public override string ToString() => $"The table property {Name} is '{Value}': it {What}. {Allowed}.";
}

/// <summary>
/// Judges the values of standard table properties that this library reads, for whoever is about to set them: a value that would only be
/// passed over later is a mistake to be told now. Names that it does not know are anybody's own.
/// </summary>
public static class TablePropertyRules
{
    private static readonly HashSet<string> Flags =
    [
        "commit.manifest-merge.enabled", "write.metadata.delete-after-commit.enabled", "gc.enabled", "write.object-storage.enabled",
        "write.object-storage.partitioned-paths",
    ];

    private static readonly Dictionary<string, long> Least = new()
    {
        ["commit.retry.num-retries"] = 0,
        ["commit.retry.min-wait-ms"] = 0,
        ["commit.retry.max-wait-ms"] = 0,
        ["commit.retry.total-timeout-ms"] = 0,
        ["commit.manifest.target-size-bytes"] = 1,
        ["commit.manifest.min-count-to-merge"] = 0,
        ["write.metadata.previous-versions-max"] = 1,
        ["write.metadata.metrics.max-inferred-column-defaults"] = 0,
        ["write.target-file-size-bytes"] = 1,
        ["write.parquet.row-group-size-bytes"] = 1,
        ["write.parquet.page-size-bytes"] = 1,
        ["write.parquet.page-row-limit"] = 1,
        ["write.parquet.dict-size-bytes"] = 1,
        ["write.parquet.bloom-filter-max-bytes"] = 32,
        ["history.expire.max-snapshot-age-ms"] = 0,
        ["history.expire.max-ref-age-ms"] = 0,
        ["history.expire.min-snapshots-to-keep"] = 1,
    };

    /// <summary>Everything that is wrong; empty where nothing is.</summary>
    public static IReadOnlyList<TablePropertyProblem> Problems(IReadOnlyDictionary<string, string> properties)
        => [.. properties.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => ProblemOf(pair.Key, pair.Value)).OfType<TablePropertyProblem>()];

    /// <exception cref="ValidationException">Lists everything that is wrong.</exception>
    public static void Check(IReadOnlyDictionary<string, string> properties)
    {
        if (Problems(properties) is { Count: > 0 } problems)
            throw new ValidationException(string.Join(' ', problems));
    }

    private static TablePropertyProblem? ProblemOf(string name, string value)
    {
        TablePropertyProblem Wrong(string what, string allowed) => new(name, value, what, allowed);
        if (Flags.Contains(name) || name.StartsWith(TableProperties.ParquetBloomFilterPrefix, StringComparison.Ordinal))
            return bool.TryParse(value, out _) ? null : Wrong("is neither true nor false", "Write true or false");
        if (Least.TryGetValue(name, out var least))
            return TableProperties.TryNumber(value, out var number) && number >= least
                ? null
                : Wrong($"is no whole number of at least {least}", "Write a whole number");
        if (name.StartsWith(TableProperties.ParquetBloomFilterSharePrefix, StringComparison.Ordinal))
            return TableProperties.TryShare(value, out _) ? null : Wrong("is no share between 0 and 1", "Write a number such as 0.01");
        if (name == "format-version")
            return value is "2" or "3" ? null : Wrong("cannot be created", "Write 2 (the default) or 3");
        if (name == "write.metadata.compression-codec")
            return value.ToLowerInvariant() is "none" or "gzip" ? null : Wrong("is no codec of metadata files", "Write none or gzip");
        if (name is "write.data.path" or "write.metadata.path")
            return value.Contains("://", StringComparison.Ordinal) || value.StartsWith("file:/", StringComparison.Ordinal) || value.StartsWith('/')
                ? null
                : Wrong("is no absolute location", "Write a folder with its scheme");
        return MetricsConfig.IsMode(name) && !MetricsMode.TryParse(value, out _)
            ? Wrong("is no metrics mode", "Write none, counts, truncate(N) with a positive N, or full")
            : null;
    }
}
