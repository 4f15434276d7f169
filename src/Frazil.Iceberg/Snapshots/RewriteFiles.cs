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
    private readonly SnapshotAssembly assembly;
    private readonly ManifestStaging staging;
    private readonly FileReplacement replacement;

    /// <param name="cache">Reads the table's manifests; its file IO also writes the new ones.</param>
    /// <param name="start">The snapshot that the rows were read from.</param>
    /// <param name="time">The clock of the snapshot's timestamp.</param>
    public RewriteFiles(ManifestCache cache, Snapshot start, TimeProvider time)
    {
        SnapshotId = SnapshotAssembly.NewSnapshotId();
        staging = new ManifestStaging(cache.Files, SnapshotId);
        assembly = new SnapshotAssembly(staging, time, SnapshotId);
        replacement = new FileReplacement(cache, staging, assembly, SnapshotId)
        {
            Operation = "replace",
            AddedSequenceNumber = start.SequenceNumber,
            SeenSequenceNumber = start.SequenceNumber,
        };
    }

    /// <summary>The id of the snapshot, in every attempt.</summary>
    public long SnapshotId { get; }

    /// <summary>A data file whose rows the added files hold.</summary>
    public RewriteFiles Remove(DataFile file)
    {
        replacement.Remove(file);
        return this;
    }

    /// <summary>A new data file that is durable already.</summary>
    public RewriteFiles Add(DataFile file)
    {
        replacement.Add(file);
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
    /// <exception cref="ValidationException">A file to replace is gone, or rows of it were deleted since it was read: plan the rewrite
    /// anew.</exception>
    public Task<StagedSnapshot> StageAsync(TableMetadata table, CancellationToken cancellationToken = default)
    {
        if (replacement.RemovesNothing)
            throw new ValidationException("A rewrite replaces at least one file.");
        var parent = assembly.ParentIn(table)
            ?? throw new ValidationException($"The table {table.Location} has no snapshot: there is nothing to rewrite.");
        return replacement.StageAsync(table, parent, cancellationToken);
    }

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
