using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>
/// Which of some files a table names: in any snapshot of its current version, or of a former one that its metadata log still lists. What it
/// names is never deleted, whoever believes that a commit failed. Files are told by the last part of their location, which is unique
/// wherever this is used, so that two spellings of a location are not two files.
/// </summary>
/// <param name="catalog">Where the table is.</param>
/// <param name="identifier">Its name.</param>
/// <param name="tableUuid">Which table of that name: another one that has the name now knows nothing of its files, and it may live on under
/// another name.</param>
/// <param name="manifests">Reads its manifests, and deletes.</param>
public sealed class ReferencedFiles(ICatalog catalog, TableIdentifier identifier, Guid tableUuid, ManifestCache manifests)
{
    /// <summary>As <c>since</c>: snapshots of any age may name the files.</summary>
    public const long Always = -1;

    /// <summary>The data files among these that a snapshot names, live or as deleted.</summary>
    /// <param name="locations">Files.</param>
    /// <param name="since">The table's last sequence number at a moment before the files were made: snapshots up to it cannot name
    /// them.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>Locations as given.</returns>
    /// <exception cref="NoSuchTableException">The table is gone: nobody knows what names them.</exception>
    /// <exception cref="TableLostException">Another table has its name: nobody knows either.</exception>
    public Task<IReadOnlySet<string>> FindAsync(
        IReadOnlyCollection<string> locations, long since = Always, CancellationToken cancellationToken = default)
        => FindAsync(locations, since, readsEntries: true, cancellationToken);

    /// <summary>Deletes those of the data files that nothing names.</summary>
    /// <returns>How many were deleted, or were not there.</returns>
    /// <exception cref="NoSuchTableException">The table is gone; nothing was deleted.</exception>
    /// <exception cref="TableLostException">Another table has its name; nothing was deleted.</exception>
    public async Task<int> DeleteOthersAsync(
        IReadOnlyCollection<string> locations, long since = Always, CancellationToken cancellationToken = default)
    {
        if (locations.Count == 0)
            return 0;
        var named = await FindAsync(locations, since, cancellationToken).ConfigureAwait(false);
        var deleted = 0;
        foreach (var location in locations.Where(location => !named.Contains(location)))
        {
            await manifests.Files.DeleteAsync(location, cancellationToken).ConfigureAwait(false);
            deleted++;
        }
        return deleted;
    }

    /// <summary>The same for manifests and manifest lists.</summary>
    internal Task<IReadOnlySet<string>> FindManifestsAsync(
        IReadOnlyCollection<string> locations, long since, CancellationToken cancellationToken)
        => FindAsync(locations, since, readsEntries: false, cancellationToken);

    private async Task<IReadOnlySet<string>> FindAsync(
        IReadOnlyCollection<string> locations, long since, bool readsEntries, CancellationToken cancellationToken)
    {
        var search = new Search(locations, since, readsEntries);
        var table = await catalog.LoadTableAsync(identifier, cancellationToken).ConfigureAwait(false);
        if (table.Metadata.TableUuid != tableUuid)
            throw new TableLostException(
                TableLoss.Replaced,
                $"The table {identifier} is another table now (UUID {table.Metadata.TableUuid} instead of {tableUuid}): what names the files of the former one is not known.");
        await VisitAsync(search, table.Metadata, cancellationToken).ConfigureAwait(false);
        // Newest first: once a version is as old as the files, so are those before it.
        foreach (var former in table.Metadata.MetadataLog.Reverse())
        {
            if (await ReadFormerAsync(former.MetadataFile, cancellationToken).ConfigureAwait(false) is not { } metadata)
                continue;
            if (metadata.FormatVersion > 1 && metadata.LastSequenceNumber <= since)
                break;
            await VisitAsync(search, metadata, cancellationToken).ConfigureAwait(false);
        }
        return search.Found;
    }

    /// <summary>Null where the file is gone: what does not exist names nothing.</summary>
    private async Task<TableMetadata?> ReadFormerAsync(string location, CancellationToken cancellationToken)
    {
        try
        {
            return await MetadataFiles.ReadAsync(manifests.Files, location, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidFormatException e) when (e.InnerException is FileNotFoundException)
        {
            return null;
        }
    }

    private async Task VisitAsync(Search search, TableMetadata metadata, CancellationToken cancellationToken)
    {
        foreach (var snapshot in metadata.Snapshots)
        {
            if (!search.IsNew(snapshot))
                continue;
            try
            {
                foreach (var manifest in await manifests.ReadManifestsAsync(snapshot, metadata, cancellationToken).ConfigureAwait(false))
                    await VisitAsync(search, manifest, metadata, cancellationToken).ConfigureAwait(false);
            }
            catch (FileNotFoundException)
            {
                // Expired since: a list that is gone names nothing.
            }
        }
    }

    private async Task VisitAsync(Search search, ManifestFile manifest, TableMetadata metadata, CancellationToken cancellationToken)
    {
        if (!search.IsNew(manifest) || !search.ReadsEntries)
            return;
        foreach (var entry in await manifests.ReadEntriesAsync(manifest, metadata, cancellationToken).ConfigureAwait(false))
            search.Take(entry.File.Path);
    }

    /// <summary>What is looked for, and where it was looked already.</summary>
    private sealed class Search(IReadOnlyCollection<string> locations, long since, bool readsEntries)
    {
        private readonly ILookup<string, string> byName = locations.ToLookup(NameOf, StringComparer.Ordinal);
        private readonly HashSet<long> snapshots = [];
        private readonly HashSet<string> seen = new(StringComparer.Ordinal);
        private readonly HashSet<string> found = new(StringComparer.Ordinal);

        public bool ReadsEntries => readsEntries;

        public IReadOnlySet<string> Found => found;

        public void Take(string location) => found.UnionWith(byName[NameOf(location)]);

        public bool IsNew(Snapshot snapshot)
        {
            if (snapshot.SequenceNumber <= since || !snapshots.Add(snapshot.SnapshotId))
                return false;
            if (snapshot.ManifestList is not null)
                Take(snapshot.ManifestList);
            return true;
        }

        public bool IsNew(ManifestFile manifest)
        {
            if (!seen.Add(manifest.Path))
                return false;
            Take(manifest.Path);
            return manifest.SequenceNumber > since;
        }

        private static string NameOf(string location) => location[(location.LastIndexOf('/') + 1)..];
    }
}
