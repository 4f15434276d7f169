using System.Diagnostics.CodeAnalysis;

namespace Frazil.Telemetry;

/// <summary>The one place where a thread waits for a task: threads that Frazil or librdkafka owns, never pool threads.</summary>
internal static class Blocking
{
    [SuppressMessage("Usage", "VSTHRD002", Justification = "Owned threads have no scheduler to starve.")]
    public static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    /// <summary>False when the time was over first. Does not throw what the task throws.</summary>
    public static bool Wait(Task task, TimeSpan limit) => ((IAsyncResult)task).AsyncWaitHandle.WaitOne(limit);

    [SuppressMessage("Usage", "VSTHRD002", Justification = "Owned threads have no scheduler to starve.")]
    public static void Wait(Task task) => task.GetAwaiter().GetResult();
}
