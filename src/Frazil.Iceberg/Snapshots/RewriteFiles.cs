using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>
/// Replaces data files by others that hold the same rows (compaction): one snapshot of operation <c>replace</c>, with proper deleted
/// entries, so that incremental readers see nothing twice. The new files keep the sequence number of the snapshot that was read, so
/// that deletes written since still apply to them. Staging against a version where a replaced file is gone, or where a position
/// delete or vector was written for one since, is refused: the rewrite must be planned anew.
/// </summary>
public sealed class RewriteFiles : SnapshotOperation<RewriteFiles>
{
    private readonly FileReplacement replacement;

    /// <param name="cache">Reads the table's manifests; its file IO also writes the new ones.</param>
    /// <param name="start">The snapshot that the rows were read from.</param>
    /// <param name="time">The clock of the snapshot's timestamp.</param>
    public RewriteFiles(ManifestCache cache, Snapshot start, TimeProvider time) : base(cache, time)
        => replacement = new FileReplacement(cache, Staging, Assembly, SnapshotId)
        {
            Operation = "replace",
            AddedSequenceNumber = start.SequenceNumber,
            SeenSequenceNumber = start.SequenceNumber,
        };

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

    /// <summary>Delete files and vectors that apply to no data file any more leave the table with this commit; then it need not replace
    /// any.</summary>
    public RewriteFiles DropDanglingDeletes()
    {
        replacement.DropsDanglingDeletes = true;
        return this;
    }

    private protected override Task<StagedSnapshot> StageOnAsync(
        TableMetadata table, Snapshot? parent, IReadOnlyList<ManifestFile> existing, CancellationToken cancellationToken)
    {
        if (replacement is { RemovesNothing: true, DropsDanglingDeletes: false })
            throw new ValidationException("A rewrite replaces at least one file.");
        return parent is null
            ? throw new ValidationException($"The table {table.Location} has no snapshot: there is nothing to rewrite.")
            : replacement.StageAsync(table, parent, existing, cancellationToken);
    }

    private protected override void Forget() => replacement.Forget();
}
