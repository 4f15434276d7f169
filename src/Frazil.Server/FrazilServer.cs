using Frazil.Config;
using Frazil.Query.Workers;
using Frazil.Server.Http;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Frazil.Server;

/// <summary>
/// What <c>frazil run</c> runs: the engine and its HTTP. Listens first, so that a taken port is told before any consumer joins a group, and
/// answers <c>/readyz</c> with 200 only between the engine's start and its stop. The caller disposes; disposing stops.
/// </summary>
public sealed class FrazilServer(FrazilOptions options, ILoggerFactory? loggers = null) : IAsyncDisposable
{
#pragma warning disable CA2213 // the caller's
    private readonly ILoggerFactory loggers = loggers ?? NullLoggerFactory.Instance;
#pragma warning restore CA2213
    private readonly ServingState state = new();
    private readonly EngineMetrics metrics = new(TimeProvider.System);
    private HttpHost? http;
    private FrazilEngine? engine;

    /// <summary>The engine; only after <see cref="StartAsync"/>.</summary>
    public FrazilEngine Engine => engine ?? throw new InvalidOperationException("the server has not been started");

    /// <summary>Whether the engine came up.</summary>
    public bool HasEngine => engine is not null;

    /// <summary>Where HTTP listens, with the port that was picked; null when it is turned off or not started.</summary>
    public Uri? HttpAddress => http?.Address;

    /// <summary>Starts both. Returns when queries are answered; an unreachable broker is waited for in the background.</summary>
    /// <exception cref="FrazilStartException">The port is taken, or catalog, warehouse or a table cannot be used.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        await StartHttpAsync(cancellationToken);
        engine = await FrazilEngine.StartAsync(
            options with { Sql = options.Sql with { WorkerCommand = options.Sql.WorkerCommand ?? WorkerCommand() } }, loggers, metrics, cancellationToken);
        state.Engine = engine;
        loggers.CreateLogger("Frazil.Server").Serving(http is null ? "no HTTP" : http.Address.ToString().TrimEnd('/'));
    }

    /// <summary>Listens without an engine: every request that needs one is answered with 503.</summary>
    internal async Task StartHttpAsync(CancellationToken cancellationToken = default)
    {
        if (options.Server.Http.Length > 0)
        {
            ServerMetrics.AddProcess(metrics.Meter, state);
            http = await HttpHost.StartAsync(options.Server, state, metrics.Meter, loggers, cancellationToken);
        }
    }

    /// <summary>Stops answering, flushes and commits what is hot. Idempotent.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        state.Engine = null;
        if (engine is not null)
        {
            await engine.StopAsync(cancellationToken);
        }
        if (http is not null)
        {
            await http.StopAsync(cancellationToken);
        }
    }

    /// <summary>What starts a worker: this program, where it says that it can be one; else the program of this assembly, where that lies beside the one
    /// that runs. Null where there is neither.</summary>
    internal static IReadOnlyList<string>? WorkerCommand()
    {
        var running = Environment.ProcessPath;
        var beside = Path.Combine(AppContext.BaseDirectory, typeof(FrazilServer).Assembly.GetName().Name!);
        var isDotnet = Path.GetFileNameWithoutExtension(running) == "dotnet";
        return SqlWorker.ThisProgram ?? (File.Exists(beside) ? [beside] : isDotnet && File.Exists($"{beside}.dll") ? [running!, $"{beside}.dll"] : null);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (engine is not null)
        {
            await engine.DisposeAsync();
        }
        if (http is not null)
        {
            await http.DisposeAsync();
        }
        metrics.Dispose();
    }
}
