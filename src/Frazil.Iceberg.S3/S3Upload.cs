using System.Buffers;
using Amazon.S3;
using Amazon.S3.Model;

namespace Frazil.Iceberg.IO;

/// <summary>
/// An object on its way into a bucket. What fits one part goes in one request, at the end. Larger ones go in parts while they are written,
/// some at one time; the writer waits when so many are on their way. Given up, its parts are discarded by the store; where that request
/// fails too they stay, unseen, until the bucket's own rule for unfinished uploads takes them.
/// </summary>
internal sealed class S3Upload(S3Requests requests, string location) : UploadStream
{
    private readonly string writeId = S3Requests.NewWriteId();
    private readonly List<Task<UploadPartResponse>> parts = [];
    private readonly CancellationTokenSource givenUp = new();
    private byte[]? buffer;
    private int filled;
    private string? uploadId;
    private bool isOver;

    public override async Task CompleteAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(isOver, this);
        if (uploadId is null)
        {
            await requests.CreateAsync(location, buffer.AsMemory(0, filled), cancellationToken).ConfigureAwait(false);
        }
        else
        {
            if (filled > 0)
                await SendPartAsync(cancellationToken).ConfigureAwait(false);
            var sent = await Task.WhenAll(parts).WaitAsync(cancellationToken).ConfigureAwait(false);
            await requests.CompletePartsAsync(location, uploadId, writeId, [.. sent], cancellationToken).ConfigureAwait(false);
        }
        isOver = true;
    }

    /// <summary>Does nothing: what was written is visible and durable when it is complete.</summary>
    public override void Flush() { }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            var taken = Take(content);
            content = content[taken..];
            if (filled == requests.Options.PartBytes && !content.IsEmpty)
                SendPartAsync(CancellationToken.None).GetAwaiter().GetResult();
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        while (!content.IsEmpty)
        {
            var taken = Take(content.Span);
            content = content[taken..];
            if (filled == requests.Options.PartBytes && !content.IsEmpty)
                await SendPartAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await GiveUpAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            GiveUpAsync().GetAwaiter().GetResult();
        base.Dispose(disposing);
    }

    private int Take(ReadOnlySpan<byte> content)
    {
        ObjectDisposedException.ThrowIf(isOver, this);
        buffer ??= ArrayPool<byte>.Shared.Rent(requests.Options.PartBytes);
        var taken = Math.Min(content.Length, requests.Options.PartBytes - filled);
        content[..taken].CopyTo(buffer.AsSpan(filled));
        filled += taken;
        return taken;
    }

    /// <summary>Sends the buffer on its way, once one of those before it has arrived where all seats are taken.</summary>
    /// <exception cref="IOException">It, or one before it, failed.</exception>
    private async Task SendPartAsync(CancellationToken cancellationToken)
    {
        uploadId ??= (await requests.BeginPartsAsync(location, writeId, cancellationToken).ConfigureAwait(false)).UploadId;
        var ahead = parts.Count - requests.Options.PartsInFlight;
        if (ahead >= 0)
            await parts[ahead].WaitAsync(cancellationToken).ConfigureAwait(false);
        parts.Add(SendAsync(buffer!, filled, parts.Count + 1));
        (buffer, filled) = (null, 0);
    }

    private async Task<UploadPartResponse> SendAsync(byte[] content, int length, int number)
    {
        var sent = await requests.UploadPartAsync(location, uploadId!, number, content.AsMemory(0, length), givenUp.Token).ConfigureAwait(false);
        ArrayPool<byte>.Shared.Return(content); // not where it failed: a request that is still going out may read it
        return sent;
    }

    private async Task GiveUpAsync()
    {
        if (buffer is not null)
            ArrayPool<byte>.Shared.Return(Interlocked.Exchange(ref buffer, null)!);
        if (!isOver && uploadId is not null)
        {
            isOver = true;
            await givenUp.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(parts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // a part that arrives later would stay
            await DiscardPartsAsync().ConfigureAwait(false);
        }
        isOver = true;
        givenUp.Dispose();
    }

    private async Task DiscardPartsAsync()
    {
        var (bucket, key) = S3Location.ParseObject(location);
        try
        {
            var request = new AbortMultipartUploadRequest { BucketName = bucket, Key = key, UploadId = uploadId };
            await requests.Client.AbortMultipartUploadAsync(request, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception error) when (error is AmazonS3Exception or IOException or HttpRequestException or OperationCanceledException or Amazon.Runtime.AmazonClientException)
        {
            // The store is out of reach, or has none of them any more. They are not objects, and nobody sees them.
        }
    }
}
