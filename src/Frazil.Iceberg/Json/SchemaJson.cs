using System.Text.Json;

namespace Frazil.Iceberg.Json;

/// <summary>Schemas and types as in the specification's Appendix C.</summary>
public static class SchemaJson
{
    /// <summary>Reads a schema object.</summary>
    /// <exception cref="InvalidFormatException">The text is no schema.</exception>
    public static Schema Parse(ReadOnlyMemory<byte> json) => JsonFields.Parse(json, "schema JSON", Read);

    /// <summary>The schema as UTF-8 JSON.</summary>
    public static byte[] Write(Schema schema) => JsonFields.Write(writer => Write(writer, schema));

    internal static Schema Read(JsonElement element) => new(
        element.Optional("schema-id")?.GetInt32() ?? 0,
        ReadStruct(element).Fields,
        [.. element.Items("identifier-field-ids").Select(id => id.GetInt32())]);

    internal static void Write(Utf8JsonWriter writer, Schema schema, bool withId = true)
    {
        writer.WriteStartObject();
        writer.WriteString("type", "struct");
        if (withId)
            writer.WriteNumber("schema-id", schema.SchemaId);
        if (schema.IdentifierFieldIds.Count > 0)
        {
            writer.WriteStartArray("identifier-field-ids");
            foreach (var id in schema.IdentifierFieldIds)
                writer.WriteNumberValue(id);
            writer.WriteEndArray();
        }
        WriteFields(writer, schema.AsStruct);
        writer.WriteEndObject();
    }

    internal static IcebergType ReadType(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.String)
        {
            var text = element.GetString()!;
            return IcebergTypeParser.TryParsePrimitive(text) ?? throw new JsonException($"the type '{text}' is not known to this version.");
        }
        var name = element.RequiredText("type");
        return name switch
        {
            "struct" => ReadStruct(element),
            "list" => IcebergType.List(
                element.RequiredInt("element-id"), ReadType(element.Required("element")),
                element.Required("element-required").GetBoolean()),
            "map" => IcebergType.Map(element.RequiredInt("key-id"), ReadType(element.Required("key")), element.RequiredInt("value-id"),
                ReadType(element.Required("value")), element.Required("value-required").GetBoolean()),
            _ => throw new JsonException($"the type '{name}' is not known to this version."),
        };
    }

    internal static void WriteType(Utf8JsonWriter writer, IcebergType type)
    {
        switch (type)
        {
            case StructType @struct:
                writer.WriteStartObject();
                writer.WriteString("type", "struct");
                WriteFields(writer, @struct);
                writer.WriteEndObject();
                break;
            case ListType list:
                writer.WriteStartObject();
                writer.WriteString("type", "list");
                writer.WriteNumber("element-id", list.Element.Id);
                writer.WritePropertyName("element");
                WriteType(writer, list.Element.Type);
                writer.WriteBoolean("element-required", list.Element.Required);
                writer.WriteEndObject();
                break;
            case MapType map:
                writer.WriteStartObject();
                writer.WriteString("type", "map");
                writer.WriteNumber("key-id", map.Key.Id);
                writer.WritePropertyName("key");
                WriteType(writer, map.Key.Type);
                writer.WriteNumber("value-id", map.Value.Id);
                writer.WritePropertyName("value");
                WriteType(writer, map.Value.Type);
                writer.WriteBoolean("value-required", map.Value.Required);
                writer.WriteEndObject();
                break;
            default:
                writer.WriteStringValue(type.ToString());
                break;
        }
    }

    private static StructType ReadStruct(JsonElement element) => new([.. element.Required("fields").EnumerateArray().Select(field => new NestedField(
        field.RequiredInt("id"),
        field.RequiredText("name"),
        field.Required("required").GetBoolean(),
        ReadType(field.Required("type")),
        field.Optional("doc")?.GetString(),
        ReadDefault(field, "initial-default"),
        ReadDefault(field, "write-default")))]);

    /// <summary>In one spelling, so that equal defaults are equal texts.</summary>
    private static string? ReadDefault(JsonElement field, string name) =>
        field.Optional(name) is { } value ? JsonFields.WriteText(value.WriteTo) : null;

    private static void WriteFields(Utf8JsonWriter writer, StructType type)
    {
        writer.WriteStartArray("fields");
        foreach (var field in type.Fields)
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", field.Id);
            writer.WriteString("name", field.Name);
            writer.WriteBoolean("required", field.Required);
            writer.WritePropertyName("type");
            WriteType(writer, field.Type);
            if (field.Doc is not null)
                writer.WriteString("doc", field.Doc);
            WriteDefault(writer, "initial-default", field.InitialDefault);
            WriteDefault(writer, "write-default", field.WriteDefault);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void WriteDefault(Utf8JsonWriter writer, string name, string? json)
    {
        if (json is null)
            return;
        writer.WritePropertyName(name);
        writer.WriteRawValue(json);
    }
}

/// <summary>Partition specs and sort orders as in Appendix C.</summary>
public static class SpecJson
{
    /// <summary>A spec object; its fields with <c>field-id</c>.</summary>
    internal static PartitionSpec ReadSpec(JsonElement element)
        => new(element.Optional("spec-id")?.GetInt32() ?? 0, ReadFields(element.Required("fields")));

    /// <summary>An array of partition fields; v1 ids, which are left out, count from 1000.</summary>
    internal static PartitionField[] ReadFields(JsonElement array)
    {
        var nextId = PartitionSpec.NoLastPartitionId;
        return [.. array.EnumerateArray().Select(field =>
        {
            nextId++;
            var sources = field.Optional("source-ids") is { } ids ? ids.EnumerateArray().Select(id => id.GetInt32()).ToArray() : null;
            return new PartitionField(
                field.Optional("source-id")?.GetInt32() ?? (sources is [var first, ..] ? first : null as int?) ?? throw new JsonException("a partition field has no source-id."),
                field.Optional("field-id")?.GetInt32() ?? nextId,
                field.RequiredText("name"),
                Transform.Parse(field.RequiredText("transform"))) { SourceIds = sources };
        })];
    }

    internal static void Write(Utf8JsonWriter writer, PartitionSpec spec)
    {
        writer.WriteStartObject();
        writer.WriteNumber("spec-id", spec.SpecId);
        writer.WritePropertyName("fields");
        WriteFields(writer, spec);
        writer.WriteEndObject();
    }

    /// <summary>Only the array of fields, as manifests hold it.</summary>
    internal static void WriteFields(Utf8JsonWriter writer, PartitionSpec spec)
    {
        writer.WriteStartArray();
        foreach (var field in spec.Fields)
        {
            writer.WriteStartObject();
            writer.WriteString("name", field.Name);
            writer.WriteString("transform", field.Transform.ToString());
            WriteSources(writer, field.SourceId, field.SourceIds);
            writer.WriteNumber("field-id", field.FieldId);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    internal static SortOrder ReadOrder(JsonElement element)
        => new(element.RequiredInt("order-id"), [.. element.Required("fields").EnumerateArray().Select(ReadSortField)]);

    private static SortField ReadSortField(JsonElement field)
    {
        var sources = field.Optional("source-ids") is { } ids ? ids.EnumerateArray().Select(id => id.GetInt32()).ToArray() : null;
        return new SortField(
            field.Optional("source-id")?.GetInt32() ?? (sources is [var first, ..] ? first : null as int?) ?? throw new JsonException("a sort field has no source-id."),
            Transform.Parse(field.RequiredText("transform")),
            field.RequiredText("direction") == "desc" ? SortDirection.Descending : SortDirection.Ascending,
            field.RequiredText("null-order") == "nulls-last" ? NullOrder.NullsLast : NullOrder.NullsFirst) { SourceIds = sources };
    }

    internal static void Write(Utf8JsonWriter writer, SortOrder order)
    {
        writer.WriteStartObject();
        writer.WriteNumber("order-id", order.OrderId);
        writer.WriteStartArray("fields");
        foreach (var field in order.Fields)
        {
            writer.WriteStartObject();
            writer.WriteString("transform", field.Transform.ToString());
            WriteSources(writer, field.SourceId, field.SourceIds);
            writer.WriteString("direction", field.Direction == SortDirection.Descending ? "desc" : "asc");
            writer.WriteString("null-order", field.NullOrder == NullOrder.NullsLast ? "nulls-last" : "nulls-first");
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteSources(Utf8JsonWriter writer, int sourceId, IReadOnlyList<int>? sourceIds)
    {
        if (sourceIds is null)
        {
            writer.WriteNumber("source-id", sourceId);
            return;
        }
        writer.WriteStartArray("source-ids");
        foreach (var id in sourceIds)
            writer.WriteNumberValue(id);
        writer.WriteEndArray();
    }
}
