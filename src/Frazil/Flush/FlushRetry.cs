using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil.Flush;

/// <summary>Tries a step until it works, the caller gives up, or the failure is one that no retry can mend. Waits 0.2 s, doubling to 30
/// s.</summary>
internal sealed class FlushRetry(TimeProvider time, ILogger logger, string table, Action onFailure)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    /// <summary>Why a step fails again and again just now; null where none does.</summary>
    public string? Trouble { get; private set; }

    public async Task<T> RunAsync<T>(string step, Func<CancellationToken, Task<T>> attempt, CancellationToken cancellationToken)
    {
        for (var delay = FirstDelay; ; delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay)
        {
            try
            {
                var result = await attempt(cancellationToken);
                Trouble = null;
                return result;
            }
            catch (Exception error) when (error is not PipelineFailedException && !IsOurs(error, cancellationToken))
            {
                Trouble = $"{step}: {error.Message}";
                onFailure();
                logger.FlushStepFailed(error, table, step, delay.TotalSeconds);
            }
            await Task.Delay(delay, time, cancellationToken);
        }
    }

    /// <summary>Whether the caller gave up. A store that cancels a request of its own, after its time-out, is a failure like any other.</summary>
    private static bool IsOurs(Exception error, CancellationToken cancellationToken)
        => error is OperationCanceledException && cancellationToken.IsCancellationRequested;
}

/// <summary>A table's pipeline cannot go on: the message says why and what to do. Its rows stay in Kafka; other tables go on.</summary>
public sealed class PipelineFailedException(string message, Exception? inner = null) : Exception(message, inner);
