using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>
/// Replaces data files by others that hold the same rows (compaction): one snapshot of operation <c>replace</c>, with proper deleted
/// entries, so that incremental readers see nothing twice. The new files keep the sequence number of the snapshot that was read, so
/// that deletes written since still apply to them. Staging against a version where a replaced file is gone, or where a position
/// delete or vector was written for one since, is refused: the rewrite must be planned anew. One instance is one commit, as with
/// <see cref="AppendFiles"/>. Not thread-safe.
/// </summary>
public sealed class RewriteFiles
{
    private readonly ManifestCache cache;
    private readonly SnapshotAssembly assembly;
    private readonly ManifestStaging staging;
    private readonly Snapshot start;
    private readonly Dictionary<string, DataFile> removed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DataFile> added = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (ManifestFile Kept, List<DataFile> Removed)> filtered = new(StringComparer.Ordinal);
    private List<AddedManifest>? addedManifests;

    /// <param name="cache">Reads the table's manifests; its file IO also writes the new ones.</param>
    /// <param name="start">The snapshot that the rows were read from.</param>
    /// <param name="time">The clock of the snapshot's timestamp.</param>
    public RewriteFiles(ManifestCache cache, Snapshot start, TimeProvider time)
    {
        (this.cache, this.start) = (cache, start);
        SnapshotId = SnapshotAssembly.NewSnapshotId();
        staging = new ManifestStaging(cache.Files, SnapshotId);
        assembly = new SnapshotAssembly(staging, time, SnapshotId);
    }

    /// <summary>The id of the snapshot, in every attempt.</summary>
    public long SnapshotId { get; }

    /// <summary>A data file whose rows the added files hold.</summary>
    public RewriteFiles Remove(DataFile file)
    {
        if (file.Content != FileContent.Data || !removed.TryAdd(file.Path, file))
            throw new ValidationException($"'{file.Path}' is no data file, or is removed twice.");
        return this;
    }

    /// <summary>A new data file that is durable already.</summary>
    public RewriteFiles Add(DataFile file)
    {
        if (file.Content != FileContent.Data || addedManifests is not null || !added.TryAdd(file.Path, file))
            throw new ValidationException($"'{file.Path}' is no data file, is added twice, or comes after the commit was staged.");
        return this;
    }

    /// <summary>An entry of the snapshot's summary.</summary>
    public RewriteFiles SetSummary(string name, string value)
    {
        assembly.SetSummary(name, value);
        return this;
    }

    /// <summary>Writes the manifests and the manifest list of one attempt.</summary>
    /// <param name="table">The version of the table to build on.</param>
    /// <param name="cancellationToken">Cancels; then call <see cref="DiscardAsync"/>.</param>
    /// <exception cref="ValidationException">A file to replace is gone, or rows of it were deleted since it was read: plan the rewrite anew.</exception>
    public async Task<StagedSnapshot> StageAsync(TableMetadata table, CancellationToken cancellationToken = default)
    {
        if (removed.Count == 0)
            throw new ValidationException("A rewrite replaces at least one file.");
        var parent = assembly.ParentIn(table) ?? throw new ValidationException($"The table {table.Location} has no snapshot: there is nothing to rewrite.");
        var existing = await cache.ReadManifestsAsync(parent, table, cancellationToken).ConfigureAwait(false);
        await RefuseNewDeletesAsync(table, existing, cancellationToken).ConfigureAwait(false);
        addedManifests ??= await AddedManifest.WriteAsync(added.Values, start.SequenceNumber, table, staging, SnapshotId, cancellationToken).ConfigureAwait(false);

        var manifests = addedManifests.Select(one => one.Manifest).ToList();
        var counts = new SnapshotSummaryBuilder();
        var missing = removed.Keys.ToHashSet(StringComparer.Ordinal);
        foreach (var manifest in existing.Where(manifest => manifest.MayHaveLiveFiles))
        {
            var (kept, files) = manifest.Content == ManifestContent.Data
                ? await FilterAsync(table, manifest, cancellationToken).ConfigureAwait(false)
                : (manifest, []);
            manifests.Add(kept);
            foreach (var file in files)
            {
                missing.Remove(file.Path);
                counts.Remove(file);
            }
        }
        if (missing.Count > 0)
            throw new ValidationException($"{missing.Count} files to be replaced are no longer in the table ('{missing.First()}' is one): plan the rewrite anew.");
        foreach (var file in added.Values)
            counts.Add(file);
        return await assembly.AssembleAsync(table, parent, "replace", counts, manifests, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>After the commit: deletes what earlier attempts left. Files of the committed attempt stay.</summary>
    public Task CleanAsync(StagedSnapshot committed, CancellationToken cancellationToken = default) => staging.CleanAsync(committed, cancellationToken);

    /// <summary>As <see cref="AppendFiles.DiscardAsync"/>: only where the commit definitely did not happen.</summary>
    public async Task DiscardAsync(CancellationToken cancellationToken = default)
    {
        await staging.CleanAsync(null, cancellationToken).ConfigureAwait(false);
        filtered.Clear();
        addedManifests = null;
    }

    /// <summary>The manifest without the removed files, which it lists as deleted; itself where it has none of them.</summary>
    private async Task<(ManifestFile Kept, List<DataFile> Removed)> FilterAsync(TableMetadata table, ManifestFile manifest, CancellationToken cancellationToken)
    {
        if (filtered.TryGetValue(manifest.Path, out var known))
            return known;
        var entries = await cache.ReadEntriesAsync(manifest, table, cancellationToken).ConfigureAwait(false);
        if (!entries.Any(entry => entry.IsLive && removed.ContainsKey(entry.File.Path)))
            return (manifest, []);
        var writer = new ManifestWriter(table, table.SpecById(manifest.SpecId)!, ManifestContent.Data);
        var files = new List<DataFile>();
        foreach (var entry in entries.Where(entry => entry.IsLive))
        {
            if (!removed.ContainsKey(entry.File.Path))
            {
                writer.Keep(entry);
                continue;
            }
            writer.Delete(SnapshotId, entry);
            files.Add(entry.File);
        }
        return filtered[manifest.Path] = (await staging.WriteManifestAsync(writer, table, cancellationToken).ConfigureAwait(false), files);
    }

    private async Task RefuseNewDeletesAsync(TableMetadata table, IReadOnlyList<ManifestFile> manifests, CancellationToken cancellationToken)
    {
        var newer = new List<ManifestEntry>();
        foreach (var manifest in manifests.Where(one => one.Content == ManifestContent.Deletes && one.SequenceNumber > start.SequenceNumber))
            foreach (var entry in await cache.ReadEntriesAsync(manifest, table, cancellationToken).ConfigureAwait(false))
                if (entry.IsLive && entry.SequenceNumber > start.SequenceNumber && entry.File.Content == FileContent.PositionDeletes)
                    newer.Add(entry);
        var index = new DeleteFileIndex(newer, table.CurrentSchema, table);
        foreach (var file in removed.Values)
            if (index.Of(new ManifestEntry(EntryStatus.Existing, null, 0, 0, file)).Count > 0)
                throw new ValidationException($"Rows of '{file.Path}' were deleted since it was read for the rewrite: plan the rewrite anew.");
    }
}
