using Amazon.Runtime;
using Amazon.S3.Model;

namespace Frazil.Iceberg.IO;

/// <summary>An object on its way into a bucket, as a multipart upload where it is larger than a part. Parts of one that was given up where
/// the store could not be told so stay, unseen, until the bucket's own rule for unfinished uploads takes them.</summary>
internal sealed class S3Upload(S3Requests requests, string location)
    : PartedUpload(requests.Options.PartBytes, requests.Options.PartsInFlight)
{
    private readonly string writeId = S3Requests.NewWriteId();
    private readonly SortedDictionary<int, UploadPartResponse> sent = [];
    private string? uploadId;

    protected override Task CreateAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        => requests.CreateAsync(location, content, cancellationToken);

    protected override async Task BeginPartsAsync(CancellationToken cancellationToken)
        => uploadId = (await requests.BeginPartsAsync(location, writeId, cancellationToken).ConfigureAwait(false)).UploadId;

    protected override async Task SendPartAsync(int number, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var part = await requests.UploadPartAsync(location, uploadId!, number, content, cancellationToken).ConfigureAwait(false);
        lock (sent)
            sent.Add(number, part);
    }

    protected override Task CompletePartsAsync(CancellationToken cancellationToken)
        => requests.CompletePartsAsync(location, uploadId!, writeId, [.. sent.Values], cancellationToken);

    protected override async Task DiscardPartsAsync()
    {
        var (bucket, key) = S3Location.ParseObject(location);
        try
        {
            var request = new AbortMultipartUploadRequest { BucketName = bucket, Key = key, UploadId = uploadId };
            await requests.Client.AbortMultipartUploadAsync(request, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception error) when (error is AmazonServiceException or AmazonClientException or IOException or HttpRequestException
            or OperationCanceledException)
        {
            // The store is out of reach, or has none of them any more. They are no objects, and nobody sees them.
        }
    }
}
