using System.CommandLine;
using Frazil.Commit;
using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Kafka;
using Frazil.Query;
using Frazil.Server.Verbs;

namespace Frazil.Server.CommandLine;

/// <summary>The command line: <c>frazil VERB …</c>. Exit codes: 0 done, 1 failed, 2 bad usage or configuration.</summary>
public static class FrazilCommand
{
    private const string Overview = """
        Frazil turns Kafka topics into Apache Iceberg tables: SQL sees a record milliseconds after it
        reaches Kafka, and it lands in Iceberg exactly once.
        """;

    private const string Examples = """
        frazil demo                              no Kafka at hand: see the whole thing live
        frazil init && frazil check              write frazil.toml, then try what it says
        frazil run -c frazil.toml                consume, serve SQL on http://127.0.0.1:7070, commit
        frazil query "select count(*) from shop.user_events"
        """;

    /// <summary>Runs one command line.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] args, Terminal terminal, CancellationToken cancellationToken = default)
    {
        var root = Create(terminal);
        var result = root.Parse(args);
        var isHelp = result.Action is ExamplesHelp;
        var group = result.CommandResult.Command;
        if (group.Subcommands.Count > 0 && (args.Length == 0 || args[^1] == group.Name))
        {
            // A bare `frazil` or `frazil config`: what there is says more than what is missing.
            await root.Parse([.. args, "--help"]).InvokeAsync(Settings(terminal), cancellationToken);
            return ExitCode.BadUsage;
        }
        if (result.Errors.Count > 0 && !isHelp)
        {
            return ReportUsage(result, terminal);
        }
        return await InvokeAsync(result, terminal, cancellationToken);
    }

    /// <summary>Not a RootCommand, for that would call itself after the file that runs it.</summary>
    private static Command Create(Terminal terminal)
    {
        var common = new CommonOptions();
        var root = new Verb("frazil", Overview) { Examples = Examples };
        Array.ForEach<Option>([common.ConfigFile, common.Json, ExamplesHelp.CreateOption(), new VersionOption()], root.Add);
        Command[] verbs =
        [
            DemoVerb.Create(common, terminal),
            RunVerb.Create(common, terminal),
            InitVerb.Create(common, terminal),
            CheckVerb.Create(common, terminal),
            QueryVerb.Create(common, terminal),
            ReplayVerb.Create(common, terminal),
            TablesVerb.Create(common, terminal),
            SnapshotsVerb.Create(common, terminal),
            FilesVerb.Create(common, terminal),
            LogVerb.Create(common, terminal),
            VerifyVerb.Create(common, terminal),
            MaintainVerb.Create(common, terminal),
            ConfigPrintVerb.Create(common, terminal),
        ];
        Array.ForEach(verbs, root.Add);
        return root;
    }

    private static InvocationConfiguration Settings(Terminal terminal) => new()
    {
        Output = terminal.Output,
        Error = terminal.Error,
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = null,
    };

    private static int ReportUsage(ParseResult result, Terminal terminal)
    {
        foreach (var error in result.Errors)
        {
            terminal.Error.WriteLine($"frazil: {error.Message}");
        }
        var verb = result.CommandResult.Command;
        if (result.UnmatchedTokens is [var unknown, ..] && NearestName.Find(unknown, Names(verb)) is { } meant)
        {
            terminal.Error.WriteLine($"Did you mean {meant}?");
        }
        terminal.Error.WriteLine($"See: frazil {(verb.Name == "frazil" ? "" : $"{verb.Name} ")}--help");
        return ExitCode.BadUsage;
    }

    private static IEnumerable<string> Names(Command verb)
        => verb.Subcommands.Select(inner => inner.Name).Concat(verb.Options.Select(option => option.Name)).Append("--config")
            .Append("--json");

    private static async Task<int> InvokeAsync(ParseResult result, Terminal terminal, CancellationToken cancellationToken)
    {
        try
        {
            return await result.InvokeAsync(Settings(terminal), cancellationToken);
        }
        catch (Exception exception)
        {
            return Report(exception, terminal);
        }
    }

    /// <summary>Turns what went wrong into words. What nobody foresaw names its type, and its stack for those who ask.</summary>
    private static int Report(Exception exception, Terminal terminal)
    {
        var (message, code) = exception switch
        {
            ConfigException config => (config.Message, ExitCode.BadUsage),
            VerbException verb => (verb.Message, verb.Code),
            SqlException sql => (sql.Message, ExitCode.Failed),
            FrazilStartException start => (start.Message, ExitCode.Failed),
            IcebergException iceberg => (iceberg.Message, ExitCode.Failed),
            ProgressFormatException progress => (progress.Message, ExitCode.Failed),
            GapsFormatException gaps => (gaps.Message, ExitCode.Failed),
            KafkaException kafka => (kafka.Message, ExitCode.Failed),
            DllNotFoundException missing => (missing.Message, ExitCode.Failed),
            TimeoutException timeout => (timeout.Message, ExitCode.Failed),
            OperationCanceledException => ("interrupted", ExitCode.Failed),
            _ => ($"unexpected {exception.GetType().Name}: {exception.Message} (FRAZIL_DEBUG=1 shows more)", ExitCode.Failed),
        };
        terminal.Error.WriteLine($"frazil: {message}");
        if (Environment.GetEnvironmentVariable("FRAZIL_DEBUG") is "1")
        {
            terminal.Error.WriteLine(exception);
        }
        return code;
    }
}
