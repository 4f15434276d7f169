namespace Frazil.Query.Workers;

/// <summary>Bytes that copies of hot rows take, all queries together. One that is larger than all that is allowed goes alone. Thread-safe.</summary>
internal sealed class HotCopyBudget(long total)
{
    private readonly Lock gate = new();
    private readonly SemaphoreSlim given = new(0);
    private long taken;
    private int waiting;

    /// <summary>Waits until the others leave room.</summary>
    /// <returns>To be disposed when the copy is gone.</returns>
    public Room Take(long bytes, CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (gate)
            {
                if (taken == 0 || taken + bytes <= total)
                {
                    taken += bytes;
                    return new(this, bytes);
                }
                waiting++;
            }
            given.Wait(cancellationToken);
        }
    }

    private void Give(long bytes)
    {
        lock (gate)
        {
            taken -= bytes;
            if (waiting > 0)
            {
                given.Release(waiting);
                waiting = 0;
            }
        }
    }

    public sealed class Room(HotCopyBudget budget, long bytes) : IDisposable
    {
        private long held = bytes;

        public void Dispose() => budget.Give(Interlocked.Exchange(ref held, 0));
    }
}
