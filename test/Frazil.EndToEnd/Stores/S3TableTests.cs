using System.Globalization;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd.Stores;

/// <summary>The main job with the warehouse on a real S3 server: killed, cut off, queried, maintained, read by foreign engines.</summary>
public sealed class S3TableTests(SharedBroker shared, S3Server server) : IClassFixture<S3Server>
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task Every_record_is_in_a_table_in_S3_exactly_once_also_after_a_kill_and_is_asked_for_with_and_without_a_server()
    {
        using var time = new CancellationTokenSource(Limit);
        var scene = await SetAsync("s3-kill");
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, "s3-kill", 20_000, time.Token);
        await using (var first = await scene.StartReadyAsync(time.Token))
        {
            await first.UntilAsync(
                async () => await first.MetricAsync("frazil_commits_total", time.Token) > 0, TimeSpan.FromMilliseconds(20), time.Token);
            await first.KillAsync(time.Token);
        }
        ledger += await Kit.LoadAsync(scene.Config.BootstrapServers, "s3-kill", 20_000, time.Token, "--first", "20000");

        await scene.RunUntilAsync(ledger.Records, time.Token);

        var (code, rows, errors) = await FrazilProcess.RunAsync(
            scene.Folder, ["query", $"select count(*) from {scene.Config.Table}", "--json", "-c", scene.ConfigFile], time.Token);
        Assert.True(code == 0, errors);
        Assert.Contains(ledger.Records.ToString(CultureInfo.InvariantCulture), rows, StringComparison.Ordinal);
        Assert.True((await scene.VerifyAsync(deep: true, time.Token)).IsProven);
        await AssertForeignEnginesReadAsync(scene, ledger.Records, time.Token);
    }

    [Fact]
    public async Task A_store_that_goes_away_and_comes_back_costs_no_record_and_no_restart()
    {
        using var time = new CancellationTokenSource(Limit);
        server.NewFolder(); // skips without the kit
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
    public async Task Maintenance_works_on_a_table_in_S3_and_leaves_young_files_alone()
    {
        using var time = new CancellationTokenSource(Limit);
        var scene = await SetAsync("s3-sweep");
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, "s3-sweep", 5_000, time.Token);
        await scene.RunUntilAsync(ledger.Records, time.Token);
        using var store = server.Minio.Open();
        var young = $"{scene.Config.Warehouse}/{scene.Config.Table.Replace('.', '/')}/data/of-another-writer.parquet";
        await store.CreateAsync(young, "x"u8.ToArray(), time.Token);

        foreach (var job in new[] { "expire", "sweep" })
        {
            var (code, output, errors) = await FrazilProcess.RunAsync(scene.Folder, ["maintain", job, "-c", scene.ConfigFile], time.Token);
            Assert.True(code == 0, errors + output);
        }

        Assert.True(await store.ExistsAsync(young, time.Token));
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

    private async Task<Scene> SetAsync(string topic, params IEnumerable<(string Key, string Value)> more)
    {
        var warehouse = server.NewFolder();
        var properties = server.Minio.Properties;
        foreach (var (key, value) in more)
            properties[key] = value;
        return await Scene.SetAsync(
            shared, topic, bootstrap => Scene.Usual(bootstrap, topic) with { Warehouse = warehouse, CatalogProperties = properties });
    }

    private async Task AssertForeignEnginesReadAsync(Scene scene, long rows, CancellationToken cancellationToken)
    {
        string[] reach = ["--s3-endpoint", server.Minio.Endpoint];
        var one = await Referee.ReadAsync("pyiceberg", scene.CatalogFile, scene.Config.Table, cancellationToken, reach);
        var other = await Referee.ReadAsync("duckdb", scene.CatalogFile, scene.Config.Table, cancellationToken, reach);
        Assert.Equal(rows, one.GetProperty("row_count").GetInt64());
        Assert.Equal(one.GetProperty("row_checksum").GetString(), other.GetProperty("row_checksum").GetString());
    }
}
