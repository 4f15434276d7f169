using System.Globalization;
using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Server.CommandLine;

namespace Frazil.Server.Verbs;

/// <summary>The catalog of a configuration, opened to be looked at. Creates nothing.</summary>
internal sealed class CatalogReader : IAsyncDisposable
{
    private readonly SqlCatalog catalog;

    private CatalogReader(SqlCatalog catalog) => this.catalog = catalog;

    /// <exception cref="VerbException">There is none yet, or it cannot be opened.</exception>
    public static async Task<CatalogReader> OpenAsync(CatalogOptions options, CancellationToken cancellationToken)
    {
        if (FileOf(options.Uri) is { } file && !File.Exists(file))
        {
            throw new VerbException($"there is no catalog at {file} (catalog.uri = \"{options.Uri}\") yet. `frazil run` creates it");
        }
        var files = WarehouseStores.Open(options);
        return new CatalogReader(
            await SqlCatalog.OpenAsync(options.Uri, options.Warehouse, files, options.Name, null, options.Properties, cancellationToken));
    }

    /// <summary>The database file of a <c>sqlite:</c> URI; three slashes are SQLAlchemy's way to begin a path. Null where the database is a
    /// server's.</summary>
    public static string? FileOf(string uri)
    {
        if (!uri.StartsWith("sqlite:", StringComparison.Ordinal))
        {
            return null;
        }
        var path = uri["sqlite:".Length..];
        return Path.GetFullPath(path.StartsWith("///", StringComparison.Ordinal) ? path[3..] : path);
    }

    public ICatalog Catalog => catalog;

    /// <summary>The named table, or all of them.</summary>
    /// <exception cref="VerbException">There is no table of that name; says which there are.</exception>
    public async Task<List<LoadedTable>> LoadAsync(string? name, CancellationToken cancellationToken)
    {
        var identifiers = new List<TableIdentifier>();
        foreach (var space in await catalog.ListNamespacesAsync(null, cancellationToken))
        {
            identifiers.AddRange(await catalog.ListTablesAsync(space, cancellationToken));
        }
        var wanted = name is null ? identifiers : identifiers.FindAll(identifier => identifier.ToString() == name);
        if (name is not null && wanted.Count == 0)
        {
            var known = identifiers.ConvertAll(identifier => identifier.ToString());
            var meant = NearestName.Find(name, known);
            throw new VerbException($"there is no table {name} in the catalog" + (meant is not null ? $"; did you mean {meant}?"
                : known.Count == 0 ? "; it has none yet" : $"; there are {string.Join(", ", known)}"));
        }
        var tables = new List<LoadedTable>();
        foreach (var identifier in wanted.OrderBy(identifier => identifier.ToString(), StringComparer.Ordinal))
        {
            tables.Add(await catalog.LoadTableAsync(identifier, cancellationToken));
        }
        return tables;
    }

    /// <summary>A count of a snapshot's summary; null where it has none.</summary>
    public static long? Count(Snapshot? snapshot, string key)
        => snapshot is not null && snapshot.Summary.TryGetValue(key, out var text)
            && long.TryParse(text, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    public static DateTimeOffset At(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    /// <summary>Where an object lies, as people type it.</summary>
    public string Shown(string location) => catalog.FileIO.LocalPathFor(location) ?? location;

    public ValueTask DisposeAsync() => catalog.DisposeAsync();
}
