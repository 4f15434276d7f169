using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>
/// Adds data files to a table: one snapshot of operation <c>append</c>. An append without files is a snapshot too: progress kept in
/// properties moves only with a snapshot, because requirements can assert that, not properties.
/// </summary>
public sealed class AppendFiles : SnapshotOperation<AppendFiles>
{
    private readonly ManifestMerging merging;
    private readonly List<DataFile> files = [];
    private readonly HashSet<string> paths = new(StringComparer.Ordinal);
    private List<AddedManifest>? added;

    /// <param name="cache">Reads the table's manifests; its file IO also writes the new ones.</param>
    /// <param name="time">The clock of the snapshot's timestamp.</param>
    public AppendFiles(ManifestCache cache, TimeProvider time) : base(cache, time)
        => merging = new ManifestMerging(cache, Staging, SnapshotId);

    public IReadOnlyList<DataFile> Files => files;

    /// <summary>Adds a file that is durable already.</summary>
    /// <exception cref="ValidationException">Not a data file, or added twice, or after the first attempt.</exception>
    public AppendFiles Add(DataFile file)
    {
        if (file.Content != FileContent.Data)
            throw new ValidationException($"'{file.Path}' holds {file.Content}: an append takes data files.");
        if (added is not null)
            throw new ValidationException($"'{file.Path}' comes too late: the commit was staged already.");
        if (!paths.Add(file.Path))
            throw new ValidationException($"'{file.Path}' is added twice.");
        files.Add(file);
        return this;
    }

    private protected override async Task<StagedSnapshot> StageOnAsync(
        TableMetadata table, Snapshot? parent, IReadOnlyList<ManifestFile> existing, CancellationToken cancellationToken)
    {
        added ??= await AddedManifest.WriteAsync(files, null, table, Staging, SnapshotId, cancellationToken).ConfigureAwait(false);
        // Manifests without live files only say what was deleted by earlier snapshots.
        var carried = existing.Where(manifest => manifest.MayHaveLiveFiles).ToArray();
        var manifests = await merging.MergeAsync(table, added, carried, cancellationToken).ConfigureAwait(false);
        var counts = new SnapshotSummaryBuilder();
        foreach (var file in files)
            counts.Add(file);
        return await Assembly.AssembleAsync(table, parent, "append", counts, manifests, cancellationToken).ConfigureAwait(false);
    }

    private protected override void Forget()
    {
        merging.Forget();
        added = null;
    }
}
