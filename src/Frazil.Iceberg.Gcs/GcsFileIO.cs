using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using Google;
using Google.Apis.Auth.OAuth2;
using Google.Cloud.Storage.V1;
using StorageObject = Google.Apis.Storage.v1.Data.Object;

namespace Frazil.Iceberg.IO;

/// <summary>
/// Objects in Google Cloud Storage. Creations are conditional (<c>ifGenerationMatch=0</c>): of two that race one wins. Every object carries
/// the id of its writing, so that a creation whose answer was lost is recognised when the request is sent again. Requests are sent again
/// where the failure may pass, and every one has a deadline. The maker disposes it.
/// </summary>
public sealed class GcsFileIO : IFileIO, IDisposable
{
    private const string WriteId = "frazil-write-id";
    private const string ContentType = "application/octet-stream";
    private const int DeletionsAtOnce = 16;

    private readonly GcsOptions options;
    private readonly Lazy<StorageClient> client;

    /// <param name="options">How the service is reached. Credentials are looked for with the first request.</param>
    public GcsFileIO(GcsOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.options = options;
        client = new(() => Build(options));
    }

    /// <summary>Whether a location is one of this kind of store.</summary>
    public static bool Knows(string location) => GcsLocation.IsOne(location);

    public string LocationFor(string pathOrUri)
    {
        _ = GcsLocation.Parse(pathOrUri);
        return pathOrUri.TrimEnd('/');
    }

    public string? LocalPathFor(string location) => null;

    public async Task<byte[]> ReadAsync(string location, CancellationToken cancellationToken = default)
    {
        var stream = await OpenAsync(location, 0, null, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
            return await stream.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task<Stream> OpenReadAsync(
        string location, long offset = 0, long? length = null, CancellationToken cancellationToken = default)
    {
        if (length != 0)
            return await OpenAsync(location, offset, length, cancellationToken).ConfigureAwait(false);
        await LengthAsync(location, cancellationToken).ConfigureAwait(false);
        return Stream.Null;
    }

    public async Task CreateAsync(string location, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        using var stream = new MemoryStream(content.ToArray(), writable: false);
        await CreateAsync(location, stream, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Finds a name that is taken at the end only: a look now would cost a request, and prove nothing.</summary>
    public Task<UploadStream> BeginUploadAsync(string location, CancellationToken cancellationToken = default)
    {
        _ = GcsLocation.ParseObject(location);
        return Task.FromResult<UploadStream>(new GcsUpload(this, location, options.ChunkBytes));
    }

    public async Task<bool> ExistsAsync(string location, CancellationToken cancellationToken = default)
    {
        try
        {
            await FindAsync(location, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    public async Task<long> LengthAsync(string location, CancellationToken cancellationToken = default)
        => (long)((await FindAsync(location, cancellationToken).ConfigureAwait(false)).Size ?? 0);

    public async Task DeleteAsync(string location, CancellationToken cancellationToken = default)
    {
        var (bucket, name) = GcsLocation.ParseObject(location);
        try
        {
            await client.Value.DeleteObjectAsync(bucket, name, null, cancellationToken).ConfigureAwait(false);
        }
        catch (GoogleApiException error) when (error.HttpStatusCode == HttpStatusCode.NotFound)
        {
            // None there is fine.
        }
        catch (Exception error) when (GcsErrors.Translate(location, error, cancellationToken) is { } translated)
        {
            throw translated;
        }
    }

    public Task DeleteManyAsync(IReadOnlyCollection<string> locations, CancellationToken cancellationToken = default)
        => Parallel.ForEachAsync(
            locations, new ParallelOptions { MaxDegreeOfParallelism = DeletionsAtOnce, CancellationToken = cancellationToken },
            async (location, token) => await DeleteAsync(location, token).ConfigureAwait(false));

    public async IAsyncEnumerable<StoredObject> ListAsync(
        string folder, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var (bucket, name) = GcsLocation.Parse(folder);
        var prefix = name.Trim('/').Length == 0 ? "" : name.TrimEnd('/') + "/";
        var found = client.Value.ListObjectsAsync(bucket, prefix).GetAsyncEnumerator(cancellationToken);
        await using (found.ConfigureAwait(false))
        {
            while (await GcsErrors.Translated(folder, async () => await found.MoveNextAsync().ConfigureAwait(false), cancellationToken).ConfigureAwait(false))
                yield return new StoredObject(
                    $"{folder.TrimEnd('/')}/{found.Current.Name[prefix.Length..]}", (long)(found.Current.Size ?? 0),
                    TimeOf(found.Current.UpdatedRaw));
        }
    }

    public void Dispose()
    {
        if (client.IsValueCreated)
            client.Value.Dispose();
    }

    /// <summary>Creates an object from a stream, which it reads to its end. Where the name is taken it looks whether by an earlier sending of
    /// this very request.</summary>
    internal async Task CreateAsync(string location, Stream content, CancellationToken cancellationToken)
    {
        var (bucket, name) = GcsLocation.ParseObject(location);
        var writeId = Guid.NewGuid().ToString("N");
        var created = new StorageObject
        {
            Bucket = bucket, Name = name, ContentType = ContentType, Metadata = new Dictionary<string, string> { [WriteId] = writeId },
        };
        var how = new UploadObjectOptions { IfGenerationMatch = 0, ChunkSize = options.ChunkBytes, UserProject = options.UserProject };
        try
        {
            await client.Value.UploadObjectAsync(created, content, how, cancellationToken).ConfigureAwait(false);
        }
        catch (GoogleApiException error) when (error.HttpStatusCode == HttpStatusCode.PreconditionFailed)
        {
            if (!await IsOursAsync(location, writeId, cancellationToken).ConfigureAwait(false))
                throw new ObjectExistsException(location, error);
        }
        catch (Exception error) when (GcsErrors.Translate(location, error, cancellationToken) is { } translated)
        {
            throw translated;
        }
    }

    private async Task<bool> IsOursAsync(string location, string writeId, CancellationToken cancellationToken)
    {
        try
        {
            var found = await FindAsync(location, cancellationToken).ConfigureAwait(false);
            return found.Metadata is { } metadata && metadata.TryGetValue(WriteId, out var id) && id == writeId;
        }
        catch (FileNotFoundException)
        {
            return false; // taken a moment ago, and gone since: not ours in any case
        }
    }

    private Task<StorageObject> FindAsync(string location, CancellationToken cancellationToken)
    {
        var (bucket, name) = GcsLocation.ParseObject(location);
        return GcsErrors.Translated(location, () => client.Value.GetObjectAsync(bucket, name, null, cancellationToken), cancellationToken);
    }

    private Task<ResumingStream> OpenAsync(string location, long offset, long? length, CancellationToken cancellationToken)
        => ResumingStream.OpenAsync(
            location,
            (from, bytes, version, token) => GcsErrors.Translated(location, () => GetAsync(location, from, bytes, version, token), token),
            offset, length, options.Retries, options.RequestTimeout, cancellationToken);

    private async Task<StoredPart?> GetAsync(
        string location, long offset, long? length, string? generation, CancellationToken cancellationToken)
    {
        var (bucket, name) = GcsLocation.ParseObject(location);
        var service = client.Value.Service;
        var same = generation is null ? "" : $"&ifGenerationMatch={generation}";
        var address = $"{service.BaseUri}b/{Uri.EscapeDataString(bucket)}/o/{Uri.EscapeDataString(name)}?alt=media{same}";
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (offset > 0 || length is not null)
            request.Headers.Range = new RangeHeaderValue(offset, offset + length - 1);
        var answer = await service.HttpClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        if (answer.IsSuccessStatusCode)
        {
            var body = await answer.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            return new StoredPart(body, answer.Content.Headers.ContentLength ?? 0, Generation(answer), answer);
        }
        using (answer)
        {
            if (answer.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
                return null;
            if (answer.StatusCode == HttpStatusCode.PreconditionFailed)
                throw new IOException($"'{location}' was replaced by another object while it was read.");
            var said = await answer.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
            throw GcsErrors.Of(location, answer.StatusCode, said.Trim());
        }
    }

    /// <summary>Read here: the client's own reading takes no more than milliseconds.</summary>
    private static DateTimeOffset TimeOf(string? text)
        => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : default;

    private static string? Generation(HttpResponseMessage answer)
        => answer.Headers.TryGetValues("x-goog-generation", out var values) ? values.FirstOrDefault() : null;

    private static StorageClient Build(GcsOptions options)
    {
        var builder = new StorageClientBuilder { UnauthenticatedAccess = options.IsAnonymous };
        if (options.Host is { } host)
            builder.BaseUri = $"{host.TrimEnd('/')}/storage/v1/";
        if (options.Token is { } token)
            builder.GoogleCredential = GoogleCredential.FromAccessToken(token);
        else if (options.CredentialsFile is { } file)
            builder.GoogleCredential = CredentialFactory.FromFile<ServiceAccountCredential>(file).ToGoogleCredential();
        return builder.Build();
    }
}
