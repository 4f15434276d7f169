using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>
/// Keeps the number of manifests bounded, as Java's appends do: manifests of one spec are packed, oldest first, into bins of the target
/// size; a full bin is merged, and the newest bin once it holds the minimum count. Merged manifests are reused by later attempts.
/// </summary>
internal sealed class ManifestMerging(ManifestCache cache, ManifestStaging staging, long snapshotId)
{
    private readonly Dictionary<string, ManifestFile> merged = new(StringComparer.Ordinal);

    /// <param name="metadata">The table.</param>
    /// <param name="added">This commit's new manifests with the files in them.</param>
    /// <param name="existing">The manifests of the parent snapshot, newest first.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The manifests of the new snapshot, newest first.</returns>
    public async Task<IReadOnlyList<ManifestFile>> MergeAsync(
        TableMetadata metadata, IReadOnlyList<AddedManifest> added, IReadOnlyList<ManifestFile> existing,
        CancellationToken cancellationToken)
    {
        var properties = metadata.TableProperties;
        List<ManifestFile> all = [.. added.Select(one => one.Manifest), .. existing];
        if (!properties.ManifestMergeEnabled || all.Count < 2)
            return all;
        var newest = all[0];
        var result = new List<ManifestFile>();
        foreach (var group in all.Where(manifest => manifest.Content == ManifestContent.Data).GroupBy(manifest => manifest.SpecId).OrderByDescending(group => group.Key))
        {
            foreach (var bin in Pack([.. group], properties.ManifestTargetBytes))
            {
                if (bin.Count == 1 || (bin.Contains(newest) && bin.Count < properties.ManifestMinCountToMerge))
                    result.AddRange(bin);
                else
                    result.AddRange(await MergeBinAsync(metadata, bin, added, cancellationToken).ConfigureAwait(false));
            }
        }
        result.AddRange(all.Where(manifest => manifest.Content == ManifestContent.Deletes));
        return result;
    }

    /// <summary>After the staged files were deleted.</summary>
    public void Forget() => merged.Clear();

    /// <summary>Bins from the oldest on, so that full bins stay the same from commit to commit; returned newest first.</summary>
    internal static List<List<ManifestFile>> Pack(IReadOnlyList<ManifestFile> newestFirst, long targetBytes)
    {
        var bins = new List<List<ManifestFile>>();
        long weight = 0;
        for (var i = newestFirst.Count - 1; i >= 0; i--)
        {
            if (bins.Count == 0 || weight + newestFirst[i].LengthBytes > targetBytes)
            {
                bins.Add([]);
                weight = 0;
            }
            bins[^1].Add(newestFirst[i]);
            weight += newestFirst[i].LengthBytes;
        }
        foreach (var bin in bins)
            bin.Reverse();
        bins.Reverse();
        return bins;
    }

    private async Task<IReadOnlyList<ManifestFile>> MergeBinAsync(
        TableMetadata metadata, List<ManifestFile> bin, IReadOnlyList<AddedManifest> added, CancellationToken cancellationToken)
    {
        var key = string.Join('\n', bin.Select(manifest => manifest.Path));
        if (merged.TryGetValue(key, out var known))
            return [known];
        var spec = metadata.SpecById(bin[0].SpecId)
            ?? throw new InvalidFormatException(
                $"The manifest '{bin[0].Path}' is of partition spec {bin[0].SpecId}, which the table does not have.");
        var writer = new ManifestWriter(metadata, spec, ManifestContent.Data);
        foreach (var manifest in bin)
        {
            if (added.FirstOrDefault(one => one.Manifest == manifest) is { } own)
            {
                foreach (var file in own.Files)
                    writer.Add(snapshotId, file);
                continue;
            }
            // Deletions were of earlier snapshots: merged manifests forget them.
            foreach (var entry in await cache.ReadEntriesAsync(manifest, metadata, cancellationToken).ConfigureAwait(false))
            {
                if (!entry.IsLive)
                    continue;
                if (entry.SequenceNumber is null)
                    return bin;     // a careless writer's: it can only stay where it is
                writer.Keep(entry);
            }
        }
        return [merged[key] = await staging.WriteManifestAsync(writer, metadata, cancellationToken).ConfigureAwait(false)];
    }
}
