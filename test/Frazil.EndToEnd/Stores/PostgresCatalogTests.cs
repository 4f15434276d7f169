using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd.Stores;

/// <summary>Iceberg's JDBC catalog in a real Postgres: of racing commits each counts once, a server that dies loses none, others read it.</summary>
public sealed class PostgresCatalogTests(SharedBroker shared, PostgresServer server) : IClassFixture<PostgresServer>
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task Commits_of_racing_writers_all_count_and_names_are_taken_once()
    {
        server.SkipIfAbsent();
        using var time = new CancellationTokenSource(Limit);
        var folder = shared.NewFolder("postgres-race");
        var name = $"race_{Guid.NewGuid():N}";
        var catalogs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => OpenAsync(folder, name, time.Token)));
        var table = TableIdentifier.Parse("shop.orders");
        await catalogs[0].CreateNamespaceAsync(NamespaceName.Parse("shop"), null, time.Token);
        await Assert.ThrowsAsync<NamespaceAlreadyExistsException>(() => catalogs[1].CreateNamespaceAsync(NamespaceName.Parse("shop"), null, time.Token));
        var made = await Task.WhenAll(catalogs.Select(catalog => MadeAsync(catalog, table, time.Token)));

        await Task.WhenAll(catalogs.Select((catalog, writer) => CommitAsync(catalog, table, writer, time.Token)));

        Assert.Single(made, one => one);
        var loaded = await catalogs[0].LoadTableAsync(table, time.Token);
        Assert.Equal(4 * 5, loaded.Metadata.Properties.Keys.Count(key => key.StartsWith("mark.", StringComparison.Ordinal)));
        await catalogs[0].RenameTableAsync(table, TableIdentifier.Parse("shop.renamed"), time.Token);
        Assert.Equal("shop.renamed", Assert.Single(await catalogs[1].ListTablesAsync(NamespaceName.Parse("shop"), time.Token)).ToString());
        await catalogs[2].DropTableAsync(TableIdentifier.Parse("shop.renamed"), purge: true, time.Token);
        await catalogs[3].DropNamespaceAsync(NamespaceName.Parse("shop"), time.Token);
        Assert.Empty(await catalogs[0].ListNamespacesAsync(null, time.Token));
        foreach (var catalog in catalogs)
            await catalog.DisposeAsync();
    }

    [Fact]
    public async Task The_main_job_survives_the_death_of_the_catalog_s_server()
    {
        server.SkipIfAbsent();
        using var time = new CancellationTokenSource(Limit);
        var scene = await Scene.SetAsync(shared, "postgres", bootstrap => Scene.Usual(bootstrap, "postgres") with { CatalogUri = server.Uri });
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, "postgres", 10_000, time.Token);
        await using var frazil = await scene.StartReadyAsync(time.Token);
        await frazil.UntilAsync(
            async () => await frazil.MetricAsync("frazil_commits_total", time.Token) > 0, TimeSpan.FromMilliseconds(20), time.Token);

        await server.KillAsync(time.Token);
        ledger += await Kit.LoadAsync(scene.Config.BootstrapServers, "postgres", 10_000, time.Token, "--first", "10000");
        await frazil.UntilAsync(
            async () => await frazil.MetricAsync("frazil_flush_failures_total", time.Token) > 0, TimeSpan.FromMilliseconds(50), time.Token);
        await server.StartAsync(time.Token);
        await scene.UntilRowsAsync(frazil, ledger.Records, time.Token);
        await Scene.StopCleanlyAsync(frazil, time.Token);

        var verification = await scene.VerifyAsync(deep: true, time.Token);
        Assert.True(verification.IsProven, verification.Json);
        Assert.Equal(ledger.Records, verification.Sum("rows"));
        var seen = await Referee.ReadAsync("pyiceberg", new Uri(server.Uri), scene.Config.Table, time.Token);
        Assert.Equal(ledger.Records, seen.GetProperty("row_count").GetInt64());
    }

    private Task<SqlCatalog> OpenAsync(string folder, string name, CancellationToken cancellationToken)
        => SqlCatalog.OpenAsync(server.Uri, Path.Combine(folder, "warehouse"), new LocalFileIO(), name, cancellationToken: cancellationToken);

    private static async Task<bool> MadeAsync(SqlCatalog catalog, TableIdentifier table, CancellationToken cancellationToken)
    {
        try
        {
            await catalog.CreateTableAsync(table, new Schema(0, [new(1, "id", false, IcebergType.Long)]), cancellationToken: cancellationToken);
            return true;
        }
        catch (TableAlreadyExistsException)
        {
            return false;
        }
    }

    private static async Task CommitAsync(SqlCatalog catalog, TableIdentifier table, int writer, CancellationToken cancellationToken)
    {
        for (var commit = 0; commit < 5; commit++)
        {
            var change = new TableUpdate.SetProperties(new Dictionary<string, string> { [$"mark.{writer}.{commit}"] = "x" });
            try
            {
                await catalog.CommitTableAsync(table, [], [change], cancellationToken);
            }
            catch (CommitConflictException)
            {
                commit--; // lost ten races in a row
            }
        }
    }
}
