using System.Text;
using Frazil.Columnar.DuckDb;

namespace Frazil.Query;

/// <param name="Columns">Names and types.</param>
/// <param name="Rows">Values as <see cref="SqlResult"/> documents them.</param>
public sealed record SqlRows(IReadOnlyList<SqlColumn> Columns, IReadOnlyList<object?[]> Rows);

/// <summary>
/// Runs gated SQL over the tables that each query brings along. A query sees exactly its own tables, as <c>namespace.table</c> and, where
/// that is unambiguous, as <c>table</c>; queries at the same time do not see each other's. Thread-safe.
/// </summary>
public sealed class SqlExecutor : IAsyncDisposable
{
    private readonly SqlExecutorOptions options;
    private readonly TimeProvider time;
    private readonly SemaphoreSlim seats;
    private readonly Lock gate = new();
    private ExecutorHost host;
    private bool isDisposed;

    /// <exception cref="DuckDbException">A setting is not possible.</exception>
    public SqlExecutor(SqlExecutorOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (this.options, this.time) = (options, time ?? TimeProvider.System);
        seats = new SemaphoreSlim(options.MaxConcurrent);
        host = new ExecutorHost(options);
    }

    /// <summary>Runs one statement and reads all its rows.</summary>
    /// <param name="sql">From <see cref="SqlGate.Parse"/>.</param>
    /// <param name="tables">At least those that the statement names. Their hot pins are taken over, whatever happens.</param>
    /// <param name="timeout">For waiting and running; <see cref="Timeout.InfiniteTimeSpan"/> for none.</param>
    /// <param name="cancellationToken">Interrupts the query.</param>
    /// <exception cref="SqlException">The statement is wrong, names a table that is not there, fails, or takes too long or too
    /// much.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async Task<SqlRows> ExecuteAsync(
        GatedSql sql, IReadOnlyList<TableInput> tables, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(tables);
        using var pins = new TablePins(tables);
        var bound = TableBinding.Bind(sql, tables);
        if (sql.CountColumn is { } column)
        {
            return Count(bound[0].Table, column);
        }
        using var expiry = new CancellationTokenSource(timeout, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(expiry.Token, cancellationToken);
        try
        {
            await seats.WaitAsync(stop.Token).ConfigureAwait(false);
            try
            {
                // The query blocks this thread, on which it also runs: not the caller's, and not one of the pool, which would be slow to
                // replace it.
                return await Task.Factory.StartNew(
                    () => Run(sql, bound, pins, stop.Token), stop.Token, TaskCreationOptions.LongRunning,
                    TaskScheduler.Default).ConfigureAwait(false);
            }
            finally
            {
                seats.Release();
            }
        }
        catch (OperationCanceledException failure) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SqlException(
                $"The query did not finish within {timeout.TotalMilliseconds:0} ms. Give it more time, or read less.", null, failure);
        }
        catch (OperationCanceledException failure)
        {
            throw new OperationCanceledException(failure.Message, failure, cancellationToken);
        }
    }

    /// <summary>Waits for the queries that run, then closes.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (gate)
        {
            if (isDisposed)
            {
                return;
            }
            isDisposed = true;
        }
        for (var seat = 0; seat < options.MaxConcurrent; seat++)
        {
            await seats.WaitAsync().ConfigureAwait(false);
        }
        host.Retire();
        seats.Dispose();
    }

    /// <summary><c>SELECT count(*) FROM table</c>: known without reading, as DuckDB itself knows it of Parquet files.</summary>
    private static SqlRows Count(TableInput table, string column)
    {
        var rows = table.HotSlices.Sum(slice => slice.Count) + table.ColdFiles.Sum(file => file.RecordCount);
        return new SqlRows([new SqlColumn(column, "BIGINT")], [[rows]]);
    }

    private SqlRows Run(GatedSql sql, IReadOnlyList<TableBinding> tables, TablePins pins, CancellationToken cancellationToken)
    {
        using var lease = TakeLease(out var current);
        try
        {
            return lease.Session.Run(sql, tables, pins, options, cancellationToken);
        }
        catch (DuckDbException failure)
        {
            // After such an error DuckDB refuses everything that follows: later queries get a new instance.
            if (failure.Kind.Equals("FATAL", StringComparison.OrdinalIgnoreCase)
                || failure.Kind.Equals("INTERNAL", StringComparison.OrdinalIgnoreCase))
            {
                lease.Spoil();
                Replace(current);
            }
            throw new SqlException(failure.Message, Position(sql.Sql, failure.BytePosition), failure);
        }
        catch
        {
            lease.Spoil();
            throw;
        }
    }

    private ExecutorHost.Lease TakeLease(out ExecutorHost from)
    {
        while (true)
        {
            lock (gate)
            {
                ObjectDisposedException.ThrowIf(isDisposed, this);
                from = host;
            }
            if (from.TryTake() is { } lease)
            {
                return lease;
            }
        }
    }

    private void Replace(ExecutorHost broken)
    {
        lock (gate)
        {
            if (host == broken && !isDisposed)
            {
                host = new ExecutorHost(options);
            }
        }
        broken.Retire();
    }

    private static int? Position(string sql, int? bytePosition)
    {
        if (bytePosition is not { } bytes)
        {
            return null;
        }
        var encoded = Encoding.UTF8.GetBytes(sql);
        return Encoding.UTF8.GetCharCount(encoded, 0, Math.Clamp(bytes, 0, encoded.Length));
    }
}
