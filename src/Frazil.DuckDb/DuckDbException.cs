using System.Text;
using System.Text.Json;

namespace Frazil.DuckDb;

/// <summary>DuckDB refused or failed a statement.</summary>
public sealed class DuckDbException : Exception
{
    public DuckDbException(string message, string kind = "", int? bytePosition = null, Exception? inner = null)
        : base(message, inner) => (Kind, BytePosition) = (kind, bytePosition);

    /// <summary>DuckDB's own name of the kind of error (<c>Parser</c>, <c>Binder</c>, <c>Catalog</c>, <c>INTERRUPT</c> …); empty where it
    /// gave none.</summary>
    public string Kind { get; }

    /// <summary>Zero-based UTF-8 byte of the statement that the error points at, where DuckDB said.</summary>
    public int? BytePosition { get; }

    /// <summary>The statement was interrupted, so nothing is known about its result.</summary>
    public bool IsInterrupt => Kind.Equals("INTERRUPT", StringComparison.OrdinalIgnoreCase);

    /// <summary>After it, DuckDB refuses everything that follows.</summary>
    public bool IsFatal => Kind.Equals("FATAL", StringComparison.OrdinalIgnoreCase) || Kind.Equals("INTERNAL", StringComparison.OrdinalIgnoreCase);

    /// <summary>Understands both forms: JSON (setting <c>errors_as_json</c>) and <c>Kind Error: text</c>.</summary>
    internal static DuckDbException FromText(string text)
    {
        if (text.StartsWith('{') && TryReadJson(text) is { } fromJson)
        {
            return fromJson;
        }
        var mark = text.IndexOf(" Error: ", StringComparison.Ordinal);
        return mark is > 0 and < 40 && text.AsSpan(0, mark).IndexOfAny("\n:") < 0
            ? new DuckDbException(text[(mark + " Error: ".Length)..], text[..mark])
            : new DuckDbException(text);
    }

    private static DuckDbException? TryReadJson(string text)
    {
        string message = text, kind = "";
        int? position = null;
        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text));
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1)
                {
                    continue;
                }
                var name = reader.GetString();
                reader.Read();
                switch (name)
                {
                    case "exception_type":
                        kind = reader.GetString() ?? "";
                        break;
                    case "exception_message":
                        message = reader.GetString() ?? "";
                        break;
                    case "position" when int.TryParse(reader.GetString(), out var at):
                        position = at;
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }
        }
        catch (JsonException)
        {
            return null;
        }
        return new DuckDbException(message, kind, position);
    }
}
