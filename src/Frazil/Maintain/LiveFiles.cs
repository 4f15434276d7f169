using Frazil.Iceberg;
using Frazil.Iceberg.Manifests;

namespace Frazil.Maintain;

/// <summary>The data files of a snapshot, for whoever replaces some of them.</summary>
internal static class LiveFiles
{
    /// <summary>Lists them; none where there is no snapshot.</summary>
    /// <exception cref="DeletesNotSupportedException">Rows of the snapshot are deleted by delete files, or its files are not
    /// Parquet.</exception>
    public static async Task<List<DataFile>> ListAsync(
        ManifestCache manifests, TableMetadata metadata, Snapshot? snapshot, CancellationToken cancellationToken)
    {
        var files = new List<DataFile>();
        foreach (var entry in await manifests.ReadLiveAsync(snapshot, metadata, cancellationToken))
        {
            if (entry.File.Content != FileContent.Data || entry.File.Format != FileFormat.Parquet)
            {
                throw new DeletesNotSupportedException(
                    $"the table {metadata.Location} has a file of {entry.File.Content} in {entry.File.Format} ({entry.File.Path}); rows of such tables cannot be "
                    + "replaced yet (docs/known-issues.md): compact it with the engine that wrote that file first");
            }
            files.Add(entry.File);
        }
        return files;
    }
}

/// <summary>A table whose rows are not simply those of its Parquet data files.</summary>
internal sealed class DeletesNotSupportedException(string message) : Exception(message);
