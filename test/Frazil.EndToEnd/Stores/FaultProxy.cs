using System.Net.Http.Json;
using System.Text.Json;

namespace Frazil.Rig;

/// <summary>The kit's proxy between a client and a server, which does to connections what it is told; stopped when disposed.</summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private readonly string folder;
    private readonly HttpClient http;

    private FaultProxy(string folder, string api) => (this.folder, http) = (folder, new HttpClient { BaseAddress = new Uri(api) });

    /// <summary>Starts one.</summary>
    public static async Task<FaultProxy> StartAsync(CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("frazil-proxy-").FullName;
        return new FaultProxy(folder, KitPart.Said(await Kit.RunAsync("toxiproxy/start", ["--dir", folder], cancellationToken))["api"]);
    }

    /// <summary>Opens a way to a server.</summary>
    /// <returns>Its address for clients, <c>host:port</c>.</returns>
    public async Task<string> OpenAsync(string name, string server, CancellationToken cancellationToken)
    {
        using var answer = await http.PostAsJsonAsync("/proxies", new { name, listen = "127.0.0.1:0", upstream = server }, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken)).GetProperty("listen").GetString()!;
    }

    /// <summary>Harms connections from now on.</summary>
    /// <param name="name">Of the way.</param>
    /// <param name="kind">As the proxy names it: timeout, limit_data, latency, …</param>
    /// <param name="attribute">Its one attribute.</param>
    /// <param name="value">Of the attribute.</param>
    /// <param name="stream">downstream: answers; upstream: requests.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task HarmAsync(
        string name, string kind, string attribute, int value, string stream, CancellationToken cancellationToken)
    {
        var toxic = new { name = kind, type = kind, stream, attributes = new Dictionary<string, int> { [attribute] = value } };
        using var answer = await http.PostAsJsonAsync($"/proxies/{name}/toxics", toxic, cancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Ends all harm.</summary>
    public async Task HealAsync(CancellationToken cancellationToken)
    {
        using var answer = await http.PostAsync("/reset", null, cancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Refuses connections.</summary>
    public async Task CloseAsync(string name, CancellationToken cancellationToken)
    {
        using var answer = await http.PostAsJsonAsync($"/proxies/{name}", new { enabled = false }, cancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await Kit.RunAsync("toxiproxy/stop", ["--dir", folder], CancellationToken.None);
        Directory.Delete(folder, recursive: true);
    }
}
