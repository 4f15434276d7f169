using Frazil.Flush;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil;

/// <summary>Tries a step until it works, the caller gives up, or the failure is one that no retry can mend. Waits 0.2 s, doubling to 30
/// s. What fails for a minute, or gives no answer for a minute, is said loudly; what does so for as long as <c>fail_after_seconds</c> says
/// is the table's own failure.</summary>
/// <param name="limit">How long a step may fail; <see cref="TimeSpan.Zero"/> for ever.</param>
internal sealed class StepRetry(TimeProvider time, ILogger logger, string table, TimeSpan limit, Action onFailure)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LoudAfter = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();

    /// <summary>Steps that are under way, in the order in which they began.</summary>
    private readonly List<Step> steps = [];

    /// <summary>Why the table makes no progress just now, by the step that has failed, or not answered, for longest; null where none
    /// does.</summary>
    public string? Trouble => Worst() is var (step, _) ? $"{step.Name}: {step.Message ?? NoAnswer(step)}" : null;

    /// <summary>Why the step failed that was given up last.</summary>
    public string? GivenUp { get; private set; }

    /// <summary>How long that step has failed; zero where none does.</summary>
    public TimeSpan TroubleTime => Worst() is var (_, since) ? time.GetElapsedTime(since) : TimeSpan.Zero;

    /// <exception cref="PipelineFailedException">No retry can mend it, or it has failed for too long.</exception>
    /// <exception cref="RowsOutgrownException">No retry can mend it, but reading again can.</exception>
    public Task<T> RunAsync<T>(string step, Func<CancellationToken, Task<T>> attempt, CancellationToken cancellationToken)
        => RunAsync(step, attempt, limit, cancellationToken);

    /// <summary>As <see cref="RunAsync{T}(string, Func{CancellationToken, Task{T}}, CancellationToken)"/>, for ever: brokers may be away for
    /// as long as they like, as nothing can be read meanwhile that would have to be kept.</summary>
    public Task<T> WaitAsync<T>(string step, Func<CancellationToken, Task<T>> attempt, CancellationToken cancellationToken)
        => RunAsync(step, attempt, TimeSpan.Zero, cancellationToken);

    private async Task<T> RunAsync<T>(
        string name, Func<CancellationToken, Task<T>> attempt, TimeSpan longest, CancellationToken cancellationToken)
    {
        var step = new Step(name, longest);
        try
        {
            for (var delay = FirstDelay; ; delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay)
            {
                try
                {
                    return await AttemptAsync(step, attempt, cancellationToken);
                }
                catch (Exception error) when (error is not (PipelineFailedException or RowsOutgrownException) && !IsOurs(error, cancellationToken))
                {
                    Note(step, error, delay);
                }
                await Task.Delay(delay, time, cancellationToken);
            }
        }
        catch
        {
            GivenUp = step.Message is { } message ? $"{name}: {message}" : GivenUp;
            throw;
        }
        finally
        {
            lock (gate)
            {
                steps.Remove(step);
            }
        }
    }

    /// <summary>An attempt that gives no answer is left alone, and told, until its time is over: then it is told to end. It is waited for all
    /// the same, because it may use what belongs to the flush.</summary>
    private async Task<T> AttemptAsync<T>(Step step, Func<CancellationToken, Task<T>> attempt, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        lock (gate)
        {
            step.Began = time.GetTimestamp();
            if (!steps.Contains(step))
            {
                steps.Add(step);
            }
        }
        // A timer and no wait: the attempt may block this very thread.
        await using var watch = time.CreateTimer(_ => Watch(step, end), null, LoudAfter, LoudAfter);
        try
        {
            return await attempt(end.Token);
        }
        catch (OperationCanceledException error) when (end.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(NoAnswer(step), error);
        }
        finally
        {
            lock (gate)
            {
                step.Began = null;
            }
        }
    }

    private void Watch(Step step, CancellationTokenSource end)
    {
        string what;
        lock (gate)
        {
            if (step.Began is not { } began || time.GetElapsedTime(began) < LoudAfter)
            {
                return; // over, or a timer that came early
            }
            if (step.Longest > TimeSpan.Zero && time.GetElapsedTime(step.FailedSince ?? began) >= step.Longest)
            {
                step.FailedSince ??= began;
                _ = end.CancelAsync();
            }
            what = NoAnswer(step);
        }
        logger.StepHangs(table, step.Name, what);
    }

    private void Note(Step step, Exception error, TimeSpan delay)
    {
        long since;
        lock (gate)
        {
            step.Message = error.Message;
            since = step.FailedSince ??= time.GetTimestamp();
        }
        onFailure();
        var elapsed = time.GetElapsedTime(since);
        if (step.Longest > TimeSpan.Zero && elapsed >= step.Longest)
        {
            throw new PipelineFailedException(
                $"table {table}: {step.Name} has failed for {elapsed.TotalSeconds:F0} s, and hot_buffer.fail_after_seconds = {step.Longest.TotalSeconds:0.###}. "
                + $"What was read stays in Kafka and is read again at the next start. The last error: {error.Message}", error);
        }
        if (elapsed < LoudAfter)
        {
            logger.FlushStepFailed(error, table, step.Name, delay.TotalSeconds);
        }
        else
        {
            logger.TableCannotCommit(error, table, step.Name, (long)elapsed.TotalSeconds, error.Message);
        }
    }

    /// <summary>The step that has been in trouble for longest, and since when.</summary>
    private (Step Step, long Since)? Worst()
    {
        lock (gate)
        {
            (Step, long Since)? worst = null;
            foreach (var step in steps)
            {
                if (TroubledSince(step) is { } since && (worst is null || since < worst.Value.Since))
                {
                    worst = (step, since);
                }
            }
            return worst;
        }
    }

    private long? TroubledSince(Step step)
        => step.FailedSince ?? (step.Began is { } began && time.GetElapsedTime(began) >= LoudAfter ? began : null);

    private string NoAnswer(Step step)
        => $"no answer for {(step.Began is { } began ? time.GetElapsedTime(began) : TimeSpan.Zero).TotalSeconds:F0} s";

    /// <summary>Whether the caller gave up. A store that cancels a request of its own, after its time-out, is a failure like any other.</summary>
    private static bool IsOurs(Exception error, CancellationToken cancellationToken)
        => error is OperationCanceledException && cancellationToken.IsCancellationRequested;

    /// <summary>Guarded by the gate.</summary>
    private sealed class Step(string name, TimeSpan longest)
    {
        public string Name { get; } = name;

        /// <summary>How long it may fail; <see cref="TimeSpan.Zero"/> for ever.</summary>
        public TimeSpan Longest { get; } = longest;

        /// <summary>Why it failed last; null where it has not.</summary>
        public string? Message { get; set; }

        /// <summary>When the failures began; null where there is none.</summary>
        public long? FailedSince { get; set; }

        /// <summary>When the attempt began that runs now; null between two.</summary>
        public long? Began { get; set; }
    }
}
