namespace Frazil.Iceberg.IO;

/// <summary>A part of an object on its way from a store.</summary>
/// <param name="Body">Its bytes.</param>
/// <param name="LengthBytes">How many there will be.</param>
/// <param name="Version">Of the object, in the store's words; null where it has none.</param>
/// <param name="Owner">Disposed with the body.</param>
public sealed record StoredPart(Stream Body, long LengthBytes, string? Version, IDisposable Owner);

/// <summary>Asks a store for a part of an object.</summary>
/// <param name="offset">First byte.</param>
/// <param name="length">Bytes, at least one; null for the rest.</param>
/// <param name="version">The one that is wanted and no other; null for whichever there is.</param>
/// <param name="cancellationToken">Cancels.</param>
/// <returns>Null where the object ends before the part.</returns>
/// <exception cref="IOException">As of <see cref="IFileIO"/>.</exception>
public delegate Task<StoredPart?> PartOpener(long offset, long? length, string? version, CancellationToken cancellationToken);

/// <summary>
/// A part of an object as it comes from a store. Where the connection breaks, the rest is asked for again, of the same version of the object.
/// Each read has a deadline. The caller disposes it. Not thread-safe.
/// </summary>
public sealed class ResumingStream : Stream
{
    private readonly string location;
    private readonly PartOpener open;
    private readonly long end;
    private readonly string? version;
    private readonly int retries;
    private readonly TimeSpan patience;
    private StoredPart? part;
    private long position;
    private int failures;

    private ResumingStream(string location, PartOpener open, long offset, StoredPart? part, int retries, TimeSpan patience)
    {
        (this.location, this.open, position, this.part, this.retries, this.patience) = (location, open, offset, part, retries, patience);
        (end, version) = (offset + (part?.LengthBytes ?? 0), part?.Version);
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

    /// <summary>Asks for the part.</summary>
    /// <param name="location">For messages.</param>
    /// <param name="open">Asks the store, now and again.</param>
    /// <param name="offset">First byte.</param>
    /// <param name="length">Bytes, at least one; null for the rest.</param>
    /// <param name="retries">How often it may break.</param>
    /// <param name="patience">The deadline of a read.</param>
    /// <param name="cancellationToken">Cancels the opening.</param>
    /// <exception cref="FileNotFoundException">No such object.</exception>
    public static async Task<ResumingStream> OpenAsync(
        string location, PartOpener open, long offset, long? length, int retries, TimeSpan patience, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(open);
        var part = await open(offset, length, null, cancellationToken).ConfigureAwait(false);
        return new ResumingStream(location, open, offset, part, retries, patience);
    }

    /// <summary>All that is still to come.</summary>
    public async Task<byte[]> ReadToEndAsync(CancellationToken cancellationToken)
    {
        var content = new byte[checked((int)BytesLeft)];
        await this.ReadExactlyAsync(content, cancellationToken).ConfigureAwait(false);
        return content;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (BytesLeft > 0 && buffer.Length > 0)
        {
            part ??= await open(position, BytesLeft, version, cancellationToken).ConfigureAwait(false);
            try
            {
                var read = await ReadOnceAsync(buffer, cancellationToken).ConfigureAwait(false);
                position += read;
                return read;
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                part?.Owner.Dispose();
                part = null;
                if (++failures > retries)
                    throw new IOException($"'{location}': reading broke off {failures} times, {BytesLeft} bytes before the end: {error.Message}", error);
            }
        }
        return 0;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

#pragma warning disable VSTHRD002 // some readers know no other way; nothing here needs the caller's thread
    public override int Read(byte[] buffer, int offset, int count)
        => ReadAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();
#pragma warning restore VSTHRD002

    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            part?.Owner.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadOnceAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(patience);
        var piece = buffer[..(int)Math.Min(buffer.Length, BytesLeft)];
        var body = part?.Body ?? throw new IOException("the object has become shorter");
        var read = await body.ReadAsync(piece, deadline.Token).ConfigureAwait(false);
        return read > 0 ? read : throw new IOException("the body ended early");
    }
}
