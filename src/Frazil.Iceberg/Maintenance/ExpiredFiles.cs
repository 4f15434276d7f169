using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>
/// The files that removed snapshots reached and no kept one does, found on the state that the removal was committed as. A kept snapshot that
/// cannot be read is an error: nobody knows what it needs. Immutable.
/// </summary>
public sealed record ExpiredFiles
{
    /// <summary>Data and delete files.</summary>
    public required IReadOnlyList<string> Content { get; init; }

    /// <summary>Bytes of <see cref="Content"/>, as manifests say.</summary>
    public required long ContentBytes { get; init; }

    public required IReadOnlyList<string> Manifests { get; init; }

    public required IReadOnlyList<string> ManifestLists { get; init; }

    /// <summary>Statistics and partition statistics.</summary>
    public required IReadOnlyList<string> Statistics { get; init; }

    /// <summary>In the order in which they are deleted: what names others goes after them.</summary>
    public IEnumerable<string> All => [.. Content, .. Statistics, .. Manifests, .. ManifestLists];

    /// <param name="manifests">Reads the table's manifests.</param>
    /// <param name="removed">Each removed snapshot with a version of the table that still had it.</param>
    /// <param name="after">The table without them.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="FileNotFoundException">A manifest of a snapshot that is kept is gone.</exception>
    public static async Task<ExpiredFiles> FindAsync(
        ManifestCache manifests, IReadOnlyCollection<(TableMetadata Table, Snapshot Snapshot)> removed, TableMetadata after,
        CancellationToken cancellationToken = default)
    {
        var search = new Search(manifests);
        foreach (var (table, snapshot) in removed)
            await search.AddAsync(table, snapshot, cancellationToken).ConfigureAwait(false);
        if (removed.Count > 0)
            await search.KeepAsync(after, cancellationToken).ConfigureAwait(false);
        return new ExpiredFiles
        {
            Content = [.. search.Content.Values.Select(one => one.Path)],
            ContentBytes = search.Content.Values.Sum(one => one.Bytes),
            Manifests = [.. search.Manifests.Values.Select(one => one.Manifest.Path)],
            ManifestLists = [.. search.Lists.Values],
            Statistics = StatisticsOf(removed, after),
        };
    }

    /// <summary>Metadata files older than all that the table's log still lists.</summary>
    /// <param name="table">The table.</param>
    /// <param name="before">Only those written before: another catalog may point to a newer one.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<IReadOnlyList<StoredObject>> FindMetadataAsync(
        LoadedTable table, DateTimeOffset before, CancellationToken cancellationToken = default)
    {
        string[] known = [.. table.Metadata.MetadataLog.Select(entry => entry.MetadataFile), table.MetadataLocation];
        var oldest = known.Min(VersionOf);
        var names = known.Select(NameOf).ToHashSet(StringComparer.Ordinal);
        var found = new List<StoredObject>();
        var folder = table.Metadata.MetadataLocationFor("").TrimEnd('/');
        await foreach (var stored in table.FileIO.ListAsync(folder, cancellationToken).ConfigureAwait(false))
        {
            var isOld = VersionOf(stored.Location) is >= 0 and var version && version < oldest && stored.LastModified < before;
            if (isOld && !names.Contains(NameOf(stored.Location)) && IsDirectlyIn(stored.Location, folder))
                found.Add(stored);
        }
        return found;
    }

    /// <summary>Its number where it is named as catalogs name metadata files; else -1.</summary>
    private static int VersionOf(string location)
    {
        var name = NameOf(location);
        if (!name.EndsWith(".metadata.json", StringComparison.Ordinal))
            return -1;
        var number = MetadataFiles.VersionOf(location);
        return number >= 0 ? number : FilesystemCatalog.VersionIn(location) is > 0 and var version ? version : -1;
    }

    private static string NameOf(string location) => location[(location.LastIndexOf('/') + 1)..];

    private static bool IsDirectlyIn(string location, string folder) => location.LastIndexOf('/') == folder.Length;

    private static string[] StatisticsOf(IEnumerable<(TableMetadata Table, Snapshot Snapshot)> removed, TableMetadata after)
    {
        var kept = after.Statistics.Concat(after.PartitionStatistics).Select(file => LocationKey.Of(file.Path)).ToHashSet(StringComparer.Ordinal);
        return [.. removed.SelectMany(one => one.Table.Statistics.Concat(one.Table.PartitionStatistics).Where(file => file.SnapshotId == one.Snapshot.SnapshotId))
            .Select(file => file.Path).Where(path => !kept.Contains(LocationKey.Of(path))).Distinct()];
    }

    /// <summary>What only removed snapshots reach, as far as it was looked.</summary>
    private sealed class Search(ManifestCache cache)
    {
        public Dictionary<string, string> Lists { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, (TableMetadata Table, ManifestFile Manifest)> Manifests { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, (string Path, long Bytes)> Content { get; } = new(StringComparer.Ordinal);

        public async Task AddAsync(TableMetadata table, Snapshot snapshot, CancellationToken cancellationToken)
        {
            try
            {
                foreach (var manifest in await cache.ReadManifestsAsync(snapshot, table, cancellationToken).ConfigureAwait(false))
                    Manifests.TryAdd(LocationKey.Of(manifest.Path), (table, manifest));
            }
            catch (FileNotFoundException)
            {
                return;     // another expiry was first
            }
            if (snapshot.ManifestList is { } list)
                Lists[LocationKey.Of(list)] = list;
        }

        public async Task KeepAsync(TableMetadata after, CancellationToken cancellationToken)
        {
            var kept = new Dictionary<string, ManifestFile>(StringComparer.Ordinal);
            foreach (var snapshot in after.Snapshots)
            {
                if (snapshot.ManifestList is { } list)
                    Lists.Remove(LocationKey.Of(list));
                foreach (var manifest in await cache.ReadManifestsAsync(snapshot, after, cancellationToken).ConfigureAwait(false))
                    kept.TryAdd(LocationKey.Of(manifest.Path), manifest);
            }
            foreach (var manifest in kept.Keys)
                Manifests.Remove(manifest);
            foreach (var (table, manifest) in Manifests.Values)
                await AddContentAsync(table, manifest, cancellationToken).ConfigureAwait(false);
            foreach (var manifest in Content.Count > 0 ? kept.Values.ToList() : [])
                foreach (var entry in await cache.ReadEntriesAsync(manifest, after, cancellationToken).ConfigureAwait(false))
                    if (entry.IsLive)
                        Content.Remove(LocationKey.Of(entry.File.Path));
        }

        private async Task AddContentAsync(TableMetadata table, ManifestFile manifest, CancellationToken cancellationToken)
        {
            try
            {
                foreach (var entry in await cache.ReadEntriesAsync(manifest, table, cancellationToken).ConfigureAwait(false))
                    if (entry.IsLive)
                        Content.TryAdd(LocationKey.Of(entry.File.Path), (entry.File.Path, entry.File.FileSizeBytes));
            }
            catch (FileNotFoundException)
            {
                // Another expiry was first.
            }
        }
    }
}
