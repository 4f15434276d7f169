using System.IO.Compression;
using System.Text.Json;

namespace Frazil.Iceberg.Json;

/// <summary>Metadata files: v1, v2 and v3 are read, plain or gzipped; fields that are not known are kept and written back.</summary>
public static partial class TableMetadataJson
{
    public const int MaxFormatVersion = 3;

    private static readonly HashSet<string> KnownFields =
    [
        "format-version", "table-uuid", "location", "last-sequence-number", "last-updated-ms", "last-column-id", "schema", "schemas",
        "current-schema-id", "partition-spec", "partition-specs", "default-spec-id", "last-partition-id", "properties",
        "current-snapshot-id",
        "snapshots", "snapshot-log", "metadata-log", "sort-orders", "default-sort-order-id", "refs", "statistics", "partition-statistics",
        "next-row-id",
    ];

    private static readonly HashSet<string> KnownSnapshotFields =
    [
        "snapshot-id", "parent-snapshot-id", "sequence-number", "timestamp-ms", "manifest-list", "manifests", "summary", "schema-id",
        "first-row-id", "added-rows",
    ];

    /// <summary>Reads the bytes of a metadata file.</summary>
    /// <param name="file">The file as it is stored.</param>
    /// <param name="source">Its location, for messages.</param>
    /// <exception cref="InvalidFormatException">Damaged, or of a version above 3.</exception>
    public static TableMetadata Parse(ReadOnlyMemory<byte> file, string source) => JsonFields.Parse(Inflate(file, source), source, Read);

    internal static TableMetadata Read(JsonElement root)
    {
        var version = root.RequiredInt("format-version");
        if (version is < 1 or > MaxFormatVersion)
            throw new JsonException($"its format version is {version}; 1 to {MaxFormatVersion} can be read.");
        var schemas = ReadSchemas(root);
        var specs = ReadSpecs(root);
        var orders = root.Items("sort-orders").Select(SpecJson.ReadOrder).ToArray();
        var currentSnapshotId = root.Optional("current-snapshot-id")?.GetInt64() is { } id and not -1 ? id : (long?)null;
        var currentSchemaId = root.Optional("current-schema-id")?.GetInt32() ?? schemas[^1].SchemaId;
        var defaultSpecId = root.Optional("default-spec-id")?.GetInt32() ?? specs[^1].SpecId;
        var metadata = new TableMetadata
        {
            FormatVersion = version,
            TableUuid = root.Optional("table-uuid") is { } uuid
                ? uuid.GetGuid()
                : version == 1
                ? Guid.Empty
                : throw new JsonException("the field 'table-uuid' is missing."),
            Location = root.RequiredText("location").TrimEnd('/'),
            LastSequenceNumber = version == 1 ? 0 : root.RequiredLong("last-sequence-number"),
            LastUpdatedMs = root.RequiredLong("last-updated-ms"),
            LastColumnId = root.RequiredInt("last-column-id"),
            Schemas = schemas,
            CurrentSchemaId = currentSchemaId,
            PartitionSpecs = specs,
            DefaultSpecId = defaultSpecId,
            LastPartitionId = root.Optional("last-partition-id")?.GetInt32() ?? specs.Max(spec => spec.HighestFieldId),
            SortOrders = orders.Length > 0 ? orders : [SortOrder.Unsorted],
            DefaultSortOrderId = root.Optional("default-sort-order-id")?.GetInt32() ?? 0,
            Properties = root.TextMap("properties"),
            CurrentSnapshotId = currentSnapshotId,
            Snapshots = [.. root.Items("snapshots").Select(ReadSnapshot)],
            SnapshotLog = [
                .. root.Items("snapshot-log").Select(
                    entry => new SnapshotLogEntry(entry.RequiredLong("timestamp-ms"), entry.RequiredLong("snapshot-id")))],
            MetadataLog = [
                .. root.Items("metadata-log").Select(
                    entry => new MetadataLogEntry(entry.RequiredLong("timestamp-ms"), entry.RequiredText("metadata-file")))],
            Refs = ReadRefs(root, currentSnapshotId),
            Statistics = [.. root.Items("statistics").Select(ReadStatistics)],
            PartitionStatistics = [.. root.Items("partition-statistics").Select(ReadStatistics)],
            NextRowId = root.Optional("next-row-id")?.GetInt64() ?? 0,
            UnknownFields = root.Unknown(KnownFields),
        };
        if (metadata.SchemaById(currentSchemaId) is null || metadata.SpecById(defaultSpecId) is null)
            throw new JsonException(
                $"the current schema {currentSchemaId} or the default partition spec {defaultSpecId} is not in its lists.");
        if (currentSnapshotId is not null && metadata.CurrentSnapshot is null)
            throw new JsonException($"the current snapshot {currentSnapshotId} is not in its list.");
        return metadata;
    }

    private static Schema[] ReadSchemas(JsonElement root)
    {
        var schemas = root.Items("schemas").Select(SchemaJson.Read).ToArray();
        return schemas.Length > 0 ? schemas : [SchemaJson.Read(root.Required("schema"))];
    }

    private static PartitionSpec[] ReadSpecs(JsonElement root)
    {
        var specs = root.Items("partition-specs").Select(SpecJson.ReadSpec).ToArray();
        return specs.Length > 0 ? specs : [new PartitionSpec(0, SpecJson.ReadFields(root.Required("partition-spec")))];
    }

    internal static Snapshot ReadSnapshot(JsonElement element) => new(
        element.RequiredLong("snapshot-id"),
        element.Optional("parent-snapshot-id")?.GetInt64(),
        element.Optional("sequence-number")?.GetInt64() ?? 0,
        element.RequiredLong("timestamp-ms"),
        element.Optional("manifest-list")?.GetString(),
        element.TextMap("summary"),
        element.Optional("schema-id")?.GetInt32())
    {
        Manifests = [.. element.Items("manifests").Select(location => location.GetString()!)],
        FirstRowId = element.Optional("first-row-id")?.GetInt64(),
        AddedRows = element.Optional("added-rows")?.GetInt64(),
        UnknownFields = element.Unknown(KnownSnapshotFields),
    };

    private static Dictionary<string, SnapshotRef> ReadRefs(JsonElement root, long? currentSnapshotId)
    {
        var refs = new Dictionary<string, SnapshotRef>(StringComparer.Ordinal);
        if (root.Optional("refs") is { } named)
            foreach (var property in named.EnumerateObject())
                refs[property.Name] = ReadRef(property.Value);
        // v1 has no refs, and a writer may leave main out.
        if (currentSnapshotId is not null)
            refs.TryAdd(SnapshotRef.MainBranch, new SnapshotRef(currentSnapshotId.Value));
        return refs;
    }

    internal static SnapshotRef ReadRef(JsonElement element) => new(
        element.RequiredLong("snapshot-id"),
        !element.RequiredText("type").Equals("tag", StringComparison.OrdinalIgnoreCase))
    {
        MinSnapshotsToKeep = element.Optional("min-snapshots-to-keep")?.GetInt32(),
        MaxSnapshotAgeMs = element.Optional("max-snapshot-age-ms")?.GetInt64(),
        MaxRefAgeMs = element.Optional("max-ref-age-ms")?.GetInt64(),
    };

    internal static StatisticsFile ReadStatistics(JsonElement element) =>
        new(element.RequiredLong("snapshot-id"), element.RequiredText("statistics-path"), element.GetRawText());

    private static ReadOnlyMemory<byte> Inflate(ReadOnlyMemory<byte> file, string source)
    {
        // By content, not by name: the name of a gzipped file differs between writers.
        if (file.Length < 2 || file.Span[0] != 0x1F || file.Span[1] != 0x8B)
            return file;
        try
        {
            using var stream = new GZipStream(new MemoryStream(file.ToArray(), writable: false), CompressionMode.Decompress);
            using var plain = new MemoryStream();
            stream.CopyTo(plain);
            return plain.GetBuffer().AsMemory(0, (int)plain.Length);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidFormatException($"'{source}' is not intact gzip.", e);
        }
    }
}
