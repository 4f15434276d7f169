using System.Text.Json;
using Frazil.Iceberg.Json;

namespace Frazil.Iceberg.Catalogs;

/// <summary>What an answer about a table says of its store.</summary>
/// <param name="Config">For the table as a whole.</param>
/// <param name="Credentials">Keys by the beginning of the locations that they open.</param>
internal sealed record LentKeys(
    IReadOnlyDictionary<string, string> Config, IReadOnlyList<(string Prefix, IReadOnlyDictionary<string, string> Config)> Credentials)
{
    /// <summary>Parts of names whose values change from one answer to the next, while the store stays the same.</summary>
    private static readonly string[] Passing = ["access-key", "secret", "token", "expires-at", "credential"];

    public static LentKeys Read(JsonElement answer) => new(
        answer.TextMap("config"),
        [.. answer.Items("storage-credentials").Select(static one
            => (one.RequiredText("prefix"), (IReadOnlyDictionary<string, string>)one.TextMap("config")))]);

    /// <summary>Whether there are keys in it that end some day.</summary>
    public bool Lends => Credentials.Count > 0
        || Config.Keys.Any(static name => name.Contains("token", StringComparison.Ordinal) && name != "token");

    /// <summary>The properties of the store of a location: the catalog's, the table's over them, and over these the keys of the longest
    /// prefix.</summary>
    public Dictionary<string, string> PropertiesFor(string location, IReadOnlyDictionary<string, string> catalog)
    {
        var properties = new Dictionary<string, string>(catalog, StringComparer.Ordinal);
        var keys = Credentials.Where(one => Covers(one.Prefix, location)).OrderByDescending(static one => one.Prefix.TrimEnd('/').Length)
            .Select(static one => one.Config).FirstOrDefault() ?? EmptyMap.Strings;
        foreach (var (name, value) in Config.Concat(keys))
            properties[name] = value;
        return properties;
    }

    /// <summary>Whether two sets of properties mean the same store, but for the keys.</summary>
    public static bool AreAlike(IReadOnlyDictionary<string, string> one, IReadOnlyDictionary<string, string> other)
        => Lasting(one).SequenceEqual(Lasting(other));

    /// <summary>A prefix ends where a name ends: the keys of <c>ns/test</c> are not those of <c>ns/test2</c>. One without a slash is a
    /// scheme's
    /// alone.</summary>
    internal static bool Covers(string prefix, string location)
    {
        (prefix, location) = (Spelled(prefix), Spelled(location));
        var trimmed = prefix.TrimEnd('/');
        if (!trimmed.Contains('/', StringComparison.Ordinal))
            return SchemeOf(location).Equals(trimmed.TrimEnd(':'), StringComparison.OrdinalIgnoreCase);
        return location.StartsWith(trimmed, StringComparison.Ordinal)
            && (location.Length == trimmed.Length || location[trimmed.Length] == '/');
    }

    /// <summary>The scheme and the host or bucket: <c>s3://bucket</c>; <c>file:</c> of local locations.</summary>
    public static string PlaceOf(string location)
    {
        var host = location.IndexOf("://", StringComparison.Ordinal) + 3;
        if (host == 2 || SchemeOf(location) == "file")
            return "file:";
        var end = location.IndexOf('/', host);
        return Spelled(end < 0 ? location : location[..end]);
    }

    /// <summary>Three names of one scheme.</summary>
    private static string Spelled(string location)
        => location.StartsWith("s3a://", StringComparison.Ordinal) || location.StartsWith("s3n://", StringComparison.Ordinal)
            ? $"s3{location[3..]}" : location;

    private static string SchemeOf(string location)
    {
        var colon = location.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? "file" : Spelled(location)[..Spelled(location).IndexOf(':', StringComparison.Ordinal)];
    }

    private static IEnumerable<KeyValuePair<string, string>> Lasting(IReadOnlyDictionary<string, string> properties)
        => properties.Where(static pair => !Passing.Any(part => pair.Key.Contains(part, StringComparison.Ordinal)))
            .OrderBy(static pair => pair.Key, StringComparer.Ordinal);
}
