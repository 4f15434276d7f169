using System.Buffers;
using System.IO.Pipelines;

namespace Frazil.Iceberg.IO;

/// <summary>An object on its way into a bucket: a resumable upload that reads what is written here while it is written. The writer waits
/// while two chunks are on their way. Given up, its session is seen by nobody, and the store forgets it after a week.</summary>
internal sealed class GcsUpload : UploadStream
{
    private readonly Pipe pipe;
    private readonly Task sending;
    private readonly CancellationTokenSource givenUp = new();
    private bool isOver;

    public GcsUpload(GcsFileIO store, string location, int chunkBytes)
    {
        pipe = new Pipe(new PipeOptions(
            pauseWriterThreshold: 2L * chunkBytes, resumeWriterThreshold: chunkBytes, minimumSegmentSize: 64 * 1024, useSynchronizationContext: false));
        sending = Task.Run(() => SendAsync(store, location), CancellationToken.None);
    }

    public override async Task CompleteAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(isOver, this);
        await pipe.Writer.CompleteAsync().ConfigureAwait(false);
        isOver = true;
        await sending.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Does nothing: what was written is visible and durable when it is complete.</summary>
    public override void Flush() { }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(isOver, this);
        pipe.Writer.Write(buffer);
        Waited(FlushedAsync(CancellationToken.None));
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(isOver, this);
        pipe.Writer.Write(buffer.Span);
        await FlushedAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask DisposeAsync()
    {
        await GiveUpAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            Waited(GiveUpAsync());
        base.Dispose(disposing);
    }

    private async Task SendAsync(GcsFileIO store, string location)
    {
        try
        {
            using var content = pipe.Reader.AsStream();
            await store.CreateAsync(location, content, givenUp.Token).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            await pipe.Reader.CompleteAsync(error).ConfigureAwait(false); // the writer learns of it with its next piece
            throw;
        }
    }

    private async Task FlushedAsync(CancellationToken cancellationToken)
    {
        var flushed = await pipe.Writer.FlushAsync(cancellationToken).ConfigureAwait(false);
        if (flushed.IsCompleted)
            await sending.ConfigureAwait(false); // throws why nobody reads any more
    }

    private async Task GiveUpAsync()
    {
        if (!isOver)
        {
            isOver = true;
            await givenUp.CancelAsync().ConfigureAwait(false);
            await pipe.Writer.CompleteAsync(new OperationCanceledException("The upload was given up.")).ConfigureAwait(false);
        }
        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        givenUp.Dispose();
    }

#pragma warning disable VSTHRD002 // streams are written to and disposed without await as well; nothing here needs the caller's thread
    private static void Waited(Task task) => task.GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
}
