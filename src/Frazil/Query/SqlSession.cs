using System.Diagnostics;
using Frazil.Cold;
using Frazil.Config;
using Frazil.Hot;
using Frazil.Iceberg.Catalogs;
using Frazil.Query.Workers;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil.Query;

/// <summary>Read-only SQL over a set of tables. Thread-safe; each query takes its own read point.</summary>
public sealed class SqlSession : IAsyncDisposable
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(60);

    private readonly ICatalog catalog;
    private readonly Func<IEnumerable<QueryTable>> ingested;
    private readonly SnapshotFiles snapshotFiles = new();
    private readonly SqlGate gate = new();
    private readonly SqlExecutorOptions limits;
    private readonly SqlExecutor executor;
    private readonly ICatalog? ownedCatalog;
    private readonly QueryMetrics? metrics;

    internal SqlSession(
        ICatalog catalog, Func<IEnumerable<QueryTable>> ingested, FrazilOptions options, bool ownsCatalog = false, QueryMetrics? metrics = null,
        ILogger? logger = null)
    {
        this.catalog = catalog;
        this.ingested = ingested;
        this.metrics = metrics;
        ownedCatalog = ownsCatalog ? catalog : null;
        limits = new()
        {
            Directories = WarehouseCatalog.LocalFolderOf(options.Catalog) is { } folder ? [folder] : [],
            SpillDirectory = Path.Combine(options.DataDir, "query-spill"),
            // Whoever asks without an engine asks for himself.
            WorkerCommand = options.Sql.Isolation == SqlIsolation.Process && !ownsCatalog ? options.Sql.WorkerCommand ?? SqlWorker.ThisProgram : null,
            WorkerMemoryMb = options.Sql.WorkerMemoryMb,
            SpareWorkersAfter = TimeSpan.FromSeconds(5),
        };
        limits = options.Sql.MaxWorkers > 0 ? limits with { MaxWorkers = options.Sql.MaxWorkers } : limits;
        if (options.Sql.Isolation == SqlIsolation.Process && !ownsCatalog && !limits.HasWorkers)
        {
            logger?.WorkersUnavailable(OperatingSystem.IsLinux() ? "this program does not say that it can be a worker (SqlWorker.RunIfAsked)" : "there are workers on Linux only");
        }
        executor = new(limits, logger: logger);
    }

    /// <summary>Opens the catalog alone, for queries where no engine runs: cold rows only.</summary>
    /// <exception cref="FrazilStartException">The catalog cannot be used.</exception>
    public static async Task<SqlSession> OpenCatalogAsync(
        FrazilOptions options, ILoggerFactory? loggers = null, CancellationToken cancellationToken = default)
        => new(await WarehouseCatalog.OpenAsync(options.Catalog, cancellationToken), static () => [], options, ownsCatalog: true);

    /// <summary>Runs one SELECT and reads all its rows; at most as many as <see cref="SqlExecutorOptions.MaxResultRows"/> and
    /// <see cref="SqlExecutorOptions.MaxResultBytes"/> say.</summary>
    /// <exception cref="SqlException">The SQL is wrong or not allowed; says where.</exception>
    /// <exception cref="TimeoutException">It did not finish, or the records to be read after did not arrive, in time.</exception>
    public async Task<SqlResult> QueryAsync(SqlRequest request, CancellationToken cancellationToken = default)
    {
        var started = Stopwatch.GetTimestamp();
        await using var stream = await StreamAsync(request, cancellationToken);
        return await stream.ReadAllAsync(limits.MaxResultRows, limits.MaxResultBytes, started, cancellationToken);
    }

    /// <summary>Runs one SELECT; its rows come while they are computed, however many they are. The caller disposes, which ends it.</summary>
    /// <exception cref="SqlException">The SQL is wrong or not allowed; says where.</exception>
    /// <exception cref="TimeoutException">It did not begin, or the records to be read after did not arrive, in time.</exception>
    public async Task<SqlStream> StreamAsync(SqlRequest request, CancellationToken cancellationToken = default)
    {
        var deadline = new QueryDeadline(request.Timeout ?? DefaultTimeout, metrics, cancellationToken);
        try
        {
            var sql = gate.Parse(request.Sql);
            if (sql.IsShowTables)
            {
                return await ShowTablesAsync(deadline);
            }
            var tables = await ResolveAsync(sql, deadline.Token);
            await ReadAfter.WaitAsync(request.ReadAfter, tables, deadline.Token);
            return await RunAsync(sql, tables, deadline);
        }
        catch (Exception error)
        {
            var told = deadline.Explain(error);
            deadline.Dispose();
            if (told != error)
            {
                throw told;
            }
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await executor.DisposeAsync();
        gate.Dispose();
        if (ownedCatalog is not null)
        {
            await ownedCatalog.DisposeAsync();
        }
    }

    private async Task<SqlStream> RunAsync(GatedSql sql, IReadOnlyList<QueryTable> tables, QueryDeadline deadline)
    {
        var readPoints = new List<ReadPoint>();
        var handedOver = false;
        try
        {
            var inputs = new List<TableInput>();
            foreach (var table in tables)
            {
                var readPoint = await ReadPoint.TakeAsync(table, deadline.Token);
                readPoints.Add(readPoint);
                inputs.Add(await ToInputAsync(readPoint, deadline.Token));
            }
            var summaries = readPoints.ToDictionary(static point => point.Table.State.Identifier.ToString(), Summarize);
            var files = inputs.Sum(static input => input.ColdFiles.Count);
            var scan = new ScanSummary(files, files, readPoints.Sum(static point => point.HotRows));
            handedOver = true; // the executor unpins: an interrupted query may read on for a moment after its task has ended
            return new(await executor.StreamAsync(sql, inputs, deadline.Token), summaries, scan, deadline);
        }
        finally
        {
            if (!handedOver)
            {
                readPoints.ForEach(static readPoint => readPoint.Dispose());
            }
        }
    }

    private async Task<TableInput> ToInputAsync(ReadPoint point, CancellationToken cancellationToken)
    {
        var identifier = point.Table.State.Identifier;
        var metadata = point.Version?.Metadata;
        var files = point.Version is { } version ? await snapshotFiles.ListAsync(version, cancellationToken) : [];
        return new()
        {
            Namespace = identifier.Namespace.ToString(),
            Name = identifier.Name,
            Schema = metadata is not null ? ColumnSchemas.FromIceberg(metadata.CurrentSchema.Fields)
                : point.HotSlices.IsEmpty ? point.Table.EmptyColumns : point.HotSlices[^1].Schema,
            Defaults = metadata is not null ? ColumnDefaults.Of(metadata.CurrentSchema) : ColumnDefaults.None,
            HotSlices = point.HotSlices,
            HotPin = point,
            ColdFiles = files,
        };
    }

    private async Task<IReadOnlyList<QueryTable>> ResolveAsync(GatedSql sql, CancellationToken cancellationToken)
    {
        var tables = new List<QueryTable>();
        foreach (var name in sql.Tables)
        {
            var table = await FindAsync(name, cancellationToken)
                ?? throw new SqlException($"there is no table {name}{await SuggestAsync(cancellationToken)}", name.Position);
            if (!tables.Contains(table))
            {
                tables.Add(table);
            }
        }
        return tables;
    }

    private async Task<QueryTable?> FindAsync(SqlTableName name, CancellationToken cancellationToken)
    {
        var hits = ingested().Where(table => name.Matches(table.State.Identifier.Namespace.ToString(), table.State.Identifier.Name)).ToList();
        if (hits.Count == 0)
        {
            var all = await ListAsync(cancellationToken);
            hits = [.. all.Where(table => name.Matches(table.Namespace.ToString(), table.Name))
                .Select(identifier => new QueryTable(new(catalog, identifier), null))];
        }
        return hits.Count <= 1
            ? hits.FirstOrDefault()
            : throw new SqlException(
                $"{name} is ambiguous: {string.Join(", ", hits.Select(static hit => hit.State.Identifier))}; name the namespace",
                name.Position);
    }

    private async Task<List<TableIdentifier>> ListAsync(CancellationToken cancellationToken)
    {
        var tables = new List<TableIdentifier>();
        foreach (var name in await catalog.ListNamespacesAsync(null, cancellationToken))
        {
            tables.AddRange(await catalog.ListTablesAsync(name, cancellationToken));
        }
        return tables;
    }

    private async Task<string> SuggestAsync(CancellationToken cancellationToken)
    {
        var names = ingested().Where(static table => !table.ReadsDeadLetters).Select(static table => table.State.Identifier)
            .Concat(await ListAsync(cancellationToken)).Distinct().Take(10).ToList();
        return names.Count == 0 ? "; the catalog has no tables yet" : $"; there are {string.Join(", ", names)}";
    }

    private async Task<SqlStream> ShowTablesAsync(QueryDeadline deadline)
    {
        var names = (await ListAsync(deadline.Token)).Concat(ingested().Select(static table => table.State.Identifier)
            .Where(static identifier => !identifier.Name.EndsWith(DeadLetterColumns.TableSuffix, StringComparison.Ordinal)));
        var rows = executor.Answer("name", [.. names.Select(static name => name.ToString()).Distinct().Order(StringComparer.Ordinal)]);
        return new(rows, new Dictionary<string, ReadPointSummary>(), new(0, 0, 0), deadline);
    }

    private static ReadPointSummary Summarize(ReadPoint point) => new(
        point.Version?.Metadata.CurrentSnapshotId,
        point.NextOffsets.GroupBy(static entry => entry.Key.Topic).ToDictionary(
            static topic => topic.Key,
            static topic => (IReadOnlyDictionary<int, long>)topic.ToDictionary(static entry => entry.Key.Partition,
                static entry => entry.Value)));
}
