using System.Text.RegularExpressions;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary>The real binary on a librdkafka that the environment names, in the place of the one that comes with Frazil.</summary>
public sealed partial class ChosenLibraryTests(SharedBroker shared)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task The_demo_runs_on_the_library_of_another_client()
    {
        using var time = Time();
        var folder = shared.NewFolder("chosen-demo");

        await using var frazil = FrazilProcess.Start(
            folder, 0, Choosing(await ForeignLibraryAsync(folder, time.Token)), "demo", "--duration", "6");

        var code = await frazil.ExitAsync(time.Token);
        Assert.True(code == 0, frazil.Text);
        Assert.Matches(AllThere(), frazil.Text);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_said_with_the_variable_that_names_it()
    {
        using var time = Time();

        await using var frazil = FrazilProcess.Start(
            shared.NewFolder("chosen-missing"), 0, Choosing("/nowhere/librdkafka.so.1"), "demo", "--duration", "6");

        Assert.Equal(1, await frazil.ExitAsync(time.Token));
        Assert.Contains("FRAZIL_LIBRDKAFKA names, '/nowhere/librdkafka.so.1'", frazil.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_library_that_is_too_old_is_refused_with_its_version_and_what_to_do()
    {
        using var time = Time();
        const string debian12 = "/usr/lib/x86_64-linux-gnu/librdkafka.so.1";
        Assert.SkipUnless(File.Exists(debian12), "there is no old librdkafka to refuse");

        await using var frazil = FrazilProcess.Start(shared.NewFolder("chosen-old"), 0, Choosing(debian12), "demo", "--duration", "6");

        Assert.Equal(1, await frazil.ExitAsync(time.Token));
        Assert.Contains($"librdkafka 2.0.2 (FRAZIL_LIBRDKAFKA={debian12}) is too old: Frazil needs 2.12 or newer", frazil.Text, StringComparison.Ordinal);
    }

    /// <summary>With the broker's own protocol the heir waits for the dead member's session, 45 seconds by the broker's default.</summary>
    [Fact]
    public async Task A_killed_run_of_the_brokers_own_group_protocol_goes_on_exactly_once()
    {
        using var time = Time();
        const string topic = "killed-consumer-protocol";
        var scene = await Scene.SetAsync(shared, topic, static bootstrap => new()
        {
            BootstrapServers = bootstrap,
            Topic = topic,
            GroupId = topic,
            KafkaProperties = new Dictionary<string, string> { ["group.protocol"] = "consumer" },
        });
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, topic, 20_000, time.Token);
        await using (var first = scene.Start())
        {
            await first.ReadyAsync(time.Token);
            await scene.UntilRowsAsync(first, 1_000, time.Token);
            await first.KillAsync(time.Token);
        }
        ledger += await Kit.LoadAsync(scene.Config.BootstrapServers, topic, 5_000, time.Token, "--first", "20000");
        await using var second = scene.Start();
        await second.ReadyAsync(time.Token);
        await scene.UntilRowsAsync(second, ledger.Records, time.Token);
        await Scene.StopCleanlyAsync(second, time.Token);

        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
    }

    private static Dictionary<string, string> Choosing(string library) => new() { ["FRAZIL_LIBRDKAFKA"] = library };

    /// <summary>The library of the kit's Python client; skips where that has none of its own, or one that is too old.</summary>
    private static async Task<string> ForeignLibraryAsync(string folder, CancellationToken cancellationToken)
    {
        SharedBroker.SkipWithoutKit();
        var python = await Python.PathAsync(cancellationToken);
        var found = await Kit.RunInAsync(
            folder, python,
            ["-c", "import confluent_kafka, glob, os; print(*glob.glob(os.path.dirname(confluent_kafka.__path__[0]) + '/confluent_kafka.libs/librdkafka*'))"],
            cancellationToken);
        Assert.SkipWhen(found.Trim().Length == 0, "the kit's Python client brings no librdkafka of its own");
        return found.Trim();
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
