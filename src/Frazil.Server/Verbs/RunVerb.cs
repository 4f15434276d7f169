using System.CommandLine;
using Frazil.Config;
using Frazil.Server.CommandLine;
using Frazil.Server.Logging;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil.Server.Verbs;

/// <summary><c>frazil run</c>: consume, serve, commit, until SIGTERM or Ctrl-C.</summary>
internal static class RunVerb
{
    private const string Help = """
        Consume the configured topics, serve SQL over them, commit to Iceberg.
        Runs until SIGTERM or Ctrl-C, then flushes, commits and exits 0; or 1, with the reason, where a table has failed
        or could not commit what it had read. A second signal ends it at once (exit 1). In every case nothing is lost:
        the next start goes on from the last commit. Logs go to standard error.
        """;

    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    public static Command Create(CommonOptions common, Terminal terminal)
    {
        var logJson = new Option<bool>("--log-json") { Description = "Log lines as JSON objects" };
        var logLevel = new Option<string>("--log-level") { Description = "debug, info, warn or error", DefaultValueFactory = _ => "info" };
        logLevel.AcceptOnlyFromAmong("debug", "info", "warn", "error");
        var verb = new Verb("run", Help)
        {
            Examples = """
                frazil run -c frazil.toml
                frazil run --log-json 2>> frazil.log
                FRAZIL_KAFKA__BOOTSTRAP_SERVERS=broker:9092 frazil run
                """,
        };
        verb.Add(logJson);
        verb.Add(logLevel);
        verb.SetAction((result, cancellationToken) =>
        {
            var asJson = result.GetValue(logJson) || result.GetValue(common.Json);
            return RunAsync(common.Load(result), asJson, ParseLevel(result.GetValue(logLevel)), terminal, cancellationToken);
        });
        return verb;
    }

    private static async Task<int> RunAsync(
        FrazilOptions options, bool logJson, LogLevel level, Terminal terminal, CancellationToken cancellationToken)
    {
        if (options.Tables.Count == 0)
        {
            throw new VerbException(
                "nothing to run: the configuration has no [[tables]]. Add one with a name and topics", ExitCode.BadUsage);
        }
        using var loggers = ConsoleLog.CreateFactory(terminal.Error, level, logJson, terminal.IsErrorInteractive && !logJson);
        var logger = loggers.CreateLogger("Frazil.Server");
        using var signals = new StopSignals(logger.Stopping, cancellationToken);
        await using var server = new FrazilServer(options, loggers);
        try
        {
            await server.StartAsync(signals.Token);
            await WaitAsync(server.Engine, signals.Token);
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            // Asked to stop; that is the normal end.
        }
        await server.StopAsync(CancellationToken.None);
        return Conclude(server, logger);
    }

    /// <summary>Until told to stop, or until no table is left that still does something. One broken table never stops the others.</summary>
    private static async Task WaitAsync(FrazilEngine engine, CancellationToken cancellationToken)
    {
        while (!engine.Tables.All(table => table.State is "failed" or "stopped"))
        {
            await Task.Delay(PollInterval, TimeProvider.System, cancellationToken);
        }
    }

    private static int Conclude(FrazilServer server, ILogger logger)
    {
        if (!server.HasEngine)
        {
            return ExitCode.Done;
        }
        var failed = server.Engine.Tables.Where(table => table.State == "failed" || table.UncommittedRecords > 0).ToList();
        foreach (var table in failed)
        {
            logger.TableHadFailed(table.Name, table.Reason ?? "no reason was given");
        }
        if (failed.Count == 0)
        {
            logger.Stopped(server.Engine.Tables.Sum(table => table.CommittedRows));
        }
        return failed.Count == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static LogLevel ParseLevel(string? text) => text switch
    {
        "debug" => LogLevel.Debug,
        "warn" => LogLevel.Warning,
        "error" => LogLevel.Error,
        _ => LogLevel.Information,
    };
}
