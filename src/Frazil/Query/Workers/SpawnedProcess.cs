using static Frazil.Query.Workers.LinuxCalls;

namespace Frazil.Query.Workers;

/// <summary>
/// A process that ends when we do. The thread that started it is its parent in the kernel's eyes, and lives until it has seen its end: a process that asks
/// (<see cref="LinuxCalls.EndWithParent"/>) is killed when that thread goes, even one that is stopped, and the thread goes before its child only with all of us.
/// Thread-safe.
/// </summary>
internal sealed unsafe class SpawnedProcess
{
    private readonly Lock gate = new();
    private readonly ManualResetEventSlim begun = new(), ended = new();
    private readonly TaskCompletionSource told = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Exception? failure;
    private int status;
    private bool isReaped;

    private SpawnedProcess()
    {
    }

    public int Id { get; private set; }

    /// <summary>Completes when it has ended.</summary>
    public Task Ended => told.Task;

    /// <summary>Starts one.</summary>
    /// <param name="spawn">Runs on a thread that does nothing else; returns the process's number, or throws.</param>
    /// <exception cref="IOException">It does not start.</exception>
    public static SpawnedProcess Start(Func<int> spawn)
    {
        var process = new SpawnedProcess();
        var thread = new Thread(() => process.StartAndWait(spawn), 256 << 10) { IsBackground = true, Name = "SQL worker's parent" };
        thread.Start();
        process.begun.Wait();
        return process.failure is null ? process : throw new IOException(process.failure.Message, process.failure);
    }

    /// <summary>Ends it at once, whatever it does.</summary>
    public void Kill()
    {
        lock (gate)
        {
            if (!isReaped)
            {
                _ = SendSignal(Id, LinuxCalls.Kill);
            }
        }
    }

    /// <summary>Waits until it has ended.</summary>
    /// <returns>As the kernel tells it.</returns>
    public int WaitForEnd()
    {
        ended.Wait();
        return status;
    }

    private void StartAndWait(Func<int> spawn)
    {
        try
        {
            Id = spawn();
        }
        catch (Exception problem)
        {
            failure = problem;
        }
        begun.Set();
        if (failure is null)
        {
            Reap();
        }
    }

    private void Reap()
    {
        // First only looked for: until it is taken away, its number is nobody else's, and a signal cannot reach another process.
        while (WaitForChild(OneProcess, Id, null, Exited | LeaveIt, null) != 0 && System.Runtime.InteropServices.Marshal.GetLastPInvokeError() == Interrupted)
        {
        }
        lock (gate)
        {
            var code = 0;
            _ = WaitFor(Id, &code, 0);
            (status, isReaped) = (code, true);
        }
        ended.Set();
        told.SetResult();
    }
}
