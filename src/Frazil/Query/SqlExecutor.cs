using System.Text;
using Frazil.DuckDb;

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
    private readonly CancellationTokenSource stopping = new();
    private bool isDisposed;
    private int stuck;

    /// <exception cref="DuckDbException">A setting is not possible.</exception>
    public SqlExecutor(SqlExecutorOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (this.options, this.time) = (options, time ?? TimeProvider.System);
        seats = new SemaphoreSlim(options.MaxConcurrent);
        host = new ExecutorHost(options);
    }

    /// <summary>Queries that were given up because they could not be interrupted, and still run.</summary>
    public int StuckQueries => Volatile.Read(ref stuck);

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
        using var expiry = new CancellationTokenSource(timeout, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(expiry.Token, cancellationToken, stopping.Token);
        try
        {
            return await StartAsync(sql, tables, stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException failure) when (expiry.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new SqlException(
                $"The query did not finish within {timeout.TotalMilliseconds:0} ms. Give it more time, or read less."
                + (failure is StuckQueryException ? $" {failure.Message}" : ""), null, failure);
        }
        catch (OperationCanceledException failure) when (failure is not StuckQueryException && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(failure.Message, failure, cancellationToken);
        }
    }

    /// <summary>Interrupts the queries that run, waits for them, then closes. What still holds a query that cannot be interrupted is left
    /// to the end of the process: closing it under that query would crash.</summary>
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
        await stopping.CancelAsync().ConfigureAwait(false);
        using var patience = new CancellationTokenSource(options.InterruptGrace, time);
        try
        {
            for (var seat = 0; seat < options.MaxConcurrent; seat++)
            {
                await seats.WaitAsync(patience.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            return;
        }
        host.Retire();
        seats.Dispose();
        stopping.Dispose();
    }

    private async Task<SqlRows> StartAsync(GatedSql sql, IReadOnlyList<TableInput> tables, CancellationToken stop)
    {
        var pins = new TablePins(tables);
        IReadOnlyList<TableBinding> bound;
        try
        {
            bound = TableBinding.Bind(sql, tables);
            if (sql.CountColumn is { } column)
            {
                pins.Dispose();
                return Count(bound[0].Table, column);
            }
            await seats.WaitAsync(stop).ConfigureAwait(false);
        }
        catch
        {
            pins.Dispose();
            throw;
        }
        // The query blocks this thread, on which it also runs: not the caller's, and not one of the pool, which would be slow to replace it.
        // Seat and pins are the query's own, for it may outlast whoever asked.
        return await AnswerAsync(
            Task.Factory.StartNew(
                () =>
                {
                    try
                    {
                        stop.ThrowIfCancellationRequested();
                        return Run(sql, bound, pins, stop);
                    }
                    finally
                    {
                        pins.Dispose();
                        seats.Release();
                    }
                },
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default),
            stop).ConfigureAwait(false);
    }

    /// <summary>DuckDB has work that it does not look up from: an interrupted query is waited for, but not for ever.</summary>
    private async Task<SqlRows> AnswerAsync(Task<SqlRows> query, CancellationToken stop)
    {
        try
        {
            return await query.WaitAsync(stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!query.IsCompleted)
        {
            try
            {
                return await query.WaitAsync(options.InterruptGrace, time, CancellationToken.None).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                Interlocked.Increment(ref stuck);
                _ = query.ContinueWith(
                    ended =>
                    {
                        _ = ended.Exception;
                        Interlocked.Decrement(ref stuck);
                    },
                    CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                throw new StuckQueryException(stop);
            }
        }
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

/// <summary>A query that goes on although it was interrupted. Nobody waits for it any more.</summary>
public sealed class StuckQueryException(CancellationToken token) : OperationCanceledException(
    "DuckDB could not be interrupted in what it does for it: the query goes on, and keeps a processor and one of the seats, until it ends by "
    + "itself or Frazil is restarted.", token);
