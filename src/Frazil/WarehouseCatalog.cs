using Frazil.Config;
using Frazil.Faults;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;

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
        return await SqlCatalog.OpenAsync(options.Uri, options.Warehouse, Store(), options.Name, FaultPoint.Clock, cancellationToken);
    }

    /// <summary>Writes and deletes a small object, so that a warehouse that cannot be written is told before any record is read.</summary>
    /// <exception cref="FrazilStartException">It cannot; says why.</exception>
    public static async Task CheckWritableAsync(CatalogOptions options, CancellationToken cancellationToken = default)
    {
        var store = Store();
        var probe = $"{store.LocationFor(options.Warehouse)}/.frazil-write-check-{Guid.NewGuid():N}";
        try
        {
            await store.CreateAsync(probe, "frazil"u8.ToArray(), cancellationToken);
            await store.DeleteAsync(probe, cancellationToken);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new FrazilStartException(
                $"catalog.warehouse '{options.Warehouse}' cannot be written: {error.Message} Choose a folder that this user may write", error);
        }
    }

    /// <summary>The folder of the warehouse; null where it is not on a local disk.</summary>
    internal static string? LocalFolderOf(CatalogOptions options)
    {
        var store = Store();
        return store.LocalPathFor(store.LocationFor(options.Warehouse));
    }

    private static IFileIO Store()
        => FaultPoint.IsArmed ? new FaultyFileIO(new LocalFileIO()) : new LocalFileIO();
}
