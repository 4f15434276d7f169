namespace Frazil.Telemetry;

/// <summary>One table's counters since the process started. Written by the stages, read by status and /metrics.</summary>
internal sealed class TableMetrics
{
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

    public void CountBadRecord() => Interlocked.Increment(ref badRecords);

    public void CountFlush() => Interlocked.Increment(ref flushes);

    public void CountFlushFailure() => Interlocked.Increment(ref flushFailures);

    public void CountCommit() => Interlocked.Increment(ref commits);

    public void CountCommittedRows(long rows) => Interlocked.Add(ref committedRows, rows);
}
