using System.Globalization;
using System.Text.Json;

namespace Frazil.Iceberg.Avro;

internal enum AvroKind : byte { Null, Boolean, Int, Long, Float, Double, Bytes, String, Record, Enum, Array, Map, Union, Fixed }

/// <summary>A field of an Avro record with the Iceberg id that it carries; -1 without one.</summary>
internal sealed record AvroField(string Name, AvroSchema Type, int FieldId);

/// <summary>A writer's schema: enough of Avro to read any Iceberg manifest by field id and to skip what is not known.</summary>
internal sealed class AvroSchema(AvroKind kind)
{
    private AvroSchema[] branches = [];
    private AvroField[] fields = [];

    public AvroKind Kind { get; } = kind;

    public ReadOnlySpan<AvroField> Fields => fields;

    /// <summary>Branches of a union; or the one element type of an array or value type of a map.</summary>
    public ReadOnlySpan<AvroSchema> Branches => branches;

    /// <summary>Bytes of a fixed.</summary>
    public int Size { get; private init; }

    public string? LogicalType { get; private init; }

    public int Precision { get; private init; }

    public int Scale { get; private init; }

    /// <exception cref="InvalidFormatException">The text is no Avro schema.</exception>
    public static AvroSchema Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 512 });
            return Parse(document.RootElement, new Dictionary<string, AvroSchema>(StringComparer.Ordinal));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InvalidFormatException("The Avro schema in the file's header cannot be read: " + e.Message, e);
        }
    }

    private static AvroSchema Parse(JsonElement element, Dictionary<string, AvroSchema> named)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                var name = element.GetString()!;
                return Simple(name) ?? named.GetValueOrDefault(name)
                    ?? throw new InvalidFormatException($"The Avro type '{name}' is not known.");
            case JsonValueKind.Array:
                return new AvroSchema(AvroKind.Union) { branches = [.. element.EnumerateArray().Select(branch => Parse(branch, named))] };
        }
        var type = element.GetProperty("type");
        if (type.ValueKind != JsonValueKind.String)
            return Parse(type, named);
        switch (type.GetString()!)
        {
            case "record":
                var record = new AvroSchema(AvroKind.Record);
                named[element.GetProperty("name").GetString()!] = record;
                record.fields = [.. element.GetProperty("fields").EnumerateArray().Select(field =>
                    new AvroField(field.GetProperty("name").GetString()!, Parse(field.GetProperty("type"), named),
                        IdOf(field, "field-id")))];
                return record;
            case "array":
                return new AvroSchema(AvroKind.Array) { branches = [Parse(element.GetProperty("items"), named)] };
            case "map":
                return new AvroSchema(AvroKind.Map) { branches = [Parse(element.GetProperty("values"), named)] };
            case "enum":
                return named[element.GetProperty("name").GetString()!] = new AvroSchema(AvroKind.Enum);
            case "fixed":
                var @fixed = new AvroSchema(AvroKind.Fixed)
                {
                    Size = element.GetProperty("size").GetInt32(),
                    LogicalType = LogicalTypeOf(element),
                    Precision = IdOf(element, "precision"),
                    Scale = Math.Max(0, IdOf(element, "scale")),
                };
                return named[element.GetProperty("name").GetString()!] = @fixed;
            default:
                var simple = Parse(type, named);
                return simple.Kind is AvroKind.Record or AvroKind.Fixed or AvroKind.Enum
                    ? simple
                    : new AvroSchema(simple.Kind)
                    {
                        LogicalType = LogicalTypeOf(element),
                        Precision = IdOf(element, "precision"),
                        Scale = Math.Max(0, IdOf(element, "scale")),
                    };
        }
    }

    private static AvroSchema? Simple(string name) => name switch
    {
        "null" => new(AvroKind.Null),
        "boolean" => new(AvroKind.Boolean),
        "int" => new(AvroKind.Int),
        "long" => new(AvroKind.Long),
        "float" => new(AvroKind.Float),
        "double" => new(AvroKind.Double),
        "bytes" => new(AvroKind.Bytes),
        "string" => new(AvroKind.String),
        _ => null,
    };

    private static string? LogicalTypeOf(JsonElement element)
        => element.TryGetProperty("logicalType", out var type) ? type.GetString() : null;

    private static int IdOf(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var id))
            return -1;
        return id.ValueKind == JsonValueKind.Number
            ? id.GetInt32()
            : int.Parse(id.GetString()!, NumberStyles.None, CultureInfo.InvariantCulture);
    }
}
