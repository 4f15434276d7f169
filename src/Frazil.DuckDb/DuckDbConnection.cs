using System.Text;

namespace Frazil.DuckDb;

/// <summary>One connection: one statement at a time. Not thread-safe, but for the cancellation of a running statement.</summary>
public sealed unsafe class DuckDbConnection : IDisposable
{
    private nint connection;

    internal DuckDbConnection(nint connection) => this.connection = connection;

    internal nint Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(connection == 0, this);
            return connection;
        }
    }

    /// <summary>Runs statements one after the other, for their effect.</summary>
    /// <exception cref="DuckDbException">One failed; those before it are done.</exception>
    public void Execute(string sql, CancellationToken cancellationToken = default)
    {
        using var statements = new Statements(Handle, sql);
        for (var index = 0; index < statements.Count; index++)
        {
            using var result = Run(statements, index, [], streaming: false, cancellationToken);
        }
    }

    /// <summary>Runs one statement. Rows are materialised in DuckDB's memory and read with <see cref="DuckDbResult.NextChunk"/>.</summary>
    /// <param name="sql">Exactly one statement.</param>
    /// <param name="parameters">Values of its <c>?</c>, as VARCHAR.</param>
    /// <param name="cancellationToken">Interrupts the statement.</param>
    /// <exception cref="DuckDbException">It is wrong, or failed.</exception>
    /// <exception cref="OperationCanceledException">It was interrupted.</exception>
    public DuckDbResult Query(string sql, IReadOnlyList<string> parameters, CancellationToken cancellationToken = default) =>
        QueryOne(sql, parameters, streaming: false, cancellationToken);

    /// <inheritdoc cref="Query(string, IReadOnlyList{string}, CancellationToken)"/>
    public DuckDbResult Query(string sql, CancellationToken cancellationToken = default)
        => QueryOne(sql, [], streaming: false, cancellationToken);

    /// <summary>Runs one statement whose rows are computed while they are read.</summary>
    /// <inheritdoc cref="Query(string, IReadOnlyList{string}, CancellationToken)"/>
    public DuckDbResult Stream(string sql, CancellationToken cancellationToken = default)
        => QueryOne(sql, [], streaming: true, cancellationToken);

    private DuckDbResult QueryOne(string sql, IReadOnlyList<string> parameters, bool streaming, CancellationToken cancellationToken)
    {
        using var statements = new Statements(Handle, sql);
        return statements.Count == 1
            ? Run(statements, 0, parameters, streaming, cancellationToken)
            : throw new DuckDbException($"Exactly one statement is wanted; this has {statements.Count}.", "Parser");
    }

    private DuckDbResult Run(
        Statements statements, int index, IReadOnlyList<string> parameters, bool streaming, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var prepared = statements.Prepare(index);
        var result = new DuckDbResult(this, prepared);
        try
        {
            for (var at = 0; at < parameters.Count; at++)
            {
                Bind(prepared, at + 1, parameters[at]);
            }
            result.Start(streaming, cancellationToken);
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    private static void Bind(nint prepared, int index, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        fixed (byte* pointer = bytes)
        {
            byte nothing = 0;
            if (DuckDbNative.duckdb_bind_varchar_length(prepared, (ulong)index, bytes.Length == 0 ? &nothing : pointer,
                (ulong)bytes.Length) !=
                DuckDbNative.Success)
            {
                throw new DuckDbException(
                    $"Parameter {index} cannot be bound: {DuckDbInstance.ReadText(DuckDbNative.duckdb_prepare_error(prepared))}");
            }
        }
    }

    public void Dispose()
    {
        if (connection != 0)
        {
            DuckDbNative.duckdb_disconnect(ref connection);
            connection = 0;
        }
    }

    /// <summary>Parsed statements, not yet bound to tables.</summary>
    private sealed class Statements : IDisposable
    {
        private readonly nint connection;
        private nint extracted;

        public Statements(nint connection, string sql)
        {
            if (sql.Contains('\0', StringComparison.Ordinal))
            {
                throw new DuckDbException("SQL text must not contain the character U+0000.", "Parser");
            }
            this.connection = connection;
            Count = (int)DuckDbNative.duckdb_extract_statements(connection, sql, out extracted);
            if (Count == 0 && DuckDbInstance.ReadText(DuckDbNative.duckdb_extract_statements_error(extracted)) is { Length: > 0 } error)
            {
                Dispose();
                throw DuckDbException.FromText(error);
            }
        }

        public int Count { get; }

        public nint Prepare(int index)
        {
            var state = DuckDbNative.duckdb_prepare_extracted_statement(connection, extracted, (ulong)index, out var prepared);
            if (state == DuckDbNative.Success)
            {
                return prepared;
            }
            var error = DuckDbException.FromText(DuckDbInstance.ReadText(DuckDbNative.duckdb_prepare_error(prepared)));
            DuckDbNative.duckdb_destroy_prepare(ref prepared);
            throw error;
        }

        public void Dispose() => DuckDbNative.duckdb_destroy_extracted(ref extracted);
    }
}
