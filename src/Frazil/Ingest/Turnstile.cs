namespace Frazil.Ingest;

/// <summary>Where a worker stands still, between two rounds of its work, while somebody else changes what it works with. A change runs only
/// while the worker is held here; a worker that was held for an earlier change, and has gone on since, does not count.</summary>
internal sealed class Turnstile
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(20);

    private readonly Lock oneAtATime = new();
    private readonly object gate = new(); // a Monitor: it can wait
    private volatile bool isWanted;
    private bool isHeld;
    private bool isOpen;

    /// <summary>Somebody waits for the worker to come by.</summary>
    public bool IsWanted => isWanted;

    /// <summary>The worker comes by: it is held while a change is wanted.</summary>
    public void Pass()
    {
        if (!isWanted)
        {
            return;
        }
        lock (gate)
        {
            isHeld = true;
            Monitor.PulseAll(gate);
            while (isWanted && !isOpen)
            {
                Monitor.Wait(gate, LookAgain);
            }
            isHeld = false;
        }
    }

    /// <summary>Holds the worker no more, for it ends.</summary>
    public void Open()
    {
        lock (gate)
        {
            isOpen = true;
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Runs <paramref name="change"/> while the worker is held, or has ended.</summary>
    /// <param name="change">What to do meanwhile.</param>
    /// <param name="wake">Makes a worker that waits for work come by.</param>
    /// <param name="isAlive">False once the worker has ended: nobody needs to be held then.</param>
    public void Between(Action change, Action wake, Func<bool> isAlive)
    {
        lock (oneAtATime)
        {
            try
            {
                Hold(wake, isAlive);
                change();
            }
            finally
            {
                lock (gate)
                {
                    isWanted = false;
                    Monitor.PulseAll(gate);
                }
            }
        }
    }

    private void Hold(Action wake, Func<bool> isAlive)
    {
        lock (gate)
        {
            isWanted = true;
            while (!isHeld && isAlive())
            {
                wake();
                Monitor.Wait(gate, LookAgain);
            }
        }
    }
}
