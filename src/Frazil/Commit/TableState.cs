using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;

namespace Frazil.Commit;

/// <summary>A table at one version, with the progress that the same version records.</summary>
internal sealed record TableVersion(LoadedTable Table, TableProgress Progress)
{
    public TableMetadata Metadata => Table.Metadata;
}

/// <summary>
/// What this process knows of one table. Its identity is its UUID (invariant 10): once seen, a table that vanished or was made anew under
/// the same name is an error, never spliced. It only ever goes forward: of two loads that overlap, the one that answers last may have the
/// older version, which never replaces a newer one. Thread-safe.
/// </summary>
internal sealed class TableState(ICatalog catalog, TableIdentifier identifier)
{
    /// <summary>Loads that answer with a version older than one known before they began: a catalog behind a cache may do so a few
    /// times.</summary>
    private const int MostStaleLoads = 4;

    private static readonly TimeSpan StaleWait = TimeSpan.FromMilliseconds(100);

    private TableVersion? current;

    public TableIdentifier Identifier { get; } = identifier;

    /// <summary>Snapshots that readers of this process stand on.</summary>
    public SnapshotPins Pins { get; } = new();

    /// <summary>The version seen last; null while there is no such table.</summary>
    public TableVersion? Current => Volatile.Read(ref current);

    /// <summary>Asks the catalog. Null when the table does not exist and never did here.</summary>
    /// <exception cref="PipelineFailedException">The table was dropped, made anew, or put back to an older version since it was seen
    /// first.</exception>
    public async Task<TableVersion?> RefreshAsync(CancellationToken cancellationToken)
    {
        for (var loads = 1; ; loads++)
        {
            var before = Current;
            if (await LoadAsync(isKnown: before is not null, cancellationToken) is not { } loaded)
            {
                return Current; // who made it meanwhile has seen it
            }
            if (before is null || !VersionOrder.IsFormer(loaded, before.Table))
            {
                return Set(loaded);
            }
            if (loads == MostStaleLoads)
            {
                throw new PipelineFailedException(
                    $"table {Identifier} went back: the catalog says {loaded.MetadataLocation} (sequence number {loaded.Metadata.LastSequenceNumber}), which is older than "
                    + $"{before.Table.MetadataLocation} ({before.Metadata.LastSequenceNumber}). Was it restored from a backup, or an older version registered? Restart to go on by the "
                    + "progress that the older version records, or put the newer one back first");
            }
            await Task.Delay(StaleWait * loads, cancellationToken);
        }
    }

    /// <summary>The table exists, and was this a moment ago. Returns the newest version known.</summary>
    public TableVersion Set(LoadedTable table)
    {
        for (; ; )
        {
            var known = Current;
            if (known is not null && known.Metadata.TableUuid != table.Metadata.TableUuid)
            {
                throw new PipelineFailedException(
                    $"table {Identifier} is another table now: its UUID was {known.Metadata.TableUuid} and is {table.Metadata.TableUuid}. Progress of "
                    + "the old one is not carried over; restart to write the new one by its own progress");
            }
            if (known is not null && (known.Table.MetadataLocation == table.MetadataLocation || VersionOrder.IsFormer(table, known.Table)))
            {
                return known;
            }
            var version = new TableVersion(table, TableProgress.Parse(table.Metadata.Properties));
            if (Interlocked.CompareExchange(ref current, version, known) == known)
            {
                return version;
            }
        }
    }

    /// <param name="isKnown">The table had been seen before this look began: one that was made meanwhile was not dropped.</param>
    private async Task<LoadedTable?> LoadAsync(bool isKnown, CancellationToken cancellationToken)
    {
        try
        {
            return await catalog.LoadTableAsync(Identifier, cancellationToken);
        }
        catch (NoSuchTableException) when (!isKnown)
        {
            return null;
        }
        catch (NoSuchTableException error)
        {
            throw new PipelineFailedException(
                $"table {Identifier} (UUID {Current!.Metadata.TableUuid}) was dropped while it was being written; restart to create it anew from the "
                + "beginning of its topics, or restore it in the catalog first", error);
        }
    }
}
