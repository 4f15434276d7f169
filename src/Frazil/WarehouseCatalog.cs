using Frazil.Config;
using Frazil.Faults;
using Frazil.Iceberg.Catalogs;

namespace Frazil;

/// <summary>Opens the configured catalog.</summary>
public static class WarehouseCatalog
{
    /// <summary>Opens, and creates where missing, the catalog and its tables. The caller disposes it.</summary>
    /// <exception cref="FrazilStartException">The catalog cannot be used; says why.</exception>
    public static async Task<ICatalog> OpenAsync(CatalogOptions options, CancellationToken cancellationToken = default)
    {
        if (options.Type != "sql")
        {
            throw new FrazilStartException($"catalog.type '{options.Type}' is not supported yet; use \"sql\"");
        }
        var store = WarehouseStores.Open(options);
        return await SqlCatalog.OpenAsync(options.Uri, options.Warehouse, store, options.Name, FaultPoint.Clock, options.Properties, cancellationToken);
    }

    /// <summary>Writes, reads and deletes a small object, so that a warehouse that cannot be written is told before any record is read.</summary>
    /// <exception cref="FrazilStartException">It cannot; says why.</exception>
    public static async Task CheckWritableAsync(CatalogOptions options, CancellationToken cancellationToken = default)
    {
        if (await WarehouseProbe.TryAsync(options, TimeProvider.System, cancellationToken) is { } problem)
        {
            throw new FrazilStartException($"catalog.warehouse '{options.Warehouse}' {problem.Text} {problem.Fix}", problem.Cause);
        }
    }

    /// <summary>The folder of the warehouse; null where it is not on a local disk.</summary>
    internal static string? LocalFolderOf(CatalogOptions options)
    {
        var store = WarehouseStores.Open(options);
        return store.LocalPathFor(store.LocationFor(options.Warehouse));
    }
}
