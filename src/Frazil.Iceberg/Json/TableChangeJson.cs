using System.Text.Json;

namespace Frazil.Iceberg.Json;

/// <summary>Requirements and updates of a commit, as the REST catalog protocol writes them.</summary>
internal static class TableChangeJson
{
    public static void Write(Utf8JsonWriter writer, TableRequirement requirement)
    {
        writer.WriteStartObject();
        switch (requirement)
        {
            case TableRequirement.AssertCreate:
                writer.WriteString("type", "assert-create");
                break;
            case TableRequirement.AssertTableUuid(var uuid):
                writer.WriteString("type", "assert-table-uuid");
                writer.WriteString("uuid", uuid);
                break;
            case TableRequirement.AssertRefSnapshotId(var name, var id):
                writer.WriteString("type", "assert-ref-snapshot-id");
                writer.WriteString("ref", name);
                if (id is { } expected)
                    writer.WriteNumber("snapshot-id", expected);
                else
                    writer.WriteNull("snapshot-id");        // said in words: the ref must not exist. Left out, a server may read "any".
                break;
            default:
                var (type, field, number) = NumberOf(requirement);
                writer.WriteString("type", type);
                writer.WriteNumber(field, number);
                break;
        }
        writer.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter writer, TableUpdate update)
    {
        writer.WriteStartObject();
        switch (update)
        {
            case TableUpdate.AssignUuid(var uuid):
                writer.WriteString("action", "assign-uuid");
                writer.WriteString("uuid", uuid);
                break;
            case TableUpdate.UpgradeFormatVersion(var version):
                writer.WriteString("action", "upgrade-format-version");
                writer.WriteNumber("format-version", version);
                break;
            case TableUpdate.SetLocation(var location):
                writer.WriteString("action", "set-location");
                writer.WriteString("location", location);
                break;
            case TableUpdate.SetProperties(var properties):
                writer.WriteString("action", "set-properties");
                writer.WriteTextMap("updates", properties);
                break;
            case TableUpdate.RemoveProperties(var names):
                writer.WriteString("action", "remove-properties");
                WriteTexts(writer, "removals", names);
                break;
            case TableUpdate.AddSchema or TableUpdate.SetCurrentSchema or TableUpdate.RemoveSchemas or TableUpdate.AddSpec
                or TableUpdate.SetDefaultSpec or TableUpdate.RemovePartitionSpecs or TableUpdate.AddSortOrder
                or TableUpdate.SetDefaultSortOrder:
                WriteShape(writer, update);
                break;
            default:
                WriteHistory(writer, update);
                break;
        }
        writer.WriteEndObject();
    }

    /// <summary>Schemas, partition specs and sort orders.</summary>
    private static void WriteShape(Utf8JsonWriter writer, TableUpdate update)
    {
        switch (update)
        {
            case TableUpdate.AddSchema(var schema, var lastColumnId):
                writer.WriteString("action", "add-schema");
                writer.WritePropertyName("schema");
                SchemaJson.Write(writer, schema);
                if (lastColumnId is { } last)
                    writer.WriteNumber("last-column-id", last);     // deprecated; older servers want it
                break;
            case TableUpdate.SetCurrentSchema(var id):
                WriteNumber(writer, "set-current-schema", "schema-id", id);
                break;
            case TableUpdate.RemoveSchemas(var ids):
                WriteNumbers(writer, "remove-schemas", "schema-ids", ids.Select(static id => (long)id));
                break;
            case TableUpdate.AddSpec(var spec):
                writer.WriteString("action", "add-spec");
                writer.WritePropertyName("spec");
                SpecJson.Write(writer, spec);
                break;
            case TableUpdate.SetDefaultSpec(var id):
                WriteNumber(writer, "set-default-spec", "spec-id", id);
                break;
            case TableUpdate.RemovePartitionSpecs(var ids):
                WriteNumbers(writer, "remove-partition-specs", "spec-ids", ids.Select(static id => (long)id));
                break;
            case TableUpdate.AddSortOrder(var order):
                writer.WriteString("action", "add-sort-order");
                writer.WritePropertyName("sort-order");
                SpecJson.Write(writer, order);
                break;
            case TableUpdate.SetDefaultSortOrder(var id):
                WriteNumber(writer, "set-default-sort-order", "sort-order-id", id);
                break;
        }
    }

    /// <summary>Snapshots, references and statistics.</summary>
    private static void WriteHistory(Utf8JsonWriter writer, TableUpdate update)
    {
        switch (update)
        {
            case TableUpdate.AddSnapshot(var snapshot):
                writer.WriteString("action", "add-snapshot");
                writer.WritePropertyName("snapshot");
                TableMetadataJson.Write(writer, snapshot);
                break;
            case TableUpdate.SetSnapshotRef(var name, var reference):
                writer.WriteString("action", "set-snapshot-ref");
                writer.WriteString("ref-name", name);
                TableMetadataJson.WriteFields(writer, reference);
                break;
            case TableUpdate.RemoveSnapshots(var ids):
                WriteNumbers(writer, "remove-snapshots", "snapshot-ids", ids);
                break;
            case TableUpdate.RemoveSnapshotRef(var name):
                writer.WriteString("action", "remove-snapshot-ref");
                writer.WriteString("ref-name", name);
                break;
            case TableUpdate.SetStatistics(var file):
                writer.WriteString("action", "set-statistics");
                writer.WriteNumber("snapshot-id", file.SnapshotId);     // deprecated; older servers want it
                WriteRaw(writer, "statistics", file.Json);
                break;
            case TableUpdate.RemoveStatistics(var id):
                WriteNumber(writer, "remove-statistics", "snapshot-id", id);
                break;
            case TableUpdate.SetPartitionStatistics(var file):
                writer.WriteString("action", "set-partition-statistics");
                WriteRaw(writer, "partition-statistics", file.Json);
                break;
            case TableUpdate.RemovePartitionStatistics(var id):
                WriteNumber(writer, "remove-partition-statistics", "snapshot-id", id);
                break;
            default:
                throw new ValidationException($"The table update {update.GetType().Name} is not known.");
        }
    }

    private static (string Type, string Field, int Number) NumberOf(TableRequirement requirement) => requirement switch
    {
        TableRequirement.AssertLastAssignedFieldId(var id) => ("assert-last-assigned-field-id", "last-assigned-field-id", id),
        TableRequirement.AssertCurrentSchemaId(var id) => ("assert-current-schema-id", "current-schema-id", id),
        TableRequirement.AssertLastAssignedPartitionId(var id) => ("assert-last-assigned-partition-id", "last-assigned-partition-id", id),
        TableRequirement.AssertDefaultSpecId(var id) => ("assert-default-spec-id", "default-spec-id", id),
        TableRequirement.AssertDefaultSortOrderId(var id) => ("assert-default-sort-order-id", "default-sort-order-id", id),
        _ => throw new ValidationException($"The requirement {requirement.GetType().Name} is not known."),
    };

    private static void WriteNumber(Utf8JsonWriter writer, string action, string field, long number)
    {
        writer.WriteString("action", action);
        writer.WriteNumber(field, number);
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string action, string field, IEnumerable<long> numbers)
    {
        writer.WriteString("action", action);
        writer.WriteStartArray(field);
        foreach (var number in numbers)
            writer.WriteNumberValue(number);
        writer.WriteEndArray();
    }

    private static void WriteTexts(Utf8JsonWriter writer, string field, IEnumerable<string> texts)
    {
        writer.WriteStartArray(field);
        foreach (var text in texts)
            writer.WriteStringValue(text);
        writer.WriteEndArray();
    }

    private static void WriteRaw(Utf8JsonWriter writer, string field, string json)
    {
        writer.WritePropertyName(field);
        writer.WriteRawValue(json);
    }
}
