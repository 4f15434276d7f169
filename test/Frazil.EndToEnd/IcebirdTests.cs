using System.Globalization;
using System.Text.Json;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

public sealed class IcebirdTests(SharedBroker shared)
{
    private const string Version = "0.3.1";

    [Fact]
    public async Task A_third_reader_finds_the_same_rows()
    {
        using var time = new CancellationTokenSource(TimeSpan.FromMinutes(8));
        var scene = await Scene.SetAsync(shared, "icebird");
        var reader = shared.NewFolder("icebird");
        await Npm.InstallAsync(reader, time.Token, $"icebird@{Version}");
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, "icebird", 10_000, time.Token);
        await using var frazil = await scene.StartReadyAsync(time.Token);
        await scene.UntilRowsAsync(frazil, ledger.Records, time.Token);
        await Scene.StopCleanlyAsync(frazil, time.Token);

        var metadata = (await Referee.ReadAsync("pyiceberg", scene.CatalogFile, scene.Config.Table, time.Token))
            .GetProperty("metadata_location").GetString()!;
        var script = Path.Combine(AppContext.BaseDirectory, "Rig", "icebird.mjs");
        using var json = JsonDocument.Parse(await Kit.RunInAsync(reader, "node", [script, metadata], time.Token));

        var seen = json.RootElement;
        Assert.Equal(ledger.Records, seen.GetProperty("rows").GetInt64());
        Assert.Equal(ledger.Records, seen.GetProperty("positions").GetInt64());
        Assert.Equal(ledger.UserId.ToString(CultureInfo.InvariantCulture), seen.GetProperty("userId").GetString());
        Assert.Equal((ledger.Amount * 100).ToString("F0", CultureInfo.InvariantCulture), seen.GetProperty("cents").GetString());
    }
}
