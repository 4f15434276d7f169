using System.Collections.Concurrent;
using Azure;
using Azure.Core;
using Azure.Identity;
using Azure.Storage;
using Azure.Storage.Blobs;

namespace Frazil.Iceberg.IO;

/// <summary>Azure's clients, one for each container that was asked for. Thread-safe.</summary>
internal sealed class AzureContainers(AzureOptions options)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<(string Host, string Container), BlobContainerClient> clients = [];

    public AzureOptions Options => options;

    public BlobContainerClient Of(AzureLocation location)
        => clients.GetOrAdd((location.Host, location.Container), _ => Open(location));

    private BlobContainerClient Open(AzureLocation location)
    {
        var settings = new BlobClientOptions();
        settings.Retry.Mode = RetryMode.Exponential;
        settings.Retry.MaxRetries = options.Retries;
        settings.Retry.NetworkTimeout = options.RequestTimeout;
        settings.Retry.Delay = FirstPause;
        settings.Retry.MaxDelay = LongestPause;
        if (options.ConnectionStringOf(location) is { } connection)
            return new BlobContainerClient(connection, location.Container, settings);
        var place = new BlobUriBuilder(location.BlobEndpoint) { BlobContainerName = location.Container }.ToUri();
        if (options.SasTokenOf(location) is { } sas)
            return new BlobContainerClient(place, new AzureSasCredential(sas), settings);
        return options.AccountKey is { } key
            ? new BlobContainerClient(place, new StorageSharedKeyCredential(options.AccountName, key), settings)
            : new BlobContainerClient(place, Identity(), settings);
    }

    private TokenCredential Identity() => options switch
    {
        { Token: { } token } => DelegatedTokenCredential.Create((_, _) => new AccessToken(token, DateTimeOffset.MaxValue)),
        { TenantId: { } tenant, ClientId: { } client, ClientSecret: { } secret } => new ClientSecretCredential(tenant, client, secret),
        { ClientId: { } client } => new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(client)),
        _ => new DefaultAzureCredential(),
    };
}
