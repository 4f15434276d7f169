using Frazil.Flush;
using Frazil.Iceberg;

namespace Frazil.Config;

/// <summary>The checks of the Iceberg table properties that users set: each is honoured, is for other engines, or is refused here. Nothing
/// is accepted and then passed over.</summary>
/// <param name="errors">Where what is wrong goes.</param>
/// <param name="warehouse">Where tables are; null where only their catalog knows.</param>
internal sealed class TablePropertyValidator(ConfigErrors errors, string? warehouse)
{
    /// <summary>What Frazil reads.</summary>
    private static readonly HashSet<string> Honoured =
    [
        "commit.retry.num-retries", "commit.retry.min-wait-ms", "commit.retry.max-wait-ms", "commit.retry.total-timeout-ms",
        "commit.manifest.target-size-bytes", "commit.manifest.min-count-to-merge", "commit.manifest-merge.enabled",
        "write.metadata.previous-versions-max", "write.metadata.delete-after-commit.enabled", "write.metadata.compression-codec",
        "write.metadata.path", "write.metadata.metrics.default", "write.metadata.metrics.max-inferred-column-defaults",
        "write.data.path", "write.format.default", "write.target-file-size-bytes", "write.parquet.compression-codec",
        "write.parquet.compression-level", "write.parquet.row-group-size-bytes", "write.parquet.page-size-bytes",
        "write.parquet.page-row-limit", "write.parquet.dict-size-bytes", "write.parquet.bloom-filter-max-bytes",
        "write.object-storage.enabled", "write.object-storage.partitioned-paths",
    ];

    /// <summary>What Frazil reads of single columns, and what says how other engines write the table.</summary>
    private static readonly string[] Prefixes =
    [
        "write.metadata.metrics.column.", "write.parquet.bloom-filter-enabled.column.", "write.parquet.bloom-filter-fpp.column.", "write.delete.", "write.update.", "write.merge.", "write.distribution-mode", "write.spark.",
        "write.upsert.", "write.avro.", "write.orc.",
    ];

    /// <summary>Prefixes under which only those may stand.</summary>
    private static readonly string[] Watched = ["write.", "commit.", "encryption."];

    public void Validate(IReadOnlyList<TableOptions> tables)
    {
        for (var index = 0; index < tables.Count; index++)
        {
            var prefix = $"tables[{index}].properties";
            foreach (var problem in TablePropertyRules.Problems(tables[index].Properties))
            {
                errors.Add($"{prefix}.{problem.Name}", problem.Value, problem.What, problem.Allowed);
            }
            foreach (var (name, value) in tables[index].Properties)
            {
                Validate($"{prefix}.{name}", name, value);
            }
        }
    }

    private void Validate(string key, string name, string value)
    {
        switch (name)
        {
            case "format-version" when value == "3":
                errors.Add(key, value, "cannot be written yet", "Write \"2\", or leave it out");
                break;
            case "write.format.default" when !value.Equals("parquet", StringComparison.OrdinalIgnoreCase):
                errors.Add(key, value, "is a format that Frazil does not write", "Write \"parquet\", or leave it out");
                break;
            case "write.parquet.compression-codec" when !DataFileFormat.Codecs.ContainsKey(value.ToLowerInvariant()):
                errors.Add(key, value, "is a codec that cannot be written", $"Use one of {string.Join(", ", DataFileFormat.Codecs.Keys)}");
                break;
            case "write.parquet.compression-level" when !IsLevel(value):
                errors.Add(key, value, "is no level of zstd", $"Write {DataFileFormat.LeastZstdLevel} to {DataFileFormat.MostZstdLevel}");
                break;
            case DataFileFormat.EncodingsProperty when !DataFileFormat.Encodings.ContainsKey(value.ToLowerInvariant()):
                errors.Add(key, value, "is no set of encodings", $"Use one of {string.Join(", ", DataFileFormat.Encodings.Keys)}");
                break;
            case "write.data.path" or "write.metadata.path" when IsOutside(value):
                errors.Add(key, value, "is outside of catalog.warehouse, where Frazil's SQL reads nothing", "Choose a folder below catalog.warehouse");
                break;
            default:
                if (Watched.Any(prefix => Begins(name, prefix)) && !Honoured.Contains(name) && !Prefixes.Any(prefix => Begins(name, prefix)))
                {
                    errors.Add(key, value, "is no table property that Frazil heeds, so nothing would be written by it", "Remove it");
                }
                break;
        }
    }

    private static bool IsLevel(string value)
        => int.TryParse(value, out var level) && level is >= DataFileFormat.LeastZstdLevel and <= DataFileFormat.MostZstdLevel;

    private static bool Begins(string name, string prefix) => name.StartsWith(prefix, StringComparison.Ordinal);

    /// <summary>Other stores are outside too. Both are compared as folders, not as spellings.</summary>
    private bool IsOutside(string location)
        => warehouse is not null && (LocalPath(location) is not { } path || LocalPath(warehouse) is not { } root
            || !(Path.GetFullPath(path).TrimEnd('/') + "/").StartsWith(Path.GetFullPath(root).TrimEnd('/') + "/", StringComparison.Ordinal));

    private static string? LocalPath(string location)
    {
        if (location.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
        {
            var rest = location["file:".Length..];
            return rest.StartsWith("//", StringComparison.Ordinal) ? rest[2..] : rest;
        }
        return location.Length == 0 || location.Contains("://", StringComparison.Ordinal) ? null : location;
    }
}
