using System.Text;
using System.Text.Json;

namespace Frazil.Formats.Json;

/// <summary>Puts a failure into words. Slow, and only for records that failed: the way to the failing byte is walked once more.</summary>
internal static unsafe class JsonFailure
{
    private const int SnippetLength = 40;

    public static DecodeError Describe(JsonCursor cursor)
    {
        if (cursor.FailedAt == null)
        {
            throw new InvalidOperationException("a reader failed without saying why");
        }
        var value = new ReadOnlySpan<byte>(cursor.Start, (int)(cursor.End - cursor.Start));
        var offset = (int)(cursor.FailedAt - cursor.Start);
        var reason = cursor.Reason;
        var detail = cursor.Detail;
        if (reason == DecodeReason.MissingRequired && cursor.MissingName is null && offset == LeadingSpace(value))
        {
            (reason, detail) = (DecodeReason.NotAnObject, "a record must be a JSON object");
        }
        else if (reason == DecodeReason.WrongType && offset == LeadingSpace(value))
        {
            (reason, detail) = (DecodeReason.NotAnObject, "a record must be a JSON object");
        }
        var path = PathTo(value, offset, cursor.MissingName);
        var place = path.Length == 0 ? $"byte {offset}" : $"field {path} (byte {offset})";
        var seen = cursor.MissingName is null && offset < value.Length ? $", saw {Snippet(value[offset..])}" : "";
        return new(reason, path, offset, $"{place}: {detail}{seen}");
    }

    /// <summary>The field that the value or key at <paramref name="offset"/> belongs to, as <c>a.b[2]</c>.</summary>
    private static string PathTo(ReadOnlySpan<byte> value, int offset, string? below)
    {
        var levels = new List<string?>();
        var indexes = new List<int>();
        try
        {
            var reader = new Utf8JsonReader(value, new JsonReaderOptions { MaxDepth = JsonCursor.MaxDepth + 1 });
            while (reader.BytesConsumed <= offset && reader.Read() && Enter(ref reader, offset, levels, indexes))
            {
            }
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // The walk ends where the text stops being JSON; what was walked is the path.
        }
        var path = new StringBuilder();
        for (var level = 0; level < levels.Count; level++)
        {
            if (indexes[level] >= 0)
            {
                path.Append('[').Append(indexes[level]).Append(']');
            }
            else if (levels[level] is { } name)
            {
                path.Append(path.Length > 0 ? "." : "").Append(name);
            }
        }
        return below is null ? path.ToString() : path.Append(path.Length > 0 ? "." : "").Append(below).ToString();
    }

    /// <summary>Follows one token. False when the walk has arrived.</summary>
    private static bool Enter(ref Utf8JsonReader reader, int offset, List<string?> levels, List<int> indexes)
    {
        var at = (int)reader.TokenStartIndex;
        if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
        {
            if (at >= offset)
            {
                // At the closing brace it is the object itself, not its last field.
                levels[^1] = null;
                return false;
            }
            levels.RemoveAt(levels.Count - 1);
            indexes.RemoveAt(indexes.Count - 1);
            return true;
        }
        if (reader.TokenType == JsonTokenType.PropertyName)
        {
            if (at <= offset)
            {
                levels[^1] = reader.GetString();
            }
            return at < offset;
        }
        if (levels.Count > 0 && indexes[^1] >= -1 && levels[^1] is null && at <= offset)
        {
            indexes[^1]++;
        }
        if (at >= offset)
        {
            return false;
        }
        if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
        {
            levels.Add(null);
            indexes.Add(reader.TokenType == JsonTokenType.StartArray ? -1 : -2);
        }
        return true;
    }

    private static string Snippet(ReadOnlySpan<byte> rest)
    {
        var text = Encoding.UTF8.GetString(rest[..Math.Min(rest.Length, SnippetLength)]);
        var shown = new StringBuilder();
        foreach (var character in text)
        {
            _ = char.IsControl(character) ? shown.Append($"\\u{(int)character:x4}") : shown.Append(character);
        }
        return rest.Length > SnippetLength ? $"{shown}..." : shown.ToString();
    }

    private static int LeadingSpace(ReadOnlySpan<byte> value)
    {
        var first = value.IndexOfAnyExcept(" \t\r\n"u8);
        return first < 0 ? value.Length : first;
    }
}
