using System.Collections.Concurrent;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Frazil.Tests.Engine;

public sealed class StepRetryTests
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

    /// <summary>LESSONS 42.</summary>
    [Fact]
    public async Task What_has_failed_for_as_long_as_the_configuration_allows_is_the_tables_failure()
    {
        var (clock, attempts) = (new SteppedClock(), 0);
        var retry = new StepRetry(clock, NullLogger.Instance, "shop.events", TimeSpan.FromSeconds(3600), () => failures++);
        var failure = await Assert.ThrowsAsync<PipelineFailedException>(() => retry.RunAsync<int>(
            "commit",
            _ =>
            {
                clock.Step(TimeSpan.FromSeconds(1800));
                throw new IOException($"down for the {++attempts}. time");
            },
            TestContext.Current.CancellationToken));
        Assert.Equal(3, attempts);
        Assert.Contains("commit has failed for 3600 s", failure.Message, StringComparison.Ordinal);
        Assert.Contains("hot_buffer.fail_after_seconds", failure.Message, StringComparison.Ordinal);
        Assert.Contains("down for the 3. time", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Brokers_may_be_away_for_longer()
    {
        var (clock, attempts) = (new SteppedClock(), 0);
        var retry = new StepRetry(clock, NullLogger.Instance, "shop.events", TimeSpan.FromSeconds(3600), () => failures++);
        var answer = await retry.WaitAsync(
            "asking for topic ids",
            _ =>
            {
                clock.Step(TimeSpan.FromSeconds(3600));
                return ++attempts < 4 ? throw new IOException("away") : Task.FromResult("there");
            },
            TestContext.Current.CancellationToken);
        Assert.Equal(("there", 4), (answer, attempts));
    }

    /// <summary>One flush waits for its commit while the next one writes its log without a fault.</summary>
    [Fact]
    public async Task A_step_that_works_does_not_hide_one_that_fails()
    {
        var clock = new SteppedClock();
        var retry = new StepRetry(clock, NullLogger.Instance, "shop.events", TimeSpan.Zero, () => failures++);
        var failed = new TaskCompletionSource();
        var mended = false;
        var commit = retry.RunAsync(
            "commit",
            _ =>
            {
                failed.TrySetResult();
                return Volatile.Read(ref mended) ? Task.FromResult(1) : throw new IOException("down");
            },
            TestContext.Current.CancellationToken);
        await failed.Task;
        await EngineFixture.Eventually(() => Task.FromResult(retry.Trouble is not null), "the failure is noted");
        await retry.RunAsync("transaction log", static _ => Task.FromResult(1), TestContext.Current.CancellationToken);
        clock.Step(TimeSpan.FromSeconds(7));

        Assert.Equal("commit: down", retry.Trouble);
        Assert.Equal(TimeSpan.FromSeconds(7), retry.TroubleTime);

        Volatile.Write(ref mended, true);
        await commit;
        Assert.Null(retry.Trouble);
        Assert.Equal(TimeSpan.Zero, retry.TroubleTime);
    }

    /// <summary>A store that hangs is a failing store, though no error says so.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_step_that_gives_no_answer_counts_as_failing_and_is_told(bool blocksItsThread)
    {
        var (clock, logs) = (new SteppedClock(), new Lines());
        var retry = new StepRetry(clock, logs, "shop.events", TimeSpan.FromSeconds(3600), () => failures++);
        var answer = new TaskCompletionSource<int>();
        using var hangs = new ManualResetEventSlim();
        var running = Task.Run(() => retry.RunAsync(
            "write",
            _ =>
            {
                hangs.Set();
                return blocksItsThread ? Task.FromResult(Blocking.Wait(answer.Task)) : answer.Task;
            },
            TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
        hangs.Wait(TestContext.Current.CancellationToken);
        Assert.Null(retry.Trouble);

        clock.Step(TimeSpan.FromSeconds(70));

        Assert.Equal(("write: no answer for 70 s", TimeSpan.FromSeconds(70)), (retry.Trouble, retry.TroubleTime));
        await EngineFixture.Eventually(() => Task.FromResult(!logs.Texts.IsEmpty), "it is in the log");
        Assert.Contains("shop.events: write gives no answer", logs.Texts.First(), StringComparison.Ordinal);
        answer.SetResult(7);
        Assert.Equal(7, await running);
        Assert.Null(retry.Trouble);
    }

    [Fact]
    public async Task A_step_that_gives_no_answer_for_as_long_as_the_configuration_allows_is_the_tables_failure()
    {
        var (clock, attempts) = (new SteppedClock(), 0);
        var retry = new StepRetry(clock, NullLogger.Instance, "shop.events", TimeSpan.FromSeconds(3600), () => failures++);
        var failure = await Assert.ThrowsAsync<PipelineFailedException>(() => retry.RunAsync<int>(
            "commit",
            async token =>
            {
                attempts++;
                clock.Step(TimeSpan.FromSeconds(3600));
                await Task.Delay(Timeout.Infinite, token);
                return 1;
            },
            TestContext.Current.CancellationToken));
        Assert.Equal(1, attempts);
        Assert.Contains("commit has failed for 3600 s", failure.Message, StringComparison.Ordinal);
        Assert.Contains("no answer for 3600 s", failure.Message, StringComparison.Ordinal);
    }

    private StepRetry Retry() => new(TimeProvider.System, NullLogger.Instance, "shop.events", TimeSpan.Zero, () => failures++);

    /// <summary>Stands still but for steps; delays are over at once.</summary>
    private sealed class SteppedClock : TimeProvider
    {
        private long now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref now);

        public void Step(TimeSpan time) => Interlocked.Add(ref now, time.Ticks);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
            => base.CreateTimer(callback, state, TimeSpan.FromMilliseconds(1), period == Timeout.InfiniteTimeSpan ? period : TimeSpan.FromMilliseconds(1));
    }

    private sealed class Lines : ILogger
    {
        public ConcurrentQueue<string> Texts { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => Texts.Enqueue(formatter(state, exception));
    }
}
