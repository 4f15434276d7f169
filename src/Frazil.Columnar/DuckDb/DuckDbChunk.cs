namespace Frazil.Columnar.DuckDb;

/// <summary>Up to 2048 rows of a result. Dispose before the next statement of its connection.</summary>
public sealed class DuckDbChunk : IDisposable
{
    private readonly DuckDbResult result;
    private nint chunk;

    internal DuckDbChunk(DuckDbResult result, nint chunk)
    {
        (this.result, this.chunk) = (result, chunk);
        RowCount = (int)DuckDbNative.duckdb_data_chunk_get_size(chunk);
    }

    public int RowCount { get; }

    /// <summary>Appends this chunk's rows as .NET values; see <see cref="DuckDbValues"/> for which.</summary>
    public void ReadRows(List<object?[]> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ObjectDisposedException.ThrowIf(chunk == 0, this);
        var columns = result.Columns;
        var first = rows.Count;
        for (var row = 0; row < RowCount; row++)
        {
            rows.Add(new object?[columns.Count]);
        }
        for (var column = 0; column < columns.Count; column++)
        {
            var values = new DuckDbValues(columns[column].Type, DuckDbNative.duckdb_data_chunk_get_vector(chunk, (ulong)column));
            for (var row = 0; row < RowCount; row++)
            {
                rows[first + row][column] = values.Read(row);
            }
        }
    }

    public void Dispose()
    {
        DuckDbNative.duckdb_destroy_data_chunk(ref chunk);
        chunk = 0;
    }
}
