using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Frazil.Columnar.Arrow;

/// <summary>Format strings and metadata of the Arrow C data interface.</summary>
internal static unsafe class ArrowFormat
{
    /// <summary>The key under which Parquet and Arrow libraries keep Iceberg's field id.</summary>
    private const string FieldIdKey = "PARQUET:field_id";
    private const string ExtensionKey = "ARROW:extension:name";
    private const string UuidExtension = "arrow.uuid";

    public static string Of(ColumnType type) => type.Kind switch
    {
        ColumnKind.Boolean => "b",
        ColumnKind.Int32 => "i",
        ColumnKind.Int64 => "l",
        ColumnKind.Float32 => "f",
        ColumnKind.Float64 => "g",
        ColumnKind.Decimal128 => string.Create(CultureInfo.InvariantCulture, $"d:{type.Precision},{type.Scale}"),
        ColumnKind.Date32 => "tdD",
        ColumnKind.Time64 => "ttu",
        ColumnKind.Timestamp => "tsu:",
        ColumnKind.TimestampTz => "tsu:UTC",
        ColumnKind.TimestampNs => "tsn:",
        ColumnKind.TimestampTzNs => "tsn:UTC",
        ColumnKind.Utf8 => "u",
        ColumnKind.Binary => "z",
        ColumnKind.FixedBinary => string.Create(CultureInfo.InvariantCulture, $"w:{type.Width}"),
        ColumnKind.Uuid => "w:16",
        ColumnKind.Struct => "+s",
        ColumnKind.List => "+l",
        ColumnKind.Map => "+m",
        _ => throw new NotSupportedException($"{type} has no Arrow format"),
    };

    /// <summary>The type that a format means; nested kinds from their children.</summary>
    /// <exception cref="NotSupportedException">A format that this library's columns do not have.</exception>
    public static ColumnType Parse(string format, IReadOnlyDictionary<string, string> metadata, IReadOnlyList<ColumnField> children)
    {
        var parts = format.Split(':', ',');
        return parts[0] switch
        {
            "b" => ColumnType.Boolean,
            "i" => ColumnType.Int32,
            "l" => ColumnType.Int64,
            "f" => ColumnType.Float32,
            "g" => ColumnType.Float64,
            "d" when parts.Length == 3
                || (parts.Length == 4 && parts[3] == "128") => ColumnType.Decimal128(Number(parts[1]), Number(parts[2])),
            "tdD" => ColumnType.Date32,
            "ttu" => ColumnType.Time64,
            "tsu" => format == "tsu:" ? ColumnType.Timestamp : ColumnType.TimestampTz,
            "tsn" => format == "tsn:" ? ColumnType.TimestampNs : ColumnType.TimestampTzNs,
            "u" => ColumnType.Utf8,
            "z" => ColumnType.Binary,
            "w" => metadata.GetValueOrDefault(ExtensionKey) == UuidExtension ? ColumnType.Uuid : ColumnType.FixedBinary(Number(parts[1])),
            "+s" => ColumnType.Struct(children),
            "+l" => ColumnType.List(children[0]),
            "+m" => ColumnType.Map(children[0].Type.Fields[0], children[0].Type.Fields[1]),
            _ => throw new NotSupportedException($"Arrow format '{format}' is not one of this library's columns"),
        };
    }

    /// <summary>Field id (and extension) as the interface lays metadata out: a count, then length-prefixed keys and values.</summary>
    public static byte[] Metadata(ColumnField field)
    {
        var pairs = new List<string> { FieldIdKey, field.FieldId.ToString(CultureInfo.InvariantCulture) };
        if (field.Type.Kind == ColumnKind.Uuid)
        {
            pairs.AddRange([ExtensionKey, UuidExtension, "ARROW:extension:metadata", ""]);
        }
        using var bytes = new MemoryStream();
        Write(bytes, pairs.Count / 2);
        foreach (var text in pairs)
        {
            var encoded = Encoding.UTF8.GetBytes(text);
            Write(bytes, encoded.Length);
            bytes.Write(encoded);
        }
        return bytes.ToArray();
    }

    public static Dictionary<string, string> ReadMetadata(byte* metadata)
    {
        var pairs = new Dictionary<string, string>();
        if (metadata == null)
        {
            return pairs;
        }
        var count = ReadInt(ref metadata);
        for (var index = 0; index < count; index++)
        {
            var key = ReadText(ref metadata);
            pairs[key] = ReadText(ref metadata);
        }
        return pairs;
    }

    /// <summary>Null where there is none.</summary>
    public static int? FieldId(IReadOnlyDictionary<string, string> metadata)
        => metadata.TryGetValue(FieldIdKey, out var text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id
            : null;

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static void Write(Stream stream, int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        if (BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        }
        else
        {
            BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        }
        stream.Write(bytes);
    }

    private static int ReadInt(ref byte* at)
    {
        var value = BitConverter.ToInt32(new ReadOnlySpan<byte>(at, 4));
        at += 4;
        return value;
    }

    private static string ReadText(ref byte* at)
    {
        var length = ReadInt(ref at);
        var text = Encoding.UTF8.GetString(at, length);
        at += length;
        return text;
    }
}
