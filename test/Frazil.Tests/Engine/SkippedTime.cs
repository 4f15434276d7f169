using Frazil.Hot;

namespace Frazil.Tests.Engine;

/// <summary>The system's time, in which hours can be left out: timers that would have rung in them ring at once.</summary>
internal sealed class SkippedTime : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<Timer> timers = [];
    private TimeSpan skipped;

    /// <summary>How often a flusher went to sleep.</summary>
    public int Sleeps { get; private set; }

    /// <summary>For how long the flusher sleeps that went to sleep last.</summary>
    public TimeSpan Sleep { get; private set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Skipped;

    public override long GetTimestamp() => base.GetTimestamp() + (long)(Skipped.TotalSeconds * TimestampFrequency);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, isFlusher: state is ChangeSignal, base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        lock (gate)
        {
            timers.Add(timer);
        }
        timer.Change(dueTime, period);
        return timer;
    }

    public void Skip(TimeSpan by)
    {
        lock (gate)
        {
            skipped += by;
            timers.ForEach(static timer => timer.Resume());
        }
    }

    private TimeSpan Skipped
    {
        get
        {
            lock (gate)
            {
                return skipped;
            }
        }
    }

    private sealed class Timer(SkippedTime time, bool isFlusher, ITimer real) : ITimer
    {
        private long? due;
        private TimeSpan every;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time.gate)
            {
                (due, every) = (dueTime == Timeout.InfiniteTimeSpan ? null : time.GetTimestamp() + (long)(dueTime.TotalSeconds * time.TimestampFrequency), period);
                if (isFlusher)
                {
                    time.Sleep = dueTime;
                    time.Sleeps++;
                }
                return real.Change(dueTime, period);
            }
        }

        public void Resume()
        {
            if (due is { } at)
            {
                var left = time.GetElapsedTime(time.GetTimestamp(), at);
                real.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, every);
            }
        }

        public void Dispose()
        {
            Forget();
            real.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Forget();
            return real.DisposeAsync();
        }

        private void Forget()
        {
            lock (time.gate)
            {
                due = null;
                time.timers.Remove(this);
            }
        }
    }
}
