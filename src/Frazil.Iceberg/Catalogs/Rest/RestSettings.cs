using System.Globalization;

namespace Frazil.Iceberg.Catalogs;

/// <summary>The properties that this library reads of a REST catalog, by the names that Iceberg's Java implementation gives them.</summary>
internal sealed class RestSettings
{
    private const string HeaderPrefix = "header.";
    private const string Delegation = "X-Iceberg-Access-Delegation";

    private static readonly string[] AuthTypes = ["none", "basic", "oauth2", "sigv4"];

    /// <summary>What says how the catalog is reached, beside <c>rest.…</c> and <c>header.…</c>.</summary>
    private static readonly string[] OfWays =
    [
        "uri", "token", "credential", "oauth2-server-uri", "scope", "audience", "resource", "token-refresh-enabled", "client.region",
        "rest-page-size",
    ];

    /// <summary>Properties that are numbers, and the least that each may be.</summary>
    private static readonly (string Name, int Least)[] Numbers =
    [
        ("rest.client.max-retries", 0), ("rest.client.connection-timeout-ms", 1), ("rest.client.socket-timeout-ms", 1), ("rest-page-size", 1),
    ];

    /// <summary>The longest that a wait or a time-out may be, in milliseconds: an hour.</summary>
    private const int LongestMilliseconds = 3_600_000;

    private readonly IReadOnlyDictionary<string, string> properties;

    /// <exception cref="ValidationException">A property cannot be as it is.</exception>
    public RestSettings(IReadOnlyDictionary<string, string> properties)
    {
        this.properties = properties;
        if (Problems(properties) is [var (name, problem), ..])
            throw new ValidationException($"The catalog's property {name} {problem}.");
    }

    /// <summary><c>none</c>, <c>basic</c>, <c>oauth2</c> or <c>sigv4</c>.</summary>
    public string AuthType => AuthTypeOf(properties);

    public string? Token => Text("token");
    /// <summary><c>id:secret</c>, or a secret alone.</summary>
    public string? Credential => Text("credential");
    public string? TokenUri => Text("oauth2-server-uri");
    public string Scope => properties.GetValueOrDefault("scope", "catalog");
    public string? Audience => Text("audience");
    public string? Resource => Text("resource");
    public bool RefreshesTokens => Flag("token-refresh-enabled", true);
    public string? UserName => Text("rest.auth.basic.username");
    public string? Password => Text("rest.auth.basic.password");
    public string SigningName => Text("rest.signing-name") ?? "execute-api";
    public string? SigningRegion => RegionOf(properties);
    /// <summary>Null where the properties have none.</summary>
    public AwsKeys? SigningKeys => Text("rest.access-key-id") is { } id && Text("rest.secret-access-key") is { } secret
        ? new AwsKeys(id, secret, Text("rest.session-token")) : null;

    /// <summary>How often a request is sent again that may be.</summary>
    public int Retries => Number("rest.client.max-retries", 4);
    public TimeSpan ConnectTimeout => TimeSpan.FromMilliseconds(Number("rest.client.connection-timeout-ms", 10_000));
    /// <summary>From the sending of a request to the last byte of its answer.</summary>
    public TimeSpan RequestTimeout => TimeSpan.FromMilliseconds(Number("rest.client.socket-timeout-ms", 60_000));
    public string? PageSize => Text("rest-page-size");

    /// <summary>Headers of every request.</summary>
    public IEnumerable<KeyValuePair<string, string>> Headers => properties
        .Where(static pair => pair.Key.StartsWith(HeaderPrefix, StringComparison.OrdinalIgnoreCase))
        .Select(static pair => KeyValuePair.Create(pair.Key[HeaderPrefix.Length..], pair.Value))
        .Where(static pair => !pair.Key.Equals(Delegation, StringComparison.OrdinalIgnoreCase));

    /// <summary>How the catalog may let us reach a table's files: it lends keys, unless told otherwise; empty asks for nothing.</summary>
    public string AccessDelegation => properties
        .Where(static pair => pair.Key.Equals(HeaderPrefix + Delegation, StringComparison.OrdinalIgnoreCase))
        .Select(static pair => pair.Value).FirstOrDefault("vended-credentials");

    /// <summary>Values that must appear in no message.</summary>
    public IEnumerable<string> Secrets
        => new[] { Token, Credential, SecretPart(Credential), Password, SigningKeys?.SecretAccessKey, SigningKeys?.SessionToken }
        .OfType<string>().Where(static secret => secret.Length >= 4)
        .Concat(Headers.Select(static pair => pair.Value).Where(static value => value.Length >= 8));

    /// <summary>Whether two sets of properties reach the catalog in the same way.</summary>
    public static bool AreAlike(IReadOnlyDictionary<string, string> one, IReadOnlyDictionary<string, string> other)
        => Read(one).SequenceEqual(Read(other));

    public static IReadOnlyList<(string Name, string Problem)> Problems(IReadOnlyDictionary<string, string> properties)
    {
        var problems = new List<(string, string)>();
        foreach (var (name, least) in Numbers)
            if (properties.TryGetValue(name, out var text)
                && !(TryNumber(text, out var number) && number >= least && number <= LongestMilliseconds))
                problems.Add((name, $"is '{text}', and must be a whole number of {least} to {LongestMilliseconds}"));
        foreach (var name in (string[])["token-refresh-enabled", "rest.sigv4-enabled"])
            if (properties.TryGetValue(name, out var text) && !bool.TryParse(text, out _))
                problems.Add((name, $"is '{text}', and must be true or false"));
        foreach (var (name, value) in properties)
            if (name.StartsWith(HeaderPrefix, StringComparison.OrdinalIgnoreCase) && !IsHeader(name[HeaderPrefix.Length..], value))
                problems.Add((name, "is no HTTP header: a name of letters, digits and hyphens, and a value in one line of ASCII, are expected"));
        problems.AddRange(AuthProblems(properties));
        return problems;
    }

    private static IEnumerable<(string, string)> AuthProblems(IReadOnlyDictionary<string, string> properties)
    {
        var type = AuthTypeOf(properties);
        if (!AuthTypes.Contains(type))
            yield return ("rest.auth.type", $"is '{type}', and must be one of {string.Join(", ", AuthTypes)}");
        if (type == "sigv4" && RegionOf(properties) is null)
            yield return ("rest.signing-region", "is missing, which signed requests need (nor is client.region set, nor AWS_REGION)");
        if (type == "basic" && !(properties.ContainsKey("rest.auth.basic.username") && properties.ContainsKey("rest.auth.basic.password")))
            yield return ("rest.auth.basic.username", "and rest.auth.basic.password are needed where rest.auth.type is basic");
        if (properties.ContainsKey("rest.access-key-id") != properties.ContainsKey("rest.secret-access-key"))
            yield return ("rest.access-key-id", "and rest.secret-access-key only make sense together");
    }

    private static IEnumerable<KeyValuePair<string, string>> Read(IReadOnlyDictionary<string, string> properties)
        => properties.Where(static pair => OfWays.Contains(pair.Key) || pair.Key.StartsWith("rest.", StringComparison.Ordinal)
                || pair.Key.StartsWith(HeaderPrefix, StringComparison.OrdinalIgnoreCase))
            .OrderBy(static pair => pair.Key, StringComparer.Ordinal);

    private static string AuthTypeOf(IReadOnlyDictionary<string, string> properties)
        => properties.GetValueOrDefault("rest.auth.type")?.ToLowerInvariant() is { Length: > 0 } type ? type
            : bool.TryParse(properties.GetValueOrDefault("rest.sigv4-enabled"), out var signs) && signs ? "sigv4"
            : properties.ContainsKey("credential") || properties.ContainsKey("token") ? "oauth2" : "none";

    private static string? RegionOf(IReadOnlyDictionary<string, string> properties)
        => new[] { properties.GetValueOrDefault("rest.signing-region"), properties.GetValueOrDefault("client.region"),
            Environment.GetEnvironmentVariable("AWS_REGION"), Environment.GetEnvironmentVariable("AWS_DEFAULT_REGION") }
            .FirstOrDefault(static region => !string.IsNullOrEmpty(region));

    private static string? SecretPart(string? credential) => credential?[(credential.IndexOf(':', StringComparison.Ordinal) + 1)..];

    private static bool IsHeader(string name, string value)
        => name.Length > 0 && name.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.')
            && value.All(static letter => letter is >= ' ' and <= '~');

    private static bool TryNumber(string text, out int number)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private string? Text(string name) => properties.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    private int Number(string name, int usual)
        => properties.TryGetValue(name, out var text) && TryNumber(text, out var number) ? number : usual;

    private bool Flag(string name, bool usual)
        => properties.TryGetValue(name, out var text) && bool.TryParse(text, out var flag) ? flag : usual;
}
