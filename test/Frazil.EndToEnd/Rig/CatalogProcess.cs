namespace Frazil.Rig;

/// <summary>One of the kit's REST catalogs, on local files, which may be killed and started again.</summary>
internal sealed class CatalogProcess : IAsyncDisposable
{
    private readonly string server;
    private readonly string folder;

    private CatalogProcess(string server, string folder, IReadOnlyDictionary<string, string> said)
    {
        (this.server, this.folder, Uri) = (server, folder, said["uri"]);
        Warehouse = said.GetValueOrDefault("warehouse") ?? Path.Combine(folder, "warehouse");
        Properties = said.TryGetValue("credential", out var credential)
            ? new() { ["credential"] = credential, ["scope"] = said["scope"], ["oauth2-server-uri"] = said["token_uri"] } : [];
    }

    /// <summary>Without <c>/v1</c>.</summary>
    public string Uri { get; }

    /// <summary>A name, or, of a server that does not say where it keeps tables, the folder.</summary>
    public string Warehouse { get; }

    /// <summary>What else a client has to be told.</summary>
    public Dictionary<string, string> Properties { get; }

    /// <param name="server">The kit's folder of it: <c>rest-catalog</c> or <c>polaris</c>.</param>
    /// <param name="folder">Its own.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<CatalogProcess> StartAsync(string server, string folder, CancellationToken cancellationToken)
    {
        var said = await StartAsync(server, folder, 0, cancellationToken);
        return new(server, folder, said);
    }

    public Task KillAsync(CancellationToken cancellationToken) => Kit.RunAsync($"{server}/stop", ["--dir", folder, "--kill"], cancellationToken);

    /// <summary>At the same address, with what it had.</summary>
    public Task StartAgainAsync(CancellationToken cancellationToken) => StartAsync(server, folder, new Uri(Uri).Port, cancellationToken);

    public async ValueTask DisposeAsync() => await Kit.RunAsync($"{server}/stop", ["--dir", folder], CancellationToken.None);

    private static async Task<Dictionary<string, string>> StartAsync(string server, string folder, int port, CancellationToken cancellationToken)
    {
        var text = await Kit.RunAsync($"{server}/start", ["--dir", folder, "--port", $"{port}", "--timeout", "180"], cancellationToken);
        return text.Split('\n').Select(static line => line.Split('=', 2)).Where(static pair => pair.Length == 2)
            .ToDictionary(static pair => pair[0].Trim(), static pair => pair[1].Trim());
    }
}
