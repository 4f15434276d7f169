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
        IFileIO store = FaultPoint.IsArmed ? new FaultyFileIO(new LocalFileIO()) : new LocalFileIO();
        return await SqlCatalog.OpenAsync(options.Uri, options.Warehouse, store, options.Name, FaultPoint.Clock, cancellationToken);
    }

    /// <summary>Writes and deletes a small object, so that a warehouse that cannot be written is told before any record is read.</summary>
    /// <exception cref="FrazilStartException">It cannot; says why.</exception>
    public static async Task CheckWritableAsync(ICatalog catalog, string warehouse, CancellationToken cancellationToken = default)
    {
        var probe = $"{catalog.FileIO.LocationFor(warehouse)}/.frazil-write-check-{Guid.NewGuid():N}";
        try
        {
            await catalog.FileIO.CreateAsync(probe, "frazil"u8.ToArray(), cancellationToken);
            await catalog.FileIO.DeleteAsync(probe, cancellationToken);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new FrazilStartException(
                $"catalog.warehouse '{warehouse}' cannot be written: {error.Message} Choose a folder that this user may write", error);
        }
    }
}
