namespace Frazil.Iceberg.IO;

/// <summary>
/// An object on its way into a store: a stream to write it to, front to back. Nothing of it is visible, nor durable, before <see
/// cref="CompleteAsync"/> returns, and then all of it is. Whoever began it disposes it; disposed without having been completed it is
/// given up, and nothing of it stays in the store. Not thread-safe.
/// <para>Writing throws an <see cref="IOException"/> where the store fails; the object is then given up by disposing.</para>
/// </summary>
public abstract class UploadStream : Stream
{
    public sealed override bool CanRead => false;

    public sealed override bool CanSeek => false;

    public sealed override bool CanWrite => true;

    public sealed override long Length => throw new NotSupportedException();

    public sealed override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Gives the object its name. On return it is durable and visible whole.</summary>
    /// <exception cref="ObjectExistsException">The location was taken meanwhile; what is there stays untouched.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be written.</exception>
    /// <exception cref="IOException">The store failed: the object may be there, whole, or not.</exception>
    public abstract Task CompleteAsync(CancellationToken cancellationToken = default);

    public sealed override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public sealed override void SetLength(long value) => throw new NotSupportedException();
}
