using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Frazil.Config;
using Frazil.Hot;
using Frazil.Maintain;
using Frazil.Server.CommandLine;
using Frazil.Server.Logging;
using Frazil.Server.Output;
using Microsoft.Extensions.Logging;

namespace Frazil.Server.Verbs;

/// <summary><c>frazil maintain compact|expire|sweep</c>: one maintenance job, now, also where no server runs and on tables that Frazil does not
/// ingest.</summary>
internal static class MaintainVerb
{
    public static Command Create(CommonOptions common, Terminal terminal) => new("maintain", "Look after tables now: maintain compact, maintain expire, maintain sweep.")
    {
        Create(MaintenanceJob.Compact, "Pack small data files of a table into large ones, and apply deletes.", common, terminal),
        Create(MaintenanceJob.Expire, "Take snapshots that are older than they are kept out of a table, and delete what only they reach.", common, terminal),
        Create(MaintenanceJob.Sweep, "Delete files below a table that nothing names: what killed flushes, commits and replays left.", common, terminal),
    };

    private static Verb Create(MaintenanceJob job, string meaning, CommonOptions common, Terminal terminal)
    {
        var name = NameOf(job);
        var tables = new Option<string[]>("--table")
        {
            Description = "A table of the catalog, namespace.table, ingested here or not; may be repeated. Default: the configured tables and their dead letters",
            HelpName = "TABLE",
            DefaultValueFactory = static _ => [],
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would be done" };
        var verb = new Verb(name, meaning)
        {
            Examples = $"""
                frazil maintain {name} --dry-run
                frazil maintain {name} --table shop.user_events
                """,
        };
        verb.Add(tables);
        verb.Add(dryRun);
        var mostMb = new Option<int?>("--max-mb") { Description = "Data files to rewrite at most in one run, in 2^20 bytes; the next run goes on. Default: 10240", HelpName = "N" };
        mostMb.Validators.Add(static result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1)
            {
                result.AddError("--max-mb must be 1 at least");
            }
        });
        if (job == MaintenanceJob.Compact)
        {
            verb.Add(mostMb);
        }
        verb.SetAction((result, cancellationToken) => RunAsync(
            new(job, common.Load(result), result.GetValue(tables) ?? [], result.GetValue(dryRun), result.GetValue(common.Json))
            {
                MostBytes = job == MaintenanceJob.Compact && result.GetValue(mostMb) is { } mb ? (long)mb << 20 : null,
            }, terminal, cancellationToken));
        return verb;
    }

    private static async Task<int> RunAsync(Ask ask, Terminal terminal, CancellationToken cancellationToken)
    {
        using var signals = new StopSignals(_ => { }, cancellationToken);
        using var loggers = ConsoleLog.CreateFactory(terminal.Error, LogLevel.Warning, json: false, terminal.IsErrorInteractive);
        var (reports, failures) = (new List<MaintenanceReport>(), new List<string>());
        foreach (var table in await TablesAsync(ask, signals.Token))
        {
            using var meter = new MaintenanceMeter(terminal, $"{NameOf(ask.Job)} {table}");
            try
            {
                reports.Add(await TableMaintenance.RunAsync(ask.Options, new(ask.Job, table, ask.IsDryRun, ask.MostBytes), meter, loggers, signals.Token));
            }
            catch (Exception error) when (error is MaintenanceException or Iceberg.IcebergException)
            {
                failures.Add(error.Message); // one spoilt table never stops the others
            }
        }
        if (ask.AsJson)
        {
            terminal.Output.Write(ToJson(reports));
        }
        else
        {
            reports.ForEach(report => terminal.Output.Write(ToText(report)));
        }
        return failures.Count == 0 ? ExitCode.Done : throw new VerbException(string.Join('\n', failures));
    }

    private static async Task<List<string>> TablesAsync(Ask ask, CancellationToken cancellationToken)
    {
        await using var catalog = await CatalogReader.OpenAsync(ask.Options.Catalog, cancellationToken);
        var asked = ask.Tables.Distinct().ToList();
        foreach (var name in asked)
        {
            await catalog.LoadAsync(name, cancellationToken); // says which there are where it does not exist
        }
        if (asked.Count > 0)
        {
            return asked;
        }
        if (ask.Options.Tables.Count == 0)
        {
            throw new VerbException("no table is configured; say which one with --table", ExitCode.BadUsage);
        }
        var configured = TableNames.Expand(ask.Options.Tables).Select(static table => table.Name).ToHashSet(StringComparer.Ordinal);
        configured.UnionWith(configured.Select(static name => name + DeadLetterColumns.TableSuffix).ToList());
        var found = await catalog.LoadAsync(null, cancellationToken);
        return [.. found.Select(static table => table.Identifier.ToString()).Where(configured.Contains)];
    }

    private static string ToText(MaintenanceReport report)
    {
        var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        var would = report.IsDryRun ? "would be " : "";
        text.WriteLine($"{report.Table}: {NameOf(report.Job)}{(report.IsDryRun ? " (dry run)" : "")}, {report.Elapsed.TotalSeconds:0.0} s");
        if (report.Skipped is { } why)
        {
            text.WriteLine($"  nothing done           {why}");
            return text.ToString();
        }
        if (report.Compaction is { } compaction)
        {
            MaintenanceText.Write(text, compaction, report.IsDryRun);
            return text.ToString();
        }
        if (report.Job == MaintenanceJob.Expire)
        {
            text.WriteLine($"  snapshots              {report.SnapshotsRemoved} {would}removed, {report.SnapshotsLeft} left");
            if (report.RefsRemoved.Count > 0)
            {
                text.WriteLine($"  branches and tags      {string.Join(", ", report.RefsRemoved)} {would}removed");
            }
        }
        else
        {
            text.WriteLine($"  objects looked at      {report.Listed}  (too young to tell: {report.Fresh}, of unfinished flushes: {report.Held}, of a kind not known: {report.UnknownKind})");
        }
        text.WriteLine($"  files                  {report.FilesDeleted} {would}deleted ({new Bytes(report.BytesDeleted)}){(report.FilesFailed > 0 ? $", {report.FilesFailed} could not be" : "")}");
        if (report.IsDryRun)
        {
            foreach (var location in report.Locations.Take(20))
            {
                text.WriteLine($"    {location}");
            }
            if (report.FilesDeleted > 20)
            {
                text.WriteLine($"    … and {report.FilesDeleted - 20} more");
            }
        }
        return text.ToString();
    }

    private static string ToJson(IEnumerable<MaintenanceReport> reports)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, SqlJson.Options))
        {
            json.WriteStartArray();
            foreach (var report in reports)
            {
                Write(json, report);
            }
            json.WriteEndArray();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    private static void Write(Utf8JsonWriter json, MaintenanceReport report)
    {
        json.WriteStartObject();
        json.WriteString("job", NameOf(report.Job));
        json.WriteString("table", report.Table);
        json.WriteBoolean("dry_run", report.IsDryRun);
        json.WriteString("skipped", report.Skipped);
        json.WriteNumber("snapshots_removed", report.SnapshotsRemoved);
        json.WriteNumber("snapshots_left", report.SnapshotsLeft);
        WriteTexts(json, "refs_removed", report.RefsRemoved);
        json.WriteNumber("files_deleted", report.FilesDeleted);
        json.WriteNumber("bytes_deleted", report.BytesDeleted);
        json.WriteNumber("files_failed", report.FilesFailed);
        json.WriteNumber("listed", report.Listed);
        json.WriteNumber("fresh", report.Fresh);
        json.WriteNumber("held", report.Held);
        json.WriteNumber("unknown_kind", report.UnknownKind);
        WriteTexts(json, "locations", report.Locations);
        if (report.Compaction is { } compaction)
        {
            MaintenanceText.Write(json, compaction);
        }
        json.WriteNumber("elapsed_ms", (long)report.Elapsed.TotalMilliseconds);
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }
        json.WriteEndArray();
    }

    private static string NameOf(MaintenanceJob job) => job.ToString().ToLowerInvariant();

    private sealed record Ask(MaintenanceJob Job, FrazilOptions Options, IReadOnlyList<string> Tables, bool IsDryRun, bool AsJson)
    {
        public long? MostBytes { get; init; }
    }
}

/// <summary>How far a job is, on one line of a terminal, gone when disposed; elsewhere nothing.</summary>
internal sealed class MaintenanceMeter(Terminal terminal, string subject) : IProgress<MaintenanceProgress>, IDisposable
{
    private const int Cells = 30;
    private const long RedrawMilliseconds = 100;

    private long drawn;
    private string step = "";

    public void Report(MaintenanceProgress value)
    {
        var now = Environment.TickCount64;
        if (!terminal.IsErrorInteractive || (value.Step == step && now - drawn < RedrawMilliseconds))
        {
            return;
        }
        (drawn, step) = (now, value.Step);
        var full = value.Total > 0 ? (int)(Cells * value.Done / value.Total) : 0;
        var bar = value.Total > 0 ? $"[{new string('█', full)}{new string('·', Cells - full)}] {value.Done}/{value.Total}" : "…";
        terminal.Error.Write($"\r\e[2K{subject}: {value.Step} {bar}");
        terminal.Error.Flush();
    }

    public void Dispose()
    {
        if (step.Length > 0)
        {
            terminal.Error.Write("\r\e[2K");
            terminal.Error.Flush();
        }
    }
}
