using System.Diagnostics.Metrics;

namespace Frazil.Telemetry;

/// <summary>Counts finished queries. Thread-safe.</summary>
internal sealed class QueryMetrics(Histogram<double> duration)
{
    private long succeeded;
    private long failed;
    private long ticks;

    public long Succeeded => Volatile.Read(ref succeeded);
    public long Failed => Volatile.Read(ref failed);
    public TimeSpan Time => new(Volatile.Read(ref ticks));

    public void CountQuery(TimeSpan elapsed, bool hasFailed)
    {
        Interlocked.Increment(ref hasFailed ? ref failed : ref succeeded);
        Interlocked.Add(ref ticks, elapsed.Ticks);
        duration.Record(elapsed.TotalSeconds);
    }
}
