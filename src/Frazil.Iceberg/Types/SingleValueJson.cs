using System.Text.Json;
using Frazil.Iceberg.Json;

namespace Frazil.Iceberg;

/// <summary>The JSON single-value serialization of the specification's Appendix D, for primitive types: defaults of v3 columns.</summary>
public static class SingleValueJson
{
    /// <summary>Reads a value from JSON text, such as <see cref="NestedField.InitialDefault"/>; JSON null gives null.</summary>
    /// <exception cref="InvalidFormatException">The text is no value of the type.</exception>
    public static IcebergValue Parse(PrimitiveType type, string json) =>
        JsonFields.Parse(System.Text.Encoding.UTF8.GetBytes(json), $"default {json} of type {type}", element => Read(type, element));

    /// <summary>The JSON text of a value.</summary>
    /// <exception cref="ValidationException">The type has no JSON form.</exception>
    public static string Write(PrimitiveType type, IcebergValue value) => JsonFields.WriteText(writer => Write(writer, type, value));

    private static IcebergValue Read(PrimitiveType type, JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Null)
            return IcebergValue.Null;
        switch (type.Id)
        {
            case TypeId.Boolean:
                return element.GetBoolean();
            case TypeId.Int:
                return element.GetInt32();
            case TypeId.Long:
                return element.GetInt64();
            case TypeId.Float:
                return element.GetSingle();
            case TypeId.Double:
                return element.GetDouble();
        }
        var text = element.GetString()!;
        switch (type.Id)
        {
            case TypeId.String:
                return text;
            case TypeId.Uuid:
                return IcebergValue.From(Guid.Parse(text));
            case TypeId.Fixed or TypeId.Binary:
                return IcebergValue.From(Convert.FromHexString(text));
            case TypeId.Decimal when DecimalText.TryParse(text, out var unscaled, out var scale) && scale == type.Scale:
                return IcebergValue.FromDecimal(unscaled, scale);
            case TypeId.Date when TemporalText.TryParseDate(text, out var day):
                return day;
            case TypeId.Time when TemporalText.TryParseTime(text, 1_000_000, out var time):
                return time;
            case TypeId.Timestamp or TypeId.TimestampTz when TryTimestamp(type, text, 1_000_000, out var micros):
                return micros;
            case TypeId.TimestampNs or TypeId.TimestampTzNs when TryTimestamp(type, text, 1_000_000_000, out var nanos):
                return nanos;
            default:
                throw new JsonException($"'{text}' is no value of type {type}.");
        }
    }

    private static bool TryTimestamp(PrimitiveType type, string text, long unitsPerSecond, out long units) =>
        TemporalText.TryParseTimestamp(text, unitsPerSecond, out units, out var hasOffset)
            && hasOffset == type.Id is TypeId.TimestampTz or TypeId.TimestampTzNs;

    private static void Write(Utf8JsonWriter writer, PrimitiveType type, IcebergValue value)
    {
        if (value.IsNull)
        {
            writer.WriteNullValue();
            return;
        }
        switch (type.Id)
        {
            case TypeId.Boolean:
                writer.WriteBooleanValue(value.AsBoolean());
                break;
            case TypeId.Int or TypeId.Long:
                writer.WriteNumberValue(value.AsLong());
                break;
            case TypeId.Float:
                writer.WriteNumberValue(value.AsFloat());
                break;
            case TypeId.Double:
                writer.WriteNumberValue(value.AsDouble());
                break;
            default:
                writer.WriteStringValue(Text(type, value));
                break;
        }
    }

    private static string Text(PrimitiveType type, IcebergValue value) => type.Id switch
    {
        TypeId.String or TypeId.Uuid or TypeId.Decimal => value.ToString(),
        TypeId.Fixed or TypeId.Binary => Convert.ToHexStringLower(value.AsBinary()),
        TypeId.Date => TemporalText.FormatDate(value.AsInt()),
        TypeId.Time => TemporalText.FormatTime(value.AsLong()),
        TypeId.Timestamp => TemporalText.FormatTimestamp(value.AsLong(), 1_000_000, "", trimZeros: false),
        TypeId.TimestampTz => TemporalText.FormatTimestamp(value.AsLong(), 1_000_000, "+00:00", trimZeros: false),
        TypeId.TimestampNs => TemporalText.FormatTimestamp(value.AsLong(), 1_000_000_000, "", trimZeros: false),
        TypeId.TimestampTzNs => TemporalText.FormatTimestamp(value.AsLong(), 1_000_000_000, "+00:00", trimZeros: false),
        _ => throw new ValidationException($"A value of type {type} has no JSON form."),
    };
}
