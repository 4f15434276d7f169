using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Xunit;

namespace Frazil.Tests.Iceberg.Rest;

/// <summary>The kit's REST catalogs on local files, each started by the first test that asks for it and ended with the last.</summary>
public sealed class CatalogServers : IAsyncDisposable
{
    public const string Reference = "reference";
    public const string Polaris = "polaris";

    private readonly ScratchFolder folder = new();
    private readonly SemaphoreSlim gate = new(1);
    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> started = [];

    /// <summary>What the server's start said: <c>uri</c> and, of Polaris, <c>warehouse</c>, <c>credential</c>, <c>scope</c>, <c>token_uri</c>.
    /// Skips the test without the kit.</summary>
    internal async Task<IReadOnlyDictionary<string, string>> StartAsync(string server)
    {
        await gate.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (started.TryGetValue(server, out var known))
                return known;
            var dir = Path.Combine(folder.Path, server);
            // Tokens that end within each test.
            var said = server == Polaris
                ? await IcebergKit.RunKitAsync("polaris/start", "--dir", dir, "--port", "0", "--token-seconds", "5", "--timeout", "180")
                : await IcebergKit.RunKitAsync("rest-catalog/start", "--dir", dir, "--port", "0", "--timeout", "180");
            return started[server] = said.Split('\n').Select(static line => line.Split('=', 2)).Where(static pair => pair.Length == 2)
                .ToDictionary(static pair => pair[0].Trim(), static pair => pair[1].Trim());
        }
        finally
        {
            gate.Release();
        }
    }

    internal async Task<RestCatalog> OpenAsync(string server, params (string Name, string Value)[] properties)
    {
        var said = await StartAsync(server);
        var all = properties.ToDictionary(static pair => pair.Name, static pair => pair.Value);
        if (server == Polaris)
        {
            all.TryAdd("credential", said["credential"]);
            all.TryAdd("scope", said["scope"]);
            all.TryAdd("oauth2-server-uri", said["token_uri"]);
        }
        return await RestCatalog.OpenAsync(new()
        {
            Uri = said["uri"],
            Warehouse = server == Polaris ? said["warehouse"] : null,
            Properties = all,
            OpenStore = static _ => new LocalFileIO(),
        });
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in started.Keys)
            await IcebergKit.RunKitAsync(server == Polaris ? "polaris/stop" : "rest-catalog/stop", "--dir", Path.Combine(folder.Path, server));
        folder.Dispose();
        gate.Dispose();
    }
}
