using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>
/// Adds data files to a table: one snapshot of operation <c>append</c>. <see cref="StageAsync"/> builds the commit against one version
/// of the table; after a conflict, stage again against the refreshed version (new manifests are written once and reused). One instance
/// is one commit: its snapshot id stays the same over all attempts, so that a lost answer can be looked up. An append without files is
/// a snapshot too: progress kept in properties moves only with a snapshot, because requirements can assert that, not properties.
/// Not thread-safe.
/// </summary>
public sealed class AppendFiles
{
    private readonly ManifestCache cache;
    private readonly SnapshotAssembly assembly;
    private readonly ManifestStaging staging;
    private readonly ManifestMerging merging;
    private readonly List<DataFile> files = [];
    private readonly HashSet<string> paths = new(StringComparer.Ordinal);
    private List<AddedManifest>? added;

    /// <param name="cache">Reads the table's manifests; its file IO also writes the new ones.</param>
    /// <param name="time">The clock of the snapshot's timestamp.</param>
    public AppendFiles(ManifestCache cache, TimeProvider time)
    {
        this.cache = cache;
        SnapshotId = SnapshotAssembly.NewSnapshotId();
        staging = new ManifestStaging(cache.Files, SnapshotId);
        assembly = new SnapshotAssembly(staging, time, SnapshotId);
        merging = new ManifestMerging(cache, staging, SnapshotId);
    }

    /// <summary>The id of the snapshot, in every attempt.</summary>
    public long SnapshotId { get; }

    /// <summary>The branch that the files are added to.</summary>
    public string Branch
    {
        get => assembly.Branch;
        init => assembly.Branch = value;
    }

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

    /// <summary>An entry of the snapshot's summary.</summary>
    public AppendFiles SetSummary(string name, string value)
    {
        assembly.SetSummary(name, value);
        return this;
    }

    /// <summary>A table property that changes in the same commit.</summary>
    public AppendFiles SetProperty(string name, string value)
    {
        assembly.SetProperty(name, value);
        return this;
    }

    /// <summary>Writes the manifests and the manifest list of one attempt.</summary>
    /// <param name="table">The version of the table to build on.</param>
    /// <param name="cancellationToken">Cancels; then call <see cref="DiscardAsync"/>.</param>
    /// <exception cref="ValidationException">A file does not fit its partition spec, or the table cannot be written.</exception>
    public async Task<StagedSnapshot> StageAsync(TableMetadata table, CancellationToken cancellationToken = default)
    {
        var parent = assembly.ParentIn(table);
        var existing = parent is null ? [] : await cache.ReadManifestsAsync(parent, table, cancellationToken).ConfigureAwait(false);
        added ??= await AddedManifest.WriteAsync(files, null, table, staging, SnapshotId, cancellationToken).ConfigureAwait(false);
        // Manifests without live files only say what was deleted by earlier snapshots.
        var carried = existing.Where(manifest => manifest.MayHaveLiveFiles).ToArray();
        var manifests = await merging.MergeAsync(table, added, carried, cancellationToken).ConfigureAwait(false);
        var counts = new SnapshotSummaryBuilder();
        foreach (var file in files)
            counts.Add(file);
        return await assembly.AssembleAsync(table, parent, "append", counts, manifests, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>After the commit: deletes what earlier attempts left. Files of the committed attempt stay.</summary>
    public Task CleanAsync(StagedSnapshot committed, CancellationToken cancellationToken = default)
        => staging.CleanAsync(committed, cancellationToken);

    /// <summary>
    /// Deletes every manifest and list of every attempt (never the data files). Only where the commit definitely did not happen: after
    /// <c>CommitConflictException</c> or before the first commit, never after <c>CommitStateUnknownException</c>.
    /// </summary>
    public async Task DiscardAsync(CancellationToken cancellationToken = default)
    {
        await staging.CleanAsync(null, cancellationToken).ConfigureAwait(false);
        merging.Forget();
        added = null;
    }
}
