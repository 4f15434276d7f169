using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>
/// The common part of commits that take data files out of a table and put others in: manifests without the removed files, which they list
/// as deleted; refusal where a file is gone or was given deletes meanwhile. What is staged once is reused by later attempts. Not
/// thread-safe.
/// </summary>
internal sealed class FileReplacement(ManifestCache cache, ManifestStaging staging, SnapshotAssembly assembly, long snapshotId)
{
    private readonly Dictionary<string, DataFile> removed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DataFile> added = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (ManifestFile Kept, List<DataFile> Removed)> filtered = new(StringComparer.Ordinal);
    private List<AddedManifest>? addedManifests;

    /// <summary><c>replace</c> or <c>overwrite</c>.</summary>
    public required string Operation { get; init; }

    /// <summary>The data sequence number of the added files; null for that of the commit.</summary>
    public long? AddedSequenceNumber { get; init; }

    /// <summary>The sequence number of the snapshot that the removed files were read from: deletes with a higher one were not
    /// seen.</summary>
    public required long SeenSequenceNumber { get; init; }

    /// <summary>Whether equality deletes written since matter too: they do unless the added files keep the old sequence number.</summary>
    public bool HeedsEqualityDeletes => AddedSequenceNumber is null;

    public bool RemovesNothing => removed.Count == 0;

    /// <summary>Whether delete files and vectors leave the table that apply to no data file any more.</summary>
    public bool DropsDanglingDeletes { get; set; }

    public void Remove(DataFile file)
    {
        if (file.Content != FileContent.Data || !removed.TryAdd(file.Path, file))
            throw new ValidationException($"'{file.Path}' is no data file, or is removed twice.");
    }

    public void Add(DataFile file)
    {
        if (file.Content != FileContent.Data || addedManifests is not null || !added.TryAdd(file.Path, file))
            throw new ValidationException($"'{file.Path}' is no data file, is added twice, or comes after the commit was staged.");
    }

    /// <exception cref="ValidationException">A file to replace is gone, or rows of it were deleted since it was read.</exception>
    public async Task<StagedSnapshot> StageAsync(
        TableMetadata table, Snapshot? parent, IReadOnlyList<ManifestFile> existing, CancellationToken cancellationToken)
    {
        await RefuseNewDeletesAsync(table, existing, cancellationToken).ConfigureAwait(false);
        addedManifests ??= await AddedManifest.WriteAsync(
            added.Values, AddedSequenceNumber, table, staging, snapshotId, cancellationToken).ConfigureAwait(false);

        var manifests = addedManifests.Select(one => one.Manifest).ToList();
        var counts = new SnapshotSummaryBuilder();
        var missing = removed.Keys.ToHashSet(StringComparer.Ordinal);
        var dangling = DropsDanglingDeletes ? await FindDanglingAsync(table, existing, cancellationToken).ConfigureAwait(false) : [];
        foreach (var manifest in existing.Where(manifest => manifest.MayHaveLiveFiles))
        {
            var (kept, files) = manifest.Content == ManifestContent.Data
                ? await FilterAsync(table, manifest, cancellationToken).ConfigureAwait(false)
                : await WithoutAsync(
                    table, manifest, file => dangling.Contains((file.Path, file.ContentOffset)), cancellationToken).ConfigureAwait(false);
            manifests.Add(kept);
            foreach (var file in files)
            {
                missing.Remove(file.Path);
                counts.Remove(file);
            }
        }
        if (missing.Count > 0)
            throw new ValidationException(
                $"{missing.Count} files to be replaced are no longer in the table ('{missing.First()}' is one): plan the rewrite anew.");
        foreach (var file in added.Values)
            counts.Add(file);
        return await assembly.AssembleAsync(table, parent, Operation, counts, manifests, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>After the staged files were deleted.</summary>
    public void Forget()
    {
        filtered.Clear();
        addedManifests = null;
    }

    /// <summary>The manifest without the removed files. What was written once serves later attempts: which files leave never
    /// changes.</summary>
    private async Task<(ManifestFile Kept, List<DataFile> Removed)> FilterAsync(
        TableMetadata table, ManifestFile manifest, CancellationToken cancellationToken)
    {
        if (filtered.TryGetValue(manifest.Path, out var known))
            return known;
        var made = await WithoutAsync(table, manifest, file => removed.ContainsKey(file.Path), cancellationToken).ConfigureAwait(false);
        return made.Removed.Count == 0 ? made : filtered[manifest.Path] = made;
    }

    /// <summary>The manifest without some files, which it lists as deleted; itself where it has none of them.</summary>
    private async Task<(ManifestFile Kept, List<DataFile> Removed)> WithoutAsync(
        TableMetadata table, ManifestFile manifest, Func<DataFile, bool> leaves, CancellationToken cancellationToken)
    {
        var entries = await cache.ReadEntriesAsync(manifest, table, cancellationToken).ConfigureAwait(false);
        if (!entries.Any(entry => entry.IsLive && leaves(entry.File)))
            return (manifest, []);
        var writer = new ManifestWriter(table, table.SpecById(manifest.SpecId)!, manifest.Content);
        var files = new List<DataFile>();
        foreach (var entry in entries.Where(entry => entry.IsLive))
        {
            if (!leaves(entry.File))
            {
                writer.Keep(entry);
                continue;
            }
            writer.Delete(snapshotId, entry);
            files.Add(entry.File);
        }
        return (await staging.WriteManifestAsync(writer, table, cancellationToken).ConfigureAwait(false), files);
    }

    /// <summary>Delete files that apply to none of the data files that will be in the table. Told anew for each attempt: a commit in between
    /// may have added either.</summary>
    private async Task<HashSet<(string Path, long? Offset)>> FindDanglingAsync(
        TableMetadata table, IReadOnlyList<ManifestFile> existing, CancellationToken cancellationToken)
    {
        var deletes = await ReadLiveAsync(table, existing, ManifestContent.Deletes, cancellationToken).ConfigureAwait(false);
        if (deletes.Count == 0)
            return [];
        var index = new DeleteFileIndex(deletes, table.CurrentSchema, table);
        var needed = new HashSet<DataFile>(ReferenceEqualityComparer.Instance);
        foreach (var data in await ReadLiveAsync(table, existing, ManifestContent.Data, cancellationToken).ConfigureAwait(false))
            if (!removed.ContainsKey(data.File.Path))
                needed.UnionWith(index.Of(data));
        var sequence = AddedSequenceNumber ?? table.LastSequenceNumber + 1;
        foreach (var file in added.Values)
            needed.UnionWith(index.Of(new ManifestEntry(EntryStatus.Added, snapshotId, sequence, sequence, file)));
        // An entry without its sequence number cannot be carried into another manifest, nor can those beside it.
        return [
            .. deletes.Where(entry => entry.SequenceNumber is not null && !needed.Contains(entry.File))
                .Select(entry => (entry.File.Path, entry.File.ContentOffset))];
    }

    private async Task<List<ManifestEntry>> ReadLiveAsync(
        TableMetadata table, IReadOnlyList<ManifestFile> manifests, ManifestContent content, CancellationToken cancellationToken)
    {
        var live = new List<ManifestEntry>();
        foreach (var manifest in manifests.Where(one => one.Content == content && one.MayHaveLiveFiles))
            live.AddRange((await cache.ReadEntriesAsync(manifest, table, cancellationToken).ConfigureAwait(false)).Where(entry => entry.IsLive));
        return live;
    }

    private async Task RefuseNewDeletesAsync(
        TableMetadata table, IReadOnlyList<ManifestFile> manifests, CancellationToken cancellationToken)
    {
        var newer = new List<ManifestEntry>();
        foreach (var manifest in manifests.Where(one => one.Content == ManifestContent.Deletes && one.SequenceNumber > SeenSequenceNumber))
            foreach (var entry in await cache.ReadEntriesAsync(manifest, table, cancellationToken).ConfigureAwait(false))
                if (entry.IsLive && entry.SequenceNumber > SeenSequenceNumber
                    && (HeedsEqualityDeletes || entry.File.Content == FileContent.PositionDeletes))
                    newer.Add(entry);
        var index = new DeleteFileIndex(newer, table.CurrentSchema, table);
        foreach (var file in removed.Values)
            if (index.Of(new ManifestEntry(EntryStatus.Existing, null, 0, 0, file)).Count > 0)
                throw new ValidationException(
                    $"Rows of '{file.Path}' were deleted since it was read for the rewrite: plan the rewrite anew.");
    }
}
