namespace Frazil.Telemetry;

/// <summary>Ends of tasks that nobody awaits.</summary>
internal static class BackgroundTask
{
    /// <summary>Gives a failure to <paramref name="onFailed"/>; cancellation is an ordinary end.</summary>
    public static void Forget(this Task task, Action<Exception> onFailed) =>
        _ = task.ContinueWith(
            static (ended, handler) => ((Action<Exception>)handler!)(ended.Exception!.GetBaseException()),
            onFailed, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
}
