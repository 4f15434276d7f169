namespace Frazil.Telemetry;

/// <summary>One table's counters since the process started, and how long its steps take. Written by the stages, read by status and by
/// whoever listens to the meter. Nothing here allocates.</summary>
/// <param name="times">Where durations go; null where nobody is to see them.</param>
/// <param name="table">The label of what is recorded there.</param>
internal sealed class TableMetrics(StageTimes? times = null, string table = "")
{
    private readonly KeyValuePair<string, object?> label = new(StageTimes.TableLabel, table);
    private long records;
    private long bytes;
    private long badRecords;
    private long flushes;
    private long flushFailures;
    private long commits;
    private long committedRows;

    public long Records => Volatile.Read(ref records);
    public long Bytes => Volatile.Read(ref bytes);
    public long BadRecords => Volatile.Read(ref badRecords);
    public long Flushes => Volatile.Read(ref flushes);
    public long FlushFailures => Volatile.Read(ref flushFailures);
    public long Commits => Volatile.Read(ref commits);
    public long CommittedRows => Volatile.Read(ref committedRows);

    public void CountRecords(long count, long size)
    {
        Interlocked.Add(ref records, count);
        Interlocked.Add(ref bytes, size);
    }

    /// <summary>Records were made visible; the oldest of them has this Kafka timestamp, in milliseconds since 1970. Negative: it has none;
    /// <see cref="long.MaxValue"/>: there was none.</summary>
    public void RecordVisible(long oldestTimestampMs)
    {
        if (times is not null && oldestTimestampMs is >= 0 and < long.MaxValue && times.Freshness.Enabled)
        {
            // The clock that stamped it may go before ours.
            times.Freshness.Record(Math.Max(0, times.Clock.GetUtcNow().ToUnixTimeMilliseconds() - oldestTimestampMs) / 1000.0, label);
        }
    }

    public void CountBadRecord() => Interlocked.Increment(ref badRecords);

    public void CountFlush(TimeSpan elapsed)
    {
        Interlocked.Increment(ref flushes);
        times?.Flush.Record(elapsed.TotalSeconds, label);
    }

    public void CountFlushFailure() => Interlocked.Increment(ref flushFailures);

    public void CountCommit(TimeSpan elapsed)
    {
        Interlocked.Increment(ref commits);
        times?.Commit.Record(elapsed.TotalSeconds, label);
    }

    public void CountCommittedRows(long rows) => Interlocked.Add(ref committedRows, rows);
}
