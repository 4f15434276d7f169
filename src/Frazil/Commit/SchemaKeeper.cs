using Frazil.Config;
using Frazil.Formats;
using Frazil.Faults;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil.Commit;

/// <summary>
/// Keeps the schema that hot chunks are laid out by equal to the table's: adopts what others changed, adds columns for fields that records
/// bring, and creates the table from its first records where it does not exist. Columns are only ever added, never changed or dropped.
/// </summary>
internal sealed class SchemaKeeper(ICatalog catalog, TableState state, TableCommitter committer, TableOptions options, ILogger logger)
{
    private sealed record Adopted(TableVersion Version, TableSchema Schema);

    private readonly SemaphoreSlim creating = new(1, 1);
    private readonly Lazy<TableSchema> declared = new(() => TableDefinition.Declared(options));
    private Adopted? adopted;

    /// <summary>The schema for new chunks; null while the table waits for its first records. Cheap: called for every record.</summary>
    public TableSchema? Current
    {
        get
        {
            var seen = Volatile.Read(ref adopted);
            var version = state.Current;
            return ReferenceEquals(seen?.Version, version) ? seen?.Schema : Adopt(version!);
        }
    }

    /// <summary>What stands before any record was seen: records are judged by it while the table waits for its first ones. Field ids are
    /// placeholders.</summary>
    public TableSchema Declared => declared.Value;

    /// <summary>Loads the table and checks that it can be written as configured; creates it where the configuration alone says what it
    /// is.</summary>
    /// <exception cref="PipelineFailedException">The table's schema or partitioning contradicts the configuration.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        var version = await state.RefreshAsync(cancellationToken);
        if (version is not null)
        {
            TableCompatibility.Check(version.Metadata, options);
            await committer.CheckRollbackAsync(null, cancellationToken);
        }
        else if (!options.EvolveSchema)
        {
            await CreateAsync(TableDefinition.From(options, null), cancellationToken);
        }
    }

    /// <summary>Creates the table from what is declared where no record has created it: dead letters, or a position, are to be
    /// recorded.</summary>
    /// <exception cref="InvalidOperationException">It cannot be partitioned before a record has brought the column; try again
    /// later.</exception>
    public async Task EnsureTableAsync(CancellationToken cancellationToken)
    {
        await creating.WaitAsync(cancellationToken);
        try
        {
            if (state.Current is null && await state.RefreshAsync(cancellationToken) is null)
            {
                await CreateAsync(TableDefinition.From(options, null), cancellationToken);
            }
        }
        catch (PipelineFailedException error) when (state.Current is null)
        {
            throw new InvalidOperationException($"the table waits for a first record that fits: {error.Message}", error);
        }
        finally
        {
            creating.Release();
        }
    }

    /// <summary>How the table's records are written.</summary>
    public RecordFormat Format { get; } = RecordFormat.Of(options.Format);

    /// <summary>Brings what a record waits for. Null when the record can be judged now; else why it never can be.</summary>
    public Task<DecodeError?> FulfilAsync(SchemaNeed need, CancellationToken cancellationToken) => need.Missing is { } missing
        ? Format.LoadSchemaAsync(missing, cancellationToken)
        : EvolveAsync(need.Samples, cancellationToken);

    /// <summary>Makes the table hold every field of the samples. Null when it does; else why it cannot.</summary>
    public async Task<DecodeError?> EvolveAsync(RecordSamples samples, CancellationToken cancellationToken)
    {
        await creating.WaitAsync(cancellationToken);
        try
        {
            if (state.Current is null && await state.RefreshAsync(cancellationToken) is null)
            {
                var (additions, problem) = samples.Propose(
                    Declared.Columns, PartitionSpecParser.FieldNames(options.PartitionBy), options.KafkaColumns);
                if (problem is not null)
                {
                    return problem;
                }
                await CreateAsync(TableDefinition.From(options, additions), cancellationToken);
            }
            return await AddColumnsAsync(samples, cancellationToken);
        }
        finally
        {
            creating.Release();
        }
    }

    private async Task<DecodeError?> AddColumnsAsync(RecordSamples samples, CancellationToken cancellationToken)
    {
        DecodeError? problem = null;
        var before = state.Current!.Metadata.CurrentSchema;
        if (options.Columns.Count > 0)
        {
            // A commit of its own, before anything is proposed: what is known here may be older than the drop.
            await committer.ChangeAsync(
                latest => Restore(samples, latest.Metadata) is { } restored ? (SchemaUpdate.RequirementsFor(latest.Metadata), restored.ToUpdates()) : null,
                cancellationToken);
        }
        var version = await committer.ChangeAsync(
            latest =>
            {
                // Proposed anew against each version tried: another writer may have added the very same column.
                (var update, problem) = Propose(samples, latest.Metadata);
                return update.IsEmpty ? null : (SchemaUpdate.RequirementsFor(latest.Metadata), update.ToUpdates());
            },
            cancellationToken);
        if (!version.Metadata.CurrentSchema.SameAs(before))
        {
            logger.SchemaEvolved(state.Identifier.ToString(), version.Metadata.CurrentSchemaId, version.Metadata.CurrentSchema.ToString());
        }
        return problem;
    }

    /// <summary>What is declared, and was dropped or renamed by other hands, as far as the samples bring it. Null where nothing is to be done, or
    /// the table's rules refuse it, which is said of what the samples then ask for.</summary>
    private SchemaUpdate? Restore(RecordSamples samples, TableMetadata table)
    {
        var update = new SchemaUpdate(table);
        try
        {
            foreach (var column in DroppedColumns.In(samples, DroppedColumns.Find(table.CurrentSchema, options)))
            {
                update.AddColumn(column.ParentFieldId, column.Name, column.Type);
            }
            Check(update, table);
        }
        catch (ValidationException)
        {
            return null;
        }
        return update.IsEmpty ? null : update;
    }

    /// <summary>A change that the table takes; without effect where there is a problem with the first record. What the rules of the table
    /// format refuse is the record's fault, not the catalog's: tried again it would be refused for ever.</summary>
    private (SchemaUpdate Update, DecodeError? Problem) Propose(RecordSamples samples, TableMetadata table)
    {
        ValidationException? refused = null;
        foreach (var most in (int[])[RecordSamples.Most, 1])
        {
            var (additions, problem) = samples.Propose(
                ColumnSchemas.FromIceberg(table.CurrentSchema.Fields), PartitionFieldsOf(table), options.KafkaColumns, most);
            try
            {
                return (problem is null ? Add(additions, table) : new SchemaUpdate(table), problem);
            }
            catch (ValidationException error)
            {
                refused = error; // perhaps for the sake of a later record: once more with the first alone
            }
        }
        return (new SchemaUpdate(table), new(DecodeReason.ConflictingNames, "", 0, refused!.Message));
    }

    private static SchemaUpdate Add(IReadOnlyList<SchemaAddition> additions, TableMetadata table)
    {
        var update = new SchemaUpdate(table);
        foreach (var addition in additions)
        {
            var placeholder = 0;
            update.AddColumn(addition.ParentFieldId, addition.Name, ColumnSchemas.ToIceberg(addition.Type.ToColumnType(() => ++placeholder)));
        }
        Check(update, table);
        return update;
    }

    /// <exception cref="ValidationException">What the catalog would throw.</exception>
    private static void Check(SchemaUpdate update, TableMetadata table)
    {
        if (!update.IsEmpty)
        {
            TableMetadataBuilder.From(table, TimeProvider.System).Apply(update.ToUpdates());
        }
    }

    /// <summary>Of all specs: other engines look at the old ones too.</summary>
    private static List<(string Name, string Column)> PartitionFieldsOf(TableMetadata table)
        => [.. table.PartitionSpecs.SelectMany(static spec => spec.Fields)
            .Select(field => (field.Name, table.CurrentSchema.FindName(field.SourceId) ?? ""))];

    private async Task CreateAsync(TableDefinition definition, CancellationToken cancellationToken)
    {
        await catalog.EnsureNamespaceAsync(state.Identifier.Namespace, cancellationToken);
        try
        {
            var table = await catalog.CreateTableAsync(
                state.Identifier, definition.Schema, definition.Spec, null, definition.Properties, null, cancellationToken);
            FaultPoint.Reach("table.created");
            state.Set(table);
            logger.TableCreated(
                state.Identifier.ToString(), table.Metadata.CurrentSchema.ToString(), table.Metadata.DefaultSpec.ToString());
        }
        catch (TableAlreadyExistsException)
        {
            var version = await state.RefreshAsync(cancellationToken);
            TableCompatibility.Check(version!.Metadata, options);
        }
        catch (ValidationException error)
        {
            throw new PipelineFailedException($"table {options.Name} cannot be created as configured: {error.Message}", error);
        }
    }

    private TableSchema Adopt(TableVersion version)
    {
        var seen = Volatile.Read(ref adopted);
        var schema = seen is not null && seen.Schema.Iceberg.Equals(version.Metadata.CurrentSchema)
            ? seen.Schema
            : new TableSchema(version.Metadata.CurrentSchema, options.KafkaColumns);
        // Two threads may both adopt; the same reference must win for both, or chunks would change for nothing.
        var winner = Interlocked.CompareExchange(ref adopted, new(version, schema), seen);
        return ReferenceEquals(winner, seen) ? schema : Current!;
    }
}
