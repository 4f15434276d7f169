using System.Collections.Immutable;
using System.Reflection;
using Frazil.Columnar;
using Frazil.Config;
using Frazil.Faults;
using Frazil.Flush;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Ingest;
using Frazil.Kafka;
using Frazil.Query;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Frazil;

/// <summary>A running Frazil: every configured table is consumed, buffered, flushed, committed and queryable until it is stopped.</summary>
public sealed class FrazilEngine : IAsyncDisposable
{
    /// <summary>The name of the <see cref="System.Diagnostics.Metrics.Meter"/> that every engine has; docs/http.md lists its
    /// instruments.</summary>
    public const string MeterName = "Frazil";

    /// <summary>Freed memory of chunks that is kept for the next ones, as a share of what hot rows may take.</summary>
    private const int IdleMemoryShare = 8;

    private readonly DataDirectory directory;
    private readonly PipelineShared shared;
    private readonly bool ownsMetrics;
    private readonly ImmutableArray<TableSource> sources;
    private readonly ILogger logger;
    private readonly TaskCompletionSource completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? stop;

    private FrazilEngine(DataDirectory directory, PipelineShared shared, bool ownsMetrics)
    {
        this.directory = directory;
        this.shared = shared;
        this.ownsMetrics = ownsMetrics;
        // Chunks come and go; another engine of this process may want more.
        NativeBlocks.MostIdleBytes = Math.Max(
            NativeBlocks.MostIdleBytes, ((long)shared.Options.HotBuffer.MaxMemoryMb << 20) / IdleMemoryShare);
        logger = shared.Loggers.CreateLogger("Frazil.Engine");
        sources = [.. shared.Options.Tables.Select(entry => new TableSource(entry, shared))];
        Sql = new(
            shared.Catalog, () => sources.SelectMany(static source => source.Lanes).SelectMany(static lane => lane.QueryTables), shared.Options,
            metrics: shared.Metrics.Queries, logger: shared.Loggers.CreateLogger("Frazil.Query"));
        shared.Metrics.Attach(() => Tables, () => HotBytes);
    }

    /// <summary>Starts from frozen options. Returns when catalog and warehouse answer and every table's consumer has started;
    /// an unreachable broker or a missing topic is waited for and reported, not an error.</summary>
    /// <exception cref="FrazilStartException">The catalog or warehouse cannot be used, or a table has an incompatible schema.</exception>
    public static Task<FrazilEngine> StartAsync(
        FrazilOptions options, ILoggerFactory? loggers = null, CancellationToken cancellationToken = default)
        => StartAsync(options, loggers, null, cancellationToken);

    /// <param name="options">As above.</param>
    /// <param name="loggers">As above.</param>
    /// <param name="metrics">Where the engine shows what it does, kept by the caller; null for a meter of its own.</param>
    /// <param name="cancellationToken">As above.</param>
    internal static async Task<FrazilEngine> StartAsync(
        FrazilOptions options, ILoggerFactory? loggers, EngineMetrics? metrics, CancellationToken cancellationToken)
    {
        var directory = DataDirectory.Open(options.DataDir);
        ICatalog? catalog = null;
        FrazilEngine? engine = null;
        try
        {
            catalog = await WarehouseCatalog.OpenAsync(options.Catalog, cancellationToken);
            await WarehouseCatalog.CheckWritableAsync(catalog, options.Catalog, cancellationToken);
            engine = new(
                directory, Share(options, catalog, directory, loggers ?? NullLoggerFactory.Instance, metrics ?? new(FaultPoint.Clock)),
                ownsMetrics: metrics is null);
            await engine.StartPipelinesAsync(cancellationToken);
            return engine;
        }
        catch (Exception error)
        {
            if (engine is not null)
            {
                await engine.DisposeAsync();
            }
            else
            {
                directory.Dispose();
                if (catalog is not null)
                {
                    await catalog.DisposeAsync();
                }
            }
            if (error is PipelineFailedException or KafkaException or IcebergException or IOException or UnauthorizedAccessException
                or DllNotFoundException)
            {
                throw new FrazilStartException(error.Message, error);
            }
            throw;
        }
    }

    /// <summary>SQL over hot and cold rows.</summary>
    public SqlSession Sql { get; }

    /// <summary>What each table is doing right now; a fresh snapshot at each call.</summary>
    public IReadOnlyList<TableStatus> Tables => [.. sources.SelectMany(static source => source.Status())];

    /// <summary>Bytes of native memory that hot rows hold now.</summary>
    public long HotBytes => shared.Memory.Account.Bytes;

    /// <summary>The most <see cref="HotBytes"/> has been.</summary>
    public long PeakHotBytes => shared.Memory.Account.PeakBytes;

    /// <summary>Completes when every table's pipeline has stopped; faults with the failures where tables had failed.</summary>
    public Task Completion => completion.Task;

    /// <summary>Stops fetching, flushes and commits what is buffered, leaves the groups. Idempotent.</summary>
    public Task StopAsync(CancellationToken cancellationToken = default)
    {
        lock (directory)
        {
            return stop ??= StopPipelinesAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await StopAsync();
            await Sql.DisposeAsync();
            foreach (var source in sources)
            {
                await source.DisposeAsync();
            }
        }
        finally
        {
            // Whatever the tables did: the next start in this process needs the folder and the catalog.
            await shared.Admin.DisposeAsync();
            await shared.Writer.DisposeAsync();
            await shared.Catalog.DisposeAsync();
            directory.Dispose();
            shared.Metrics.Detach();
            if (ownsMetrics)
            {
                shared.Metrics.Dispose();
            }
        }
    }

    private static PipelineShared Share(
        FrazilOptions options, ICatalog catalog, DataDirectory directory, ILoggerFactory loggers, EngineMetrics metrics) => new()
    {
        Options = options,
        Catalog = catalog,
        Writer = new ParquetDataFileWriter(concurrentFiles: Math.Max(1, Environment.ProcessorCount / 2)),
        Memory = new((long)options.HotBuffer.MaxMemoryMb << 20),
        Admin = new(options.Kafka.BootstrapServers, options.Kafka.Properties),
        Time = FaultPoint.Clock,
        Loggers = loggers,
        Metrics = metrics,
        WorkersPerTable = Math.Clamp(Environment.ProcessorCount / 2, 1, 8),
        InstanceId = directory.InstanceId,
        HasPredecessor = directory.HasPredecessor,
    };

    private async Task StartPipelinesAsync(CancellationToken cancellationToken)
    {
        var refused = new List<(Pipeline Lane, PipelineFailedException Error)>();
        foreach (var source in sources)
        {
            refused.AddRange(await source.StartAsync(cancellationToken));
        }
        var known = sources.Sum(static source => source.Lanes.Count);
        if (refused.Count > 0 && refused.Count == known && !sources.Any(static source => source.MakesTables))
        {
            throw new PipelineFailedException(string.Join('\n', refused.Select(static one => one.Error.Message)), refused[0].Error);
        }
        refused.ForEach(static one => one.Lane.Refuse(one.Error));
        WatchAsync().Forget(error => completion.TrySetException(error));
        var version = typeof(FrazilEngine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        logger.EngineStarted(version, sources.Sum(static source => source.Lanes.Count), shared.Options.Catalog.Warehouse);
    }

    /// <summary>One broken table never stops the others; when the last one has ended, nothing is left to run.</summary>
    private async Task WatchAsync()
    {
        var failures = new List<Exception>();
        foreach (var source in sources)
        {
            try
            {
                await source.Completion;
            }
            catch (Exception error)
            {
                failures.Add(error);
            }
        }
        if (failures.Count > 0)
        {
            completion.TrySetException(failures);
        }
        else
        {
            completion.TrySetResult();
        }
    }

    private async Task StopPipelinesAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(sources.Select(source => source.StopAsync(cancellationToken)));
        logger.EngineStopped();
    }
}

/// <summary>The engine cannot start; the message says what failed, the value seen, and what to change.</summary>
public sealed class FrazilStartException(string message, Exception? inner = null) : Exception(message, inner);
