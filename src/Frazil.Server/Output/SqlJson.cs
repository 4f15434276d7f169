using System.Buffers;
using System.Collections;
using System.Globalization;
using System.Numerics;
using System.Text.Encodings.Web;
using System.Text.Json;
using Frazil.DuckDb;
using Frazil.Query;

namespace Frazil.Server.Output;

/// <summary>A finished query as JSON. No value loses digits: whole numbers and decimals stay JSON numbers of any length, what JSON has no
/// number for (NaN, infinities) is text.</summary>
public static class SqlJson
{
    /// <summary>Only what JSON itself asks for is escaped: the answer is never put into HTML unescaped.</summary>
    public static JsonWriterOptions Options { get; } = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    public static byte[] ToBytes(SqlResult result)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            WriteHead(json, result.Columns);
            foreach (var row in result.Rows)
            {
                WriteRow(json, row);
            }
            WriteTail(json, result.Rows.Count, result.Elapsed, result.ReadPoint, result.Scan);
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Begins the object, up to and with the bracket that opens the rows.</summary>
    public static void WriteHead(Utf8JsonWriter json, IReadOnlyList<SqlColumn> columns)
    {
        json.WriteStartObject();
        json.WriteStartArray("columns");
        foreach (var column in columns)
        {
            json.WriteStartObject();
            json.WriteString("name", column.Name);
            json.WriteString("type", column.Type);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("rows");
    }

    public static void WriteRow(Utf8JsonWriter json, object?[] row)
    {
        json.WriteStartArray();
        foreach (var value in row)
        {
            WriteValue(json, value);
        }
        json.WriteEndArray();
    }

    /// <summary>Closes the rows and adds what is known of the query.</summary>
    public static void WriteTail(
        Utf8JsonWriter json, long rows, TimeSpan elapsed, IReadOnlyDictionary<string, ReadPointSummary> readPoint, ScanSummary scan)
    {
        json.WriteEndArray();
        json.WriteNumber("row_count", rows);
        json.WriteNumber("elapsed_ms", Math.Round(elapsed.TotalMilliseconds, 3));
        json.WriteStartObject("read_point");
        foreach (var (table, point) in readPoint)
        {
            json.WriteStartObject(table);
            WriteReadPoint(json, point);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteStartObject("scan");
        json.WriteNumber("files_total", scan.FilesTotal);
        json.WriteNumber("files_scanned", scan.FilesScanned);
        json.WriteNumber("hot_rows", scan.HotRows);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    public static void WriteValue(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null or DBNull:
                json.WriteNullValue();
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case byte[] bytes:
                json.WriteBase64StringValue(bytes);
                break;
            case double number:
                WriteReal(json, number);
                break;
            case float number:
                WriteReal(json, number);
                break;
            case KeyValuePair<object, object?>[] map:
                WriteMap(json, map);
                break;
            case IReadOnlyDictionary<string, object?> fields:
                WriteStruct(json, fields);
                break;
            case IEnumerable list:
                WriteList(json, list);
                break;
            default:
                WriteScalar(json, value);
                break;
        }
    }

    private static void WriteScalar(Utf8JsonWriter json, object value)
    {
        if (value is sbyte or byte or short or ushort or int or uint or long or ulong or decimal or WideDecimal or BigInteger or Int128
            or UInt128)
        {
            json.WriteRawValue(((IFormattable)value).ToString(null, CultureInfo.InvariantCulture), skipInputValidation: true);
            return;
        }
        json.WriteStringValue(Text(value));
    }

    private static string Text(object value) => value switch
    {
        DateTime timestamp => timestamp.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture),
        DateTimeOffset instant => instant.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture) + "Z",
        DateOnly date => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        TimeOnly time => time.ToString("HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture),
        TimeSpan span => span.ToString("c", CultureInfo.InvariantCulture),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static void WriteReal(Utf8JsonWriter json, double number)
    {
        if (double.IsFinite(number))
        {
            json.WriteNumberValue(number);
        }
        else
        {
            json.WriteStringValue(double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
        }
    }

    private static void WriteReal(Utf8JsonWriter json, float number)
    {
        if (float.IsFinite(number))
        {
            json.WriteNumberValue(number);
        }
        else
        {
            WriteReal(json, (double)number);
        }
    }

    /// <summary>A map is an object; keys that are not text are written as text, for JSON has no others.</summary>
    private static void WriteMap(Utf8JsonWriter json, KeyValuePair<object, object?>[] map)
    {
        json.WriteStartObject();
        foreach (var (key, value) in map)
        {
            json.WritePropertyName(key as string ?? Text(key));
            WriteValue(json, value);
        }
        json.WriteEndObject();
    }

    private static void WriteStruct(Utf8JsonWriter json, IReadOnlyDictionary<string, object?> fields)
    {
        json.WriteStartObject();
        foreach (var (name, value) in fields)
        {
            json.WritePropertyName(name);
            WriteValue(json, value);
        }
        json.WriteEndObject();
    }

    private static void WriteList(Utf8JsonWriter json, IEnumerable list)
    {
        json.WriteStartArray();
        foreach (var value in list)
        {
            WriteValue(json, value);
        }
        json.WriteEndArray();
    }

    private static void WriteReadPoint(Utf8JsonWriter json, ReadPointSummary point)
    {
        if (point.SnapshotId is { } snapshot)
        {
            json.WriteNumber("snapshot_id", snapshot);
        }
        else
        {
            json.WriteNull("snapshot_id");
        }
        json.WriteStartObject("next_offsets");
        foreach (var (topic, offsets) in point.NextOffsets)
        {
            json.WriteStartObject(topic);
            foreach (var (partition, offset) in offsets)
            {
                json.WriteNumber(partition.ToString(CultureInfo.InvariantCulture), offset);
            }
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }
}
