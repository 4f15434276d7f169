using System.Globalization;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Json;

namespace Frazil.Iceberg.Catalogs;

/// <summary>Metadata files of catalogs that keep a pointer: <c>&lt;version, 5 digits&gt;-&lt;uuid&gt;[.gz].metadata.json</c>.</summary>
internal static class MetadataFiles
{
    public static async Task<TableMetadata> ReadAsync(IFileIO files, string location, CancellationToken cancellationToken)
    {
        try
        {
            return TableMetadataJson.Parse(await files.ReadAsync(location, cancellationToken).ConfigureAwait(false), location);
        }
        catch (FileNotFoundException e)
        {
            throw new InvalidFormatException($"The catalog points to the metadata file '{location}', which does not exist.", e);
        }
    }

    /// <summary>Writes a new version; on return it is durable, and visible to nobody until the pointer moves.</summary>
    public static async Task<string> WriteAsync(IFileIO files, TableMetadata metadata, int version, CancellationToken cancellationToken)
    {
        var extension = metadata.TableProperties.CompressMetadata ? ".gz.metadata.json" : ".metadata.json";
        var location = metadata.MetadataLocationFor(
            string.Create(CultureInfo.InvariantCulture, $"{version:00000}-{Guid.NewGuid()}{extension}"));
        await files.CreateAsync(location, TableMetadataJson.WriteFile(metadata), cancellationToken).ConfigureAwait(false);
        return location;
    }

    /// <summary>The version in a file's name; -1 where another writer named it otherwise.</summary>
    public static int VersionOf(string location)
    {
        var name = location.AsSpan(location.LastIndexOf('/') + 1);
        var dash = name.IndexOf('-');
        return dash > 0 && int.TryParse(name[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : -1;
    }
}
