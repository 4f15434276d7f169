namespace Frazil.Rig;

/// <summary>A real broker of the kit; stopped and wiped when disposed.</summary>
public sealed class Broker : IAsyncDisposable
{
    private readonly string folder;

    private Broker(string folder, string bootstrap) => (this.folder, Bootstrap) = (folder, bootstrap);

    public string Bootstrap { get; }

    /// <summary>Starts one on free ports.</summary>
    public static async Task<Broker> StartAsync(string folder, CancellationToken cancellationToken)
    {
        var text = await Kit.RunAsync("kafka/start", ["--port", "0", "--dir", folder, "--partitions", "6"], cancellationToken);
        var line = text.Split('\n').First(line => line.StartsWith("bootstrap=", StringComparison.Ordinal));
        return new Broker(folder, line["bootstrap=".Length..].Trim());
    }

    /// <summary>SIGKILL; its data stays.</summary>
    public async Task KillAsync(CancellationToken cancellationToken) => await Kit.RunAsync("kafka/stop", ["--dir", folder, "--kill"], cancellationToken);

    /// <summary>Starts it again on the same data and ports.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken) => await Kit.RunAsync("kafka/start", ["--dir", folder], cancellationToken);

    public async ValueTask DisposeAsync() => await Kit.RunAsync("kafka/stop", ["--dir", folder, "--kill", "--wipe"], CancellationToken.None);
}
