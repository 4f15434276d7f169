using System.Globalization;
using System.Text.Json;
using Frazil.Config;
using Frazil.Query;
using Microsoft.AspNetCore.Http;

namespace Frazil.Server.Http;

/// <summary>Reads the body of <c>POST /v1/sql</c>: <c>{"sql", "read_after"?: {topic: {partition: offset}}, "timeout_ms"?}</c>. Strict: what
/// it does not know it refuses, for a misspelt <c>read_after</c> would silently read too early.</summary>
internal static class SqlRequestReader
{
    private const int LongestTimeoutMs = 3_600_000;
    private static readonly string[] Known = ["sql", "read_after", "timeout_ms"];

    /// <exception cref="HttpProblem">With status 400.</exception>
    public static SqlRequest Read(ReadOnlyMemory<byte> body)
    {
        using var document = Parse(body);
        try
        {
            return Read(document);
        }
        catch (InvalidOperationException)
        {
            // Keys too are only decoded when they are looked at.
            throw Bad("the body holds text that is not valid Unicode");
        }
    }

    private static SqlRequest Read(JsonDocument document)
    {
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw Bad("the body is not a JSON object; send {\"sql\": \"select …\"}");
        }
        string? sql = null;
        IReadOnlyDictionary<string, IReadOnlyDictionary<int, long>>? readAfter = null;
        TimeSpan? timeout = null;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in document.RootElement.EnumerateObject())
        {
            if (!seen.Add(property.Name))
            {
                throw Bad($"the body has the key \"{property.Name}\" twice; which one is meant?");
            }
            switch (property.Name)
            {
                case "sql":
                    sql = ReadText(property.Value);
                    break;
                case "read_after" or "timeout_ms" when property.Value.ValueKind == JsonValueKind.Null:
                    break;
                case "read_after":
                    readAfter = ReadOffsets(property.Value);
                    break;
                case "timeout_ms":
                    timeout = ReadTimeout(property.Value);
                    break;
                default:
                    var meant = NearestName.Find(property.Name, Known);
                    throw Bad($"the body has the unknown key \"{property.Name}\"; " + (meant is null ? $"known are {string.Join(", ", Known)}" : $"did you mean {meant}?"));
            }
        }
        return string.IsNullOrWhiteSpace(sql)
            ? throw Bad("the body has no \"sql\"; send {\"sql\": \"select …\"}")
            : new SqlRequest(sql, readAfter, timeout);
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonDocument.Parse(body);
        }
        catch (JsonException exception)
        {
            throw Bad($"the body is not JSON: {exception.Message}");
        }
    }

    private static string ReadText(JsonElement value) => value.ValueKind == JsonValueKind.String
        ? value.GetString()!
        : throw Bad($"\"sql\" is {value.GetRawText()}; it must be a string");

    private static TimeSpan ReadTimeout(JsonElement value)
        => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var milliseconds) && milliseconds is > 0 and <= LongestTimeoutMs
            ? TimeSpan.FromMilliseconds(milliseconds)
            : throw Bad($"\"timeout_ms\" is {value.GetRawText()}; it must be a whole number from 1 to {LongestTimeoutMs}");

    private static Dictionary<string, IReadOnlyDictionary<int, long>> ReadOffsets(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            throw BadOffsets(value);
        }
        var topics = new Dictionary<string, IReadOnlyDictionary<int, long>>(StringComparer.Ordinal);
        foreach (var topic in value.EnumerateObject())
        {
            if (topic.Value.ValueKind != JsonValueKind.Object)
            {
                throw BadOffsets(value);
            }
            var offsets = new Dictionary<int, long>();
            foreach (var partition in topic.Value.EnumerateObject())
            {
                var isPartition = int.TryParse(partition.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
                if (!isPartition || partition.Value.ValueKind != JsonValueKind.Number || !partition.Value.TryGetInt64(out var offset)
                    || offset < 0)
                {
                    throw BadOffsets(value);
                }
                if (!offsets.TryAdd(number, offset))
                {
                    throw Bad($"\"read_after\" names partition {number} of the topic {topic.Name} twice; which offset is meant?");
                }
            }
            if (!topics.TryAdd(topic.Name, offsets))
            {
                throw Bad($"\"read_after\" names the topic {topic.Name} twice; name its partitions in one object");
            }
        }
        return topics;
    }

    private static HttpProblem BadOffsets(JsonElement value)
        => Bad($"\"read_after\" is {value.GetRawText()}; it must name offsets by topic and partition, such as {{\"user_events\": {{\"0\": 1234}}}}");

    private static HttpProblem Bad(string message) => new(StatusCodes.Status400BadRequest, "bad_request", message);
}
