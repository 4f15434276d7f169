using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Frazil.Iceberg.Json;

/// <summary>Reading of JSON objects with errors that name the object and the field.</summary>
internal static class JsonFields
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
            write(writer);
        return buffer.WrittenSpan.ToArray();
    }

    public static string WriteText(Action<Utf8JsonWriter> write) => Encoding.UTF8.GetString(Write(write));

    /// <summary>Runs a parser and turns every way JSON can be wrong into one error that names the source.</summary>
    public static T Parse<T>(ReadOnlyMemory<byte> json, string source, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 512 });
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or System.FormatException or ValidationException)
        {
            throw new InvalidFormatException($"'{source}' cannot be read: {e.Message}", e);
        }
    }

    public static JsonElement Required(this JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? value
            : throw new JsonException($"the field '{name}' is missing.");

    public static JsonElement? Optional(this JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static string RequiredText(this JsonElement element, string name) => element.Required(name).GetString()!;

    public static int RequiredInt(this JsonElement element, string name) => element.Required(name).GetInt32();

    public static long RequiredLong(this JsonElement element, string name) => element.Required(name).GetInt64();

    public static IEnumerable<JsonElement> Items(this JsonElement element, string name) =>
        element.Optional(name) is { } array ? array.EnumerateArray() : [];

    public static Dictionary<string, string> TextMap(this JsonElement element, string name)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        if (element.Optional(name) is { } @object)
            foreach (var property in @object.EnumerateObject())
                map[property.Name] = property.Value.ValueKind == JsonValueKind.String
                    ? property.Value.GetString()!
                    : property.Value.GetRawText();
        return map;
    }

    /// <summary>The raw text of every field whose name is not in the list.</summary>
    public static IReadOnlyDictionary<string, string> Unknown(this JsonElement element, IReadOnlySet<string> known)
    {
        Dictionary<string, string>? unknown = null;
        foreach (var property in element.EnumerateObject())
            if (!known.Contains(property.Name))
                (unknown ??= new(StringComparer.Ordinal))[property.Name] = property.Value.GetRawText();
        return unknown ?? EmptyMap.Strings;
    }

    public static void WriteTextMap(this Utf8JsonWriter writer, string name, IReadOnlyDictionary<string, string> map)
    {
        writer.WriteStartObject(name);
        foreach (var (key, value) in map)
            writer.WriteString(key, value);
        writer.WriteEndObject();
    }

    public static void WriteUnknown(this Utf8JsonWriter writer, IReadOnlyDictionary<string, string> unknown)
    {
        foreach (var (name, json) in unknown)
        {
            writer.WritePropertyName(name);
            writer.WriteRawValue(json);
        }
    }
}
