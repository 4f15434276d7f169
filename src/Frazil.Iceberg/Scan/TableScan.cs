using Frazil.Iceberg.Expressions;
using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>A data file to read and what to leave out of it.</summary>
/// <param name="File">The file.</param>
/// <param name="SequenceNumber">Its data sequence number.</param>
/// <param name="Deletes">The delete files and vectors that apply to it.</param>
public sealed record ScanFile(DataFile File, long SequenceNumber, IReadOnlyList<DataFile> Deletes);

/// <summary>The files that a filter needs.</summary>
/// <param name="Snapshot">The snapshot that was planned; null for a table that was never written.</param>
/// <param name="Schema">The schema to read with.</param>
/// <param name="Files">The files that may hold matching rows, in the order of the manifests.</param>
/// <param name="FilesTotal">The snapshot's live data files.</param>
/// <param name="ManifestsTotal">Its manifests.</param>
/// <param name="ManifestsRead">Those that the filter did not rule out.</param>
public sealed record ScanPlan(
    Snapshot? Snapshot, Schema Schema, IReadOnlyList<ScanFile> Files, int FilesTotal, int ManifestsTotal, int ManifestsRead)
{
    /// <summary>Rows in the files, deletes not counted in.</summary>
    public long RecordCount => Files.Sum(file => file.File.RecordCount);
}

/// <summary>Plans which files a query reads: snapshot, manifest list, manifests, files, each pruned by the filter. Immutable.</summary>
public sealed class TableScan
{
    private const int ParallelReads = 8;

    private readonly TableMetadata metadata;
    private readonly ManifestCache cache;
    private readonly Snapshot? snapshot;
    private readonly Schema schema;
    private readonly Expression filter;

    /// <param name="metadata">The version of the table to read: its current snapshot, unless another is chosen.</param>
    /// <param name="cache">Reads and keeps the manifests.</param>
    public TableScan(TableMetadata metadata, ManifestCache cache) : this(
        metadata, cache, metadata.CurrentSnapshot, metadata.CurrentSchema, Expression.True)
    { }

    private TableScan(TableMetadata metadata, ManifestCache cache, Snapshot? snapshot, Schema schema, Expression filter) =>
        (this.metadata, this.cache, this.snapshot, this.schema, this.filter) = (metadata, cache, snapshot, schema, filter);

    /// <summary>Time travel: a snapshot, read with the schema of its time.</summary>
    /// <exception cref="ValidationException">The table does not have it.</exception>
    public TableScan UseSnapshot(long snapshotId)
    {
        var chosen = metadata.SnapshotById(snapshotId)
            ?? throw new ValidationException($"The table {metadata.Location} has no snapshot {snapshotId}: it was expired, or never was.");
        return new TableScan(metadata, cache, chosen, SchemaOf(chosen), filter);
    }

    /// <summary>A tag, read with the schema of its time, or a branch, read with the table's current one.</summary>
    /// <exception cref="ValidationException">The table does not have it.</exception>
    public TableScan UseRef(string name)
    {
        if (!metadata.Refs.TryGetValue(name, out var reference) || metadata.SnapshotById(reference.SnapshotId) is not { } chosen)
            throw new ValidationException(
                $"The table {metadata.Location} has no branch or tag '{name}'. It has: {string.Join(", ", metadata.Refs.Keys)}.");
        return new TableScan(metadata, cache, chosen, reference.IsBranch ? metadata.CurrentSchema : SchemaOf(chosen), filter);
    }

    /// <summary>Adds a filter to the ones before it.</summary>
    public TableScan Filter(Expression expression) =>
        new(metadata, cache, snapshot, schema, filter == Expression.True ? expression : filter & expression);

    /// <summary>Reads the manifests that the filter needs and chooses the files.</summary>
    /// <exception cref="ValidationException">The filter does not fit the schema.</exception>
    /// <exception cref="FileNotFoundException">The snapshot was expired in the meantime.</exception>
    public async Task<ScanPlan> PlanAsync(CancellationToken cancellationToken = default)
    {
        var files = new FileFilter(filter, schema, metadata);
        if (snapshot is null)
            return new ScanPlan(null, schema, [], 0, 0, 0);
        var manifests = await cache.ReadManifestsAsync(snapshot, metadata, cancellationToken).ConfigureAwait(false);
        var data = manifests.Where(manifest => manifest.Content == ManifestContent.Data && manifest.MayHaveLiveFiles).ToArray();
        // A manifest without counts is read even where it is ruled out: the total must be right.
        var wanted = data.Where(
            manifest => manifest.AddedFiles is null || manifest.ExistingFiles is null || files.MayMatch(manifest)).ToArray();
        var deletes = manifests.Where(manifest => manifest.Content == ManifestContent.Deletes && manifest.MayHaveLiveFiles).ToArray();

        var entries = await ReadAsync([.. wanted, .. deletes], cancellationToken).ConfigureAwait(false);
        var index = new DeleteFileIndex(
            entries.AsSpan(wanted.Length).ToArray().SelectMany(one => one).Where(entry => entry.IsLive), schema, metadata);
        var chosen = new List<ScanFile>();
        var total = data.Except(wanted).Sum(manifest => manifest.AddedFiles!.Value + manifest.ExistingFiles!.Value);
        for (var i = 0; i < wanted.Length; i++)
        {
            var mayMatch = files.MayMatch(wanted[i]);
            foreach (var entry in entries[i])
            {
                if (!entry.IsLive)
                    continue;
                total++;
                if (mayMatch && files.MayMatch(entry.File))
                    chosen.Add(new ScanFile(entry.File, entry.SequenceNumber ?? 0, index.Of(entry)));
            }
        }
        return new ScanPlan(snapshot, schema, chosen, total, manifests.Count, wanted.Length);
    }

    private async Task<IReadOnlyList<ManifestEntry>[]> ReadAsync(ManifestFile[] manifests, CancellationToken cancellationToken)
    {
        var entries = new IReadOnlyList<ManifestEntry>[manifests.Length];
        await Parallel.ForAsync(0, manifests.Length,
            new ParallelOptions { MaxDegreeOfParallelism = ParallelReads, CancellationToken = cancellationToken },
            async (i, token) => entries[i] = await cache.ReadEntriesAsync(manifests[i], metadata,
                token).ConfigureAwait(false)).ConfigureAwait(false);
        return entries;
    }

    private Schema SchemaOf(Snapshot chosen) => (chosen.SchemaId is { } id ? metadata.SchemaById(id) : null) ?? metadata.CurrentSchema;
}
