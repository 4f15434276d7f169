using Frazil.DuckDb;

namespace Frazil.Query;

/// <summary>The rows of one query, chunk by chunk, while they are computed. Not thread-safe. Disposing ends the query where it still
/// runs.</summary>
public sealed class SqlChunks : IAsyncDisposable
{
    private readonly ResultBuffer buffer;
    private readonly Task query;
    private readonly CancellationTokenSource stop;
    private readonly Func<Task, CancellationToken, Task> waitForEnd;
    private bool isDisposed;
    private bool isGivenUp;

    /// <param name="columns">Of the result.</param>
    /// <param name="buffer">Where its rows arrive.</param>
    /// <param name="query">Ends, never faulted, when nothing of the query is left.</param>
    /// <param name="stop">Interrupts it; taken over.</param>
    /// <param name="waitForEnd">Waits for an interrupted query.</param>
    internal SqlChunks(
        IReadOnlyList<DuckDbColumn> columns, ResultBuffer buffer, Task query, CancellationTokenSource stop, Func<Task, CancellationToken, Task> waitForEnd)
        => (Columns, this.buffer, this.query, this.stop, this.waitForEnd) = (columns, buffer, query, stop, waitForEnd);

    /// <summary>Names and types, in order; a name may stand twice.</summary>
    public IReadOnlyList<DuckDbColumn> Columns { get; }

    /// <summary>The next rows, the caller's to dispose; null after the last.</summary>
    /// <exception cref="SqlException">The query failed.</exception>
    /// <exception cref="OperationCanceledException">It was interrupted.</exception>
    public async ValueTask<DuckDbChunk?> ReadAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, cancellationToken);
        ChunkFrame? frame;
        try
        {
            frame = await buffer.ReadAsync(both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await stop.CancelAsync().ConfigureAwait(false);
            buffer.Abandon();
            await EndAsync().ConfigureAwait(false);
            throw;
        }
        if (frame is null)
        {
            await query.ConfigureAwait(false); // so that what it held is free when its last row has been read
            return null;
        }
        try
        {
            return new DuckDbChunk(Columns, frame);
        }
        catch
        {
            frame.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (isDisposed)
        {
            return;
        }
        isDisposed = true;
        await stop.CancelAsync().ConfigureAwait(false);
        buffer.Abandon();
        try
        {
            await EndAsync().ConfigureAwait(false);
        }
        catch (StuckQueryException)
        {
            // Counted; whoever has gone is told nothing any more.
        }
        stop.Dispose();
    }

    /// <summary>A query that was given up once is not waited for again.</summary>
    private async Task EndAsync()
    {
        if (isGivenUp)
        {
            return;
        }
        try
        {
            await waitForEnd(query, stop.Token).ConfigureAwait(false);
        }
        catch (StuckQueryException)
        {
            isGivenUp = true;
            throw;
        }
    }
}
