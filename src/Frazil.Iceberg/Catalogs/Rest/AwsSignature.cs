using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Frazil.Iceberg.Catalogs;

/// <summary>Keys of Amazon's.</summary>
/// <param name="AccessKeyId">Names the key.</param>
/// <param name="SecretAccessKey">Signs.</param>
/// <param name="SessionToken">Of keys that end; else null.</param>
public sealed record AwsKeys(string AccessKeyId, string SecretAccessKey, string? SessionToken = null)
{
    public override string ToString() => AccessKeyId;
}

/// <summary>
/// Signature Version 4 of a request, as services other than S3 want it: the path is escaped once more than it was sent. By Amazon's
/// description alone, because its SDK has no place in this library.
/// </summary>
internal static class AwsSignature
{
    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>The value of the <c>Authorization</c> header.</summary>
    /// <param name="method">GET, POST, …</param>
    /// <param name="pathAndQuery">As they are sent.</param>
    /// <param name="headers">Those to be signed, the host and the date among them.</param>
    /// <param name="bodyHash">SHA-256 of the body, in lower-case hexadecimal.</param>
    /// <param name="at">The moment that the date header says.</param>
    /// <param name="scope">Region and name of the service.</param>
    /// <param name="keys">Whose signature.</param>
    public static string Sign(
        string method, string pathAndQuery, IEnumerable<KeyValuePair<string, string>> headers, string bodyHash, DateTimeOffset at,
        (string Region, string Service) scope, AwsKeys keys)
    {
        var split = pathAndQuery.IndexOf('?', StringComparison.Ordinal);
        var (path, query) = split < 0 ? (pathAndQuery, "") : (pathAndQuery[..split], pathAndQuery[(split + 1)..]);
        var signed = headers.Select(static pair => (Name: pair.Key.ToLowerInvariant(), Value: Collapse(pair.Value)))
            .OrderBy(static header => header.Name, StringComparer.Ordinal).ToArray();
        var names = string.Join(';', signed.Select(static header => header.Name));
        var lines = string.Concat(signed.Select(static header => $"{header.Name}:{header.Value}\n"));
        var request = $"{method}\n{EscapePath(path)}\n{SortQuery(query)}\n{lines}\n{names}\n{bodyHash}";
        var (day, scopeText) = (Day(at), $"{Day(at)}/{scope.Region}/{scope.Service}/aws4_request");
        var text = $"{Algorithm}\n{Moment(at)}\n{scopeText}\n{Hash(Encoding.UTF8.GetBytes(request))}";
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(Key(keys.SecretAccessKey, day, scope), Encoding.UTF8.GetBytes(text)));
        return $"{Algorithm} Credential={keys.AccessKeyId}/{scopeText}, SignedHeaders={names}, Signature={signature}";
    }

    public static string Hash(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content));

    /// <summary>As the date header has it: <c>20150830T123600Z</c>.</summary>
    public static string Moment(DateTimeOffset at) => at.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    internal static byte[] Key(string secret, string day, (string Region, string Service) scope)
    {
        var key = Encoding.UTF8.GetBytes("AWS4" + secret);
        foreach (var part in (string[])[day, scope.Region, scope.Service, "aws4_request"])
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        return key;
    }

    private static string Day(DateTimeOffset at) => at.UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture);

    private static string EscapePath(string path)
        => path.Length == 0 ? "/" : string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    /// <summary>Parameters are escaped already, as they are sent; only their order is another.</summary>
    private static string SortQuery(string query)
        => string.Join('&', query.Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(static part => part.Split('=', 2)).Select(static pair => (Name: pair[0], Value: pair.Length > 1 ? pair[1] : ""))
            .OrderBy(static pair => pair.Name, StringComparer.Ordinal).ThenBy(static pair => pair.Value, StringComparer.Ordinal)
            .Select(static pair => $"{pair.Name}={pair.Value}"));

    private static string Collapse(string value) => string.Join(' ', value.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
