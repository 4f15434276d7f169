namespace Frazil.Query;

/// <summary>Where users' statements run: in this process, or each in a worker. Thread-safe.</summary>
internal interface ISqlRunner : IAsyncDisposable
{
    /// <summary>Runs a statement on the calling thread until its last row is handed on.</summary>
    /// <param name="sql">From the gate.</param>
    /// <param name="tables">Those that it names.</param>
    /// <param name="pins">Of the tables' hot rows; what is taken from them is released when nothing reads the rows any more.</param>
    /// <param name="rows">Where its rows go.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="Frazil.DuckDb.DuckDbException">The statement is wrong, or failed.</exception>
    void Run(GatedSql sql, IReadOnlyList<TableBinding> tables, TablePins pins, IRowSink rows, CancellationToken cancellationToken);
}
