using System.Collections.Immutable;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>
/// A change of a table's files that becomes one snapshot. <see cref="StageAsync"/> builds the commit against one version of the table;
/// after a conflict, stage again against the refreshed version (what was written is reused). One instance is one commit: its snapshot id
/// stays the same over all attempts, so that a lost answer can be looked up. Not thread-safe.
/// </summary>
public abstract class SnapshotOperation
{
    private readonly SnapshotAssembly assembly;
    private long? firstBase;
    private Snapshot? lastStaged;
    private Guid? tableUuid;

    private protected SnapshotOperation(ManifestCache cache, TimeProvider time)
    {
        Cache = cache;
        SnapshotId = SnapshotAssembly.NewSnapshotId();
        Staging = new ManifestStaging(cache.Files, SnapshotId);
        assembly = new SnapshotAssembly(Staging, time, SnapshotId);
    }

    /// <summary>The id of the snapshot, in every attempt.</summary>
    public long SnapshotId { get; }

    /// <summary>An attempt went unanswered and may still be on its way to the catalog: what it wrote is not deleted, whatever the table says
    /// now.</summary>
    internal bool MayArrive { get; set; }

    /// <summary>The branch to change.</summary>
    public string Branch
    {
        get => assembly.Branch;
        init => assembly.Branch = value;
    }

    private protected ManifestCache Cache { get; }

    private protected ManifestStaging Staging { get; }

    private protected SnapshotAssembly Assembly => assembly;

    /// <summary>Writes the manifests and the manifest list of one attempt.</summary>
    /// <param name="table">The version of the table to build on.</param>
    /// <param name="cancellationToken">Cancels; then call <see cref="DiscardAsync"/>.</param>
    /// <exception cref="ValidationException">The change does not fit this version, or the table cannot be written: plan it anew.</exception>
    public async Task<StagedSnapshot> StageAsync(TableMetadata table, CancellationToken cancellationToken = default)
    {
        tableUuid ??= table.TableUuid;
        firstBase ??= table.FormatVersion > 1 ? table.LastSequenceNumber : ReferencedFiles.Always;
        var parent = assembly.ParentIn(table);
        var listed = parent is null ? [] : await Cache.ReadManifestsAsync(parent, table, cancellationToken).ConfigureAwait(false);
        var manifests = await ManifestCounts.CompleteAsync(Cache, listed, table, cancellationToken).ConfigureAwait(false);
        var staged = await StageOnAsync(table, parent, manifests, cancellationToken).ConfigureAwait(false);
        lastStaged = staged.Snapshot;
        return staged;
    }

    /// <summary>After the commit: deletes what it wrote and does not name, earlier attempts' files and manifests that it merged itself.</summary>
    public Task CleanAsync(StagedSnapshot committed, CancellationToken cancellationToken = default)
        => Staging.CleanAsync(committed.Manifests.Select(manifest => manifest.Path).Append(committed.Snapshot.ManifestList!), cancellationToken);

    /// <summary>
    /// Deletes every manifest and list of every attempt (never the data files). Only for what was never offered to a catalog: else
    /// <see cref="TryDiscardAsync"/>.
    /// </summary>
    public async Task DiscardAsync(CancellationToken cancellationToken = default)
    {
        await Staging.CleanAsync([], cancellationToken).ConfigureAwait(false);
        Forget();
    }

    /// <summary>
    /// After the catalog answered that nothing happened: deletes every manifest and list of every attempt, but only where no version of the
    /// table names one. A proxy that sent the commit twice answers the second one so.
    /// </summary>
    /// <returns>False where the table does name them: the commit happened, and everything was left as it is.</returns>
    /// <exception cref="TableLostException">Another table has the name now; everything was left as it is.</exception>
    public async Task<bool> TryDiscardAsync(ICatalog catalog, TableIdentifier identifier, CancellationToken cancellationToken = default)
    {
        var named = await FindNamedAsync(catalog, identifier, cancellationToken).ConfigureAwait(false);
        if (named.Count > 0)
            return false;
        if (!MayArrive)
            await DiscardAsync(cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>The snapshot, where a former version of the table has it and the current one no longer does.</summary>
    internal async Task<Snapshot?> FindFormerAsync(ICatalog catalog, TableIdentifier identifier, CancellationToken cancellationToken)
    {
        var named = await FindNamedAsync(catalog, identifier, cancellationToken).ConfigureAwait(false);
        return named.Count > 0 ? lastStaged : null;
    }

    /// <summary>What the table names of all that was ever staged.</summary>
    private async Task<IReadOnlySet<string>> FindNamedAsync(ICatalog catalog, TableIdentifier identifier, CancellationToken cancellationToken)
        => tableUuid is { } uuid
            ? await new ReferencedFiles(catalog, identifier, uuid, Cache).FindManifestsAsync(
                Staging.Written, firstBase ?? ReferencedFiles.Always, cancellationToken).ConfigureAwait(false)
            : ImmutableHashSet<string>.Empty; // nothing was staged

    private protected abstract Task<StagedSnapshot> StageOnAsync(
        TableMetadata table, Snapshot? parent, IReadOnlyList<ManifestFile> existing, CancellationToken cancellationToken);

    /// <summary>The staged files were deleted: nothing is reused.</summary>
    private protected abstract void Forget();
}

/// <summary>The part that says what it is.</summary>
public abstract class SnapshotOperation<TSelf> : SnapshotOperation where TSelf : SnapshotOperation<TSelf>
{
    private protected SnapshotOperation(ManifestCache cache, TimeProvider time) : base(cache, time) { }

    /// <summary>An entry of the snapshot's summary.</summary>
    public TSelf SetSummary(string name, string value)
    {
        Assembly.SetSummary(name, value);
        return (TSelf)this;
    }

    /// <summary>A table property that changes in the same commit.</summary>
    public TSelf SetProperty(string name, string value)
    {
        Assembly.SetProperty(name, value);
        return (TSelf)this;
    }
}
