using System.Runtime.CompilerServices;
using Amazon.S3.Model;

namespace Frazil.Iceberg.IO;

/// <summary>
/// Objects in Amazon S3 and in stores that speak its protocol. Creations are conditional (<c>If-None-Match: *</c>): of two that race
/// one wins, where the store heeds the condition. Every object carries the id of its
/// writing, so that a creation whose answer was lost is recognised when the request is sent again. Requests are sent again with growing
/// pauses where the failure may pass, and every one has a deadline. The maker disposes it.
/// </summary>
public sealed class S3FileIO : IFileIO, IDisposable
{
    private const int KeysPerDeletion = 1000; // the protocol's limit

    private readonly S3Requests requests;

    /// <param name="options">How the store is reached.</param>
    /// <exception cref="ValidationException">The options name a profile that is not there.</exception>
    public S3FileIO(S3Options options) : this(options, null) { }

    private S3FileIO(S3Options options, VendedCredentials? vended) => requests = new S3Requests(S3Clients.Open(options, vended), options);

    /// <summary>With credentials that a catalog lends and that end.</summary>
    /// <param name="lent">The properties that came with the table.</param>
    /// <param name="fetch">Fetches the table's properties anew; called when the credentials are about to end.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <exception cref="ValidationException">A property's value is not what it takes.</exception>
    public static S3FileIO WithVended(
        IReadOnlyDictionary<string, string> lent, Func<CancellationToken, Task<IReadOnlyDictionary<string, string>>> fetch,
        TimeProvider? time = null)
    {
        var first = S3Options.From(lent);
        return new S3FileIO(first, new VendedCredentials(first, Fetch, time ?? TimeProvider.System));

        async Task<S3Options> Fetch(CancellationToken cancellationToken)
            => S3Options.From(await fetch(cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Whether a location is one of this kind of store.</summary>
    public static bool Knows(string location) => S3Location.IsOne(location);

    public string LocationFor(string pathOrUri)
    {
        _ = S3Location.Parse(pathOrUri);
        return pathOrUri.TrimEnd('/');
    }

    public string? LocalPathFor(string location) => null;

    public async Task<byte[]> ReadAsync(string location, CancellationToken cancellationToken = default)
    {
        var stream = await requests.OpenAsync(location, 0, null, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
            return await stream.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task<Stream> OpenReadAsync(
        string location, long offset = 0, long? length = null, CancellationToken cancellationToken = default)
    {
        if (length != 0)
            return await requests.OpenAsync(location, offset, length, cancellationToken).ConfigureAwait(false);
        await requests.HeadAsync(location, cancellationToken).ConfigureAwait(false);
        return Stream.Null;
    }

    public async Task CreateAsync(string location, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
        => await requests.CreateAsync(location, content, cancellationToken).ConfigureAwait(false);

    /// <summary>Finds a name that is taken at the end only: a look now would cost a request, and prove nothing.</summary>
    public Task<UploadStream> BeginUploadAsync(string location, CancellationToken cancellationToken = default)
        => Task.FromResult<UploadStream>(new S3Upload(requests, location));

    public async Task<bool> ExistsAsync(string location, CancellationToken cancellationToken = default)
    {
        try
        {
            await requests.HeadAsync(location, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    public async Task<long> LengthAsync(string location, CancellationToken cancellationToken = default)
        => (await requests.HeadAsync(location, cancellationToken).ConfigureAwait(false)).ContentLength;

    public Task DeleteAsync(string location, CancellationToken cancellationToken = default)
    {
        var (bucket, key) = S3Location.ParseObject(location);
        return S3Errors.Translated(
            location, () => requests.Client.DeleteObjectAsync(bucket, key, cancellationToken), cancellationToken);
    }

    public async Task DeleteManyAsync(IReadOnlyCollection<string> locations, CancellationToken cancellationToken = default)
    {
        foreach (var bucket in locations.Select(S3Location.ParseObject).GroupBy(location => location.Bucket))
            foreach (var keys in bucket.Select(location => location.Key).Distinct().Chunk(KeysPerDeletion))
                await requests.DeleteAsync(bucket.Key, keys, cancellationToken).ConfigureAwait(false);
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(
        string folder, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var (bucket, key) = S3Location.Parse(folder);
        var prefix = key.Trim('/').Length == 0 ? "" : key.TrimEnd('/') + "/";
        var root = folder.TrimEnd('/');
        var request = new ListObjectsV2Request { BucketName = bucket, Prefix = prefix };
        ListObjectsV2Response page;
        do
        {
            page = await S3Errors.Translated(
                folder, () => requests.Client.ListObjectsV2Async(request, cancellationToken), cancellationToken).ConfigureAwait(false);
            foreach (var found in page.S3Objects ?? [])
                if (!found.Key.EndsWith('/')) // what consoles make for an empty folder
                    yield return new StoredObject(
                        $"{root}/{found.Key[prefix.Length..]}", found.Size ?? 0, new DateTimeOffset(found.LastModified ?? default, TimeSpan.Zero));
            request.ContinuationToken = page.NextContinuationToken;
        } while (page.IsTruncated == true);
    }

    /// <summary>The objects at and below a folder whose uploads were begun, and neither completed nor given up.</summary>
    public async Task<IReadOnlyList<string>> UnfinishedUploadsAsync(string folder, CancellationToken cancellationToken = default)
    {
        var (bucket, key) = S3Location.Parse(folder);
        var request = new ListMultipartUploadsRequest { BucketName = bucket, Prefix = key };
        var found = new List<string>();
        ListMultipartUploadsResponse page;
        do
        {
            page = await S3Errors.Translated(
                folder, () => requests.Client.ListMultipartUploadsAsync(request, cancellationToken), cancellationToken).ConfigureAwait(false);
            found.AddRange((page.MultipartUploads ?? []).Select(upload => $"s3://{bucket}/{upload.Key}"));
            (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker, page.NextUploadIdMarker);
        } while (page.IsTruncated == true);
        return found;
    }

    public void Dispose() => requests.Dispose();
}
