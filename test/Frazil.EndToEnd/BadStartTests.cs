using System.Net;
using System.Net.Sockets;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary>Starts that cannot work: each ends with its exit code and says what to change. None needs a broker.</summary>
public sealed class BadStartTests(SharedBroker shared)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task Every_error_of_a_config_is_listed_at_once_and_the_exit_code_is_two()
    {
        var folder = shared.NewFolder("bad-config");
        var file = Path.Combine(folder, "frazil.toml");
        await File.WriteAllTextAsync(file, """
            [kafka]
            bootstrap_server = "localhost:9092"
            start_from = "yesterday"

            [[tables]]
            name = "shop.user_events"
            topics = ["user_events"]
            partition_by = ["month_of(event_timestamp)"]

            [hot_buffer]
            max_memory_mb = -1
            """, TestContext.Current.CancellationToken);

        foreach (var verb in new[] { "check", "run" })
        {
            var (code, text) = await RunAsync(folder, verb, "-c", file);

            Assert.Equal(2, code);
            Assert.All(
                ["bootstrap_server", "start_from", "yesterday", "month_of", "max_memory_mb", "-1"], word => Assert.Contains(word, text));
        }
    }

    [Fact]
    public async Task A_config_that_is_not_there_is_named_and_the_exit_code_is_two()
    {
        var (code, text) = await RunAsync(shared.NewFolder("no-config"), "run", "-c", "nowhere.toml");

        Assert.Equal(2, code);
        Assert.Contains("nowhere.toml", text);
    }

    [Fact]
    public async Task An_unknown_verb_is_bad_usage()
    {
        var (code, text) = await RunAsync(shared.NewFolder("usage"), "frobnicate");

        Assert.Equal(2, code);
        Assert.Contains("frobnicate", text);
    }

    [Fact]
    public async Task A_port_that_is_taken_ends_the_start()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var folder = shared.NewFolder("port");
        var config = new FrazilConfig { BootstrapServers = "127.0.0.1:1", Topic = "t", HttpPort = port };

        var (code, text) = await RunAsync(folder, "run", "-c", config.Write(folder));

        Assert.Equal(1, code);
        Assert.Contains($"{port}", text);
    }

    [Fact]
    public async Task A_warehouse_that_cannot_be_written_ends_the_start()
    {
        var folder = shared.NewFolder("warehouse");
        await File.WriteAllTextAsync(Path.Combine(folder, "file"), "not a folder", TestContext.Current.CancellationToken);
        var config = new FrazilConfig { BootstrapServers = "127.0.0.1:1", Topic = "t", Warehouse = "file/warehouse" };

        var (code, text) = await RunAsync(folder, "run", "-c", config.Write(folder));

        Assert.Equal(1, code);
        Assert.Contains("file/warehouse", text);
    }

    [Fact]
    public async Task A_catalog_that_is_no_database_ends_the_start()
    {
        var folder = shared.NewFolder("catalog");
        await File.WriteAllTextAsync(Path.Combine(folder, "catalog.db"), new string('x', 4096), TestContext.Current.CancellationToken);
        var config = new FrazilConfig { BootstrapServers = "127.0.0.1:1", Topic = "t" };

        var (code, text) = await RunAsync(folder, "run", "-c", config.Write(folder));

        Assert.Equal(1, code);
        Assert.Contains("catalog.db", text);
    }

    [Fact]
    public async Task A_broker_that_cannot_be_reached_is_waited_for_and_said()
    {
        using var time = new CancellationTokenSource(Limit);
        var folder = shared.NewFolder("unreachable");
        var config = new FrazilConfig { BootstrapServers = "127.0.0.1:1", Topic = "t" };
        await using var frazil = FrazilProcess.Start(folder, config.HttpPort, "run", "-c", config.Write(folder));

        await frazil.UntilAsync(
            () => Task.FromResult(frazil.Text.Contains("127.0.0.1:1", StringComparison.Ordinal)), TimeSpan.FromMilliseconds(50),
            time.Token);

        Assert.Equal(0, await frazil.StopAsync(time.Token));
    }

    private static async Task<(int Code, string Text)> RunAsync(string folder, params string[] arguments)
    {
        using var time = new CancellationTokenSource(Limit);
        var (code, output, errors) = await FrazilProcess.RunAsync(folder, arguments, time.Token);
        Assert.DoesNotContain("   at Frazil.", output + errors); // a message, not a stack trace
        return (code, output + errors);
    }
}
