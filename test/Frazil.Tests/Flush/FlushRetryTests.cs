using Frazil.Flush;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Frazil.Tests.Flush;

public sealed class FlushRetryTests
{
    private int failures;

    [Fact]
    public async Task A_step_that_cancels_itself_is_tried_again_like_any_other_failure()
    {
        var attempts = 0;
        var answer = await Retry().RunAsync(
            "commit", _ => ++attempts < 2 ? throw new TaskCanceledException("the store took too long") : Task.FromResult("done"),
            TestContext.Current.CancellationToken);
        Assert.Equal(("done", 2, 1), (answer, attempts, failures));
    }

    [Fact]
    public async Task A_caller_that_gives_up_ends_it_and_that_is_no_failure()
    {
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Retry().RunAsync<int>(
            "commit",
            token =>
            {
                stop.Cancel();
                token.ThrowIfCancellationRequested();
                return Task.FromResult(1);
            },
            stop.Token));
        Assert.Equal(0, failures);
    }

    [Fact]
    public async Task What_no_retry_can_mend_is_thrown_at_once()
    {
        var attempts = 0;
        await Assert.ThrowsAsync<PipelineFailedException>(() => Retry().RunAsync<int>(
            "commit",
            _ =>
            {
                attempts++;
                throw new PipelineFailedException("another table now");
            },
            TestContext.Current.CancellationToken));
        Assert.Equal((1, 0), (attempts, failures));
    }

    private FlushRetry Retry() => new(TimeProvider.System, NullLogger.Instance, "shop.events", () => failures++);
}
