using Frazil.Iceberg.IO;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd.Stores;

/// <summary>Tables on a real S3 server, which goes away and comes back too.</summary>
public sealed class S3TableTests(SharedBroker shared, S3Server server) : TableInStoreContract(shared), IClassFixture<S3Server>
{
    [Fact]
    public async Task A_store_that_goes_away_and_comes_back_costs_no_record_and_no_restart()
    {
        using var time = new CancellationTokenSource(Limit);
        NewFolder(); // skips without the kit
        var way = $"s3-{Guid.NewGuid():N}";
        var endpoint = $"http://{await server.Proxy.OpenAsync(way, new Uri(server.Minio.Endpoint).Authority, time.Token)}";
        var scene = await SetAsync("s3-away", ("s3.endpoint", endpoint), ("s3.request-timeout", "2"), ("s3.retry.num-retries", "1"));
        await using var frazil = await scene.StartReadyAsync(time.Token);
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, "s3-away", 5_000, time.Token);
        await scene.UntilRowsAsync(frazil, ledger.Records, time.Token);
        await frazil.UntilAsync(
            async () => await frazil.MetricAsync("frazil_commits_total", time.Token) > 0, TimeSpan.FromMilliseconds(50), time.Token);

        await server.Proxy.CloseAsync(way, time.Token);
        ledger += await Kit.LoadAsync(scene.Config.BootstrapServers, "s3-away", 5_000, time.Token, "--first", "5000");
        await frazil.UntilAsync(
            async () => await frazil.MetricAsync("frazil_flush_failures_total", time.Token) > 0, TimeSpan.FromMilliseconds(50), time.Token);
        await server.Proxy.HealAsync(time.Token);
        await scene.UntilRowsAsync(frazil, ledger.Records, time.Token);
        await Scene.StopCleanlyAsync(frazil, time.Token);

        Assert.True((await scene.VerifyAsync(deep: true, time.Token)).IsProven);
        await AssertForeignEnginesReadAsync(scene, ledger.Records, time.Token);
    }

    [Fact]
    public async Task Check_tries_the_store_and_a_wrong_key_is_said_at_the_start_with_what_to_do()
    {
        using var time = new CancellationTokenSource(Limit);
        var scene = await SetAsync("s3-check");
        var wrong = await SetAsync("s3-check-wrong", ("s3.secret-access-key", "wrong-secret"));

        var (_, good, _) = await FrazilProcess.RunAsync(scene.Folder, ["check", "-c", scene.ConfigFile], time.Token);
        var (badCode, bad, badErrors) = await FrazilProcess.RunAsync(wrong.Folder, ["check", "-c", wrong.ConfigFile], time.Token);
        var (runCode, run, runErrors) = await FrazilProcess.RunAsync(wrong.Folder, ["run", "-c", wrong.ConfigFile], time.Token);

        Assert.Contains("creates, keeps what is there, reads, lists, deletes", good, StringComparison.Ordinal);
        Assert.Equal(1, badCode);
        Assert.Contains("catalog.properties", bad + badErrors, StringComparison.Ordinal);
        Assert.NotEqual(0, runCode);
        Assert.Contains("the store refuses access", run + runErrors, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-secret", bad + badErrors + run + runErrors, StringComparison.Ordinal);
    }

    protected override string Kind => "s3";

    protected override Dictionary<string, string> Properties => server.Minio.Properties;

    protected override (string Engine, string[] Arguments)[] Others
        => [("pyiceberg", ["--s3-endpoint", server.Minio.Endpoint]), ("duckdb", ["--s3-endpoint", server.Minio.Endpoint])];

    protected override string NewFolder() => server.NewFolder();

    protected override IFileIO Open() => server.Minio.Open();
}
