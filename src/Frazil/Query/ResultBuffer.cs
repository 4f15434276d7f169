using Frazil.DuckDb;

namespace Frazil.Query;

/// <summary>
/// The rows of one query between the thread that computes them and whoever reads them: chunk by chunk, as many bytes as a result may hold
/// and no more, whatever the pace of the reader. One writer, one reader.
/// </summary>
internal sealed class ResultBuffer(ResultMemory memory, TimeProvider time) : IRowSink
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private readonly Lock gate = new();
    private readonly Queue<ChunkFrame> frames = new();
    private readonly SemaphoreSlim arrived = new(0);
    private readonly SemaphoreSlim left = new(0, 1);
    private readonly TaskCompletionSource<IReadOnlyList<DuckDbColumn>> columns = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Exception? failure;
    private long held;
    private bool isComplete;
    private bool isAbandoned;

    /// <summary>What the result consists of; faults where the query fails before it has one.</summary>
    public Task<IReadOnlyList<DuckDbColumn>> Columns => columns.Task;

    public void Begin(IReadOnlyList<DuckDbColumn> found) => columns.TrySetResult(found);

    /// <summary>Takes over a frame. Waits for the reader where the result holds all it may.</summary>
    /// <exception cref="SqlException">The reader has taken nothing for too long.</exception>
    public void Write(ChunkFrame frame, CancellationToken cancellationToken)
    {
        try
        {
            var isTaken = WaitForRoom(frame.Bytes, cancellationToken);
            lock (gate)
            {
                if (isTaken && !isAbandoned)
                {
                    frames.Enqueue(frame);
                    arrived.Release();
                    return;
                }
                Forget(isTaken ? frame.Bytes : 0);
            }
            frame.Dispose();
        }
        catch
        {
            frame.Dispose();
            throw;
        }
    }

    /// <summary>Nothing comes any more.</summary>
    public void Complete(Exception? error)
    {
        lock (gate)
        {
            (failure, isComplete) = (error, true);
        }
        if (error is not null)
        {
            columns.TrySetException(error);
            _ = columns.Task.Exception; // whoever reads rows is told as well
        }
        arrived.Release();
    }

    /// <summary>The next rows, the caller's to dispose; null after the last.</summary>
    public async ValueTask<ChunkFrame?> ReadAsync(CancellationToken cancellationToken)
    {
        await arrived.WaitAsync(cancellationToken).ConfigureAwait(false);
        lock (gate)
        {
            if (frames.TryDequeue(out var frame))
            {
                Forget(frame.Bytes);
                Wake();
                return frame;
            }
            arrived.Release(); // the end is there for every later read too
            return failure is null ? null : throw failure;
        }
    }

    /// <summary>Nobody reads any more.</summary>
    public void Abandon()
    {
        lock (gate)
        {
            isAbandoned = true;
            while (frames.TryDequeue(out var frame))
            {
                Forget(frame.Bytes);
                frame.Dispose();
            }
            Wake();
        }
    }

    /// <returns>False where nobody reads any more.</returns>
    private bool WaitForRoom(long bytes, CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        var seen = -1L;
        while (true)
        {
            if (TryHold(bytes, out var now) is { } isTaken)
            {
                return isTaken;
            }
            if (now != seen)
            {
                (seen, since) = (now, time.GetTimestamp());
            }
            if (time.GetElapsedTime(since) > memory.Patience)
            {
                throw new SqlException(
                    $"the rows of the answer were not read: nothing was taken for {memory.Patience.TotalSeconds:0.###} s while {now} bytes waited. "
                    + "Read them faster, or ask for less.", null);
            }
            left.Wait(Look, cancellationToken); // memory that another result gives back rings no bell here
        }
    }

    /// <returns>Null where there is no room, false where none is needed any more.</returns>
    private bool? TryHold(long bytes, out long now)
    {
        lock (gate)
        {
            now = held;
            if (isAbandoned)
            {
                return false;
            }
            if (!memory.TryTake(bytes, held))
            {
                return null;
            }
            held += bytes;
            return true;
        }
    }

    private void Forget(long bytes)
    {
        held -= bytes;
        memory.Give(bytes);
    }

    private void Wake()
    {
        if (left.CurrentCount == 0)
        {
            left.Release();
        }
    }
}

/// <summary>Bytes that results hold on their way to their readers: each its own share at most, all together the total, but for the one chunk
/// that each may hold whatever the others do. Thread-safe.</summary>
internal sealed class ResultMemory(long total, long perResult, TimeSpan patience)
{
    private long bytes;

    /// <summary>How long a result that is full waits for its reader.</summary>
    public TimeSpan Patience { get; } = patience;

    public long Bytes => Volatile.Read(ref bytes);

    public bool TryTake(long wanted, long held)
    {
        var now = Interlocked.Add(ref bytes, wanted);
        if (held == 0 || (held + wanted <= perResult && now <= total))
        {
            return true;
        }
        Interlocked.Add(ref bytes, -wanted);
        return false;
    }

    public void Give(long returned) => Interlocked.Add(ref bytes, -returned);
}
