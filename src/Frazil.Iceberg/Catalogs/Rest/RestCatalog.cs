using System.Net;
using System.Text.Json;
using Frazil.Iceberg.Json;

namespace Frazil.Iceberg.Catalogs;

/// <summary>
/// A catalog behind Iceberg's REST protocol. A commit is one request, in which the server checks the requirements and swaps the pointer.
/// An answer that is lost, or that something else gave than the catalog, is looked up before anything is said of what happened; what stays
/// unclear is <see cref="CommitStateUnknownException"/>.
/// </summary>
public sealed partial class RestCatalog : ICatalog
{
    private readonly RestClient client;
    private readonly RestConfig config;
    private readonly RestPaths paths;
    private readonly RestTables tables;
    private readonly TimeProvider time;

    private RestCatalog(RestClient client, RestConfig config, RestCatalogOptions options)
    {
        (this.client, this.config, time) = (client, config, options.Time);
        paths = new RestPaths(config.Properties);
        tables = new RestTables(
            options, config.Properties, (identifier, cancellationToken) => LoadAsync(identifier, known: null, cancellationToken));
    }

    /// <summary>Where the warehouse is, as far as the server says; null where it does not.</summary>
    public string? WarehouseLocation => config.WarehouseLocation;

    /// <summary>Asks the server for its configuration. The caller disposes the catalog.</summary>
    /// <exception cref="ValidationException">The address, a property or the warehouse is wrong.</exception>
    /// <exception cref="CatalogUnavailableException">The server cannot be reached, or does not let us in.</exception>
    public static async Task<RestCatalog> OpenAsync(RestCatalogOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var client = new RestClient(options.Uri, options.Properties, options);
        try
        {
            var config = await ConfigureAsync(client, options, cancellationToken).ConfigureAwait(false);
            if (RestSettings.AreAlike(options.Properties, config.Properties))
                return new RestCatalog(client, config, options);
            // What the server says changes how it is reached from now on.
            var later = new RestClient(config.Properties.GetValueOrDefault("uri", options.Uri), config.Properties, options);
            client.Dispose();
            return new RestCatalog(later, config, options);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public async Task<IReadOnlyList<NamespaceName>> ListNamespacesAsync(
        NamespaceName? parent = null, CancellationToken cancellationToken = default)
    {
        var named = parent is { Levels.Count: > 0 } ? parent : null;
        return await ListAsync(paths.Namespaces(named), "namespaces", ReadLevels, cancellationToken).ConfigureAwait(false);
    }

    public async Task<bool> NamespaceExistsAsync(NamespaceName name, CancellationToken cancellationToken = default)
        => await ExistsAsync(paths.Namespace(name), config.Can(RestEndpoints.NamespaceExists), cancellationToken).ConfigureAwait(false);

    public async Task<IReadOnlyDictionary<string, string>> LoadNamespaceAsync(
        NamespaceName name, CancellationToken cancellationToken = default)
        => (await ReadAsync(paths.Namespace(name), NoSuchNamespace, cancellationToken).ConfigureAwait(false))
            .Read($"the namespace {name}", static root => root.TextMap("properties"));

    public async Task CreateNamespaceAsync(
        NamespaceName name, IReadOnlyDictionary<string, string>? properties = null, CancellationToken cancellationToken = default)
    {
        var body = JsonFields.Write(writer =>
        {
            writer.WriteStartObject();
            WriteLevels(writer, "namespace", name);
            writer.WriteTextMap("properties", properties ?? EmptyMap.Strings);
            writer.WriteEndObject();
        });
        await ChangeAsync(
            new(HttpMethod.Post, paths.Namespaces(), body), static _ => true, failure => failure is { Status: 409, IsCatalogs: true }
                ? new NamespaceAlreadyExistsException(failure.Message, failure) : RestErrors.Translate(failure),
            () => FindNamespaceAsync(name, properties ?? EmptyMap.Strings), cancellationToken).ConfigureAwait(false);
    }

    public async Task DropNamespaceAsync(NamespaceName name, CancellationToken cancellationToken = default)
        => await ChangeAsync(
            new(HttpMethod.Delete, paths.Namespace(name)), static _ => true, static failure => failure switch
            {
                { Status: 409, IsCatalogs: true } => new NamespaceNotEmptyException(failure.Message, failure),
                { Status: 400, Type: "NamespaceNotEmptyException" } => new NamespaceNotEmptyException(failure.Message, failure),
                _ => NoSuchNamespace(failure),
            },
            async () => !await NamespaceExistsAsync(name, CancellationToken.None).ConfigureAwait(false),
            cancellationToken).ConfigureAwait(false);

    public async Task<IReadOnlyList<TableIdentifier>> ListTablesAsync(NamespaceName name, CancellationToken cancellationToken = default)
        => await ListAsync(paths.Tables(name), "identifiers", ReadIdentifier, cancellationToken).ConfigureAwait(false);

    /// <summary>Views share names with tables, but are none: they are listed here, and every other operation says that there is no such
    /// table.</summary>
    /// <exception cref="NoSuchNamespaceException"/>
    public async Task<IReadOnlyList<TableIdentifier>> ListViewsAsync(NamespaceName name, CancellationToken cancellationToken = default)
        => config.Can(RestEndpoints.ListViews)
            ? await ListAsync(paths.Views(name), "identifiers", ReadIdentifier, cancellationToken).ConfigureAwait(false) : [];

    public async Task<bool> TableExistsAsync(TableIdentifier identifier, CancellationToken cancellationToken = default)
        => await ExistsAsync(paths.Table(identifier), config.Can(RestEndpoints.TableExists), cancellationToken).ConfigureAwait(false);

    public async Task<LoadedTable> LoadTableAsync(TableIdentifier identifier, CancellationToken cancellationToken = default)
        => await LoadAsync(identifier, tables.Known(identifier), cancellationToken).ConfigureAwait(false);

    public async ValueTask DisposeAsync()
    {
        await tables.DisposeAsync().ConfigureAwait(false);
        client.Dispose();
    }

    private static async Task<RestConfig> ConfigureAsync(RestClient client, RestCatalogOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var call = new RestCall(HttpMethod.Get, RestPaths.Config(options.Warehouse));
            var answer = await client.SendAsync(call, cancellationToken).ConfigureAwait(false);
            return answer.Read("its configuration", root => RestConfig.Read(root, options.Properties));
        }
        catch (RestFailure failure)
        {
            var warehouse = options.Warehouse is null ? "none is named" : $"'{options.Warehouse}' is named";
            throw failure switch
            {
                { Status: 400 or 404, IsCatalogs: true }
                    => new ValidationException($"{failure.Message} Look at the warehouse: {warehouse}.", failure),
                { Status: 404 }
                    => new ValidationException($"{failure.Message} There is no catalog at this address: look at the catalog's uri.", failure),
                _ => RestErrors.Translate(failure),
            };
        }
        catch (InvalidFormatException e)
        {
            throw new ValidationException(
                $"{client.Address}/v1/config is not that of an Iceberg catalog: look at the catalog's uri. {client.Shown(e.Message)}", e);
        }
    }

    /// <summary>All snapshots are loaded, not only those that branches and tags name (<c>snapshots=refs</c>): a commit whose answer was
    /// lost is
    /// searched among the ancestors, and expiry decides on all of them.</summary>
    /// <param name="identifier">Which.</param>
    /// <param name="known">A version that need not be sent again; null to have the whole answer, and with it new keys.</param>
    /// <param name="cancellationToken">Cancels.</param>
    private async Task<LoadedTable> LoadAsync(
        TableIdentifier identifier, (string Tag, LoadedTable Table)? known, CancellationToken cancellationToken)
    {
        var call = new RestCall(HttpMethod.Get, paths.Table(identifier)) { AsksForKeys = true, KnownTag = known?.Tag };
        var answer = await ReadAsync(call, static failure => RestErrors.Translate(failure), cancellationToken).ConfigureAwait(false);
        return answer.Status == HttpStatusCode.NotModified && known is not null ? known.Value.Table : tables.Take(identifier, answer);
    }

    private Task<RestAnswer> ReadAsync(string path, Func<RestFailure, IcebergException> meaning, CancellationToken cancellationToken)
        => ReadAsync(new RestCall(HttpMethod.Get, path), meaning, cancellationToken);

    private async Task<RestAnswer> ReadAsync(
        RestCall call, Func<RestFailure, IcebergException> meaning, CancellationToken cancellationToken)
    {
        try
        {
            return await client.SendAsync(call, cancellationToken).ConfigureAwait(false);
        }
        catch (RestFailure failure)
        {
            throw meaning(failure);
        }
    }

    /// <summary>Asks without a body where the server announces that, else by loading.</summary>
    private async Task<bool> ExistsAsync(string path, bool byHead, CancellationToken cancellationToken)
    {
        try
        {
            await client.SendAsync(new(byHead ? HttpMethod.Head : HttpMethod.Get, path), cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (RestFailure failure) when (failure.IsNoSuchTable || failure.IsNoSuchNamespace)
        {
            return false;
        }
        catch (RestFailure failure)
        {
            throw RestErrors.Translate(failure);
        }
    }

    /// <summary>Every page of a list.</summary>
    private async Task<List<T>> ListAsync<T>(string path, string name, Func<JsonElement, T> read, CancellationToken cancellationToken)
    {
        var (items, tokens) = (new List<T>(), new HashSet<string>(StringComparer.Ordinal));
        // A token is only sent first where a size of pages is wished for: servers that know no pages send everything, and so do those that
        // do.
        var pageSize = client.PageSize is { } wished ? $"&pageSize={wished}" : "";
        for (var token = pageSize.Length > 0 ? "" : null; ;)
        {
            var query = token is null ? "" : $"pageToken={Uri.EscapeDataString(token)}{pageSize}";
            var page = query.Length == 0 ? path : $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{query}";
            var answer = await ReadAsync(page, NoSuchNamespace, cancellationToken).ConfigureAwait(false);
            token = answer.Read(name, root =>
            {
                items.AddRange(root.Items(name).Select(read));
                return root.Optional("next-page-token")?.GetString();
            });
            if (string.IsNullOrEmpty(token))
                return items;
            if (!tokens.Add(token))
                throw new InvalidFormatException($"The catalog {client.Address} gives the same page of {name} again and again.");
        }
    }

    private static IcebergException NoSuchNamespace(RestFailure failure)
        => failure.IsNoSuchTable ? new NoSuchNamespaceException(failure.Message, failure) : RestErrors.Translate(failure);

    private static TableIdentifier ReadIdentifier(JsonElement element) => new(
        ReadLevels(element.Required("namespace")), element.RequiredText("name"));

    private static NamespaceName ReadLevels(JsonElement element)
        => new([.. element.EnumerateArray().Select(static level => level.GetString()!)]);

    private static void WriteLevels(Utf8JsonWriter writer, string field, NamespaceName name)
    {
        writer.WriteStartArray(field);
        foreach (var level in name.Levels)
            writer.WriteStringValue(level);
        writer.WriteEndArray();
    }
}
