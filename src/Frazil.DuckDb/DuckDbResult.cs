namespace Frazil.DuckDb;

/// <summary>
/// The rows of one statement, read chunk by chunk; at most 2048 rows a chunk. Everything that the statement reads (pinned hot columns too)
/// is held until this is disposed. Not thread-safe. Dispose before the connection is used again.
/// </summary>
public sealed unsafe class DuckDbResult : IDisposable
{
    private readonly DuckDbConnection connection;
    private nint prepared;
    private NativeResult native;
    private CancellationToken cancellation;

    internal DuckDbResult(DuckDbConnection connection, nint prepared) => (this.connection, this.prepared) = (connection, prepared);

    /// <summary>Names and types, in order; a name may stand twice.</summary>
    public IReadOnlyList<DuckDbColumn> Columns { get; private set; } = [];

    internal void Start(bool streaming, CancellationToken cancellationToken)
    {
        cancellation = cancellationToken;
        var state = streaming
            ? DuckDbNative.duckdb_pending_prepared_streaming(prepared, out var pending)
            : DuckDbNative.duckdb_pending_prepared(prepared, out pending);
        try
        {
            if (state != DuckDbNative.Success)
            {
                throw Failure(DuckDbInstance.ReadText(DuckDbNative.duckdb_pending_error(pending)));
            }
            // Only from here on does an interrupt stick: making the statement pending clears it.
            using var interrupt = InterruptOnCancel();
            fixed (NativeResult* result = &native)
            {
                if (DuckDbNative.duckdb_execute_pending(pending, result) != DuckDbNative.Success)
                {
                    throw Failure(DuckDbInstance.ReadText(DuckDbNative.duckdb_result_error(result)));
                }
            }
        }
        finally
        {
            DuckDbNative.duckdb_destroy_pending(ref pending);
        }
        Columns = ReadColumns();
    }

    /// <summary>The next rows, or null after the last. The chunk is valid until it is disposed.</summary>
    public DuckDbChunk? NextChunk()
    {
        ObjectDisposedException.ThrowIf(prepared == 0, this);
        nint chunk;
        using (InterruptOnCancel())
        {
            chunk = DuckDbNative.duckdb_fetch_chunk(native);
        }
        if (chunk != 0)
        {
            return new DuckDbChunk(Columns, chunk);
        }
        fixed (NativeResult* result = &native)
        {
            var error = DuckDbInstance.ReadText(DuckDbNative.duckdb_result_error(result));
            return error.Length == 0 ? null : throw Failure(error);
        }
    }

    /// <summary>Reads all remaining rows into .NET values; see <see cref="DuckDbValues"/> for which.</summary>
    public List<object?[]> ReadRows()
    {
        var rows = new List<object?[]>();
        while (NextChunk() is { } chunk)
        {
            using (chunk)
            {
                chunk.ReadRows(rows);
            }
            cancellation.ThrowIfCancellationRequested();
        }
        return rows;
    }

    public void Dispose()
    {
        fixed (NativeResult* result = &native)
        {
            DuckDbNative.duckdb_destroy_result(result);
        }
        DuckDbNative.duckdb_destroy_prepare(ref prepared);
        prepared = 0;
    }

    private CancellationTokenRegistration InterruptOnCancel()
    {
        var handle = connection.Handle;
        return cancellation.UnsafeRegister(static state => DuckDbNative.duckdb_interrupt((nint)state!), handle);
    }

    private Exception Failure(string text)
    {
        var error = DuckDbException.FromText(text);
        return error.IsInterrupt && cancellation.IsCancellationRequested
            ? new OperationCanceledException("The statement was interrupted.", error, cancellation)
            : error;
    }

    private DuckDbColumn[] ReadColumns()
    {
        fixed (NativeResult* result = &native)
        {
            var columns = new DuckDbColumn[DuckDbNative.duckdb_column_count(result)];
            for (var index = 0; index < columns.Length; index++)
            {
                var type = DuckDbNative.duckdb_column_logical_type(result, (ulong)index);
                try
                {
                    var name = DuckDbInstance.ReadText(DuckDbNative.duckdb_column_name(result, (ulong)index));
                    columns[index] = new DuckDbColumn(name, DuckDbType.Read(type));
                }
                finally
                {
                    DuckDbNative.duckdb_destroy_logical_type(ref type);
                }
            }
            return columns;
        }
    }
}

/// <param name="Name">As SQL named it.</param>
/// <param name="Type">Its type.</param>
public sealed record DuckDbColumn(string Name, DuckDbType Type)
{
    public static DuckDbColumn BigInt(string name) => new(name, DuckDbType.BigInt);

    public static DuckDbColumn Varchar(string name) => new(name, DuckDbType.Varchar);
}
