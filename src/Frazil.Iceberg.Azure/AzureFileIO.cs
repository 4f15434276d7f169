using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace Frazil.Iceberg.IO;

/// <summary>
/// Objects in Azure's Blob Storage, accounts with a hierarchical namespace (ADLS Gen2) included. Creations are conditional: of two that race
/// one wins. Every object carries the id of its writing, so that a creation whose answer was lost is recognised when the request is sent
/// again. Requests are sent again with growing pauses where the failure may pass, and every one has a deadline.
/// </summary>
/// <param name="options">How accounts are reached.</param>
public sealed class AzureFileIO(AzureOptions options) : IFileIO
{
    private const string WriteId = "frazil_write_id";
    private const string FolderMark = "hdi_isfolder";
    private const int DeletionsAtOnce = 16;

    private readonly AzureContainers containers = new(options);

    /// <summary>Whether a location is one of this kind of store.</summary>
    public static bool Knows(string location) => AzureLocation.IsOne(location);

    public string LocationFor(string pathOrUri)
    {
        _ = AzureLocation.Parse(pathOrUri);
        return pathOrUri.TrimEnd('/');
    }

    public string? LocalPathFor(string location) => null;

    public async Task<byte[]> ReadAsync(string location, CancellationToken cancellationToken = default)
    {
        var stream = await OpenReadAsync(location, 0, null, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            using var content = new MemoryStream();
            await AzureErrors.Translated(location, async () =>
            {
                await stream.CopyToAsync(content, cancellationToken).ConfigureAwait(false);
                return true;
            }, cancellationToken).ConfigureAwait(false);
            return content.ToArray();
        }
    }

    /// <summary>The stream asks for the rest of the same version of the object where the connection breaks.</summary>
    public async Task<Stream> OpenReadAsync(
        string location, long offset = 0, long? length = null, CancellationToken cancellationToken = default)
    {
        var blob = BlobOf(location);
        if (length == 0)
        {
            await LengthAsync(location, cancellationToken).ConfigureAwait(false);
            return Stream.Null;
        }
        try
        {
            var wanted = new BlobDownloadOptions { Range = offset == 0 && length is null ? default : new HttpRange(offset, length) };
            return (await blob.DownloadStreamingAsync(wanted, cancellationToken).ConfigureAwait(false)).Value.Content;
        }
        catch (RequestFailedException error) when (AzureErrors.IsBeyondTheEnd(error))
        {
            return Stream.Null;
        }
        catch (Exception error) when (AzureErrors.Translate(location, error, cancellationToken) is { } translated)
        {
            throw translated;
        }
    }

    public Task CreateAsync(string location, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        var writeId = NewWriteId();
        return CreateOnceAsync(location, writeId, async () =>
        {
            using var stream = BinaryData.FromBytes(content).ToStream();
            var create = new BlobUploadOptions { Conditions = IfNone(), Metadata = MetadataOf(writeId) };
            await BlobOf(location).UploadAsync(stream, create, cancellationToken).ConfigureAwait(false);
        }, cancellationToken);
    }

    /// <summary>Finds a name that is taken at the end only: a look now would cost a request, and prove nothing.</summary>
    public Task<UploadStream> BeginUploadAsync(string location, CancellationToken cancellationToken = default)
        => Task.FromResult<UploadStream>(new AzureUpload(this, BlobOf(location), location, options));

    public Task<bool> ExistsAsync(string location, CancellationToken cancellationToken = default)
        => AzureErrors.Translated(
            location, async () => (await BlobOf(location).ExistsAsync(cancellationToken).ConfigureAwait(false)).Value, cancellationToken);

    public Task<long> LengthAsync(string location, CancellationToken cancellationToken = default)
        => AzureErrors.Translated(
            location,
            async () => (await BlobOf(location).GetPropertiesAsync(cancellationToken: cancellationToken).ConfigureAwait(false)).Value.ContentLength,
            cancellationToken);

    public Task DeleteAsync(string location, CancellationToken cancellationToken = default)
        => AzureErrors.Translated(
            location, () => BlobOf(location).DeleteIfExistsAsync(cancellationToken: cancellationToken), cancellationToken);

    public Task DeleteManyAsync(IReadOnlyCollection<string> locations, CancellationToken cancellationToken = default)
        => Parallel.ForEachAsync(
            locations, new ParallelOptions { MaxDegreeOfParallelism = DeletionsAtOnce, CancellationToken = cancellationToken },
            async (location, token) => await DeleteAsync(location, token).ConfigureAwait(false));

    public async IAsyncEnumerable<StoredObject> ListAsync(
        string folder, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var place = AzureLocation.Parse(folder);
        var prefix = place.Path.Trim('/').Length == 0 ? "" : place.Path.TrimEnd('/') + "/";
        var wanted = new GetBlobsOptions { Prefix = prefix, Traits = BlobTraits.Metadata };
        var found = containers.Of(place).GetBlobsAsync(wanted, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using (found.ConfigureAwait(false))
        {
            while (await AzureErrors.Translated(folder, async () => await found.MoveNextAsync().ConfigureAwait(false), cancellationToken).ConfigureAwait(false))
            {
                var blob = found.Current;
                if (blob.Metadata?.ContainsKey(FolderMark) != true) // what a hierarchical namespace lists of its folders
                    yield return new StoredObject(
                        $"{folder.TrimEnd('/')}/{blob.Name[prefix.Length..]}", blob.Properties.ContentLength ?? 0, blob.Properties.LastModified ?? default);
            }
        }
    }

    internal static string NewWriteId() => Guid.NewGuid().ToString("N");

    internal static Dictionary<string, string> MetadataOf(string writeId) => new() { [WriteId] = writeId };

    internal static BlobRequestConditions IfNone() => new() { IfNoneMatch = ETag.All };

    /// <summary>Runs the request that gives an object its name. Where the name is taken it looks whether by an earlier sending of this very
    /// request.</summary>
    internal async Task CreateOnceAsync(string location, string writeId, Func<Task> request, CancellationToken cancellationToken)
    {
        try
        {
            await request().ConfigureAwait(false);
        }
        catch (RequestFailedException error) when (AzureErrors.IsTaken(error))
        {
            if (!await IsOursAsync(location, writeId, cancellationToken).ConfigureAwait(false))
                throw new ObjectExistsException(location, error);
        }
        catch (Exception error) when (AzureErrors.Translate(location, error, cancellationToken) is { } translated)
        {
            throw translated;
        }
    }

    private async Task<bool> IsOursAsync(string location, string writeId, CancellationToken cancellationToken)
    {
        try
        {
            var properties = await AzureErrors.Translated(
                location, () => BlobOf(location).GetPropertiesAsync(cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false);
            return properties.Value.Metadata.TryGetValue(WriteId, out var id) && id == writeId;
        }
        catch (FileNotFoundException)
        {
            return false; // taken a moment ago, and gone since: not ours in any case
        }
    }

    private BlockBlobClient BlobOf(string location)
    {
        var place = AzureLocation.ParseObject(location);
        return containers.Of(place).GetBlockBlobClient(place.Path);
    }
}
