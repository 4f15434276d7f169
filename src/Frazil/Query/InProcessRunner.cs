using Frazil.DuckDb;

namespace Frazil.Query;

/// <summary>Runs statements in this process: the quickest way, for programs that trust whoever writes them. A fault of DuckDB's ends the
/// process.</summary>
internal sealed class InProcessRunner(SqlExecutorOptions options) : ISqlRunner
{
    private readonly Lock gate = new();
    private ExecutorHost host = new(options);
    private bool isDisposed;

    public void Run(GatedSql sql, IReadOnlyList<TableBinding> tables, TablePins pins, IRowSink rows, CancellationToken cancellationToken)
    {
        using var lease = TakeLease(out var current);
        try
        {
            lease.Run(sql.Sql, tables, pins, rows, options.MaxResultBytes, cancellationToken);
        }
        catch (DuckDbException failure) when (failure.IsFatal)
        {
            // After such an error DuckDB refuses everything that follows: later queries get a new instance.
            lease.Spoil();
            Replace(current);
            throw;
        }
        catch (Exception failure) when (failure is not DuckDbException)
        {
            lease.Spoil();
            throw;
        }
    }

    /// <summary>Nothing may run any more: closing under a statement would crash.</summary>
    public ValueTask DisposeAsync()
    {
        lock (gate)
        {
            isDisposed = true;
        }
        host.Retire();
        return ValueTask.CompletedTask;
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
}
