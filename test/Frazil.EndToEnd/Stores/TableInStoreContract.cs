using System.Globalization;
using Frazil.Iceberg.IO;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd.Stores;

/// <summary>The main job with the warehouse in a store: killed, queried with and without a server, verified, maintained, read by
/// others.</summary>
public abstract class TableInStoreContract(SharedBroker shared)
{
    protected static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    /// <summary>For names of topics.</summary>
    protected abstract string Kind { get; }

    /// <summary>Iceberg's, of the catalog.</summary>
    protected abstract Dictionary<string, string> Properties { get; }

    /// <summary>Foreign engines that read the store, and what the referee's script must be told.</summary>
    protected abstract (string Engine, string[] Arguments)[] Others { get; }

    /// <summary>A place of its own; skips the test where there is no such store.</summary>
    protected abstract string NewFolder();

    protected abstract IFileIO Open();

    [Fact]
    public async Task Every_record_is_in_a_table_exactly_once_also_after_a_kill_and_is_asked_for_with_and_without_a_server()
    {
        using var time = new CancellationTokenSource(Limit);
        var topic = $"{Kind}-kill";
        var scene = await SetAsync(topic);
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, topic, 20_000, time.Token);
        await using (var first = await scene.StartReadyAsync(time.Token))
        {
            await first.UntilAsync(
                async () => await first.MetricAsync("frazil_commits_total", time.Token) > 0, TimeSpan.FromMilliseconds(20), time.Token);
            await first.KillAsync(time.Token);
        }
        ledger += await Kit.LoadAsync(scene.Config.BootstrapServers, topic, 20_000, time.Token, "--first", "20000");

        await scene.RunUntilAsync(ledger.Records, time.Token);

        var (code, rows, errors) = await FrazilProcess.RunAsync(
            scene.Folder, ["query", $"select count(*) from {scene.Config.Table}", "--json", "-c", scene.ConfigFile], time.Token);
        Assert.True(code == 0, errors);
        Assert.Contains(ledger.Records.ToString(CultureInfo.InvariantCulture), rows, StringComparison.Ordinal);
        Assert.True((await scene.VerifyAsync(deep: true, time.Token)).IsProven);
        await AssertForeignEnginesReadAsync(scene, ledger.Records, time.Token);
    }

    [Fact]
    public async Task Maintenance_works_and_leaves_young_files_alone()
    {
        using var time = new CancellationTokenSource(Limit);
        var topic = $"{Kind}-sweep";
        var scene = await SetAsync(topic);
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, topic, 5_000, time.Token);
        await scene.RunUntilAsync(ledger.Records, time.Token);
        var store = Open();
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

    private protected async Task<Scene> SetAsync(string topic, params IEnumerable<(string Key, string Value)> more)
    {
        var warehouse = NewFolder();
        var properties = Properties;
        foreach (var (key, value) in more)
            properties[key] = value;
        return await Scene.SetAsync(
            shared, topic, bootstrap => Scene.Usual(bootstrap, topic) with { Warehouse = warehouse, CatalogProperties = properties });
    }

    private protected async Task AssertForeignEnginesReadAsync(Scene scene, long rows, CancellationToken cancellationToken)
    {
        var sums = new HashSet<string?>();
        foreach (var (engine, arguments) in Others)
        {
            var seen = await Referee.ReadAsync(engine, scene.CatalogFile, scene.Config.Table, cancellationToken, arguments);
            Assert.Equal(rows, seen.GetProperty("row_count").GetInt64());
            sums.Add(seen.GetProperty("row_checksum").GetString());
        }
        Assert.Single(sums);
    }
}
