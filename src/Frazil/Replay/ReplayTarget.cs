using Frazil.Commit;
using Frazil.Config;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil.Replay;

/// <summary>Where the replayed rows go: the table itself, a branch of it, or a side table; and the dead-letter table that belongs to
/// it.</summary>
internal sealed record ReplayTarget(
    TableState Rows, TableCommitter RowsCommitter, SchemaKeeper Schemas, TableState Letters, TableCommitter LettersCommitter, string Branch)
{
    /// <summary>Table property of a side table: the UUID of the table that it is replayed from.</summary>
    public const string ReplayOfKey = "frazil.replay-of";

    /// <exception cref="ReplayException">The side table is something else, or the branch is a tag.</exception>
    public static async Task<ReplayTarget> OpenAsync(
        ReplaySource source, ReplayRequest request, FrazilOptions options, ICatalog catalog, ILogger logger, CancellationToken cancellationToken)
    {
        if (request.Branch is { } branch && source.State.Current!.Metadata.Refs.TryGetValue(branch, out var reference)
            && !reference.IsBranch)
        {
            throw new ReplayException($"'{branch}' is a tag of {source.Options.Name}, which never changes; choose another --branch");
        }
        var rows = source.State;
        if (request.Into is { } into)
        {
            rows = new(catalog, TableIdentifier.Parse(into));
            await OpenSideAsync(rows, source, request, options, catalog, cancellationToken);
        }
        var letters = new TableState(catalog, rows.Identifier with { Name = rows.Identifier.Name + DeadLetterColumns.TableSuffix });
        var committer = new TableCommitter(rows, new TableMetrics(), logger);
        return new(
            rows, committer, new SchemaKeeper(catalog, rows, committer, source.Options, logger),
            letters, new TableCommitter(letters, new TableMetrics(), logger), request.Branch ?? SnapshotRef.MainBranch);
    }

    /// <summary>Makes the dead-letter table where it does not exist.</summary>
    public async Task<TableVersion> OpenLettersAsync(ICatalog catalog, CancellationToken cancellationToken)
    {
        if (await Letters.RefreshAsync(cancellationToken) is { } version)
        {
            return version;
        }
        try
        {
            return Letters.Set(
                await catalog.CreateTableAsync(Letters.Identifier, DeadLetterColumns.Schema, cancellationToken: cancellationToken));
        }
        catch (TableAlreadyExistsException)
        {
            return (await Letters.RefreshAsync(cancellationToken))!;
        }
    }

    private static async Task OpenSideAsync(
        TableState side, ReplaySource source, ReplayRequest request, FrazilOptions options, ICatalog catalog,
        CancellationToken cancellationToken)
    {
        var main = request.Into!.EndsWith(DeadLetterColumns.TableSuffix, StringComparison.Ordinal)
            ? request.Into[..^DeadLetterColumns.TableSuffix.Length] : request.Into;
        if (TableNames.MayBeMade(options.Tables, request.Into) || TableNames.MayBeMade(options.Tables, main))
        {
            throw new ReplayException(
                $"--into {request.Into} names a table that Frazil itself writes; give the side table a name of its own");
        }
        var version = await side.RefreshAsync(cancellationToken);
        var uuid = source.State.Current!.Metadata.TableUuid.ToString();
        if (version is null && !request.IsDryRun)
        {
            version = await CreateSideAsync(side, source.State.Current.Metadata, uuid, catalog, cancellationToken);
        }
        if (version is not null && version.Metadata.Properties.GetValueOrDefault(ReplayOfKey) != uuid)
        {
            throw new ReplayException(
                $"--into {request.Into} exists and was not made by replays of {source.Options.Name} (its property {ReplayOfKey} is not {uuid}): rows of others could be lost there; "
                + "choose another name");
        }
        if (version is not null)
        {
            TableCompatibility.Check(version.Metadata, source.Options);
        }
    }

    private static async Task<TableVersion> CreateSideAsync(
        TableState side, TableMetadata like, string uuid, ICatalog catalog, CancellationToken cancellationToken)
    {
        await catalog.EnsureNamespaceAsync(side.Identifier.Namespace, cancellationToken);
        // What is Frazil's own (progress, topic ids), and where files go, is of the table, not of its copy; values that nobody reads so
        // (another engine may have set any) would only be refused.
        var odd = TablePropertyRules.Problems(like.Properties).Select(static problem => problem.Name).ToHashSet(StringComparer.Ordinal);
        var properties = like.Properties
            .Where(pair => !pair.Key.StartsWith("frazil.", StringComparison.Ordinal) && !odd.Contains(pair.Key)
                && pair.Key is not ("write.data.path" or "write.metadata.path"))
            .ToDictionary(static pair => pair.Key, static pair => pair.Value);
        properties[ReplayOfKey] = uuid;
        try
        {
            return side.Set(
                await catalog.CreateTableAsync(
                    side.Identifier, like.CurrentSchema, like.DefaultSpec, null, properties, null, cancellationToken));
        }
        catch (TableAlreadyExistsException)
        {
            return (await side.RefreshAsync(cancellationToken))!;
        }
    }
}
