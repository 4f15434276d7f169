using System.Numerics;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Frazil.Log;
using Frazil.Server.CommandLine;
using Xunit;

namespace Frazil.Tests.Server;

/// <summary><c>frazil log</c> over logs on disk.</summary>
public sealed class LogVerbTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("frazil-log-verb-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Prints_every_entry_on_a_line_and_filters_by_kind_flush_and_number()
    {
        var (f1, f2) = (Guid.CreateVersion7().ToString(), Guid.CreateVersion7().ToString());
        await WriteAsync("shop.events", new BufferSnapshot(f1, []), new FlushComplete(f1, "committed", 3), new BufferSnapshot(f2, []));

        Assert.Equal(4, Lines((await RunAsync("log")).Output).Count);
        Assert.Contains(
            "committed, 3 rows", Assert.Single(Lines((await RunAsync("log", "--kind", "flushcomplete")).Output)), StringComparison.Ordinal);
        Assert.Equal(2, Lines((await RunAsync("log", "shop.events", "--flush", f1)).Output).Count);
        Assert.Contains(f2, Assert.Single(Lines((await RunAsync("log", "--last", "1")).Output)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--kind", "nope", "Kinds are LogOpened, SchemaVersion, ")]
    [InlineData("--kind", "GapRecorder", "did you mean GapRecorded?")]
    [InlineData("--last", "-1", "--last is -1; allowed are 0 and more")]
    [InlineData("--flush", "zz", "give the whole UUID")]
    public async Task A_filter_that_can_match_nothing_is_refused_as_bad_usage(string option, string value, string words)
    {
        await WriteAsync("shop.events", new FlushComplete("f1", "committed", 3));

        var (code, output, errors) = await RunAsync("log", option, value);

        Assert.Equal((2, ""), (code, output));
        Assert.Contains(words, errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_kind_there_is_can_be_asked_for_also_one_that_only_the_log_knows()
    {
        await WriteAsync("shop.events");
        var path = LogSegments.PathOf(LogSegments.FolderOf(folder, "shop.events"), 1);
        const string Body = """{"kind":"FutureThing","v":9,"seq":2,"at":"2027-01-01T00:00:00+00:00" """;
        var crc = Encoding.UTF8.GetBytes(Body).Aggregate(uint.MaxValue, BitOperations.Crc32C);
        await File.AppendAllTextAsync(path, $"{Body},\"crc\":\"{~crc:x8}\"}}\n", Cancel);

        foreach (var kind in typeof(LogEntry).GetCustomAttributes<JsonDerivedTypeAttribute>().Select(static type => (string)type.TypeDiscriminator!))
        {
            Assert.Equal(0, (await RunAsync("log", "--kind", kind)).Code);
        }
        Assert.Single(Lines((await RunAsync("log", "--kind", "futurething")).Output));
    }

    [Fact]
    public async Task With_json_each_line_is_printed_as_it_is_on_disk()
    {
        await WriteAsync("shop.events", new GapRecorded("events", 0, "retention", 5, 9));

        var lines = Lines((await RunAsync("log", "--json")).Output);

        Assert.Equal(await File.ReadAllLinesAsync(LogSegments.PathOf(LogSegments.FolderOf(folder, "shop.events"), 1), Cancel), lines);
        Assert.Equal("GapRecorded", JsonDocument.Parse(lines[1]).RootElement.GetProperty("kind").GetString());
    }

    [Fact]
    public async Task A_damaged_line_is_told_and_the_others_are_printed()
    {
        await WriteAsync("shop.events", new FlushComplete("f1", "committed", 1));
        await File.AppendAllTextAsync(LogSegments.PathOf(LogSegments.FolderOf(folder, "shop.events"), 1), "{\"kind\":\"Flu", Cancel);

        var (code, output, errors) = await RunAsync("log");

        Assert.Equal((0, 2), (code, Lines(output).Count));
        Assert.Contains("segment 1, line 3 cannot be used: torn", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_log_several_logs_and_a_wrong_name_each_say_what_to_do()
    {
        Assert.Contains("`frazil run` writes one", (await RunAsync("log")).Errors, StringComparison.Ordinal);
        await WriteAsync("shop.events");
        await WriteAsync("shop.orders");
        Assert.Contains("name one: shop.events, shop.orders", (await RunAsync("log")).Errors, StringComparison.Ordinal);
        Assert.Contains("did you mean shop.orders?", (await RunAsync("log", "shop.order")).Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Follow_prints_what_is_appended_also_behind_a_rotation_until_interrupted()
    {
        using var log = new TransactionLog(LogSegments.FolderOf(folder, "shop.events"), TimeProvider.System, new(SegmentBytes: 300));
        log.Open(new("shop.events", null, null, []));
        var output = new LockedWriter();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var following = RunAsync(output, new StringWriter(), stop.Token, "log", "--follow");
        for (var i = 0; i < 12; i++)
        {
            await log.AppendAsync([new FlushComplete($"f{i}", "committed", i)], sync: false, Cancel);
            while (!output.Text.Contains($"committed, {i} rows", StringComparison.Ordinal))
            {
                await Task.Delay(10, Cancel);
            }
        }
        await stop.CancelAsync();

        Assert.Equal(0, await following);
        Assert.Equal(12, Lines(output.Text).Count(static line => line.Contains("FlushComplete", StringComparison.Ordinal)));
    }

    private static List<string> Lines(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)];

    private async Task WriteAsync(string table, params IReadOnlyList<LogEntry> entries)
    {
        using var log = new TransactionLog(LogSegments.FolderOf(folder, table), TimeProvider.System);
        log.Open(new(table, null, null, []));
        if (entries.Count > 0)
        {
            await log.AppendAsync(entries, sync: true, Cancel);
        }
    }

    private async Task<(int Code, string Output, string Errors)> RunAsync(params string[] args)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        var code = await RunAsync(output, errors, Cancel, args);
        return (code, output.ToString(), errors.ToString());
    }

    private async Task<int> RunAsync(StringWriter output, StringWriter errors, CancellationToken cancellationToken, params string[] args)
    {
        var config = Path.Combine(folder, "frazil.toml");
        await File.WriteAllTextAsync(config, $"data_dir = '{folder}'\n", Cancel);
        return await FrazilCommand.RunAsync(
            [.. args, "-c", config], new Terminal { Output = output, Error = errors }, cancellationToken);
    }

    /// <summary>Read while it is written.</summary>
    private sealed class LockedWriter : StringWriter
    {
        private readonly Lock gate = new();

        public string Text
        {
            get
            {
                lock (gate)
                {
                    return ToString();
                }
            }
        }

        public override void WriteLine(string? value)
        {
            lock (gate)
            {
                base.WriteLine(value);
            }
        }
    }
}
