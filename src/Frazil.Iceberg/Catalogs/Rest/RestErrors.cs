using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Frazil.Iceberg.Catalogs;

/// <summary>What a status and its body mean. Only what the catalog itself says is taken for its word: a proxy's 404 drops no table, a
/// gateway's 409 is no conflict.</summary>
internal static class RestErrors
{
    /// <summary>Reads an answer that says no.</summary>
    public static RestFailure Read(
        HttpStatusCode status, byte[] body, HttpResponseHeaders headers, RestCall call, RestClient client, TimeProvider time)
    {
        var (type, text, isCatalogs) = Words(body, headers);
        var number = (int)status;
        var said = type.Length > 0 ? $"{number} {type}: {text}" : $"{number} {text}";
        var where = $"{call.Method} {client.Address}{PathOf(call)}";
        return new RestFailure(client.Shown($"{where} answers {said.Trim()}{Hint(status, headers, client)}"))
        {
            Status = number,
            Type = type,
            // There is no body in the answer to a HEAD.
            IsCatalogs = isCatalogs || call.Method == HttpMethod.Head,
            MayHaveHappened = !call.IsRead && !IsDefinite(number, isCatalogs),
            RetryAfter = RetryAfterOf(headers, time),
        };
    }

    /// <summary>Reads an authorization server's no.</summary>
    public static RestFailure ReadOAuth(
        HttpStatusCode status, byte[] body, HttpResponseHeaders headers, RestClient client, string place, TimeProvider time)
    {
        var (type, text, _) = Words(body, headers);
        var said = string.Join(": ", new[] { type, text }.Where(static word => word.Length > 0));
        return new RestFailure(client.Shown($"{place} answers {(int)status} {said}; {client.Advice}"))
        {
            Status = (int)status,
            Type = type,
            RetryAfter = RetryAfterOf(headers, time),
        };
    }

    /// <summary>The error of an operation that did certainly not happen, or that changes nothing.</summary>
    public static IcebergException Translate(RestFailure failure) => failure switch
    {
        { IsNoSuchNamespace: true } => new NoSuchNamespaceException(failure.Message, failure),
        { IsNoSuchTable: true } => new NoSuchTableException(failure.Message, failure),
        { Status: 400 or 413 or 422, IsCatalogs: true } or { Status: 405 or 406 or 501 }
            => new ValidationException(failure.Message, failure),
        _ => new CatalogUnavailableException(failure.Message, failure),
    };

    /// <summary>Whether a status says for certain that nothing was done. A request that was not taken at all (401, 403, 429, …) was not
    /// done
    /// whoever says so; anything else has to be the catalog's own word.</summary>
    private static bool IsDefinite(int status, bool isCatalogs)
        => status is 401 or 403 or 405 or 406 or 413 or 419 or 429 or 501 or (>= 300 and < 400)
            || (status is >= 400 and < 500 and not 408 && isCatalogs);

    private static (string Type, string Text, bool IsCatalogs) Words(byte[] body, HttpResponseHeaders headers)
    {
        var amazons = headers.TryGetValues("x-amzn-ErrorType", out var types) ? types.First().Split(':')[0] : null;
        try
        {
            using var json = JsonDocument.Parse(body);
            var root = json.RootElement;
            if (root.ValueKind == JsonValueKind.Object)
            {
                if (root.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object)
                    return (TextOf(error, "type"), TextOf(error, "message"), true);
                if (amazons is not null)
                    return (amazons, TextOf(root, "message"), true);
                if (TextOf(root, "error") is { Length: > 0 } brief)
                    return (brief, TextOf(root, "error_description"), false);
            }
        }
        catch (JsonException)
        {
            // Not the protocol's: a proxy's page, or nothing.
        }
        return (amazons ?? "", Beginning(body), amazons is not null);
    }

    private static string TextOf(JsonElement element, string name)
        => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    /// <summary>Enough of a page to know whose it is.</summary>
    private static string Beginning(byte[] body)
    {
        var text = Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 200)));
        return string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    private static string Hint(HttpStatusCode status, HttpResponseHeaders headers, RestClient client) => (int)status switch
    {
        401 or 419 => $". The server does not know us: {client.Advice}",
        403 => $". The server knows us and says no: {client.Advice}",
        >= 300 and < 400 => $". It sends us to {headers.Location}: name that address as the catalog's uri",
        _ => "",
    };

    private static string PathOf(RestCall call) => call.Path.Split('?')[0];

    private static TimeSpan? RetryAfterOf(HttpResponseHeaders headers, TimeProvider time)
    {
        if (!headers.TryGetValues("Retry-After", out var values) || values.FirstOrDefault() is not { } text)
            return null;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
            return TimeSpan.FromSeconds(Math.Min(seconds, TimeSpan.FromDays(1).TotalSeconds));
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at > time.GetUtcNow() ? at - time.GetUtcNow() : TimeSpan.Zero
            : null;
    }
}
