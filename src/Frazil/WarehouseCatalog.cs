using Frazil.Config;
using Frazil.Faults;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;

namespace Frazil;

/// <summary>Opens the configured catalog.</summary>
public static class WarehouseCatalog
{
    /// <summary>Opens the catalog; a SQL catalog and its tables are created where they are missing. The caller disposes it.</summary>
    /// <exception cref="FrazilStartException">The catalog cannot be used; says why.</exception>
    /// <exception cref="IcebergException">Likewise.</exception>
    public static async Task<ICatalog> OpenAsync(CatalogOptions options, CancellationToken cancellationToken = default) => options.Type switch
    {
        "rest" => await OpenRestAsync(options, cancellationToken),
        "filesystem" => await OpenFilesystemAsync(options, cancellationToken),
        _ => await SqlCatalog.OpenAsync(
            options.Uri, options.Warehouse, StoreFor(options.Warehouse), options.Name, FaultPoint.Clock, cancellationToken),
    };

    /// <summary>Writes and deletes a small object, so that a warehouse that cannot be written is told before any record is read. Where the
    /// catalog keeps it elsewhere, the tables' own places tell with the first flush.</summary>
    /// <exception cref="FrazilStartException">It cannot; says why.</exception>
    public static async Task CheckWritableAsync(ICatalog catalog, CatalogOptions options, CancellationToken cancellationToken = default)
    {
        if (PlaceOf(catalog, options) is not { } place)
        {
            return;
        }
        var store = StoreFor(place);
        var probe = $"{store.LocationFor(place)}/.frazil-write-check-{Guid.NewGuid():N}";
        try
        {
            await store.CreateAsync(probe, "frazil"u8.ToArray(), cancellationToken);
            await store.DeleteAsync(probe, cancellationToken);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new FrazilStartException(
                $"catalog.warehouse '{place}' cannot be written: {error.Message} Choose a folder that this user may write", error);
        }
    }

    /// <summary>The folders of the warehouse, which SQL may read; none where it is not on a local disk.</summary>
    internal static IReadOnlyList<string> LocalFoldersOf(ICatalog catalog, CatalogOptions options)
    {
        if (PlaceOf(catalog, options) is not { } place)
        {
            return [];
        }
        var store = StoreFor(place);
        return store.LocalPathFor(store.LocationFor(place)) is { } folder ? [folder] : [];
    }

    /// <summary>What the server calls the warehouse: nothing where nothing was said.</summary>
    internal static string? WarehouseNameOf(CatalogOptions options)
        => options.Warehouse.Length == 0 || options.Warehouse == new CatalogOptions().Warehouse ? null : options.Warehouse;

    /// <summary>Where the warehouse is, if this process can reach it: what a REST server says of itself, else a path that was configured. A
    /// name
    /// is no place.</summary>
    private static string? PlaceOf(ICatalog catalog, CatalogOptions options)
    {
        if (options.Type != "rest")
        {
            return options.Warehouse;
        }
        var places = new[] { (catalog as RestCatalog)?.WarehouseLocation, WarehouseNameOf(options) };
        return places.FirstOrDefault(
            static place => place is not null && (place.StartsWith('/') || place.StartsWith("file:/", StringComparison.Ordinal)));
    }

    private static async Task<ICatalog> OpenRestAsync(CatalogOptions options, CancellationToken cancellationToken) => await RestCatalog.OpenAsync(
        new()
        {
            Uri = options.Uri,
            Warehouse = WarehouseNameOf(options),
            Properties = options.Properties,
            OpenStore = static access => StoreFor(access.Location),
            Time = FaultPoint.Clock,
        },
        cancellationToken);

    private static async Task<ICatalog> OpenFilesystemAsync(CatalogOptions options, CancellationToken cancellationToken)
    {
        var store = StoreFor(options.Warehouse);
        return await store.CreatesExclusivelyAsync(store.LocationFor(options.Warehouse), cancellationToken)
            ? new FilesystemCatalog(options.Warehouse, store, FaultPoint.Clock)
            : throw new FrazilStartException(
                $"catalog.type \"filesystem\" cannot be used with catalog.warehouse '{options.Warehouse}': of two writers that create the same "
                + "version of a table there, both might win, and one's rows would be lost. Choose another place, or catalog.type \"sql\" or "
                + "\"rest\"");
    }

    /// <summary>The store of a location.</summary>
    /// <exception cref="ValidationException">There is none for it.</exception>
    private static IFileIO StoreFor(string location)
    {
        if (location.Contains("://", StringComparison.Ordinal) && !location.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
        {
            throw new ValidationException($"'{location}' is in a store that is not supported yet: tables are to lie on a local disk.");
        }
        return FaultPoint.IsArmed ? new FaultyFileIO(new LocalFileIO()) : new LocalFileIO();
    }
}
