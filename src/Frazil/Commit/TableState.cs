using Frazil.Flush;
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
/// the same name is an error, never spliced. Thread-safe.
/// </summary>
internal sealed class TableState(ICatalog catalog, TableIdentifier identifier)
{
    private TableVersion? current;

    public TableIdentifier Identifier { get; } = identifier;

    /// <summary>The version seen last; null while there is no such table.</summary>
    public TableVersion? Current => Volatile.Read(ref current);

    /// <summary>Asks the catalog. Null when the table does not exist and never did here.</summary>
    /// <exception cref="PipelineFailedException">The table was dropped, or dropped and made anew, since it was seen first.</exception>
    public async Task<TableVersion?> RefreshAsync(CancellationToken cancellationToken)
    {
        try
        {
            return Set(await catalog.LoadTableAsync(Identifier, cancellationToken));
        }
        catch (NoSuchTableException) when (Current is null)
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

    /// <summary>The table exists and this is it now.</summary>
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
            if (known is not null && known.Table.MetadataLocation == table.MetadataLocation)
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
