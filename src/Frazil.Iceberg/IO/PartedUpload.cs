using System.Buffers;

namespace Frazil.Iceberg.IO;

/// <summary>
/// An upload to a store that takes large objects in parts. What fits one part goes in one request, at the end; larger ones go in parts while
/// they are written, some at one time, and the writer waits while so many are on their way. A store says how each of that is done.
/// </summary>
/// <param name="partBytes">Of each part but the last; each part on its way, and the one that is written, holds so much memory.</param>
/// <param name="partsInFlight">Parts on their way at one time.</param>
public abstract class PartedUpload(int partBytes, int partsInFlight) : UploadStream
{
    private readonly List<Task> parts = [];
    private readonly CancellationTokenSource givenUp = new();
    private byte[]? filling;
    private int filled;
    private bool isOver;

    public sealed override async Task CompleteAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(isOver, this);
        if (parts.Count == 0)
        {
            await CreateAsync(filling.AsMemory(0, filled), cancellationToken).ConfigureAwait(false);
        }
        else
        {
            if (filled > 0)
                await SendAsync(cancellationToken).ConfigureAwait(false);
            await Task.WhenAll(parts).WaitAsync(cancellationToken).ConfigureAwait(false);
            await CompletePartsAsync(cancellationToken).ConfigureAwait(false);
        }
        isOver = true;
    }

    /// <summary>Does nothing: what was written is visible and durable when it is complete.</summary>
    public sealed override void Flush() { }

    public sealed override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public sealed override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            buffer = buffer[Take(buffer)..];
            if (filled == partBytes && !buffer.IsEmpty)
                Waited(SendAsync(CancellationToken.None));
        }
    }

    public sealed override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public sealed override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            buffer = buffer[Take(buffer.Span)..];
            if (filled == partBytes && !buffer.IsEmpty)
                await SendAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public sealed override async ValueTask DisposeAsync()
    {
        await GiveUpAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Creates the whole object in one request, where none of its name is.</summary>
    /// <exception cref="ObjectExistsException">The name is taken.</exception>
    protected abstract Task CreateAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Called once, before the first part.</summary>
    protected abstract Task BeginPartsAsync(CancellationToken cancellationToken);

    /// <summary>Sends a part. Several run at one time.</summary>
    /// <param name="number">Counts from 1.</param>
    /// <param name="content">The caller's until the task has ended.</param>
    /// <param name="cancellationToken">Cancelled when the upload is given up.</param>
    protected abstract Task SendPartAsync(int number, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Makes the parts an object, where none of its name is.</summary>
    /// <exception cref="ObjectExistsException">The name is taken.</exception>
    protected abstract Task CompletePartsAsync(CancellationToken cancellationToken);

    /// <summary>Has the store forget the parts. Throws nothing: where it fails they stay until the store itself ends unfinished uploads.</summary>
    protected abstract Task DiscardPartsAsync();

    protected sealed override void Dispose(bool disposing)
    {
        if (disposing)
            Waited(GiveUpAsync());
        base.Dispose(disposing);
    }

    private int Take(ReadOnlySpan<byte> content)
    {
        ObjectDisposedException.ThrowIf(isOver, this);
        filling ??= ArrayPool<byte>.Shared.Rent(partBytes);
        var taken = Math.Min(content.Length, partBytes - filled);
        content[..taken].CopyTo(filling.AsSpan(filled));
        filled += taken;
        return taken;
    }

    /// <summary>Sends the buffer on its way, once one of those before it has arrived where all seats are taken.</summary>
    private async Task SendAsync(CancellationToken cancellationToken)
    {
        if (parts.Count == 0)
            await BeginPartsAsync(cancellationToken).ConfigureAwait(false);
        var ahead = parts.Count - partsInFlight;
        if (ahead >= 0)
            await parts[ahead].WaitAsync(cancellationToken).ConfigureAwait(false);
        parts.Add(SendOneAsync(parts.Count + 1, filling!, filled));
        (filling, filled) = (null, 0);
    }

    private async Task SendOneAsync(int number, byte[] content, int length)
    {
        await SendPartAsync(number, content.AsMemory(0, length), givenUp.Token).ConfigureAwait(false);
        ArrayPool<byte>.Shared.Return(content); // not where it failed: a request that is still going out may read it
    }

    private async Task GiveUpAsync()
    {
        if (Interlocked.Exchange(ref filling, null) is { } unsent)
            ArrayPool<byte>.Shared.Return(unsent);
        if (!isOver && parts.Count > 0)
        {
            isOver = true;
            await givenUp.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(parts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // a part that arrives later would stay
            await DiscardPartsAsync().ConfigureAwait(false);
        }
        isOver = true;
        givenUp.Dispose();
    }

    /// <summary>Streams are written to and disposed without await as well.</summary>
#pragma warning disable VSTHRD002 // nothing here needs the caller's thread
    private static void Waited(Task task) => task.GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
}
