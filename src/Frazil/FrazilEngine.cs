using Frazil.Config;
using Frazil.Query;
using Microsoft.Extensions.Logging;

namespace Frazil;

/// <summary>A running Frazil: every configured table is consumed, buffered, flushed, committed and queryable until it is stopped.</summary>
public sealed class FrazilEngine : IAsyncDisposable
{
    /// <summary>Starts from frozen options. Returns when catalog and warehouse answer and every table's consumer has started;
    /// an unreachable broker or a missing topic is waited for and reported, not an error.</summary>
    /// <exception cref="FrazilStartException">The catalog or warehouse cannot be used, or a table has an incompatible schema.</exception>
    public static Task<FrazilEngine> StartAsync(FrazilOptions options, ILoggerFactory? loggers = null, CancellationToken cancellationToken = default)
        => throw new FrazilStartException("not built yet");

    /// <summary>SQL over hot and cold rows.</summary>
    public SqlSession Sql => throw new FrazilStartException("not built yet");

    /// <summary>What each table is doing right now; a fresh snapshot at each call.</summary>
    public IReadOnlyList<TableStatus> Tables => [];

    /// <summary>Bytes of native memory that hot rows hold now.</summary>
    public long HotBytes => 0;

    /// <summary>Completes when the engine has stopped; faults when a table's pipeline stopped for good.</summary>
    public Task Completion => Task.CompletedTask;

    /// <summary>Stops fetching, flushes and commits what is buffered, leaves the groups. Idempotent.</summary>
    public Task StopAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public ValueTask DisposeAsync() => new(StopAsync());
}

/// <summary>The engine cannot start; the message says what failed, the value seen, and what to change.</summary>
public sealed class FrazilStartException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>One table's state for people and metrics. Counters are since the start of the process.</summary>
public sealed record TableStatus
{
    public required string Name { get; init; }
    public required string Topic { get; init; }
    /// <summary><c>waiting</c> (for topic, broker or assignment), <c>running</c>, <c>paused</c> (memory limit), <c>failed</c>, <c>stopped</c>.</summary>
    public required string State { get; init; }
    /// <summary>Why it waits or failed; null when it runs.</summary>
    public string? Reason { get; init; }
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
    public long? SnapshotId { get; init; }
    public int Partitions { get; init; }
}
