using System.Diagnostics;
using Frazil.Cold;
using Frazil.Commit;
using Frazil.DuckDb;
using Frazil.Iceberg;
using Frazil.Telemetry;

namespace Frazil.Query;

/// <summary>A query whose rows come while they are computed. Not thread-safe. Rows that wait for their reader are bounded in bytes; a reader
/// that takes nothing for ten seconds while they are at the bound, or that is not through when the query's time is over, gets an error. The
/// hot rows that the query reads stay in memory until all rows are computed. Dispose.</summary>
public sealed class SqlStream : IAsyncDisposable
{
    private readonly SqlChunks chunks;
    private readonly QueryDeadline deadline;

    internal SqlStream(SqlChunks chunks, IReadOnlyDictionary<string, ReadPointSummary> readPoint, ScanSummary scan, QueryDeadline deadline)
    {
        (this.chunks, ReadPoint, Scan, this.deadline) = (chunks, readPoint, scan, deadline);
        Columns = [.. chunks.Columns.Select(static column => new SqlColumn(column.Name, column.Type.ToString()))];
    }

    /// <summary>Names and types, in order; a name may stand twice.</summary>
    public IReadOnlyList<SqlColumn> Columns { get; }

    /// <summary>The same with the types that chunks have.</summary>
    public IReadOnlyList<DuckDbColumn> ColumnTypes => chunks.Columns;

    /// <summary>Per table, the snapshot id and the hot rows' offsets that the query sees.</summary>
    public IReadOnlyDictionary<string, ReadPointSummary> ReadPoint { get; }

    public ScanSummary Scan { get; }

    /// <summary>The next rows, the caller's to dispose; null after the last.</summary>
    /// <exception cref="SqlException">The query failed; what came before is not its whole answer.</exception>
    /// <exception cref="TimeoutException">Its time is over.</exception>
    public async ValueTask<DuckDbChunk?> ReadAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            var chunk = await chunks.ReadAsync(cancellationToken);
            deadline.IsMet |= chunk is null;
            return chunk;
        }
        catch (OperationCanceledException error) when (deadline.Explain(error) is var told && told != error)
        {
            throw told;
        }
    }

    internal async Task<SqlResult> ReadAllAsync(int maxRows, long maxBytes, long started, CancellationToken cancellationToken)
    {
        try
        {
            var rows = await SqlRows.ReadAsync(chunks, maxRows, maxBytes, cancellationToken);
            deadline.IsMet = true;
            return new() { Columns = rows.Columns, Rows = rows.Rows, Elapsed = Stopwatch.GetElapsedTime(started), ReadPoint = ReadPoint, Scan = Scan };
        }
        catch (OperationCanceledException error) when (deadline.Explain(error) is var told && told != error)
        {
            throw told;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await chunks.DisposeAsync();
        deadline.Dispose();
    }
}

/// <summary>When a query must be through, and what its errors mean. Counts the query when it is disposed: as failed, unless all its rows were
/// read.</summary>
internal sealed class QueryDeadline : IDisposable
{
    private readonly TimeSpan limit;
    private readonly CancellationToken caller;
    private readonly QueryMetrics? metrics;
    private readonly long started = Stopwatch.GetTimestamp();
    private readonly CancellationTokenSource timeout;

    public QueryDeadline(TimeSpan limit, QueryMetrics? metrics, CancellationToken caller)
    {
        (this.limit, this.metrics, this.caller) = (limit, metrics, caller);
        timeout = CancellationTokenSource.CreateLinkedTokenSource(caller);
        timeout.CancelAfter(limit);
    }

    public CancellationToken Token => timeout.Token;

    /// <summary>All rows have been read.</summary>
    public bool IsMet { get; set; }

    /// <summary>What the one who asked is told; the same error where it says all.</summary>
    public Exception Explain(Exception error) => error switch
    {
        // Other hands dropped the table, or made it anew, below a running pipeline, or spoilt its progress.
        // Or its files are of a kind that cannot be read here.
        PipelineFailedException or ProgressFormatException or UnreadableTableException => new SqlException(error.Message, null, error),
        // A type without a column layout.
        ValidationException => new SqlException($"The table cannot be queried: {error.Message}", null, error),
        UnseenRecordException when !caller.IsCancellationRequested
            => new TimeoutException($"after {limit.TotalSeconds:0.###} s {error.Message}", error),
        OperationCanceledException when timeout.IsCancellationRequested && !caller.IsCancellationRequested => new TimeoutException(
            $"the query did not finish within {limit.TotalSeconds:0.###} s; ask for less, or give it a longer timeout_ms"
            + (error is StuckQueryException ? $". {error.Message}" : ""), error),
        _ => error,
    };

    public void Dispose()
    {
        timeout.Dispose();
        metrics?.CountQuery(Stopwatch.GetElapsedTime(started), hasFailed: !IsMet);
    }
}
