using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil.Flush;

/// <summary>Tries a step until it works, the caller gives up, or the failure is one that no retry can mend. Waits 0.2 s, doubling to 30
/// s. What fails for a minute is said loudly; what fails for as long as <c>fail_after_seconds</c> says is the table's own failure.</summary>
/// <param name="limit">How long a step may fail; <see cref="TimeSpan.Zero"/> for ever.</param>
internal sealed class FlushRetry(TimeProvider time, ILogger logger, string table, TimeSpan limit, Action onFailure)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LoudAfter = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();

    /// <summary>Steps that fail just now, in the order in which they began to.</summary>
    private readonly List<FailingStep> failing = [];

    /// <summary>Why the table makes no progress just now, by the step that has failed longest; null where none fails.</summary>
    public string? Trouble
    {
        get
        {
            lock (gate)
            {
                return failing.Count == 0 ? null : $"{failing[0].Step}: {failing[0].Message}";
            }
        }
    }

    /// <summary>Why the step failed that was given up last.</summary>
    public string? GivenUp { get; private set; }

    /// <summary>How long that step has failed; zero where none does.</summary>
    public TimeSpan TroubleTime
    {
        get
        {
            lock (gate)
            {
                return failing.Count == 0 ? TimeSpan.Zero : time.GetElapsedTime(failing[0].Since);
            }
        }
    }

    /// <exception cref="PipelineFailedException">No retry can mend it, or it has failed for too long.</exception>
    public Task<T> RunAsync<T>(string step, Func<CancellationToken, Task<T>> attempt, CancellationToken cancellationToken)
        => RunAsync(step, attempt, limit, cancellationToken);

    /// <summary>As <see cref="RunAsync{T}(string, Func{CancellationToken, Task{T}}, CancellationToken)"/>, for ever: brokers may be away for
    /// as long as they like, as nothing can be read meanwhile that would have to be kept.</summary>
    public Task<T> WaitAsync<T>(string step, Func<CancellationToken, Task<T>> attempt, CancellationToken cancellationToken)
        => RunAsync(step, attempt, TimeSpan.Zero, cancellationToken);

    private async Task<T> RunAsync<T>(
        string step, Func<CancellationToken, Task<T>> attempt, TimeSpan longest, CancellationToken cancellationToken)
    {
        var failure = new FailingStep(step);
        try
        {
            for (var delay = FirstDelay; ; delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay)
            {
                try
                {
                    return await attempt(cancellationToken);
                }
                catch (Exception error) when (error is not PipelineFailedException && !IsOurs(error, cancellationToken))
                {
                    Note(failure, error, delay, longest);
                }
                await Task.Delay(delay, time, cancellationToken);
            }
        }
        catch
        {
            GivenUp = failure.Message.Length > 0 ? $"{step}: {failure.Message}" : GivenUp;
            throw;
        }
        finally
        {
            lock (gate)
            {
                failing.Remove(failure);
            }
        }
    }

    private void Note(FailingStep failure, Exception error, TimeSpan delay, TimeSpan longest)
    {
        lock (gate)
        {
            failure.Message = error.Message;
            if (!failing.Contains(failure))
            {
                failure.Since = time.GetTimestamp();
                failing.Add(failure);
            }
        }
        onFailure();
        var elapsed = time.GetElapsedTime(failure.Since);
        if (longest > TimeSpan.Zero && elapsed >= longest)
        {
            throw new PipelineFailedException(
                $"table {table}: {failure.Step} has failed for {elapsed.TotalSeconds:F0} s, and hot_buffer.fail_after_seconds = {longest.TotalSeconds:0.###}. "
                + $"What was read stays in Kafka and is read again at the next start. The last error: {error.Message}", error);
        }
        if (elapsed < LoudAfter)
        {
            logger.FlushStepFailed(error, table, failure.Step, delay.TotalSeconds);
        }
        else
        {
            logger.TableCannotCommit(error, table, failure.Step, (long)elapsed.TotalSeconds, error.Message);
        }
    }

    /// <summary>Whether the caller gave up. A store that cancels a request of its own, after its time-out, is a failure like any other.</summary>
    private static bool IsOurs(Exception error, CancellationToken cancellationToken)
        => error is OperationCanceledException && cancellationToken.IsCancellationRequested;

    private sealed class FailingStep(string step)
    {
        public string Step { get; } = step;

        public string Message { get; set; } = "";

        public long Since { get; set; }
    }
}

/// <summary>A table's pipeline cannot go on: the message says why and what to do. Its rows stay in Kafka; other tables go on.</summary>
public sealed class PipelineFailedException(string message, Exception? inner = null) : Exception(message, inner);
