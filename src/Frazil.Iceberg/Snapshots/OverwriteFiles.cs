using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>
/// Takes data files out of a table and puts others in, which need not hold the same rows: one snapshot of operation <c>overwrite</c>, with
/// proper deleted entries. The added files are as new as the commit: deletes that applied to the removed ones do not apply to them, so
/// whoever carries rows over applies those deletes first. Staging against a version where a removed file is gone, or where a delete was
/// written for one since the start, is refused: plan it anew. One instance is one commit, as with <see cref="AppendFiles"/>. Not
/// thread-safe.
/// </summary>
public sealed class OverwriteFiles
{
    private readonly SnapshotAssembly assembly;
    private readonly ManifestStaging staging;
    private readonly FileReplacement replacement;

    /// <param name="cache">Reads the table's manifests; its file IO also writes the new ones.</param>
    /// <param name="start">The snapshot that the removed files were found in; null where none was and nothing is removed.</param>
    /// <param name="time">The clock of the snapshot's timestamp.</param>
    public OverwriteFiles(ManifestCache cache, Snapshot? start, TimeProvider time)
    {
        SnapshotId = SnapshotAssembly.NewSnapshotId();
        staging = new ManifestStaging(cache.Files, SnapshotId);
        assembly = new SnapshotAssembly(staging, time, SnapshotId);
        replacement = new FileReplacement(cache, staging, assembly, SnapshotId)
        {
            Operation = "overwrite",
            SeenSequenceNumber = start?.SequenceNumber ?? 0,
        };
    }

    /// <summary>The id of the snapshot, in every attempt.</summary>
    public long SnapshotId { get; }

    /// <summary>The branch to change. One that does not exist is made at the head of main, with this commit.</summary>
    public string Branch
    {
        get => assembly.Branch;
        init => (assembly.Branch, assembly.ForksFromMain) = (value, true);
    }

    /// <summary>A data file that is no longer part of the table.</summary>
    public OverwriteFiles Remove(DataFile file)
    {
        replacement.Remove(file);
        return this;
    }

    /// <summary>A new data file that is durable already.</summary>
    public OverwriteFiles Add(DataFile file)
    {
        replacement.Add(file);
        return this;
    }

    /// <summary>An entry of the snapshot's summary.</summary>
    public OverwriteFiles SetSummary(string name, string value)
    {
        assembly.SetSummary(name, value);
        return this;
    }

    /// <summary>Writes the manifests and the manifest list of one attempt.</summary>
    /// <param name="table">The version of the table to build on.</param>
    /// <param name="cancellationToken">Cancels; then call <see cref="DiscardAsync"/>.</param>
    /// <exception cref="ValidationException">A removed file is gone, or rows of it were deleted since the start: plan it anew.</exception>
    public Task<StagedSnapshot> StageAsync(TableMetadata table, CancellationToken cancellationToken = default)
        => replacement.StageAsync(table, assembly.ParentIn(table), cancellationToken);

    /// <summary>After the commit: deletes what earlier attempts left. Files of the committed attempt stay.</summary>
    public Task CleanAsync(StagedSnapshot committed, CancellationToken cancellationToken = default)
        => staging.CleanAsync(committed, cancellationToken);

    /// <summary>As <see cref="AppendFiles.DiscardAsync"/>: only where the commit definitely did not happen.</summary>
    public async Task DiscardAsync(CancellationToken cancellationToken = default)
    {
        await staging.CleanAsync(null, cancellationToken).ConfigureAwait(false);
        replacement.Forget();
    }
}
