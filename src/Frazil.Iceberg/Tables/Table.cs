using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>
/// One table of a catalog, for whoever reads and commits to it for a while: the version seen last, its manifests, and commits with their
/// retries, the look for a lost answer, and the removal of what is not needed any more. Thread-safe; nothing to dispose. What it holds:
/// (1) its identity is its UUID: once seen, a table that is gone, or another one under the same name, is an error, never taken for it;
/// (2) it only goes forward: of two loads that overlap, the older version never replaces the newer one;
/// (3) its commits in this process are one queue, and every attempt is planned anew on the newest version (<see cref="TableChange{T}"/>);
/// (4) an error of a commit is a conflict, refused or unknown (<see cref="CommitErrors"/>), and what may have happened is looked for before
/// anything else is done;
/// (5) nothing throws after the swap, and no file is deleted that a version of the table names.
/// </summary>
public sealed partial class Table
{
    /// <summary>Loads that answer with a version older than one known before they began: a catalog behind a cache may do so a few
    /// times.</summary>
    private const int MostStaleLoads = 4;

    /// <summary>Searches among all versions have a small cache of their own, so that they do not push out what commits need.</summary>
    private const long SearchCacheBytes = 16 * 1024 * 1024;

    private static readonly TimeSpan StaleWait = TimeSpan.FromMilliseconds(100);

    private readonly ICatalog catalog;
    private readonly TimeProvider time;
    private LoadedTable? current;
    private ManifestCache? manifests;
    private ReferencedFiles? references;

    /// <param name="catalog">Where it is; stays the caller's.</param>
    /// <param name="identifier">Its name; it need not exist yet.</param>
    /// <param name="time">The clock of snapshots and of waits between attempts; null for the system's.</param>
    public Table(ICatalog catalog, TableIdentifier identifier, TimeProvider? time = null)
        => (this.catalog, Identifier, this.time) = (catalog, identifier, time ?? TimeProvider.System);

    public TableIdentifier Identifier { get; }

    /// <summary>The version seen last; null while there is no such table.</summary>
    public LoadedTable? Current => Volatile.Read(ref current);

    /// <summary>Its manifests, parsed once.</summary>
    /// <exception cref="InvalidOperationException">No version was seen yet.</exception>
    public ManifestCache Manifests
        => LazyInitializer.EnsureInitialized(ref manifests, () => new ManifestCache(Seen.FileIO));

    private LoadedTable Seen
        => Current ?? throw new InvalidOperationException($"The table {Identifier} was not seen yet: refresh it first.");

    private ReferencedFiles References => LazyInitializer.EnsureInitialized(
        ref references, () => new ReferencedFiles(catalog, Identifier, Seen.Metadata.TableUuid, new ManifestCache(Seen.FileIO, SearchCacheBytes)));

    /// <summary>Asks the catalog. Null when the table does not exist and never did here.</summary>
    /// <exception cref="TableLostException">The table was dropped, made anew, or put back to an older version since it was seen
    /// first.</exception>
    public async Task<LoadedTable?> RefreshAsync(CancellationToken cancellationToken = default)
    {
        for (var loads = 1; ; loads++)
        {
            var before = Current;
            if (await LoadAsync(before, cancellationToken).ConfigureAwait(false) is not { } loaded)
                return Current; // who made it meanwhile has seen it
            if (before is null || !VersionOrder.IsFormer(loaded, before))
                return Adopt(loaded);
            if (loads == MostStaleLoads)
                throw new TableLostException(
                    TableLoss.WentBack, $"The table {Identifier} went back: the catalog says {loaded.MetadataLocation} (sequence number {loaded.Metadata.LastSequenceNumber}), "
                    + $"which is older than {before.MetadataLocation} ({before.Metadata.LastSequenceNumber}).");
            await Task.Delay(StaleWait * loads, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The table exists, and was this a moment ago. Returns the newest version known.</summary>
    /// <exception cref="TableLostException">It is another table than the one seen before.</exception>
    public LoadedTable Adopt(LoadedTable loaded)
    {
        ArgumentNullException.ThrowIfNull(loaded);
        for (; ; )
        {
            var known = Current;
            if (known is not null && known.Metadata.TableUuid != loaded.Metadata.TableUuid)
                throw new TableLostException(
                    TableLoss.Replaced, $"The table {Identifier} is another table now: its UUID was {known.Metadata.TableUuid} and is {loaded.Metadata.TableUuid}.");
            if (known is not null && (known.MetadataLocation == loaded.MetadataLocation || VersionOrder.IsFormer(loaded, known)))
                return known;
            if (Interlocked.CompareExchange(ref current, loaded, known) == known)
                return loaded;
        }
    }

    /// <summary>A commit that adds files.</summary>
    public AppendFiles NewAppend(string branch = SnapshotRef.MainBranch) => new(Manifests, time) { Branch = branch };

    /// <summary>A commit that puts files in the place of others, with other rows.</summary>
    /// <param name="start">The snapshot that the files to remove were found in; null where none was.</param>
    /// <param name="branch">What it changes.</param>
    public OverwriteFiles NewOverwrite(Snapshot? start, string branch = SnapshotRef.MainBranch) => new(Manifests, start, time) { Branch = branch };

    /// <summary>A commit that puts files in the place of others, with the same rows.</summary>
    /// <param name="start">The snapshot that the files to replace were found in.</param>
    public RewriteFiles NewRewrite(Snapshot start) => new(Manifests, start, time);

    /// <summary>Those of some data files that any version of the table names that is kept.</summary>
    /// <exception cref="NoSuchTableException">The table is gone: nobody knows what names them.</exception>
    /// <exception cref="TableLostException">Another table has its name: nobody knows either.</exception>
    public Task<IReadOnlySet<string>> FindNamedAsync(IReadOnlyCollection<string> locations, CancellationToken cancellationToken = default)
        => References.FindAsync(locations, ReferencedFiles.Always, cancellationToken);

    /// <summary>Deletes those of some data files that no version of the table names.</summary>
    /// <returns>How many were deleted, or were not there.</returns>
    /// <exception cref="NoSuchTableException">The table is gone; nothing was deleted.</exception>
    /// <exception cref="TableLostException">Another table has its name; nothing was deleted.</exception>
    public Task<int> DeleteUnnamedAsync(IReadOnlyCollection<string> locations, CancellationToken cancellationToken = default)
        => References.DeleteOthersAsync(locations, ReferencedFiles.Always, cancellationToken);

    private async Task<LoadedTable?> LoadAsync(LoadedTable? before, CancellationToken cancellationToken)
    {
        try
        {
            return await catalog.LoadTableAsync(Identifier, cancellationToken).ConfigureAwait(false);
        }
        catch (NoSuchTableException) when (before is null)
        {
            return null; // also where it was made while this look was on its way: that is no drop
        }
        catch (NoSuchTableException e)
        {
            throw new TableLostException(
                TableLoss.Dropped, $"The table {Identifier} (UUID {before!.Metadata.TableUuid}) was dropped since it was seen first.", e);
        }
    }
}
