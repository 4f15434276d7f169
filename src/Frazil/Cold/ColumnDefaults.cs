using System.Globalization;
using System.Text.Json;
using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Hot;
using Frazil.Iceberg;

namespace Frazil.Cold;

/// <summary>Values of columns that a data file does not have, by field id, as the JSON text of Iceberg's single-value form. Immutable;
/// equality is that of the values.</summary>
public sealed class ColumnDefaults : IEquatable<ColumnDefaults>
{
    private readonly IReadOnlyDictionary<int, string> values;

    private ColumnDefaults(IReadOnlyDictionary<int, string> values) => this.values = values;

    public static ColumnDefaults None { get; } = new(new Dictionary<int, string>());

    /// <summary>Every <c>initial-default</c> of a schema, at any depth.</summary>
    public static ColumnDefaults Of(Schema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        var found = new Dictionary<int, string>();
        foreach (var id in schema.FieldIds)
        {
            if (schema.FindField(id)?.InitialDefault is { } value)
            {
                found[id] = value;
            }
        }
        return found.Count == 0 ? None : new(found);
    }

    /// <summary>The values of a file's partition that are a column's own: those of identity transforms.</summary>
    internal static ColumnDefaults Of(PartitionSpec spec, PartitionTuple partition, TableMetadata metadata)
    {
        var found = new Dictionary<int, string>();
        for (var at = 0; at < spec.Fields.Count; at++)
        {
            var field = spec.Fields[at];
            if (field.Transform.Kind == TransformKind.Identity && spec.SourceType(metadata.CurrentSchema, at) is PrimitiveType type
                && type.Id != TypeId.Unknown)
            {
                found[field.SourceId] = Json(type, partition[at]);
            }
        }
        return found.Count == 0 ? None : new(found);
    }

    /// <summary>The field has a value here; it may be null.</summary>
    internal bool Has(ColumnField field) => values.ContainsKey(field.FieldId);

    /// <summary>A field below this one has a default of its own, which counts where this one is there and that one is not.</summary>
    internal bool HasBelow(ColumnType type) => values.Count > 0 && type.Fields.Any(field => Has(field) || HasBelow(field.Type));

    /// <summary>The SQL of the field's value, in the field's type; of null where it has none.</summary>
    /// <exception cref="InvalidFormatException">The value is none of the field's type.</exception>
    internal string SqlOf(ColumnField field)
    {
        var type = SqlText.TypeName(field.Type);
        if (!values.TryGetValue(field.FieldId, out var json))
        {
            return $"NULL::{type}";
        }
        try
        {
            using var value = JsonDocument.Parse(json);
            return $"({Sql(field.Type, value.RootElement)})::{type}";
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidFormatException($"The default {json} of the column {field} is no value of its type.", failure);
        }
    }

    public bool Equals(ColumnDefaults? other) => other is not null && (ReferenceEquals(values, other.values)
        || (values.Count == other.values.Count && values.All(one => other.values.TryGetValue(one.Key, out var value) && value == one.Value)));

    public override bool Equals(object? obj) => Equals(obj as ColumnDefaults);

    public override int GetHashCode() => values.Aggregate(0, static (hash, one) => hash ^ HashCode.Combine(one.Key, one.Value));

    /// <summary>JSON has no number for those that are none, so that they are text here.</summary>
    private static string Json(PrimitiveType type, IcebergValue value) => !value.IsNull && type.Id switch
    {
        TypeId.Float => !float.IsFinite(value.AsFloat()),
        TypeId.Double => !double.IsFinite(value.AsDouble()),
        _ => false,
    } ? $"\"{value}\"" : SingleValueJson.Write(type, value);

    private string Sql(ColumnType type, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Null)
        {
            return "NULL";
        }
        switch (type.Kind)
        {
            case ColumnKind.Struct:
                var members = type.Fields.Select(field => $"{SqlText.Identifier(field.Name)} := {Member(field, value)}");
                return $"struct_pack({string.Join(", ", members)})";
            case ColumnKind.List:
                return $"[{string.Join(", ", value.EnumerateArray().Select(element => Sql(type.Fields[0].Type, element)))}]";
            case ColumnKind.Map:
                var keys = value.GetProperty("keys").EnumerateArray().Select(key => Sql(type.Fields[0].Type, key));
                var mapped = value.GetProperty("values").EnumerateArray().Select(one => Sql(type.Fields[1].Type, one));
                return $"MAP([{string.Join(", ", keys)}], [{string.Join(", ", mapped)}])";
            default:
                return Leaf(type, value);
        }
    }

    /// <summary>A struct's default names its members by id, and may leave them to defaults of their own.</summary>
    private string Member(ColumnField field, JsonElement members)
        => members.TryGetProperty(field.FieldId.ToString(CultureInfo.InvariantCulture), out var value)
            ? $"({Sql(field.Type, value)})::{SqlText.TypeName(field.Type)}"
            : SqlOf(field);

    private static string Leaf(ColumnType type, JsonElement value)
    {
        if (type.Kind is ColumnKind.Float32 or ColumnKind.Float64 && value.ValueKind == JsonValueKind.String)
        {
            var number = double.Parse(value.GetString()!, CultureInfo.InvariantCulture);
            return double.IsNaN(number) ? "'NaN'" : number > 0 ? "'Infinity'" : "'-Infinity'";
        }
        // Read and written again: what is not a value of the type never gets into SQL.
        var parsed = SingleValueJson.Parse((PrimitiveType)ColumnSchemas.ToIceberg(type), value.GetRawText());
        return type.Kind is ColumnKind.Binary or ColumnKind.FixedBinary
            ? $"unhex({SqlText.Literal(Convert.ToHexString(parsed.AsBinary()))})"
            : SqlText.Literal(value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText());
    }
}
