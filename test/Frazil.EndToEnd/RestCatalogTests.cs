using System.Text.Json;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary>The main job on REST catalogs that are not ours: Frazil and its catalog are killed while records arrive; in the end each stands
/// in the table once, verify proves it and a replay puts a range in its place. The referees find the table through the same catalog.</summary>
public sealed class RestCatalogTests(SharedBroker shared)
{
    [Theory]
    [InlineData("rest-catalog")]
    [InlineData("polaris")]
    public async Task Records_reach_the_table_once_though_frazil_and_the_catalog_are_killed(string server)
    {
        SharedBroker.SkipWithoutKit();
        using var time = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        time.CancelAfter(TimeSpan.FromMinutes(8));
        await using var catalog = await CatalogProcess.StartAsync(server, shared.NewFolder(server), time.Token);
        var scene = await Scene.SetAsync(shared, $"on-{server}", bootstrap => Scene.Usual(bootstrap, $"on-{server}") with
        {
            CatalogType = "rest",
            CatalogUri = catalog.Uri,
            Warehouse = catalog.Warehouse,
            CatalogProperties = catalog.Properties,
        });
        var (code, told, errors) = await FrazilProcess.RunAsync(scene.Folder, ["check", "-c", scene.ConfigFile], time.Token);
        Assert.Contains("opens; 0 table(s)", told, StringComparison.Ordinal);
        Assert.DoesNotContain("✗ catalog", told + errors, StringComparison.Ordinal);

        await using var load = scene.StartLoad(time.Token);
        await using (var first = await scene.StartReadyAsync(time.Token))
        {
            await UntilCommitsAsync(first, 2, time.Token);
            await first.KillAsync(time.Token);
        }
        await using (var second = await scene.StartReadyAsync(time.Token))
        {
            await UntilCommitsAsync(second, 2, time.Token);
            await catalog.KillAsync(time.Token);
            await catalog.StartAgainAsync(time.Token);
            var ledger = await load.StopAsync();
            await scene.UntilRowsAsync(second, ledger.Records, time.Token);
            await Scene.StopCleanlyAsync(second, time.Token);
            await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
            await VerifyAsync(scene, time.Token);
            await ReplayAsync(scene, time.Token);
            await VerifyAsync(scene, time.Token);
            await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
        }
    }

    private static Task UntilCommitsAsync(FrazilProcess frazil, int commits, CancellationToken cancellationToken) => frazil.UntilAsync(
        async () => await frazil.MetricAsync("frazil_commits_total", cancellationToken) >= commits, TimeSpan.FromMilliseconds(50), cancellationToken);

    private static async Task VerifyAsync(Scene scene, CancellationToken cancellationToken)
    {
        var verification = await scene.VerifyAsync(deep: true, cancellationToken);
        Assert.True(verification.IsProven, verification.Json);
    }

    private static async Task ReplayAsync(Scene scene, CancellationToken cancellationToken)
    {
        string[] range = ["--partition", "0", "--from", "10", "--to", "109"];
        var (code, text, errors) = await FrazilProcess.RunAsync(
            scene.Folder, ["replay", "-c", scene.ConfigFile, "--json", "--table", scene.Config.Table, .. range], cancellationToken);
        Assert.True(code == 0, $"frazil replay ended with {code}: {errors}");
        using var report = JsonDocument.Parse(text);
        Assert.Equal((100, 100), (report.RootElement.GetProperty("rows_added").GetInt32(), report.RootElement.GetProperty("rows_removed").GetInt32()));
    }
}
