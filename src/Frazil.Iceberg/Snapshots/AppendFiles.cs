using System.Security.Cryptography;
using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>
/// Adds data files to a table: one snapshot of operation <c>append</c>. <see cref="StageAsync"/> builds the commit against one version
/// of the table; after a conflict, stage again against the refreshed version (new manifests are written once and reused). One instance
/// is one commit: its snapshot id stays the same over all attempts, so that a lost answer can be looked up. Not thread-safe.
/// </summary>
public sealed class AppendFiles
{
    private readonly ManifestCache cache;
    private readonly TimeProvider time;
    private readonly ManifestStaging staging;
    private readonly ManifestMerging merging;
    private readonly List<DataFile> files = [];
    private readonly HashSet<string> paths = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> summary = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> properties = new(StringComparer.Ordinal);
    private List<AddedManifest>? added;

    /// <param name="cache">Reads the table's manifests; its file IO also writes the new ones.</param>
    /// <param name="time">The clock of the snapshot's timestamp.</param>
    public AppendFiles(ManifestCache cache, TimeProvider time)
    {
        (this.cache, this.time) = (cache, time);
        SnapshotId = NewSnapshotId();
        staging = new ManifestStaging(cache.Files, SnapshotId);
        merging = new ManifestMerging(cache, staging, SnapshotId);
    }

    /// <summary>The id of the snapshot, in every attempt.</summary>
    public long SnapshotId { get; }

    /// <summary>The branch that the files are added to.</summary>
    public string Branch { get; init; } = SnapshotRef.MainBranch;

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
        summary[name] = value;
        return this;
    }

    /// <summary>A table property that changes in the same commit.</summary>
    public AppendFiles SetProperty(string name, string value)
    {
        properties[name] = value;
        return this;
    }

    /// <summary>Writes the manifests and the manifest list of one attempt.</summary>
    /// <param name="table">The version of the table to build on.</param>
    /// <param name="cancellationToken">Cancels; then call <see cref="DiscardAsync"/>.</param>
    /// <exception cref="ValidationException">A file does not fit its partition spec, or the table cannot be written.</exception>
    public async Task<StagedSnapshot> StageAsync(TableMetadata table, CancellationToken cancellationToken = default)
    {
        if (table.SnapshotById(SnapshotId) is not null)
            throw new ValidationException($"Snapshot {SnapshotId} is in the table already: this commit happened.");
        if (table.FormatVersion < 2)
            throw new ValidationException($"The table {table.Location} is of format version 1, which is read but not written: upgrade it to version 2 first.");
        var parent = table.SnapshotByRef(Branch);
        var existing = parent is null ? [] : await cache.ReadManifestsAsync(parent, table, cancellationToken).ConfigureAwait(false);
        added ??= await WriteAddedAsync(table, cancellationToken).ConfigureAwait(false);
        // Manifests without live files only say what was deleted by earlier snapshots.
        var carried = existing.Where(manifest => manifest.MayHaveLiveFiles).ToArray();
        var manifests = await merging.MergeAsync(table, added, carried, cancellationToken).ConfigureAwait(false);

        var sequenceNumber = table.LastSequenceNumber + 1;
        var list = ManifestListWriter.Write(table.FormatVersion, SnapshotId, parent?.SnapshotId, sequenceNumber, table.NextRowId, manifests);
        var location = await staging.WriteListAsync(list.Content, table, cancellationToken).ConfigureAwait(false);
        var snapshot = new Snapshot(SnapshotId, parent?.SnapshotId, sequenceNumber,
            Math.Max(time.GetUtcNow().ToUnixTimeMilliseconds(), table.LastUpdatedMs), location, Summarize(parent), table.CurrentSchemaId)
        {
            FirstRowId = table.FormatVersion >= 3 ? table.NextRowId : null,
            AddedRows = table.FormatVersion >= 3 ? list.NextRowId - table.NextRowId : null,
        };
        return new StagedSnapshot(snapshot, Requirements(table, parent), Updates(table, snapshot), list.Manifests);
    }

    /// <summary>After the commit: deletes what earlier attempts left. Files of the committed attempt stay.</summary>
    public Task CleanAsync(StagedSnapshot committed, CancellationToken cancellationToken = default) => staging.CleanAsync(committed, cancellationToken);

    /// <summary>
    /// Deletes every manifest and list of every attempt (never the data files). Only where the commit definitely did not happen: after
    /// <c>CommitConflictException</c> or before the first commit, never after <c>CommitStateUnknownException</c>.
    /// </summary>
    public async Task DiscardAsync(CancellationToken cancellationToken = default)
    {
        await staging.CleanAsync(null, cancellationToken).ConfigureAwait(false);
        added = null;
    }

    private async Task<List<AddedManifest>> WriteAddedAsync(TableMetadata table, CancellationToken cancellationToken)
    {
        var manifests = new List<AddedManifest>();
        var targetBytes = table.TableProperties.ManifestTargetBytes;
        foreach (var group in files.GroupBy(file => file.SpecId))
        {
            var spec = table.SpecById(group.Key)
                ?? throw new ValidationException($"'{group.First().Path}' is of partition spec {group.Key}, which the table does not have.");
            var writer = new ManifestWriter(table, spec, ManifestContent.Data);
            var inManifest = new List<DataFile>();
            foreach (var file in group)
            {
                if (file.Partition.Count != spec.Fields.Count)
                    throw new ValidationException($"'{file.Path}' has {file.Partition.Count} partition values, its spec {spec.Fields.Count} fields.");
                if (writer.ApproximateBytes > targetBytes)
                {
                    manifests.Add(new AddedManifest(await staging.WriteManifestAsync(writer, table, cancellationToken).ConfigureAwait(false), inManifest));
                    (writer, inManifest) = (new ManifestWriter(table, spec, ManifestContent.Data), []);
                }
                writer.Add(SnapshotId, file);
                inManifest.Add(file);
            }
            manifests.Add(new AddedManifest(await staging.WriteManifestAsync(writer, table, cancellationToken).ConfigureAwait(false), inManifest));
        }
        return manifests;
    }

    private Dictionary<string, string> Summarize(Snapshot? parent)
    {
        var counts = new SnapshotSummaryBuilder();
        foreach (var file in files)
            counts.Add(file);
        return counts.Build("append", parent, summary);
    }

    private TableRequirement[] Requirements(TableMetadata table, Snapshot? parent) =>
    [
        new TableRequirement.AssertTableUuid(table.TableUuid),
        new TableRequirement.AssertRefSnapshotId(Branch, parent?.SnapshotId),
    ];

    private List<TableUpdate> Updates(TableMetadata table, Snapshot snapshot)
    {
        var reference = table.Refs.TryGetValue(Branch, out var current) ? current with { SnapshotId = SnapshotId } : new SnapshotRef(SnapshotId);
        List<TableUpdate> updates = [new TableUpdate.AddSnapshot(snapshot), new TableUpdate.SetSnapshotRef(Branch, reference)];
        if (properties.Count > 0)
            updates.Add(new TableUpdate.SetProperties(new Dictionary<string, string>(properties)));
        return updates;
    }

    /// <summary>Random and positive; collisions are as likely as of 63-bit random numbers.</summary>
    private static long NewSnapshotId()
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
