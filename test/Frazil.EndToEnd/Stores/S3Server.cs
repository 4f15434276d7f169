using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd.Stores;

/// <summary>One S3 server and one fault proxy for a class of tests; skips it where the kit is absent.</summary>
public sealed class S3Server : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public MinioServer Minio { get; private set; } = null!;

    public FaultProxy Proxy { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        if (Kit.Folder is null)
            return;
        using var time = new CancellationTokenSource(Limit);
        Minio = await MinioServer.StartAsync(time.Token);
        Proxy = await FaultProxy.StartAsync(time.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (Proxy is not null)
            await Proxy.DisposeAsync();
        if (Minio is not null)
            await Minio.DisposeAsync();
    }

    /// <summary>A place of its own in the bucket.</summary>
    public string NewFolder()
    {
        Assert.SkipWhen(Kit.Folder is null, Kit.Absent);
        return $"s3://{MinioServer.Bucket}/{Guid.NewGuid():N}";
    }
}
