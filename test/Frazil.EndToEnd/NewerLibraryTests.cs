using System.Text.RegularExpressions;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary>The real binary on a librdkafka newer than Debian's: the one that the kit's Python client brings.</summary>
public sealed partial class NewerLibraryTests(SharedBroker shared)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task The_demo_runs_on_it()
    {
        using var time = Time();
        var folder = shared.NewFolder("newer-demo");
        var environment = await EnvironmentAsync(folder, time.Token);

        await using var frazil = FrazilProcess.Start(folder, 0, environment, "demo", "--duration", "6");

        var code = await frazil.ExitAsync(time.Token);
        Assert.True(code == 0, frazil.Text);
        Assert.Matches(AllThere(), frazil.Text);
    }

    /// <summary>With the broker's own protocol the heir waits for the dead member's session, 45 seconds by the broker's default.</summary>
    [Theory]
    [InlineData("classic")]
    [InlineData("consumer")]
    public async Task A_killed_run_goes_on_exactly_once_on_it(string protocol)
    {
        using var time = Time();
        var topic = $"newer-{protocol}";
        var scene = await Scene.SetAsync(shared, topic, bootstrap => new()
        {
            BootstrapServers = bootstrap,
            Topic = topic,
            GroupId = topic,
            KafkaProperties = new Dictionary<string, string> { ["group.protocol"] = protocol },
        });
        var environment = await EnvironmentAsync(scene.Folder, time.Token);
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, topic, 20_000, time.Token);
        await using (var first = Start())
        {
            await first.ReadyAsync(time.Token);
            await scene.UntilRowsAsync(first, 1_000, time.Token);
            await first.KillAsync(time.Token);
        }
        ledger += await Kit.LoadAsync(scene.Config.BootstrapServers, topic, 5_000, time.Token, "--first", "20000");
        await using var second = Start();
        await second.ReadyAsync(time.Token);
        await scene.UntilRowsAsync(second, ledger.Records, time.Token);
        await Scene.StopCleanlyAsync(second, time.Token);

        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);

        FrazilProcess Start() => FrazilProcess.Start(scene.Folder, scene.Config.HttpPort, environment, "run", "-c", scene.ConfigFile);
    }

    /// <summary>Lets the binary load the library of the kit's Python client; skips where that has none of its own.</summary>
    private static async Task<Dictionary<string, string>> EnvironmentAsync(string folder, CancellationToken cancellationToken)
    {
        SharedBroker.SkipWithoutKit();
        var python = (await Kit.RunAsync("python/install", [], cancellationToken)).Trim();
        var found = await Kit.RunInAsync(
            folder, python,
            ["-c", "import confluent_kafka, glob, os; print(*glob.glob(os.path.dirname(confluent_kafka.__path__[0]) + '/confluent_kafka.libs/librdkafka*'))"],
            cancellationToken);
        Assert.SkipWhen(found.Trim().Length == 0, "the kit's Python client brings no librdkafka of its own");
        var natives = Directory.CreateDirectory(Path.Combine(folder, "natives")).FullName;
        File.CreateSymbolicLink(Path.Combine(natives, "librdkafka.so.1"), found.Trim());
        return new() { ["FRAZIL_NATIVE_DIR"] = natives };
    }

    private static CancellationTokenSource Time()
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        source.CancelAfter(Limit);
        return source;
    }

    [GeneratedRegex("✓ produced ([0-9,]+) = in Iceberg \\1 rows, each Kafka position once")]
    private static partial Regex AllThere();
}
