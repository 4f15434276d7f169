using Frazil.Columnar;

namespace Frazil.DuckDb;

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
    /// <param name="rows">What to append to.</param>
    /// <param name="budget">Charged for every value; null for no limit.</param>
    /// <exception cref="ValueBudgetException">The budget is used up; some of the rows appended have values missing.</exception>
    public void ReadRows(List<object?[]> rows, ValueBudget? budget = null)
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
            var values = new DuckDbValues(columns[column].Type, DuckDbNative.duckdb_data_chunk_get_vector(chunk, (ulong)column), budget);
            for (var row = 0; row < RowCount; row++)
            {
                rows[first + row][column] = values.Read(row);
            }
        }
    }

    /// <summary>The values of a BIGINT column; what stands where it is null is undefined. Good until this is disposed.</summary>
    public unsafe ReadOnlySpan<long> Longs(int column)
    {
        ObjectDisposedException.ThrowIf(chunk == 0, this);
        return result.Columns[column].Type.Id == DuckDbTypeId.BigInt
            ? new(DuckDbNative.duckdb_vector_get_data(DuckDbNative.duckdb_data_chunk_get_vector(chunk, (ulong)column)), RowCount)
            : throw new ArgumentException($"column {column} is {result.Columns[column].Type}, not BIGINT", nameof(column));
    }

    /// <summary>Appends some rows to columns, bit for bit. The result begins with a column for each of the target's, of the type that
    /// <see cref="SqlText.TypeName"/> says.</summary>
    /// <param name="target">Whose rows are complete, and published by the caller.</param>
    /// <param name="rows">Which rows of this chunk, in the order wanted.</param>
    public void AppendTo(ColumnChunk target, ReadOnlySpan<int> rows)
    {
        ArgumentNullException.ThrowIfNull(target);
        ObjectDisposedException.ThrowIf(chunk == 0, this);
        for (var column = 0; column < target.Columns.Count; column++)
        {
            var copy = new VectorCopy(target.Columns[column], DuckDbNative.duckdb_data_chunk_get_vector(chunk, (ulong)column));
            foreach (var row in rows)
            {
                copy.Append(row);
            }
        }
        for (var count = rows.Length; count > 0; count--)
        {
            target.EndRow();
        }
    }

    public void Dispose()
    {
        DuckDbNative.duckdb_destroy_data_chunk(ref chunk);
        chunk = 0;
    }
}
