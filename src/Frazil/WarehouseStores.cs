using Frazil.Config;
using Frazil.Faults;
using Frazil.Iceberg.IO;

namespace Frazil;

/// <summary>The stores that tables can lie in, by the scheme of a location. A new kind of store is added here.</summary>
internal static class WarehouseStores
{
    /// <summary>Opens the store of a location.</summary>
    /// <param name="location">A path or a location.</param>
    /// <param name="properties">Iceberg's catalog properties, which say how it is reached.</param>
    /// <exception cref="Frazil.Iceberg.ValidationException">A property's value is not what it takes.</exception>
    public static IFileIO Open(string location, IReadOnlyDictionary<string, string> properties)
    {
        IFileIO store = S3FileIO.Knows(location) ? new S3FileIO(S3Options.From(properties))
            : AzureFileIO.Knows(location) ? new AzureFileIO(AzureOptions.From(properties))
            : GcsFileIO.Knows(location) ? new GcsFileIO(GcsOptions.From(properties))
            : new LocalFileIO();
        return FaultPoint.IsArmed ? new FaultyFileIO(store) : store;
    }

    /// <summary>Whether it lies in a store that has no local paths.</summary>
    public static bool IsRemote(string location) => S3FileIO.Knows(location) || AzureFileIO.Knows(location) || GcsFileIO.Knows(location);

    /// <inheritdoc cref="Open(string, IReadOnlyDictionary{string, string})"/>
    public static IFileIO Open(CatalogOptions catalog) => Open(catalog.Warehouse, catalog.Properties);
}
