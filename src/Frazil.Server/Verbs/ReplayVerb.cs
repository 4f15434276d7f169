using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Frazil.Replay;
using Frazil.Server.CommandLine;
using Frazil.Server.Logging;
using Frazil.Server.Output;
using Microsoft.Extensions.Logging;

namespace Frazil.Server.Verbs;

/// <summary><c>frazil replay</c>: reads a range of offsets from Kafka again and puts its rows in the place of those that the table
/// has.</summary>
internal static class ReplayVerb
{
    private const string Help = """
        Read a range of offsets from Kafka again and put its rows in the place of those that the table has of it.
        One atomic commit: never a row twice, never one lost outside of the range. `frazil run` may go on meanwhile.
        With --branch or --into the table's main branch stays as it is.
        """;

    public static Command Create(CommonOptions common, Terminal terminal)
    {
        var table = new Option<string>("--table")
        {
            Description = "The configured table, namespace.table",
            Required = true,
            HelpName = "TABLE",
        };
        var topic = new Option<string?>("--topic") { Description = "The topic; needed where several feed the table", HelpName = "TOPIC" };
        var partition = new Option<int>("--partition") { Description = "The Kafka partition", Required = true, HelpName = "N" };
        var from = new Option<long>("--from") { Description = "The first offset", Required = true, HelpName = "OFFSET" };
        var to = new Option<long>("--to") { Description = "The last offset, itself included", Required = true, HelpName = "OFFSET" };
        var branch = new Option<string?>("--branch") { Description = "Replace on this Iceberg branch, made at main's head where missing; main stays as it is", HelpName = "NAME" };
        var into = new Option<string?>("--into") { Description = "Put the rows into this side table, made like the table where missing", HelpName = "TABLE" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would be replaced" };
        var verb = new Verb("replay", Help)
        {
            Examples = """
                frazil replay --table shop.user_events --partition 3 --from 120000 --to 134999 --dry-run
                frazil replay --table shop.user_events --partition 3 --from 120000 --to 134999
                frazil replay --table shop.user_events --partition 3 --from 120000 --to 134999 --branch audit
                frazil replay --table shop.user_events --partition 3 --from 120000 --to 134999 --into shop.user_events_again
                """,
        };
        Array.ForEach<Option>([table, topic, partition, from, to, branch, into, dryRun], verb.Add);
        verb.SetAction((result, cancellationToken) =>
        {
            var request = new ReplayRequest
            {
                Table = result.GetRequiredValue(table),
                Topic = result.GetValue(topic),
                Partition = result.GetRequiredValue(partition),
                From = result.GetRequiredValue(from),
                To = result.GetRequiredValue(to),
                Branch = result.GetValue(branch),
                Into = result.GetValue(into),
                IsDryRun = result.GetValue(dryRun),
            };
            return RunAsync(common, result, request, terminal, cancellationToken);
        });
        return verb;
    }

    private static async Task<int> RunAsync(
        CommonOptions common, ParseResult result, ReplayRequest request, Terminal terminal, CancellationToken cancellationToken)
    {
        using var signals = new StopSignals(_ => { }, cancellationToken);
        var options = common.Load(result);
        using var loggers = ConsoleLog.CreateFactory(terminal.Error, LogLevel.Warning, json: false, terminal.IsErrorInteractive);
        var meter = new ReplayMeter(request, terminal);
        try
        {
            request.Check(); // before anything is opened
            await (await CatalogReader.OpenAsync(options.Catalog, signals.Token)).DisposeAsync(); // one that is not there would be made
            var report = await TableReplay.RunAsync(options, request, meter, loggers, signals.Token);
            meter.Clear();
            terminal.Output.Write(result.GetValue(common.Json) ? ToJson(report) : ToText(report));
            return ExitCode.Done;
        }
        catch (ReplayException refused)
        {
            meter.Clear();
            throw new VerbException(refused.Message, refused.IsBadRequest ? ExitCode.BadUsage : ExitCode.Failed, refused);
        }
    }

    private static string ToText(ReplayReport report)
    {
        var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        var place = report.Branch == "main" ? report.Table : $"branch {report.Branch} of {report.Table}";
        text.WriteLine($"{report.Partition} offsets {report.From} to {report.To}, {(report.IsDryRun ? "would go to" : "to")} {place}");
        if (report.IsDryRun)
        {
            text.WriteLine($"  rows to be replaced   {report.RowsRemoved}  (files: {report.FilesRemoved} removed whole{Unreadable(report)}, {report.FilesRewritten} written anew without them)");
            text.WriteLine($"  dead letters of it    {report.LettersRemoved}  (those that fit now would become rows)");
            text.WriteLine("nothing was read from Kafka or changed");
            return text.ToString();
        }
        text.WriteLine($"  records read          {report.Records}");
        text.WriteLine($"  rows                  {report.RowsAdded} in the place of {report.RowsRemoved}  (files: {report.FilesAdded} added, {report.FilesRemoved} removed{Unreadable(report)}, {report.FilesRewritten} written anew)");
        text.WriteLine($"  dead letters          {report.LettersAdded} new, {report.LettersRemoved} became rows");
        text.WriteLine(
            report.SnapshotId is { } snapshot ? $"snapshot {snapshot}, {report.Elapsed.TotalSeconds:0.0} s" : "nothing had to change");
        return text.ToString();
    }

    private static string Unreadable(ReplayReport report)
        => report.FilesUnreadable > 0 ? $" ({report.FilesUnreadable} of them gone or cut short)" : "";

    private static string ToJson(ReplayReport report)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, SqlJson.Options))
        {
            json.WriteStartObject();
            json.WriteString("replay_id", report.ReplayId);
            json.WriteString("table", report.Table);
            json.WriteString("branch", report.Branch);
            json.WriteString("topic", report.Partition.Topic);
            json.WriteNumber("partition", report.Partition.Partition);
            json.WriteNumber("from", report.From);
            json.WriteNumber("to", report.To);
            json.WriteBoolean("dry_run", report.IsDryRun);
            json.WriteNumber("records", report.Records);
            json.WriteNumber("rows_added", report.RowsAdded);
            json.WriteNumber("rows_removed", report.RowsRemoved);
            json.WriteNumber("files_added", report.FilesAdded);
            json.WriteNumber("files_removed", report.FilesRemoved);
            json.WriteNumber("files_unreadable", report.FilesUnreadable);
            json.WriteNumber("files_rewritten", report.FilesRewritten);
            json.WriteNumber("dead_letters_added", report.LettersAdded);
            json.WriteNumber("dead_letters_removed", report.LettersRemoved);
            json.WritePropertyName("snapshot_id");
            SqlJson.WriteValue(json, report.SnapshotId);
            json.WriteNumber("elapsed_ms", (long)report.Elapsed.TotalMilliseconds);
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }
}

/// <summary>A bar on a terminal, now and then a line elsewhere; always on standard error.</summary>
internal sealed class ReplayMeter(ReplayRequest request, Terminal terminal) : IProgress<ReplayProgress>
{
    private const int Width = 40;
    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BarEvery = TimeSpan.FromMilliseconds(100);

    private readonly Lock gate = new();
    private long shownAt;
    private string shownStep = "";
    private bool hasBar;

    public void Report(ReplayProgress value)
    {
        lock (gate)
        {
            var now = TimeProvider.System.GetTimestamp();
            if (value.Step == shownStep
                && TimeProvider.System.GetElapsedTime(shownAt, now) < (terminal.IsErrorInteractive ? BarEvery : LineEvery))
            {
                return;
            }
            (shownAt, shownStep) = (now, value.Step);
            var done = Math.Clamp((value.NextOffset - request.From) / Math.Max(1.0, request.To - request.From + 1), 0, 1);
            var text = string.Create(
                CultureInfo.InvariantCulture,
                $"{value.Step} {done * 100:0}% offset {value.NextOffset}, {value.Records} records, {new Bytes(value.Bytes)}");
            if (!terminal.IsErrorInteractive)
            {
                terminal.Error.WriteLine($"replay: {text}");
                return;
            }
            var filled = (int)(done * Width);
            terminal.Error.Write($"\r{new string('█', filled)}{new string('░', Width - filled)} {text}\e[K");
            hasBar = true;
        }
    }

    /// <summary>Takes the bar away.</summary>
    public void Clear()
    {
        lock (gate)
        {
            if (hasBar)
            {
                terminal.Error.Write("\r\e[K");
            }
        }
    }
}
