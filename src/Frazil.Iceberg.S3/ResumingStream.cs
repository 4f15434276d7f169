using Amazon.S3.Model;

namespace Frazil.Iceberg.IO;

/// <summary>
/// A part of an object as it comes from the store. Where the connection breaks, the rest is asked for again, of the same version of the
/// object. Each read has the store's deadline. The caller disposes it. Not thread-safe.
/// </summary>
internal sealed class ResumingStream : Stream
{
    private readonly S3Requests requests;
    private readonly string location;
    private readonly long end;
    private readonly string? etag;
    private GetObjectResponse? response;
    private long position;
    private int failures;

    private ResumingStream(S3Requests requests, string location, long offset, GetObjectResponse? response)
    {
        (this.requests, this.location, position, this.response) = (requests, location, offset, response);
        (end, etag) = (offset + (response?.ContentLength ?? 0), response?.ETag);
    }

    /// <summary>Bytes that are still to come.</summary>
    public long BytesLeft => end - position;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="FileNotFoundException">No such object.</exception>
    public static async Task<ResumingStream> OpenAsync(
        S3Requests requests, string location, long offset, long? length, CancellationToken cancellationToken)
    {
        if (length == 0)
        {
            await requests.HeadAsync(location, cancellationToken).ConfigureAwait(false);
            return new ResumingStream(requests, location, offset, null);
        }
        var response = await requests.GetAsync(location, offset, length, null, cancellationToken).ConfigureAwait(false);
        return new ResumingStream(requests, location, offset, response);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (BytesLeft > 0 && buffer.Length > 0)
        {
            try
            {
                response ??= await requests.GetAsync(location, position, BytesLeft, etag, cancellationToken).ConfigureAwait(false);
                var read = await ReadOnceAsync(buffer, cancellationToken).ConfigureAwait(false);
                if (read == 0)
                    throw new IOException($"'{location}' ended {BytesLeft} bytes early.");
                position += read;
                return read;
            }
            catch (Exception error) when (response is not null && IsPassing(error, cancellationToken) && failures++ < requests.Options.Retries)
            {
                response.Dispose();
                response = null;
            }
            catch (Exception error) when (S3Errors.Translate(location, error, cancellationToken) is { } translated)
            {
                throw translated;
            }
        }
        return 0;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            response?.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadOnceAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(requests.Options.RequestTimeout);
        var piece = buffer[..(int)Math.Min(buffer.Length, BytesLeft)];
        return await response!.ResponseStream.ReadAsync(piece, deadline.Token).ConfigureAwait(false);
    }

    /// <summary>The connection broke, or the bytes did not come in time or not as they were sent.</summary>
    private static bool IsPassing(Exception error, CancellationToken cancellationToken)
        => !cancellationToken.IsCancellationRequested
            && error is IOException or HttpRequestException or OperationCanceledException or Amazon.Runtime.AmazonClientException;
}
