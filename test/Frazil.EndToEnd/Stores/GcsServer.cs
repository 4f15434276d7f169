using Frazil.Iceberg.IO;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd.Stores;

/// <summary>The kit's server of Google's JSON API, with one bucket, in memory; skips the test that asks where the kit is absent.</summary>
public sealed class GcsServer : IAsyncLifetime
{
    private const string Bucket = "lake";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly string folder = Directory.CreateTempSubdirectory("frazil-gcs-").FullName;
    private string? endpoint;

    public async ValueTask InitializeAsync()
    {
        if (Kit.Folder is null)
            return;
        using var time = new CancellationTokenSource(Limit);
        string[] arguments = ["--dir", folder, "--bucket", Bucket, "--backend", "memory"]; // the other one folds names
        endpoint = KitPart.Said(await Kit.RunAsync("gcs/start", arguments, time.Token))["endpoint"];
    }

    public string NewFolder()
    {
        Assert.SkipWhen(endpoint is null, Kit.Absent);
        return $"gs://{Bucket}/{Guid.NewGuid():N}";
    }

    public Dictionary<string, string> Properties => new()
    {
        ["gcs.service.host"] = endpoint!, ["gcs.no-auth"] = "true", ["gcs.channel.write.chunk-size-bytes"] = $"{5 << 20}",
    };

    public GcsFileIO Open() => new(GcsOptions.From(Properties));

    public async ValueTask DisposeAsync()
    {
        if (endpoint is not null)
            await Kit.RunAsync("gcs/stop", ["--dir", folder, "--kill"], CancellationToken.None);
        Directory.Delete(folder, recursive: true);
    }
}
