using System.Net;
using Amazon.S3;
using Amazon.S3.Model;

namespace Frazil.Iceberg.IO;

/// <summary>The requests of one store, with what every one of them carries: encryption, class, tags, the id of the writing. Owns the
/// client.</summary>
internal sealed class S3Requests(AmazonS3Client client, S3Options options) : IDisposable
{
    private const string WriteId = "x-amz-meta-frazil-write-id";
    private const int RacesAtMost = 8;

    private static readonly TimeSpan RacePause = TimeSpan.FromMilliseconds(200);

    public AmazonS3Client Client => client;

    public S3Options Options => options;

    /// <summary>Creates an object in one request.</summary>
    public Task CreateAsync(string location, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var writeId = NewWriteId();
        return CreateOnceAsync(location, writeId, () => client.PutObjectAsync(NewPut(location, content, writeId), cancellationToken), cancellationToken);
    }

    /// <summary>Runs the request that gives an object its name. Where the name is taken it looks whether by an earlier sending of this very
    /// request.</summary>
    public async Task CreateOnceAsync<T>(
        string location, string writeId, Func<Task<T>> request, CancellationToken cancellationToken)
    {
        for (var race = 1; ; race++)
        {
            try
            {
                await request().ConfigureAwait(false);
                return;
            }
            catch (AmazonS3Exception error) when (S3Errors.IsRace(error) && race < RacesAtMost)
            {
                await Task.Delay(RacePause * race, cancellationToken).ConfigureAwait(false);
            }
            catch (AmazonS3Exception error) when (S3Errors.IsTaken(error) || error.ErrorCode == "NoSuchUpload")
            {
                if (await IsOursAsync(location, writeId, cancellationToken).ConfigureAwait(false))
                    return;
                throw S3Errors.Translate(location, error, cancellationToken)!;
            }
            catch (Exception error) when (S3Errors.Translate(location, error, cancellationToken) is { } translated)
            {
                throw translated;
            }
        }
    }

    /// <exception cref="FileNotFoundException">No such object.</exception>
    public Task<GetObjectMetadataResponse> HeadAsync(string location, CancellationToken cancellationToken)
    {
        var (bucket, key) = S3Location.ParseObject(location);
        var request = new GetObjectMetadataRequest { BucketName = bucket, Key = key };
        if (options.Encryption == S3Encryption.Custom)
        {
            request.ServerSideEncryptionCustomerMethod = ServerSideEncryptionCustomerMethod.AES256;
            request.ServerSideEncryptionCustomerProvidedKey = options.EncryptionKey;
            request.ServerSideEncryptionCustomerProvidedKeyMD5 = options.EncryptionKeyMd5;
        }
        return S3Errors.Translated(location, () => client.GetObjectMetadataAsync(request, cancellationToken), cancellationToken);
    }

    /// <summary>Opens a part of an object, at least a byte.</summary>
    public Task<ResumingStream> OpenAsync(string location, long offset, long? length, CancellationToken cancellationToken)
        => ResumingStream.OpenAsync(
            location, (from, bytes, version, token) => GetAsync(location, from, bytes, version, token), offset, length, options.Retries,
            options.RequestTimeout, cancellationToken);

    private async Task<StoredPart?> GetAsync(string location, long offset, long? length, string? etag, CancellationToken cancellationToken)
    {
        var (bucket, key) = S3Location.ParseObject(location);
        var request = new GetObjectRequest { BucketName = bucket, Key = key, EtagToMatch = etag };
        if (offset > 0 || length is not null)
            request.ByteRange = length is { } bytes ? new ByteRange(offset, offset + bytes - 1) : new ByteRange($"bytes={offset}-");
        if (options.Encryption == S3Encryption.Custom)
        {
            request.ServerSideEncryptionCustomerMethod = ServerSideEncryptionCustomerMethod.AES256;
            request.ServerSideEncryptionCustomerProvidedKey = options.EncryptionKey;
            request.ServerSideEncryptionCustomerProvidedKeyMD5 = options.EncryptionKeyMd5;
        }
        try
        {
            var response = await client.GetObjectAsync(request, cancellationToken).ConfigureAwait(false);
            return new StoredPart(response.ResponseStream, response.ContentLength, response.ETag, response);
        }
        catch (AmazonS3Exception error) when (S3Errors.IsBeyondTheEnd(error))
        {
            return null;
        }
        catch (AmazonS3Exception error) when (etag is not null && error.StatusCode == HttpStatusCode.PreconditionFailed)
        {
            throw new IOException($"'{location}' was replaced by another object while it was read.", error);
        }
        catch (Exception error) when (S3Errors.Translate(location, error, cancellationToken) is { } translated)
        {
            throw translated;
        }
    }

    public Task<InitiateMultipartUploadResponse> BeginPartsAsync(string location, string writeId, CancellationToken cancellationToken)
    {
        var (bucket, key) = S3Location.ParseObject(location);
        var request = new InitiateMultipartUploadRequest { BucketName = bucket, Key = key, CannedACL = Acl(), TagSet = Tags() };
        if (options.StorageClass is { } storageClass)
            request.StorageClass = S3StorageClass.FindValue(storageClass);
        request.Metadata.Add(WriteId, writeId);
        switch (options.Encryption)
        {
            case S3Encryption.Custom:
                request.ServerSideEncryptionCustomerMethod = ServerSideEncryptionCustomerMethod.AES256;
                request.ServerSideEncryptionCustomerProvidedKey = options.EncryptionKey;
                request.ServerSideEncryptionCustomerProvidedKeyMD5 = options.EncryptionKeyMd5;
                break;
            case S3Encryption.Kms or S3Encryption.DsseKms:
                (request.ServerSideEncryptionMethod, request.ServerSideEncryptionKeyManagementServiceKeyId) = (Method(), options.EncryptionKey);
                break;
            case S3Encryption.S3:
                request.ServerSideEncryptionMethod = ServerSideEncryptionMethod.AES256;
                break;
        }
        return S3Errors.Translated(location, () => client.InitiateMultipartUploadAsync(request, cancellationToken), cancellationToken);
    }

    public Task<UploadPartResponse> UploadPartAsync(
        string location, string uploadId, int number, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var (bucket, key) = S3Location.ParseObject(location);
        var request = new UploadPartRequest
        {
            BucketName = bucket, Key = key, UploadId = uploadId, PartNumber = number, PartSize = content.Length,
            InputStream = new ReadOnlyMemoryStream(content),
        };
        if (options.Encryption == S3Encryption.Custom)
        {
            request.ServerSideEncryptionCustomerMethod = ServerSideEncryptionCustomerMethod.AES256;
            request.ServerSideEncryptionCustomerProvidedKey = options.EncryptionKey;
            request.ServerSideEncryptionCustomerProvidedKeyMD5 = options.EncryptionKeyMd5;
        }
        return S3Errors.Translated(location, () => client.UploadPartAsync(request, cancellationToken), cancellationToken);
    }

    public Task CompletePartsAsync(
        string location, string uploadId, string writeId, List<UploadPartResponse> parts, CancellationToken cancellationToken)
    {
        var (bucket, key) = S3Location.ParseObject(location);
        return CreateOnceAsync(
            location, writeId,
            () =>
            {
                var request = new CompleteMultipartUploadRequest { BucketName = bucket, Key = key, UploadId = uploadId, IfNoneMatch = "*" };
                request.AddPartETags(parts);
                return client.CompleteMultipartUploadAsync(request, cancellationToken);
            },
            cancellationToken);
    }

    /// <summary>Deletes keys of one bucket in one request.</summary>
    /// <exception cref="IOException">Some could not be deleted; names the first.</exception>
    public async Task DeleteAsync(string bucket, string[] keys, CancellationToken cancellationToken)
    {
        var request = new DeleteObjectsRequest { BucketName = bucket, Quiet = true, Objects = [.. keys.Select(key => new KeyVersion { Key = key })] };
        try
        {
            await client.DeleteObjectsAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (DeleteObjectsException error)
        {
            var failed = error.Response.DeleteErrors;
            var first = $"'s3://{bucket}/{failed[0].Key}': {failed[0].Code}: {failed[0].Message}";
            throw failed[0].Code == "AccessDenied"
                ? new UnauthorizedAccessException($"{first}. {failed.Count} of {keys.Length} objects were not deleted.", error)
                : new IOException($"{first}. {failed.Count} of {keys.Length} objects were not deleted.", error);
        }
        catch (Exception error) when (S3Errors.Translate($"s3://{bucket}/{keys[0]}", error, cancellationToken) is { } translated)
        {
            throw translated;
        }
    }

    public static string NewWriteId() => Guid.NewGuid().ToString("N");

    public void Dispose() => client.Dispose();

    private async Task<bool> IsOursAsync(string location, string writeId, CancellationToken cancellationToken)
    {
        try
        {
            var head = await HeadAsync(location, cancellationToken).ConfigureAwait(false);
            return head.Metadata[WriteId] == writeId;
        }
        catch (FileNotFoundException)
        {
            return false; // taken a moment ago, and gone since: not ours in any case
        }
    }

    private PutObjectRequest NewPut(string location, ReadOnlyMemory<byte> content, string writeId)
    {
        var (bucket, key) = S3Location.ParseObject(location);
        var request = new PutObjectRequest
        {
            BucketName = bucket, Key = key, IfNoneMatch = "*", InputStream = new ReadOnlyMemoryStream(content), CannedACL = Acl(), TagSet = Tags(),
        };
        if (options.StorageClass is { } storageClass)
            request.StorageClass = S3StorageClass.FindValue(storageClass);
        request.Metadata.Add(WriteId, writeId);
        switch (options.Encryption)
        {
            case S3Encryption.Custom:
                request.ServerSideEncryptionCustomerMethod = ServerSideEncryptionCustomerMethod.AES256;
                request.ServerSideEncryptionCustomerProvidedKey = options.EncryptionKey;
                request.ServerSideEncryptionCustomerProvidedKeyMD5 = options.EncryptionKeyMd5;
                break;
            case S3Encryption.Kms or S3Encryption.DsseKms:
                (request.ServerSideEncryptionMethod, request.ServerSideEncryptionKeyManagementServiceKeyId) = (Method(), options.EncryptionKey);
                break;
            case S3Encryption.S3:
                request.ServerSideEncryptionMethod = ServerSideEncryptionMethod.AES256;
                break;
        }
        return request;
    }

    private ServerSideEncryptionMethod Method() => options.Encryption == S3Encryption.DsseKms
        ? ServerSideEncryptionMethod.AWSKMSDSSE : ServerSideEncryptionMethod.AWSKMS;

    private S3CannedACL? Acl() => options.CannedAcl is { } acl ? S3CannedACL.FindValue(acl) : null;

    private List<Tag>? Tags() => options.WriteTags.Count == 0 ? null
        : [.. options.WriteTags.Select(tag => new Tag { Key = tag.Key, Value = tag.Value })];
}
