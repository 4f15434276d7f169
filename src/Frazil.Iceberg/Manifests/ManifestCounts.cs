namespace Frazil.Iceberg.Manifests;

/// <summary>Fills in what v1 writers left out of manifest lists: a manifest that is listed as empty would be dropped with all its
/// files.</summary>
internal static class ManifestCounts
{
    /// <summary>The manifests with all counts; those that lack some are read.</summary>
    public static async Task<IReadOnlyList<ManifestFile>> CompleteAsync(
        ManifestCache cache, IReadOnlyList<ManifestFile> manifests, TableMetadata metadata, CancellationToken cancellationToken)
    {
        if (!manifests.Any(manifest => manifest.LacksCounts))
            return manifests;
        var complete = new List<ManifestFile>(manifests.Count);
        foreach (var manifest in manifests)
            complete.Add(manifest.LacksCounts
                ? Count(manifest, await cache.ReadEntriesAsync(manifest, metadata, cancellationToken).ConfigureAwait(false))
                : manifest);
        return complete;
    }

    private static ManifestFile Count(ManifestFile manifest, IReadOnlyList<ManifestEntry> entries)
    {
        int FilesOf(EntryStatus status) => entries.Count(entry => entry.Status == status);
        long RowsOf(EntryStatus status) => entries.Where(entry => entry.Status == status).Sum(entry => entry.File.RecordCount);
        return manifest with
        {
            AddedFiles = FilesOf(EntryStatus.Added),
            ExistingFiles = FilesOf(EntryStatus.Existing),
            DeletedFiles = FilesOf(EntryStatus.Deleted),
            AddedRows = RowsOf(EntryStatus.Added),
            ExistingRows = RowsOf(EntryStatus.Existing),
            DeletedRows = RowsOf(EntryStatus.Deleted),
        };
    }
}
