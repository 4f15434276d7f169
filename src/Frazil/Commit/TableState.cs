using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;

namespace Frazil.Commit;

/// <summary>A table at one version, with the progress that the same version records.</summary>
internal sealed record TableVersion(LoadedTable Table, TableProgress Progress)
{
    public TableMetadata Metadata => Table.Metadata;
}

/// <summary>
/// What this process knows of one table: the <see cref="Iceberg.Table"/>, which is its identity and only goes forward (invariant 10), and the
/// progress that each version records. Thread-safe.
/// </summary>
internal sealed class TableState(ICatalog catalog, TableIdentifier identifier, TimeProvider? time = null)
{
    private TableVersion? current;

    public TableIdentifier Identifier => Table.Identifier;

    /// <summary>The table itself, for whoever commits to it.</summary>
    public Table Table { get; } = new(catalog, identifier, time);

    /// <summary>Snapshots that readers of this process stand on.</summary>
    public SnapshotPins Pins { get; } = new();

    /// <summary>Files of this process that are in no version yet, by what their names begin with: a sweep leaves them.</summary>
    public OpenWrites OpenWrites { get; } = new();

    /// <summary>One compaction of the table at a time in this process: two would rewrite the same files.</summary>
    public SemaphoreSlim CompactionTurn { get; } = new(1, 1);

    /// <summary>The version seen last; null while there is no such table.</summary>
    public TableVersion? Current => Volatile.Read(ref current);

    /// <summary>Asks the catalog. Null when the table does not exist and never did here.</summary>
    /// <exception cref="PipelineFailedException">The table was dropped, made anew, or put back to an older version since it was seen
    /// first.</exception>
    public async Task<TableVersion?> RefreshAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await Table.RefreshAsync(cancellationToken) is { } loaded ? Set(loaded) : Current;
        }
        catch (TableLostException error)
        {
            throw ToFailure(error);
        }
    }

    /// <summary>The table exists, and was this a moment ago. Returns the newest version known.</summary>
    public TableVersion Set(LoadedTable table)
    {
        try
        {
            return Keep(Table.Adopt(table));
        }
        catch (TableLostException error)
        {
            throw ToFailure(error);
        }
    }

    /// <summary>This very version, with its progress; what is known stays as new as it was.</summary>
    public TableVersion Of(LoadedTable table)
    {
        var newest = Keep(table);
        return newest.Table.MetadataLocation == table.MetadataLocation ? newest : new(table, TableProgress.Parse(table.Metadata.Properties));
    }

    /// <summary>What a table that was lost means here, and what to do about it.</summary>
    public static PipelineFailedException ToFailure(TableLostException error) => new(
        error.Loss switch
        {
            TableLoss.Dropped => $"{error.Message} Restart to create it anew from the beginning of its topics, or restore it in the catalog first",
            TableLoss.Replaced => $"{error.Message} Progress of the old one is not carried over; restart to write the new one by its own progress",
            _ => $"{error.Message} Was it restored from a backup, or an older version registered? Restart to go on by the progress that the older version records, or put the newer "
                + "one back first",
        },
        error);

    private TableVersion Keep(LoadedTable table)
    {
        for (; ; )
        {
            var known = Current;
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
}
