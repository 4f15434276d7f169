namespace Frazil.Hot;

/// <summary>Wakes whoever waits for something to become visible. Raising it costs a fence while nobody waits. Thread-safe.</summary>
internal sealed class ChangeSignal
{
    private TaskCompletionSource? waiting;

    /// <summary>Completes when it is raised next. Take it before looking: what changes between the look and the waiting is not missed
    /// then.</summary>
    public Task Next()
    {
        while (true)
        {
            if (Volatile.Read(ref waiting) is { } there)
            {
                return there.Task;
            }
            var fresh = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (Interlocked.CompareExchange(ref waiting, fresh, null) is null)
            {
                return fresh.Task;
            }
        }
    }

    /// <summary>After the change.</summary>
    public void Raise()
    {
        Interlocked.MemoryBarrier(); // or somebody could look before the change and not be seen waiting yet
        if (Volatile.Read(ref waiting) is not null)
        {
            Interlocked.Exchange(ref waiting, null)?.TrySetResult();
        }
    }
}
