namespace Frazil.Iceberg.IO;

/// <summary>A place in a container of a storage account: <c>abfss://container@account.dfs.core.windows.net/path</c>. The path is the text
/// behind the host as it stands: never decoded, never normalised.</summary>
/// <param name="Scheme">As it was written, with its colon and slashes.</param>
/// <param name="Container">Of the account.</param>
/// <param name="Host">Of the account, as it was written.</param>
/// <param name="Path">Without a slash in front.</param>
internal readonly record struct AzureLocation(string Scheme, string Container, string Host, string Path)
{
    private static readonly string[] Schemes = ["abfss://", "abfs://", "wasbs://", "wasb://"];

    /// <summary>The account's name.</summary>
    public string Account => Host.Split('.')[0];

    /// <summary>Where blobs are asked for: one and the same for both of an account's addresses.</summary>
    public Uri BlobEndpoint => new(
        $"{(Scheme is "abfs://" or "wasb://" ? "http" : "https")}://{Host.Replace(".dfs.", ".blob.", StringComparison.OrdinalIgnoreCase)}");

    /// <summary>The location of another path in the same container.</summary>
    public string With(string path) => $"{Scheme}{Container}@{Host}/{path}";

    public static bool IsOne(string location) => SchemeOf(location) is not null;

    /// <exception cref="ValidationException">It is not a place in a container.</exception>
    public static AzureLocation Parse(string location)
    {
        const string Expected = "abfss://container@account.dfs.core.windows.net/path is expected.";
        if (SchemeOf(location) is not { } scheme)
            throw new ValidationException($"'{location}' is not a location in Azure: {Expected}");
        var rest = location[scheme.Length..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var authority = slash < 0 ? rest : rest[..slash];
        var at = authority.IndexOf('@', StringComparison.Ordinal);
        return at <= 0 || at == authority.Length - 1
            ? throw new ValidationException($"'{location}' names no container and account: {Expected}")
            : new AzureLocation(scheme, authority[..at], authority[(at + 1)..], slash < 0 ? "" : rest[(slash + 1)..]);
    }

    /// <exception cref="ValidationException">It is not an object in a container.</exception>
    public static AzureLocation ParseObject(string location)
    {
        var parsed = Parse(location);
        return parsed.Path.Length > 0 ? parsed : throw new ValidationException($"'{location}' names a container, not an object in it.");
    }

    private static string? SchemeOf(string location)
        => Array.Find(Schemes, scheme => location.StartsWith(scheme, StringComparison.OrdinalIgnoreCase));
}
