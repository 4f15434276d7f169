namespace Frazil;

/// <summary>One table's state for people and metrics. Counters are since the start of the process.</summary>
public sealed record TableStatus
{
    public required string Name { get; init; }
    public required string Topic { get; init; }
    /// <summary><c>waiting</c> (for topic, broker or assignment), <c>running</c>, <c>failing</c> (a step towards the commit has failed and is
    /// tried again; reading goes on while there is room), <c>paused</c> (memory limit), <c>failed</c>, <c>stopped</c>.</summary>
    public required string State { get; init; }
    /// <summary>Why it waits, is failing or failed; null when it runs.</summary>
    public string? Reason { get; init; }
    /// <summary>For how long it has been failing; 0 where it is not.</summary>
    public double FailingSeconds { get; init; }
    public long Records { get; init; }
    public long Bytes { get; init; }
    public long BadRecords { get; init; }
    /// <summary>Records between the high watermarks and the next offset to read, summed over assigned partitions; -1 unknown.</summary>
    public long Lag { get; init; } = -1;
    public long HotRows { get; init; }
    public long HotBytes { get; init; }
    public long Flushes { get; init; }
    public long FlushFailures { get; init; }
    public long Commits { get; init; }
    public long CommittedRows { get; init; }
    /// <summary>How often the transaction log was forced to disk.</summary>
    public long LogSyncs { get; init; }
    public long? SnapshotId { get; init; }
    public int Partitions { get; init; }
    /// <summary>Records that were read and are not in the table after a stop: they stay in Kafka and are read again at the next
    /// start.</summary>
    public long UncommittedRecords { get; init; }
}
