using System.Text;
using Frazil.DuckDb;
using Frazil.Query.Workers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Frazil.Query;

/// <summary>
/// Runs gated SQL over the tables that each query brings along. A query sees exactly its own tables, as <c>namespace.table</c> and, where
/// that is unambiguous, as <c>table</c>; queries at the same time do not see each other's. Thread-safe.
/// </summary>
public sealed class SqlExecutor : IAsyncDisposable
{
    private readonly SqlExecutorOptions options;
    private readonly TimeProvider time;
    private readonly SemaphoreSlim seats;
    private readonly int places;
    private readonly ResultMemory memory;
    private readonly Lock gate = new();
    private readonly ISqlRunner runner;
    private readonly CancellationTokenSource stopping = new();
    private bool isDisposed;
    private int stuck;

    /// <exception cref="DuckDbException">A setting is not possible.</exception>
    public SqlExecutor(SqlExecutorOptions options, TimeProvider? time = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (this.options, this.time) = (options, time ?? TimeProvider.System);
        places = options.HasWorkers ? Math.Min(options.MaxConcurrent, options.MaxWorkers) : options.MaxConcurrent;
        seats = new SemaphoreSlim(places);
        runner = options.HasWorkers ? new WorkerPool(options, this.time, logger ?? NullLogger.Instance) : new InProcessRunner(options);
        memory = new(options.MaxAllWaitingBytes, options.MaxWaitingBytes, options.ReaderPatience);
    }

    /// <summary>Bytes of rows that wait for their readers.</summary>
    public long WaitingBytes => memory.Bytes;

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
            await using var chunks = await StreamAsync(sql, tables, stop.Token).ConfigureAwait(false);
            return await SqlRows.ReadAsync(chunks, options.MaxResultRows, options.MaxResultBytes, stop.Token).ConfigureAwait(false);
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
            for (var seat = 0; seat < places; seat++)
            {
                await seats.WaitAsync(patience.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            return;
        }
        await runner.DisposeAsync().ConfigureAwait(false);
        seats.Dispose();
        stopping.Dispose();
    }

    /// <summary>Runs one statement; its rows are computed while they are read, and no more of them than <see cref="SqlExecutorOptions"/>
    /// lets wait.</summary>
    /// <param name="sql">From <see cref="SqlGate.Parse"/>.</param>
    /// <param name="tables">At least those that the statement names. Their hot pins are taken over, whatever happens.</param>
    /// <param name="cancellationToken">Interrupts the query until all is read.</param>
    /// <returns>When the statement is known to be right; the caller disposes.</returns>
    /// <exception cref="SqlException">The statement is wrong, names a table that is not there, or fails.</exception>
    /// <exception cref="OperationCanceledException">It was interrupted.</exception>
    public async Task<SqlChunks> StreamAsync(GatedSql sql, IReadOnlyList<TableInput> tables, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(tables);
        var pins = new TablePins(tables);
        var buffer = new ResultBuffer(memory, time);
        var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping.Token);
        Task query;
        try
        {
            var bound = TableBinding.Bind(sql, tables);
            query = sql.CountColumn is { } column ? Count(bound[0].Table, column, buffer, pins) : await StartAsync(sql, bound, buffer, pins, stop.Token).ConfigureAwait(false);
        }
        catch
        {
            pins.Dispose();
            stop.Dispose();
            throw;
        }
        try
        {
            return new(await buffer.Columns.WaitAsync(stop.Token).ConfigureAwait(false), buffer, query, stop, WaitForEndAsync);
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            buffer.Abandon();
            try
            {
                await WaitForEndAsync(query, stop.Token).ConfigureAwait(false);
            }
            finally
            {
                stop.Dispose();
            }
            throw;
        }
    }

    /// <summary>Rows of one VARCHAR that are known without asking DuckDB.</summary>
    internal SqlChunks Answer(string column, IReadOnlyList<string> values)
    {
        var buffer = new ResultBuffer(memory, time);
        buffer.Write(ChunkFrame.OfTexts(values), CancellationToken.None);
        buffer.Complete(null);
        return new([DuckDbColumn.Varchar(column)], buffer, Task.CompletedTask, new(), WaitForEndAsync);
    }

    /// <returns>The query, which ends when its thread does; how, the buffer says.</returns>
    private async Task<Task> StartAsync(
        GatedSql sql, IReadOnlyList<TableBinding> bound, ResultBuffer buffer, TablePins pins, CancellationToken stop)
    {
        await seats.WaitAsync(stop).ConfigureAwait(false);
        // The query blocks this thread, on which it also runs: not the caller's, and not one of the pool, which would be slow to replace it.
        // Seat and pins are the query's own, for it may outlast whoever asked.
        return Task.Factory.StartNew(
            () =>
            {
                Exception? failure = null;
                try
                {
                    stop.ThrowIfCancellationRequested();
                    Run(sql, bound, pins, buffer, stop);
                }
                catch (Exception error)
                {
                    failure = error;
                }
                pins.Dispose();
                seats.Release();
                buffer.Complete(failure);
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>DuckDB has work that it does not look up from: an interrupted query is waited for, but not for ever.</summary>
    private async Task WaitForEndAsync(Task query, CancellationToken stop)
    {
        try
        {
            await query.WaitAsync(options.InterruptGrace, time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Interlocked.Increment(ref stuck);
            _ = query.ContinueWith(
                ended => Interlocked.Decrement(ref stuck),
                CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw new StuckQueryException(stop);
        }
    }

    /// <summary><c>SELECT count(*) FROM table</c>: known without reading, as DuckDB itself knows it of Parquet files.</summary>
    private static Task Count(TableInput table, string column, ResultBuffer buffer, TablePins pins)
    {
        pins.Dispose();
        var rows = table.HotSlices.Sum(slice => slice.Count) + table.ColdFiles.Sum(file => file.RecordCount);
        buffer.Begin([DuckDbColumn.BigInt(column)]);
        buffer.Write(ChunkFrame.OfLong(rows), CancellationToken.None);
        buffer.Complete(null);
        return Task.CompletedTask;
    }

    private void Run(GatedSql sql, IReadOnlyList<TableBinding> tables, TablePins pins, ResultBuffer buffer, CancellationToken cancellationToken)
    {
        try
        {
            runner.Run(sql, tables, pins, buffer, cancellationToken);
        }
        catch (DuckDbException failure)
        {
            throw new SqlException(failure.Message, Position(sql.Sql, failure.BytePosition), failure);
        }
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
