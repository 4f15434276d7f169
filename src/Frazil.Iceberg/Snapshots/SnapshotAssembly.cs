using System.Security.Cryptography;
using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>What every kind of commit shares: its id, its branch, the caller's entries, and the last step from manifests to a snapshot. Not
/// thread-safe.</summary>
internal sealed class SnapshotAssembly(ManifestStaging staging, TimeProvider time, long snapshotId)
{
    private readonly Dictionary<string, string> summary = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> properties = new(StringComparer.Ordinal);

    public string Branch { get; set; } = SnapshotRef.MainBranch;

    /// <summary>Whether a branch that does not exist begins at the head of main; else it begins empty.</summary>
    public bool ForksFromMain { get; set; }

    public void SetSummary(string name, string value) => summary[name] = value;

    public void SetProperty(string name, string value) => properties[name] = value;

    /// <exception cref="ValidationException">The commit happened already, or the table cannot be written.</exception>
    public Snapshot? ParentIn(TableMetadata table)
    {
        if (table.SnapshotById(snapshotId) is not null)
            throw new ValidationException($"Snapshot {snapshotId} is in the table already: this commit happened.");
        if (table.FormatVersion < 2)
            throw new ValidationException(
                $"The table {table.Location} is of format version 1, which is read but not written: upgrade it to version 2 first.");
        if (table.Refs.TryGetValue(Branch, out var reference) && !reference.IsBranch)
            throw new ValidationException($"'{Branch}' is a tag of the table {table.Location}: only branches are written to.");
        return reference is null && ForksFromMain ? table.CurrentSnapshot : table.SnapshotByRef(Branch);
    }

    /// <summary>Writes the manifest list and says what to ask the catalog for.</summary>
    public async Task<StagedSnapshot> AssembleAsync(
        TableMetadata table, Snapshot? parent, string operation, SnapshotSummaryBuilder counts, IEnumerable<ManifestFile> manifests,
        CancellationToken cancellationToken)
    {
        var sequenceNumber = table.LastSequenceNumber + 1;
        var list = ManifestListWriter.Write(
            table.FormatVersion, snapshotId, parent?.SnapshotId, sequenceNumber, table.NextRowId, manifests);
        var location = await staging.WriteListAsync(list.Content, table, cancellationToken).ConfigureAwait(false);
        var timestamp = Math.Max(time.GetUtcNow().ToUnixTimeMilliseconds(), table.LastUpdatedMs);
        var snapshot = new Snapshot(
            snapshotId, parent?.SnapshotId, sequenceNumber, timestamp, location, counts.Build(operation, parent, summary),
            table.CurrentSchemaId)
        {
            FirstRowId = table.FormatVersion >= 3 ? table.NextRowId : null,
            AddedRows = table.FormatVersion >= 3 ? list.NextRowId - table.NextRowId : null,
        };
        TableRequirement[] requirements = [
            new TableRequirement.AssertTableUuid(table.TableUuid),
            new TableRequirement.AssertRefSnapshotId(Branch, table.SnapshotByRef(Branch)?.SnapshotId)];
        var reference = table.Refs.TryGetValue(Branch, out var current)
            ? current with { SnapshotId = snapshotId }
            : new SnapshotRef(snapshotId);
        List<TableUpdate> updates = [new TableUpdate.AddSnapshot(snapshot), new TableUpdate.SetSnapshotRef(Branch, reference)];
        if (properties.Count > 0)
            updates.Add(new TableUpdate.SetProperties(new Dictionary<string, string>(properties)));
        return new StagedSnapshot(snapshot, requirements, updates, list.Manifests);
    }

    /// <summary>Random and positive; collisions are as likely as of 63-bit random numbers.</summary>
    public static long NewSnapshotId()
    {
        Span<byte> bytes = stackalloc byte[8];
        long id;
        do
        {
            RandomNumberGenerator.Fill(bytes);
            id = BitConverter.ToInt64(bytes) & long.MaxValue;
        }
        while (id == 0);
        return id;
    }
}
