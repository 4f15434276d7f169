using System.CommandLine;
using System.Text.Json;
using Frazil.Config;
using Frazil.Server.CommandLine;
using Frazil.Server.Output;

namespace Frazil.Server.Verbs;

/// <summary><c>frazil config print</c>: what is in effect, and where each value came from.</summary>
internal static class ConfigPrintVerb
{
    public static Command Create(CommonOptions common, Terminal terminal)
    {
        var print = new Verb(
            "print",
            "Show every setting that is in effect, secrets masked, and where each came from: default, file and line, or environment.")
        {
            Examples = """
                frazil config print -c frazil.toml
                frazil config print --json
                """,
        };
        print.SetAction(result =>
        {
            var config = common.Read(result);
            terminal.Output.Write(result.GetValue(common.Json) ? ToJson(config.Settings) : ToToml(config.Settings));
            return ExitCode.Done;
        });
        return new Command("config", "Show the configuration (config print).") { print };
    }

    /// <summary>TOML again, with the origins as comments: what is printed can be used as a file.</summary>
    internal static string ToToml(IReadOnlyList<EffectiveSetting> settings)
    {
        var text = new StringWriter { NewLine = "\n" };
        var section = "";
        foreach (var setting in settings)
        {
            var (inner, key) = Split(setting.Key);
            if (inner != section)
            {
                section = inner;
                text.WriteLine();
                text.WriteLine(inner.StartsWith("tables[", StringComparison.Ordinal) ? "[[tables]]" : $"[{inner}]");
            }
            var line = $"{key} = {setting.Value}";
            text.WriteLine($"{line,-56}  # {setting.Origin}");
        }
        return text.ToString();
    }

    private static (string Section, string Key) Split(string path)
    {
        // A property's own name holds dots: kafka.properties.sasl.password is one key of one section.
        foreach (var map in new[] { "kafka.properties.", "catalog.properties." })
        {
            if (path.StartsWith(map, StringComparison.Ordinal))
            {
                return (map.TrimEnd('.'), ConfigText.Key(path[map.Length..]));
            }
        }
        var dot = path.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0)
        {
            return ("", path);
        }
        var key = path[(dot + 1)..];
        const string Properties = "properties.";
        return (path[..dot], key.StartsWith(Properties, StringComparison.Ordinal) ? Properties + ConfigText.Key(key[Properties.Length..]) : key);
    }

    private static string ToJson(IReadOnlyList<EffectiveSetting> settings)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, SqlJson.Options with { Indented = true }))
        {
            json.WriteStartArray();
            foreach (var setting in settings)
            {
                json.WriteStartObject();
                json.WriteString("key", setting.Key);
                json.WriteString("value", setting.Value);
                json.WriteString("origin", setting.Origin);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }
}
