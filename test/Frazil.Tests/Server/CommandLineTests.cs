using System.Text.Json;
using Frazil.Config;
using Frazil.Query;
using Frazil.Server.CommandLine;
using Frazil.Server.Verbs;
using Xunit;

namespace Frazil.Tests.Server;

public sealed class CommandLineTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("frazil-cli-").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public async Task Help_of_every_verb_ends_with_examples()
    {
        foreach (var verb in new[] { "run", "init", "check", "query" })
        {
            var (code, output, _) = await RunAsync(verb, "--help");
            Assert.Equal(0, code);
            Assert.Contains($"frazil {verb}", output[output.IndexOf("Examples:", StringComparison.Ordinal)..], StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(new[] { "qurey", "select 1" }, "Did you mean query?")]
    [InlineData(new[] { "query" }, "Required argument")]
    [InlineData(new[] { "run", "--log-level", "loud" }, "loud")]
    [InlineData(new[] { "query", "select 1", "--timeout", "soon" }, "soon")]
    [InlineData(new[] { "query", "select 1", "--csv", "--json" }, "--csv and --json exclude each other")]
    [InlineData(new[] { "query", "select 1", "--ndjson", "--csv" }, "--csv and --ndjson exclude each other")]
    public async Task Bad_usage_exits_2_and_says_what_is_wrong(string[] args, string words)
    {
        var (code, output, errors) = await RunAsync(args);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(words, errors, StringComparison.Ordinal);
        Assert.Contains("--help", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--from 5 --to 1", "--from is 5 and --to is 1")]
    [InlineData("--from -1 --to 1", "--from is -1")]
    [InlineData("--from 0 --to 1 --branch audit --into shop.side", "choose the one or the other")]
    [InlineData("--from 0 --to 1 --into bad", "'bad' is not a table name: namespace.table is expected")]
    public async Task A_replay_that_contradicts_itself_is_bad_usage(string args, string words)
    {
        var (code, output, errors) = await RunAsync(
            ["replay", "--table", "shop.events", "--partition", "0", .. args.Split(' '), "-c", Write($"data_dir = '{folder}'\n")]);

        Assert.Equal((2, ""), (code, output));
        Assert.Contains(words, errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_at_all_shows_the_help_and_exits_2()
    {
        var (code, output, errors) = await RunAsync();
        Assert.Equal((2, ""), (code, errors));
        Assert.Contains("Usage:\n  frazil", output.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_configuration_exits_2_with_every_error()
    {
        var file = Write("[hot_buffer]\nflush_size_mb = 0\nmax_memory_mb = \"all\"\n");
        foreach (var verb in new[] { "run", "check", "query" })
        {
            var (code, _, errors) = await RunAsync(verb == "query" ? [verb, "select 1", "-c", file] : [verb, "-c", file]);
            Assert.Equal(2, code);
            Assert.Contains("hot_buffer.flush_size_mb = 0 (frazil.toml:2)", errors, StringComparison.Ordinal);
            Assert.Contains("hot_buffer.max_memory_mb = \"all\" (frazil.toml:3)", errors, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_missing_file_exits_2_and_names_init()
    {
        var (code, _, errors) = await RunAsync("run", "-c", Path.Combine(folder, "nothing.toml"));
        Assert.Equal(2, code);
        Assert.Contains("frazil init", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_without_tables_is_refused()
    {
        var (code, _, errors) = await RunAsync("run", "-c", Write(""));
        Assert.Equal(2, code);
        Assert.Contains("[[tables]]", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Init_writes_a_file_that_is_valid_and_refuses_to_overwrite_it()
    {
        var file = Path.Combine(folder, "new.toml");
        Assert.Equal(0, (await RunAsync("init", "-c", file, "--brokers", "b:1", "--topic", "1st.topic")).Code);
        var table = Assert.Single(FrazilConfigFile.Load(file, new Dictionary<string, string>()).Tables);
        Assert.Equal(("shop.t1st_topic", "1st.topic"), (table.Name, table.Topics[0]));
        var (code, _, errors) = await RunAsync("init", "-c", file);
        Assert.Equal(1, code);
        Assert.Contains("--force", errors, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("init", "-c", file, "--force", "--table", "a.b")).Code);
        Assert.Equal("a.b", FrazilConfigFile.Load(file, new Dictionary<string, string>()).Tables[0].Name);
    }

    [Fact]
    public void What_the_template_shows_in_comments_is_the_default()
    {
        var settings = Parse(InitVerb.Template("localhost:9092", "t", "a.b"));
        var shown = InitVerb.Template("localhost:9092", "t", "a.b").Split('\n')
            .Where(line => line.StartsWith("# ", StringComparison.Ordinal) && line.Contains(" = ", StringComparison.Ordinal))
            .Select(line => line[2..].Split("  #")[0].Trim())
            .Select(line => line.Split(" = ", 2))
            .Where(
                pair => !pair[0].StartsWith("sasl", StringComparison.Ordinal)
                    && pair[0] is not ("columns" or "partition_by" or "token" or "security.protocol"));
        Assert.All(shown, pair => Assert.Contains(settings, setting => setting.Key.EndsWith($".{pair[0]}", StringComparison.Ordinal) || setting.Key == pair[0]
            ? setting.Value == pair[1] : false));
        Assert.Equal(20, shown.Count());
    }

    [Fact]
    public void The_template_with_every_comment_taken_away_is_valid()
    {
        var lines = InitVerb.Template("localhost:9092", "t", "a.b").Split('\n')
            .Select(
                line => line.StartsWith("# ", StringComparison.Ordinal)
                    && (line.Contains(" = ", StringComparison.Ordinal) || line.StartsWith("# [", StringComparison.Ordinal))
                    ? line[2..]
                    : line);
        var settings = Parse(string.Join('\n', lines), new() { ["KAFKA_PASSWORD"] = "x", ["FRAZIL_TOKEN"] = "y" });
        Assert.Contains(settings, setting => setting is { Key: "kafka.properties.sasl.password", Value: "\"env:KAFKA_PASSWORD\"" });
    }

    [Fact]
    public async Task Config_print_is_TOML_again_and_gives_the_same_options()
    {
        var file = Write("""
            [kafka.properties]
            security.protocol = "SSL"
            [[tables]]
            name = "a.b"
            topics = ["t"]
            columns = { "odd name" = "long" }
            properties = { "owner" = "1" }
            """);
        var (code, output, _) = await RunAsync("config", "print", "-c", file);
        Assert.Equal(0, code);
        Assert.Contains("# frazil.toml:2", output, StringComparison.Ordinal);
        var again = Write(output, "again.toml");
        var (_, second, _) = await RunAsync("config", "print", "-c", again, "--json");
        var (_, first, _) = await RunAsync("config", "print", "-c", file, "--json");
        Assert.Equal(Values(first), Values(second));
    }

    [Fact]
    public async Task Check_lists_what_fails_and_exits_1()
    {
        var file = Write($"""
            data_dir = '{folder}/data'
            [kafka]
            bootstrap_servers = "127.0.0.1:1"
            [catalog]
            uri = 'sqlite:{folder}/catalog.db'
            warehouse = '{folder}/frazil.toml/warehouse'
            [server]
            http = ""
            [[tables]]
            name = "a.b"
            topics = ["t"]
            """);
        var (code, output, _) = await RunAsync("check", "-c", file, "--json", "--timeout", "0.5");
        Assert.Equal(1, code);
        using var document = JsonDocument.Parse(output);
        var checks = document.RootElement.GetProperty("checks").EnumerateArray()
            .ToDictionary(check => check.GetProperty("name").GetString()!);
        Assert.False(document.RootElement.GetProperty("ok").GetBoolean());
        Assert.False(checks["broker 127.0.0.1:1"].GetProperty("ok").GetBoolean());
        Assert.Contains("is a file", checks["warehouse"].GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.True(checks["data folder"].GetProperty("ok").GetBoolean());
        Assert.Equal(["frazil.toml"], Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName));
    }

    [Fact]
    public void An_error_in_SQL_is_pointed_at()
        => Assert.Equal("no such column\n  from tt where x\n                ^",
            QueryVerb.Point("select *\nfrom tt where x\n", new SqlException("no such column", 23)));

    private static IReadOnlyList<EffectiveSetting> Parse(string toml, Dictionary<string, string>? environment = null)
        => FrazilConfigFile.Parse(toml, environment: environment ?? []).Settings;

    private static string Values(string json)
    {
        using var document = JsonDocument.Parse(json);
        return string.Join(
            '\n',
            document.RootElement.EnumerateArray().Select(setting => $"{setting.GetProperty("key")} = {setting.GetProperty("value")}"));
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var code = await FrazilCommand.RunAsync(
            args, new Terminal { Output = output, Error = errors }, TestContext.Current.CancellationToken);
        return (code, output.ToString(), errors.ToString());
    }

    private string Write(string toml, string name = "frazil.toml")
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, toml);
        return path;
    }
}
