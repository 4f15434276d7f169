using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Frazil.Iceberg.Manifests;

/// <summary>The Avro schemas that manifests and manifest lists are written with, with the specification's field ids and names.</summary>
internal static class ManifestAvro
{
    /// <param name="formatVersion">2 or 3.</param>
    /// <param name="partitionType">The struct of partition values.</param>
    public static byte[] ManifestSchema(int formatVersion, StructType partitionType)
    {
        string[] dataFile =
        [
            Field("content", 134, "\"int\""),
            Field("file_path", 100, "\"string\""),
            Field("file_format", 101, "\"string\""),
            Field("partition", 102, PartitionRecord(partitionType)),
            Field("record_count", 103, "\"long\""),
            Field("file_size_in_bytes", 104, "\"long\""),
            Optional("column_sizes", 108, FieldIdMap(117, 118, "long")),
            Optional("value_counts", 109, FieldIdMap(119, 120, "long")),
            Optional("null_value_counts", 110, FieldIdMap(121, 122, "long")),
            Optional("nan_value_counts", 137, FieldIdMap(138, 139, "long")),
            Optional("lower_bounds", 125, FieldIdMap(126, 127, "bytes")),
            Optional("upper_bounds", 128, FieldIdMap(129, 130, "bytes")),
            Optional("key_metadata", 131, "\"bytes\""),
            Optional("split_offsets", 132, List(133, "\"long\"")),
            Optional("equality_ids", 135, List(136, "\"int\"")),
            Optional("sort_order_id", 140, "\"int\""),
            .. formatVersion >= 3 ? [Optional("first_row_id", 142, "\"long\"")] : Array.Empty<string>(),
            Optional("referenced_data_file", 143, "\"string\""),
            .. formatVersion >= 3
                ? [Optional("content_offset", 144, "\"long\""), Optional("content_size_in_bytes", 145, "\"long\"")]
                : Array.Empty<string>(),
        ];
        return Encoding.UTF8.GetBytes(Record("manifest_entry",
            Field("status", 0, "\"int\""),
            Optional("snapshot_id", 1, "\"long\""),
            Optional("sequence_number", 3, "\"long\""),
            Optional("file_sequence_number", 4, "\"long\""),
            Field("data_file", 2, Record("r2", dataFile))));
    }

    /// <param name="formatVersion">2 or 3.</param>
    public static byte[] ManifestListSchema(int formatVersion)
    {
        var summary = Record("r508",
            Field("contains_null", 509, "\"boolean\""),
            Optional("contains_nan", 518, "\"boolean\""),
            Optional("lower_bound", 510, "\"bytes\""),
            Optional("upper_bound", 511, "\"bytes\""));
        string[] fields =
        [
            Field("manifest_path", 500, "\"string\""),
            Field("manifest_length", 501, "\"long\""),
            Field("partition_spec_id", 502, "\"int\""),
            Field("content", 517, "\"int\""),
            Field("sequence_number", 515, "\"long\""),
            Field("min_sequence_number", 516, "\"long\""),
            Field("added_snapshot_id", 503, "\"long\""),
            Field("added_files_count", 504, "\"int\""),
            Field("existing_files_count", 505, "\"int\""),
            Field("deleted_files_count", 506, "\"int\""),
            Field("added_rows_count", 512, "\"long\""),
            Field("existing_rows_count", 513, "\"long\""),
            Field("deleted_rows_count", 514, "\"long\""),
            Optional("partitions", 507, List(508, summary)),
            Optional("key_metadata", 519, "\"bytes\""),
            .. formatVersion >= 3 ? [Optional("first_row_id", 520, "\"long\"")] : Array.Empty<string>(),
        ];
        return Encoding.UTF8.GetBytes(Record("manifest_file", fields));
    }

    /// <summary>Avro allows letters, digits and underscores in names, so others are spelled by their code, as Java does.</summary>
    internal static string SanitizedName(string name)
    {
        var sanitized = new StringBuilder(name.Length);
        foreach (var character in name)
        {
            if (char.IsAsciiLetter(character) || character == '_' || (char.IsAsciiDigit(character) && sanitized.Length > 0))
                sanitized.Append(character);
            else if (char.IsAsciiDigit(character))
                sanitized.Append('_').Append(character);
            else
                sanitized.Append("_x").Append(((int)character).ToString("X", CultureInfo.InvariantCulture));
        }
        return sanitized.Length > 0 ? sanitized.ToString() : "_";
    }

    private static string PartitionRecord(StructType partitionType)
    {
        var named = new HashSet<string>(StringComparer.Ordinal);
        return Record("r102", [.. partitionType.Fields.Select(field =>
        {
            var name = SanitizedName(field.Name);
            var original = name == field.Name ? "" : $",\"iceberg-field-name\":\"{JsonEncodedText.Encode(field.Name)}\"";
            return $"{{\"name\":\"{name}\",\"type\":[\"null\",{PartitionValueType((PrimitiveType)field.Type, named)}],\"default\":null,\"field-id\":{Text(field.Id)}{original}}}";
        })]);
    }

    private static string PartitionValueType(PrimitiveType type, HashSet<string> named) => type.Id switch
    {
        TypeId.Boolean => "\"boolean\"",
        TypeId.Int => "\"int\"",
        TypeId.Long => "\"long\"",
        TypeId.Float => "\"float\"",
        TypeId.Double => "\"double\"",
        TypeId.String => "\"string\"",
        TypeId.Binary or TypeId.Unknown => "\"bytes\"",
        TypeId.Date => "{\"type\":\"int\",\"logicalType\":\"date\"}",
        TypeId.Time => "{\"type\":\"long\",\"logicalType\":\"time-micros\"}",
        TypeId.Timestamp => "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\",\"adjust-to-utc\":false}",
        TypeId.TimestampTz => "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\",\"adjust-to-utc\":true}",
        TypeId.TimestampNs => "{\"type\":\"long\",\"logicalType\":\"timestamp-nanos\",\"adjust-to-utc\":false}",
        TypeId.TimestampTzNs => "{\"type\":\"long\",\"logicalType\":\"timestamp-nanos\",\"adjust-to-utc\":true}",
        TypeId.Uuid => Fixed("uuid_fixed", 16, ",\"logicalType\":\"uuid\"", named),
        TypeId.Fixed => Fixed($"fixed_{Text(type.Length)}", type.Length, "", named),
        TypeId.Decimal => Fixed($"decimal_{Text(type.Precision)}_{Text(type.Scale)}", DecimalBytes(type.Precision),
            $",\"logicalType\":\"decimal\",\"precision\":{Text(type.Precision)},\"scale\":{Text(type.Scale)}", named),
        _ => throw new ValidationException($"A partition value cannot be of type {type}."),
    };

    /// <summary>Bytes of the smallest two's complement that holds every decimal of the precision.</summary>
    internal static int DecimalBytes(int precision)
    {
        Span<byte> buffer = stackalloc byte[16];
        Int128 highest = 1;
        for (var i = 0; i < precision; i++)
            highest *= 10;
        return SingleValue.MinimalBigEndian(highest - 1, buffer).Length;
    }

    private static string Fixed(string name, int size, string rest, HashSet<string> named) =>
        named.Add(name) ? $"{{\"type\":\"fixed\",\"name\":\"{name}\",\"size\":{Text(size)}{rest}}}" : $"\"{name}\"";

    private static string Record(string name, params string[] fields)
        => $"{{\"type\":\"record\",\"name\":\"{name}\",\"fields\":[{string.Join(',', fields)}]}}";

    private static string Field(string name, int id, string type) => $"{{\"name\":\"{name}\",\"type\":{type},\"field-id\":{Text(id)}}}";

    private static string Optional(string name, int id, string type)
        => $"{{\"name\":\"{name}\",\"type\":[\"null\",{type}],\"default\":null,\"field-id\":{Text(id)}}}";

    private static string List(int elementId, string element)
        => $"{{\"type\":\"array\",\"items\":{element},\"element-id\":{Text(elementId)}}}";

    private static string FieldIdMap(int keyId, int valueId, string valueType) =>
        $"{{\"type\":\"array\",\"items\":{Record($"k{Text(keyId)}_v{Text(valueId)}", Field("key", keyId, "\"int\""), Field("value", valueId, $"\"{valueType}\""))},\"logicalType\":\"map\"}}";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
