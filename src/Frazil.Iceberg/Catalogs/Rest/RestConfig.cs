using System.Text.Json;
using Frazil.Iceberg.Json;

namespace Frazil.Iceberg.Catalogs;

/// <summary>What the server said of itself (<c>/v1/config</c>), over what the user said.</summary>
/// <param name="Properties">The server's defaults, the user's properties over them, the server's overrides over those.</param>
/// <param name="Endpoints">What the server can do; null where it did not say.</param>
/// <param name="KnowsOperationKeys">Whether an operation of one key is made once, however often it is sent.</param>
internal sealed record RestConfig(IReadOnlyDictionary<string, string> Properties, IReadOnlySet<string>? Endpoints, bool KnowsOperationKeys)
{
    /// <summary>What every server can that does not say what it can.</summary>
    private static readonly HashSet<string> Assumed =
    [
        RestEndpoints.ListNamespaces, RestEndpoints.CreateNamespace, RestEndpoints.LoadNamespace, RestEndpoints.DropNamespace,
        RestEndpoints.ListTables, RestEndpoints.CreateTable, RestEndpoints.LoadTable, RestEndpoints.CommitTable, RestEndpoints.DropTable,
        RestEndpoints.RegisterTable, RestEndpoints.RenameTable,
    ];

    public bool Can(string endpoint) => (Endpoints ?? Assumed).Contains(endpoint);

    /// <summary>Where the warehouse is, as far as the server says; null where it does not.</summary>
    public string? WarehouseLocation => new[] { "default-base-location", "warehouse" }.Select(name => Properties.GetValueOrDefault(name))
        .FirstOrDefault(static text => text is not null && (text.StartsWith('/') || text.Contains(":/", StringComparison.Ordinal)));

    public static RestConfig Read(JsonElement answer, IReadOnlyDictionary<string, string> own)
    {
        var merged = answer.TextMap("defaults");
        foreach (var (name, value) in own.Concat(answer.TextMap("overrides")))
            merged[name] = value;
        var endpoints = answer.Items("endpoints").Select(static one => Normalized(one.GetString() ?? "")).ToHashSet(StringComparer.Ordinal);
        return new RestConfig(merged, endpoints.Count > 0 ? endpoints : null, answer.Optional("idempotency-key-lifetime") is not null);
    }

    private static string Normalized(string endpoint) => string.Join(' ', endpoint.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}

/// <summary>Endpoints by the names under which servers announce them.</summary>
internal static class RestEndpoints
{
    public const string ListNamespaces = "GET /v1/{prefix}/namespaces";
    public const string CreateNamespace = "POST /v1/{prefix}/namespaces";
    public const string LoadNamespace = "GET /v1/{prefix}/namespaces/{namespace}";
    public const string NamespaceExists = "HEAD /v1/{prefix}/namespaces/{namespace}";
    public const string DropNamespace = "DELETE /v1/{prefix}/namespaces/{namespace}";
    public const string ListTables = "GET /v1/{prefix}/namespaces/{namespace}/tables";
    public const string CreateTable = "POST /v1/{prefix}/namespaces/{namespace}/tables";
    public const string LoadTable = "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}";
    public const string TableExists = "HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}";
    public const string CommitTable = "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}";
    public const string DropTable = "DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}";
    public const string RegisterTable = "POST /v1/{prefix}/namespaces/{namespace}/register";
    public const string RenameTable = "POST /v1/{prefix}/tables/rename";
    public const string ListViews = "GET /v1/{prefix}/namespaces/{namespace}/views";
}

/// <summary>Paths of the protocol. Names are escaped; the server's prefix is as it gave it.</summary>
internal sealed class RestPaths
{
    private readonly string root;
    private readonly string separator;

    public RestPaths(IReadOnlyDictionary<string, string> properties)
    {
        root = properties.GetValueOrDefault("prefix")?.Trim('/') is { Length: > 0 } prefix ? $"/v1/{prefix}" : "/v1";
        separator = properties.GetValueOrDefault("namespace-separator") is { Length: > 0 } announced ? announced : "%1F";
    }

    public static string Config(string? warehouse)
        => warehouse is null ? "/v1/config" : $"/v1/config?warehouse={Uri.EscapeDataString(warehouse)}";

    public string Namespaces(NamespaceName? parent = null)
        // In a query the levels are one text, so the separator is escaped like everything else in it.
        => parent is null ? $"{root}/namespaces"
            : $"{root}/namespaces?parent={Uri.EscapeDataString(string.Join(Uri.UnescapeDataString(separator), Levels(parent)))}";

    public string Namespace(NamespaceName name) => $"{root}/namespaces/{Escape(name)}";

    public string Tables(NamespaceName name) => $"{Namespace(name)}/tables";

    public string Table(TableIdentifier identifier) => $"{Tables(identifier.Namespace)}/{Escape(identifier.Name)}";

    public string Register(NamespaceName name) => $"{Namespace(name)}/register";

    public string Rename => $"{root}/tables/rename";

    public string Views(NamespaceName name) => $"{Namespace(name)}/views";

    private string Escape(NamespaceName name) => string.Join(separator, Levels(name).Select(Escape));

    private static IEnumerable<string> Levels(NamespaceName name)
        => name.Levels.Count > 0 ? name.Levels : throw new ValidationException("A namespace needs a name.");

    /// <exception cref="ValidationException">The name would be taken for a step up in the path, by whoever stands between.</exception>
    private static string Escape(string name)
        => name is "." or ".."
            ? throw new ValidationException($"'{name}' is no name that a REST catalog can have: it would be another path.")
            : Uri.EscapeDataString(name);
}
