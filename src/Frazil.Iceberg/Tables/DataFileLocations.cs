using System.Globalization;

namespace Frazil.Iceberg;

/// <summary>Where new data files go, by the table's properties.</summary>
public static class DataFileLocations
{
    private const int HashBits = 20;
    private const int FolderBits = 4;
    private const int Folders = 3;

    /// <summary>
    /// The location of a file: below <see cref="TableMetadata.DataLocation"/>, in its folder. With
    /// <c>write.object-storage.enabled</c> folders of a hash come before, as Java makes them, so that a store which spreads load by
    /// prefix does spread it.
    /// </summary>
    /// <param name="table">The table.</param>
    /// <param name="folder">The file's folder, such as its partition; may be empty; without slashes at its ends.</param>
    /// <param name="name">The file's name.</param>
    public static string Of(TableMetadata table, string folder, string name)
    {
        var path = folder.Length == 0 ? name : $"{folder}/{name}";
        var properties = table.TableProperties;
        if (!properties.ObjectStorage)
            return $"{table.DataLocation}/{path}";
        if (!properties.ObjectStoragePartitionedPaths)
            return $"{table.DataLocation}/{HashFolders(name)}-{name}";
        return $"{table.DataLocation}/{HashFolders(path)}/{Context(table)}{path}";
    }

    /// <summary>Three folders of four bits and one of the rest: <c>0110/1001/0011/10110101</c>.</summary>
    private static string HashFolders(string path)
    {
        var hash = (uint)Murmur3.HashBytes(System.Text.Encoding.UTF8.GetBytes(path)) & ((1u << HashBits) - 1);
        var bits = Convert.ToString(hash, 2).PadLeft(HashBits, '0');
        var parts = Enumerable.Range(0, Folders).Select(i => bits.Substring(i * FolderBits, FolderBits)).Append(bits[(Folders * FolderBits)..]);
        return string.Join('/', parts);
    }

    /// <summary>Data outside of the table's own folder says whose it is.</summary>
    private static string Context(TableMetadata table)
    {
        if (table.DataLocation.StartsWith(table.Location + "/", StringComparison.Ordinal))
            return "";
        var parts = table.Location.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return string.Create(CultureInfo.InvariantCulture, $"{string.Join('/', parts[^Math.Min(2, parts.Length)..])}/");
    }
}
