using System.IO.Compression;
using System.Text.Json;

namespace Frazil.Iceberg.Json;

public static partial class TableMetadataJson
{
    /// <summary>The bytes of a metadata file: UTF-8 JSON, gzipped where the table's properties say so.</summary>
    public static byte[] WriteFile(TableMetadata metadata) => WriteFile(metadata, metadata.TableProperties.CompressMetadata);

    internal static byte[] WriteFile(TableMetadata metadata, bool compress)
    {
        var json = Write(metadata);
        if (!compress)
            return json;
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
            gzip.Write(json);
        return compressed.ToArray();
    }

    /// <summary>The metadata as UTF-8 JSON.</summary>
    public static byte[] Write(TableMetadata metadata) => JsonFields.Write(writer => Write(writer, metadata));

    internal static void Write(Utf8JsonWriter writer, TableMetadata metadata)
    {
        writer.WriteStartObject();
        writer.WriteNumber("format-version", metadata.FormatVersion);
        if (metadata.TableUuid != Guid.Empty)
            writer.WriteString("table-uuid", metadata.TableUuid);
        writer.WriteString("location", metadata.Location);
        if (metadata.FormatVersion > 1)
            writer.WriteNumber("last-sequence-number", metadata.LastSequenceNumber);
        writer.WriteNumber("last-updated-ms", metadata.LastUpdatedMs);
        writer.WriteNumber("last-column-id", metadata.LastColumnId);
        WriteSchemas(writer, metadata);
        WriteSpecs(writer, metadata);
        writer.WriteNumber("default-sort-order-id", metadata.DefaultSortOrderId);
        WriteArray(writer, "sort-orders", metadata.SortOrders, SpecJson.Write);
        writer.WriteTextMap("properties", metadata.Properties);
        if (metadata.CurrentSnapshotId is { } current)
            writer.WriteNumber("current-snapshot-id", current);
        else if (metadata.FormatVersion < 3)
            writer.WriteNumber("current-snapshot-id", -1);      // what readers of that time expect for "none"
        if (metadata.FormatVersion >= 3)
            writer.WriteNumber("next-row-id", metadata.NextRowId);
        writer.WriteStartObject("refs");
        foreach (var (name, reference) in metadata.Refs)
        {
            writer.WritePropertyName(name);
            Write(writer, reference);
        }
        writer.WriteEndObject();
        WriteArray(writer, "snapshots", metadata.Snapshots, (w, snapshot) => Write(w, snapshot, metadata.FormatVersion));
        WriteArray(writer, "statistics", metadata.Statistics, (w, file) => w.WriteRawValue(file.Json));
        WriteArray(writer, "partition-statistics", metadata.PartitionStatistics, (w, file) => w.WriteRawValue(file.Json));
        WriteLogs(writer, metadata);
        writer.WriteUnknown(metadata.UnknownFields);
        writer.WriteEndObject();
    }

    internal static void Write(Utf8JsonWriter writer, Snapshot snapshot, int formatVersion = 2)
    {
        writer.WriteStartObject();
        // Snapshots of the time before an upgrade to v2 have none.
        if (formatVersion > 1 && snapshot.SequenceNumber > 0)
            writer.WriteNumber("sequence-number", snapshot.SequenceNumber);
        writer.WriteNumber("snapshot-id", snapshot.SnapshotId);
        if (snapshot.ParentSnapshotId is { } parent)
            writer.WriteNumber("parent-snapshot-id", parent);
        writer.WriteNumber("timestamp-ms", snapshot.TimestampMs);
        if (snapshot.Summary.Count > 0)
            writer.WriteTextMap("summary", snapshot.Summary);
        if (snapshot.ManifestList is not null)
        {
            writer.WriteString("manifest-list", snapshot.ManifestList);
        }
        else
        {
            writer.WriteStartArray("manifests");
            foreach (var location in snapshot.Manifests)
                writer.WriteStringValue(location);
            writer.WriteEndArray();
        }
        if (snapshot.SchemaId is { } schemaId)
            writer.WriteNumber("schema-id", schemaId);
        if (snapshot.FirstRowId is { } firstRowId)
            writer.WriteNumber("first-row-id", firstRowId);
        if (snapshot.AddedRows is { } addedRows)
            writer.WriteNumber("added-rows", addedRows);
        writer.WriteUnknown(snapshot.UnknownFields);
        writer.WriteEndObject();
    }

    internal static void Write(Utf8JsonWriter writer, SnapshotRef reference)
    {
        writer.WriteStartObject();
        WriteFields(writer, reference);
        writer.WriteEndObject();
    }

    internal static void WriteFields(Utf8JsonWriter writer, SnapshotRef reference)
    {
        writer.WriteNumber("snapshot-id", reference.SnapshotId);
        writer.WriteString("type", reference.IsBranch ? "branch" : "tag");
        if (reference.MinSnapshotsToKeep is { } keep)
            writer.WriteNumber("min-snapshots-to-keep", keep);
        if (reference.MaxSnapshotAgeMs is { } snapshotAge)
            writer.WriteNumber("max-snapshot-age-ms", snapshotAge);
        if (reference.MaxRefAgeMs is { } refAge)
            writer.WriteNumber("max-ref-age-ms", refAge);
    }

    private static void WriteSchemas(Utf8JsonWriter writer, TableMetadata metadata)
    {
        if (metadata.FormatVersion == 1)
        {
            writer.WritePropertyName("schema");
            SchemaJson.Write(writer, metadata.CurrentSchema);
        }
        writer.WriteNumber("current-schema-id", metadata.CurrentSchemaId);
        WriteArray(writer, "schemas", metadata.Schemas, (w, schema) => SchemaJson.Write(w, schema));
    }

    private static void WriteSpecs(Utf8JsonWriter writer, TableMetadata metadata)
    {
        if (metadata.FormatVersion == 1)
        {
            writer.WritePropertyName("partition-spec");
            SpecJson.WriteFields(writer, metadata.DefaultSpec);
        }
        writer.WriteNumber("default-spec-id", metadata.DefaultSpecId);
        WriteArray(writer, "partition-specs", metadata.PartitionSpecs, SpecJson.Write);
        writer.WriteNumber("last-partition-id", metadata.LastPartitionId);
    }

    private static void WriteLogs(Utf8JsonWriter writer, TableMetadata metadata)
    {
        WriteArray(writer, "snapshot-log", metadata.SnapshotLog, (w, entry) =>
        {
            w.WriteStartObject();
            w.WriteNumber("timestamp-ms", entry.TimestampMs);
            w.WriteNumber("snapshot-id", entry.SnapshotId);
            w.WriteEndObject();
        });
        WriteArray(writer, "metadata-log", metadata.MetadataLog, (w, entry) =>
        {
            w.WriteStartObject();
            w.WriteNumber("timestamp-ms", entry.TimestampMs);
            w.WriteString("metadata-file", entry.MetadataFile);
            w.WriteEndObject();
        });
    }

    private static void WriteArray<T>(Utf8JsonWriter writer, string name, IReadOnlyList<T> items, Action<Utf8JsonWriter, T> write)
    {
        writer.WriteStartArray(name);
        foreach (var item in items)
            write(writer, item);
        writer.WriteEndArray();
    }
}
