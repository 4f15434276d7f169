using System.CommandLine;
using System.Text.Json;
using Frazil.Config;
using Frazil.Server.CommandLine;
using Frazil.Server.Output;

namespace Frazil.Server.Verbs;

/// <summary><c>frazil check</c>: tries everything that <c>run</c> needs and lists what it found.</summary>
internal static class CheckVerb
{
    public static Command Create(CommonOptions common, Terminal terminal)
    {
        var timeout = new Option<double>("--timeout")
        {
            Description = "Seconds to wait for a broker",
            DefaultValueFactory = _ => 10,
            HelpName = "SECONDS",
        };
        var verb = new Verb(
            "check",
            "Try what `frazil run` needs: configuration, native libraries, broker, topics, catalog, existing tables, warehouse, port. Changes nothing.")
        {
            Examples = """
                frazil check -c frazil.toml
                frazil check --json | jq '.checks[] | select(.ok | not)'
                """,
        };
        verb.Add(timeout);
        verb.SetAction(async (result, cancellationToken) =>
        {
            using var signals = new StopSignals(_ => { }, cancellationToken);
            var options = common.Load(result);
            var wait = TimeSpan.FromSeconds(Math.Clamp(result.GetValue(timeout), 0.1, 600));
            var checks = new List<Check> { new("configuration", true, Describe(options)) };
            await foreach (var check in new StartupChecks(options, wait).RunAsync(signals.Token))
            {
                checks.Add(check);
            }
            terminal.Output.Write(result.GetValue(common.Json) ? ToJson(checks) : ToText(checks, terminal.IsInteractive));
            return checks.TrueForAll(check => check.Ok) ? ExitCode.Done : ExitCode.Failed;
        });
        return verb;
    }

    private static string Describe(FrazilOptions options)
        => options.Tables.Count == 1
            ? $"1 table: {options.Tables[0].Name}"
            : $"{options.Tables.Count} tables: {string.Join(", ", options.Tables.Select(table => table.Name))}";

    private static string ToText(List<Check> checks, bool coloured)
    {
        var text = new StringWriter { NewLine = "\n" };
        var width = checks.Max(check => check.Name.Length);
        foreach (var check in checks)
        {
            var (mark, colour) = check.Ok ? ("✓", "\e[32m") : ("✗", "\e[31m");
            text.WriteLine($"{(coloured ? $"{colour}{mark}\e[0m" : mark)} {check.Name.PadRight(width)}  {check.Detail}");
            if (check.Fix is not null)
            {
                text.WriteLine($"  {new string(' ', width)}  → {check.Fix}");
            }
        }
        var failed = checks.Count(check => !check.Ok);
        text.WriteLine(failed == 0 ? "all is well; start it with: frazil run" : $"{failed} of {checks.Count} failed");
        return text.ToString();
    }

    private static string ToJson(List<Check> checks)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, SqlJson.Options))
        {
            json.WriteStartObject();
            json.WriteBoolean("ok", checks.TrueForAll(check => check.Ok));
            json.WriteStartArray("checks");
            foreach (var check in checks)
            {
                json.WriteStartObject();
                json.WriteString("name", check.Name);
                json.WriteBoolean("ok", check.Ok);
                json.WriteString("detail", check.Detail);
                json.WriteString("fix", check.Fix);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }
}

/// <summary>One thing that was tried.</summary>
/// <param name="Name">What.</param>
/// <param name="Ok">Whether it went well.</param>
/// <param name="Detail">What was found.</param>
/// <param name="Fix">What to change; null where nothing need be.</param>
internal sealed record Check(string Name, bool Ok, string Detail, string? Fix = null);
