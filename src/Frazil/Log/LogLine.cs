using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Frazil.Log;

/// <summary>
/// One entry as a line: a JSON object whose last property is <c>"crc"</c>, the CRC-32C (Castagnoli) of the bytes before it as eight
/// hexadecimal digits, then a line feed. People and <c>jq</c> read it as it is; a torn or flipped line does not pass.
/// </summary>
internal static class LogLine
{
    /// <summary>Text as people read it: nobody puts a log into a web page.</summary>
    private static readonly LogJson Json = new(
        new JsonSerializerOptions(LogJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private static readonly int TailLength = Tail(0).Length;

    /// <summary>The line, its line feed included.</summary>
    public static byte[] Encode(LogEntry entry)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(entry, Json.LogEntry);
        var body = json.AsSpan(0, json.Length - 1); // without the closing brace
        return [.. body, .. Tail(Crc32C(body)), (byte)'\n'];
    }

    /// <summary>Reads a line without its line feed.</summary>
    /// <param name="line">The bytes.</param>
    /// <param name="damage">Why it cannot be used; null where it can.</param>
    /// <returns>Null where it is damaged; an <see cref="UnknownEntry"/> where it is sound, but of a kind or version that this software does
    /// not know.</returns>
    public static LogEntry? TryDecode(ReadOnlySpan<byte> line, out string? damage)
    {
        if (line.Length < TailLength + 2)
        {
            damage = "torn";
            return null;
        }
        var body = line[..^TailLength];
        if (!line[^TailLength..].SequenceEqual(Tail(Crc32C(body))))
        {
            damage = line[^1] == (byte)'}' ? "checksum" : "torn";
            return null;
        }
        try
        {
            damage = null;
            return Parse(line);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or NotSupportedException)
        {
            damage = $"format: {error.Message}";
            return null;
        }
    }

    private static LogEntry? Parse(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        var root = JsonElement.ParseValue(ref reader);
        var (version, kind) = (root.GetProperty("v").GetInt32(), root.GetProperty("kind").GetString()!);
        if (version <= LogEntry.CurrentVersion && IsKnown(kind))
        {
            return root.Deserialize(Json.LogEntry);
        }
        return new UnknownEntry(kind, root)
        {
            Version = version,
            Sequence = root.GetProperty("seq").GetInt64(),
            At = root.GetProperty("at").GetDateTimeOffset(),
        };
    }

    private static bool IsKnown(string kind)
        => kind is nameof(LogOpened) or nameof(BufferSnapshot) or nameof(ParquetWritten) or nameof(OffsetCommit)
        or nameof(IcebergSnapshotCreated) or nameof(GapRecorded) or nameof(FlushComplete) or nameof(SchemaVersion)
        or nameof(MaintenanceStarted) or nameof(MaintenanceApplied);

    private static byte[] Tail(uint crc)
        => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $",\"crc\":\"{crc:x8}\"}}"));

    private static uint Crc32C(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var one in bytes)
        {
            crc = BitOperations.Crc32C(crc, one);
        }
        return ~crc;
    }
}
