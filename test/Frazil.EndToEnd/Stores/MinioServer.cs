using Frazil.Iceberg.IO;

namespace Frazil.Rig;

/// <summary>A real S3 server of the kit, with one bucket; stopped and wiped when disposed.</summary>
public sealed class MinioServer : IAsyncDisposable
{
    public const string Bucket = "lake";

    private readonly string folder;
    private readonly Dictionary<string, string> said;

    private MinioServer(string folder, Dictionary<string, string> said) => (this.folder, this.said) = (folder, said);

    public string Endpoint => said["endpoint"];

    /// <summary>Iceberg's properties for it.</summary>
    public Dictionary<string, string> Properties => new()
    {
        ["s3.endpoint"] = Endpoint,
        ["s3.access-key-id"] = said["access_key"],
        ["s3.secret-access-key"] = said["secret_key"],
        ["s3.region"] = said["region"],
    };

    public static async Task<MinioServer> StartAsync(CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("frazil-minio-").FullName;
        return new MinioServer(folder, KitPart.Said(await Kit.RunAsync("minio/start", ["--dir", folder, "--bucket", Bucket], cancellationToken)));
    }

    /// <summary>A store on it.</summary>
    public S3FileIO Open(params IEnumerable<(string Key, string Value)> more)
    {
        var properties = Properties;
        foreach (var (key, value) in more)
            properties[key] = value;
        return new S3FileIO(S3Options.From(properties));
    }

    public async ValueTask DisposeAsync()
    {
        await Kit.RunAsync("minio/stop", ["--dir", folder, "--kill"], CancellationToken.None);
        Directory.Delete(folder, recursive: true);
    }
}
