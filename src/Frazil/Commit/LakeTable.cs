using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil.Commit;

/// <summary>
/// One table of the lake as this process has it, once: what is known of it, its one committer (invariant 7), the schema that its records
/// are laid out by, and its topics' identities. Ingest, recovery, dead letters, maintenance and replay are all given this. Thread-safe;
/// nothing to dispose, the catalog stays the caller's.
/// </summary>
internal sealed class LakeTable
{
    private readonly ICatalog catalog;
    private readonly SchemaKeeper? schemas;

    /// <param name="catalog">Where it is.</param>
    /// <param name="state">What is known of it.</param>
    /// <param name="logger">Is told what becomes of its commits.</param>
    /// <param name="settings">How it is written; null for one that is only looked at or maintained.</param>
    public LakeTable(ICatalog catalog, TableState state, ILogger logger, LakeTableSettings? settings = null)
    {
        settings ??= new();
        (this.catalog, State, Logger) = (catalog, state, logger);
        Identities = settings.Identities;
        Committer = new(state, settings.Metrics ?? new(), logger, settings.Identities, settings.OnRollback)
        {
            StopsAtUntoldRows = settings.StopsAtUntoldRows,
        };
        schemas = settings.Records is { } records ? new(catalog, state, Committer, records, logger) : null;
    }

    public TableState State { get; }

    public TableCommitter Committer { get; }

    /// <summary>The topics that feed it; null where none is read.</summary>
    public TopicIdentities? Identities { get; }

    public ILogger Logger { get; }

    /// <summary>The schema of its records.</summary>
    /// <exception cref="InvalidOperationException">It takes no records: nobody said how they are written.</exception>
    public SchemaKeeper Schemas => schemas ?? throw new InvalidOperationException($"nobody said how records of {Name} are written");

    public TableIdentifier Identifier => State.Identifier;

    public string Name => Identifier.ToString();

    /// <summary>The version seen last; null while there is no such table.</summary>
    public TableVersion? Current => State.Current;

    /// <summary>Its store, as of the version seen last.</summary>
    /// <exception cref="InvalidOperationException">There is no such table yet.</exception>
    public IFileIO Store => (Current ?? throw new InvalidOperationException($"the table {Name} does not exist yet")).Table.FileIO;

    /// <summary>Asks the catalog. Null when the table does not exist and never did here.</summary>
    /// <exception cref="PipelineFailedException">It was dropped, made anew, or put back to an older version since it was seen
    /// first.</exception>
    public Task<TableVersion?> RefreshAsync(CancellationToken cancellationToken) => State.RefreshAsync(cancellationToken);

    /// <summary>Asks the catalog, and makes the table where it does not exist. Its namespace must.</summary>
    /// <exception cref="PipelineFailedException">As of <see cref="RefreshAsync"/>.</exception>
    public async Task<TableVersion> OpenAsync(Schema schema, CancellationToken cancellationToken)
    {
        if (await RefreshAsync(cancellationToken) is { } version)
        {
            return version;
        }
        try
        {
            return State.Set(await catalog.CreateTableAsync(Identifier, schema, cancellationToken: cancellationToken));
        }
        catch (TableAlreadyExistsException)
        {
            return (await RefreshAsync(cancellationToken))!;
        }
    }
}

/// <summary>How a table is written.</summary>
internal sealed record LakeTableSettings
{
    /// <summary>How its records come; null for a table whose rows are not records, such as dead letters.</summary>
    public TableOptions? Records { get; init; }

    /// <summary>The topics that feed it.</summary>
    public TopicIdentities? Identities { get; init; }

    /// <summary>Counts its commits.</summary>
    public TableMetrics? Metrics { get; init; }

    /// <summary>What to do where other hands set it back.</summary>
    public OnRollback OnRollback { get; init; } = OnRollback.Stop;

    /// <summary>As of <see cref="TableCommitter.StopsAtUntoldRows"/>.</summary>
    public bool StopsAtUntoldRows { get; init; } = true;
}
