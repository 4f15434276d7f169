using System.Globalization;
using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Server.CommandLine;

namespace Frazil.Server.Verbs;

/// <summary>The catalog of a configuration, opened to be looked at. Creates nothing.</summary>
internal sealed class CatalogReader : IAsyncDisposable
{
    private readonly string place;

    private CatalogReader(ICatalog catalog, string place) => (Catalog, this.place) = (catalog, place);

    public ICatalog Catalog { get; }

    /// <exception cref="VerbException">There is none yet.</exception>
    /// <exception cref="FrazilStartException">It cannot be opened; says why.</exception>
    /// <exception cref="IcebergException">Likewise.</exception>
    public static async Task<CatalogReader> OpenAsync(CatalogOptions options, CancellationToken cancellationToken)
    {
        if (options.Type == "sql" && FileOf(options.Uri) is var file && !File.Exists(file))
        {
            throw new VerbException($"there is no catalog at {file} (catalog.uri = \"{options.Uri}\") yet. `frazil run` creates it");
        }
        return new CatalogReader(
            await WarehouseCatalog.OpenAsync(options, cancellationToken), options.Type == "filesystem" ? options.Warehouse : options.Uri);
    }

    /// <summary>The database file of a <c>sqlite:</c> URI; three slashes are SQLAlchemy's way to begin a path.</summary>
    public static string FileOf(string uri)
    {
        var path = uri["sqlite:".Length..];
        return Path.GetFullPath(path.StartsWith("///", StringComparison.Ordinal) ? path[3..] : path);
    }

    /// <summary>The named table, or all of them; of all, those are left out whose store this process cannot reach.</summary>
    /// <exception cref="VerbException">There is no table of that name; says which there are.</exception>
    public async Task<List<LoadedTable>> LoadAsync(string? name, CancellationToken cancellationToken)
    {
        if (name is not null)
        {
            return [await LoadOneAsync(name, cancellationToken)];
        }
        var tables = new List<LoadedTable>();
        foreach (var identifier in await ListAsync(cancellationToken))
        {
            if (await TryLoadAsync(identifier, cancellationToken) is { } table)
            {
                tables.Add(table);
            }
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

    /// <summary>Where an object of a table lies, as people type it.</summary>
    public static string Shown(LoadedTable table, string location) => table.FileIO.LocalPathFor(location) ?? location;

    public ValueTask DisposeAsync() => Catalog.DisposeAsync();

    private async Task<LoadedTable> LoadOneAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await Catalog.LoadTableAsync(TableIdentifier.Parse(name), cancellationToken);
        }
        catch (Exception error) when (error is NoSuchTableException or NoSuchNamespaceException or ValidationException { InnerException: null })
        {
            var known = (await ListAsync(cancellationToken)).ConvertAll(static identifier => identifier.ToString());
            if (known.Contains(name))
            {
                throw; // it is there, and cannot be read
            }
            var meant = NearestName.Find(name, known);
            throw new VerbException($"there is no table {name} in {place}" + (meant is not null ? $"; did you mean {meant}?"
                : known.Count == 0 ? "; it has none yet" : $"; there are {string.Join(", ", known)}"));
        }
    }

    /// <summary>Null where the table went meanwhile, or lies where this process cannot read.</summary>
    private async Task<LoadedTable?> TryLoadAsync(TableIdentifier identifier, CancellationToken cancellationToken)
    {
        try
        {
            return await Catalog.LoadTableAsync(identifier, cancellationToken);
        }
        catch (Exception error) when (error is NoSuchTableException or ValidationException)
        {
            return null;
        }
    }

    /// <summary>Every table of every namespace, in the order of their names.</summary>
    private async Task<List<TableIdentifier>> ListAsync(CancellationToken cancellationToken)
    {
        var (found, open) = (new List<TableIdentifier>(), new Queue<NamespaceName?>([null]));
        while (open.TryDequeue(out var parent))
        {
            foreach (var space in await Catalog.ListNamespacesAsync(parent, cancellationToken))
            {
                found.AddRange(await Catalog.ListTablesAsync(space, cancellationToken));
                open.Enqueue(space);
            }
        }
        return [.. found.OrderBy(static identifier => identifier.ToString(), StringComparer.Ordinal)];
    }
}
