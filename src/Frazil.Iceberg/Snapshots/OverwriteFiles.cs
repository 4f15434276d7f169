using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>
/// Takes data files out of a table and puts others in, which need not hold the same rows: one snapshot of operation <c>overwrite</c>, with
/// proper deleted entries. The added files are as new as the commit: deletes that applied to the removed ones do not apply to them, so
/// whoever carries rows over applies those deletes first. Staging against a version where a removed file is gone, or where a delete was
/// written for one since the start, is refused: plan it anew.
/// </summary>
public sealed class OverwriteFiles : SnapshotOperation<OverwriteFiles>
{
    private readonly FileReplacement replacement;

    /// <param name="cache">Reads the table's manifests; its file IO also writes the new ones.</param>
    /// <param name="start">The snapshot that the removed files were found in; null where none was and nothing is removed.</param>
    /// <param name="time">The clock of the snapshot's timestamp.</param>
    public OverwriteFiles(ManifestCache cache, Snapshot? start, TimeProvider time) : base(cache, time)
    {
        Assembly.ForksFromMain = true;      // a branch that does not exist is made at the head of main, with this commit
        replacement = new FileReplacement(cache, Staging, Assembly, SnapshotId)
        {
            Operation = "overwrite",
            SeenSequenceNumber = start?.SequenceNumber ?? 0,
        };
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

    private protected override Task<StagedSnapshot> StageOnAsync(
        TableMetadata table, Snapshot? parent, IReadOnlyList<ManifestFile> existing, CancellationToken cancellationToken)
        => replacement.StageAsync(table, parent, existing, cancellationToken);

    private protected override void Forget() => replacement.Forget();
}
