using Frazil.Columnar;

namespace Frazil.DuckDb;

/// <summary>Rows of a result: up to 2048 as DuckDB hands them out, to be disposed before the next statement of its connection; or those of a
/// frame, which need neither.</summary>
public sealed class DuckDbChunk : IDisposable
{
    private readonly ChunkFrame? frame;
    private readonly DuckDbVector[] vectors;
    private nint chunk;
    private bool isDisposed;

    internal DuckDbChunk(IReadOnlyList<DuckDbColumn> columns, nint chunk)
    {
        (Columns, this.chunk) = (columns, chunk);
        RowCount = (int)DuckDbNative.duckdb_data_chunk_get_size(chunk);
        vectors = new DuckDbVector[columns.Count];
        for (var column = 0; column < vectors.Length; column++)
        {
            vectors[column] = DuckDbVector.Of(columns[column].Type, DuckDbNative.duckdb_data_chunk_get_vector(chunk, (ulong)column), RowCount);
        }
    }

    /// <param name="columns">Those that the frame was made of.</param>
    /// <param name="frame">Taken over.</param>
    /// <exception cref="DuckDbException">The frame is damaged.</exception>
    public DuckDbChunk(IReadOnlyList<DuckDbColumn> columns, ChunkFrame frame)
    {
        ArgumentNullException.ThrowIfNull(columns);
        ArgumentNullException.ThrowIfNull(frame);
        (Columns, this.frame) = (columns, frame);
        vectors = new FrameReader(frame).Read(columns, out var rows);
        RowCount = rows;
    }

    public IReadOnlyList<DuckDbColumn> Columns { get; }

    public int RowCount { get; }

    /// <summary>One a column. Good until this is disposed.</summary>
    public IReadOnlyList<DuckDbVector> Vectors
    {
        get
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            return vectors;
        }
    }

    /// <summary>Appends this chunk's rows as .NET values; see <see cref="DuckDbValues"/> for which.</summary>
    /// <param name="rows">What to append to.</param>
    /// <param name="budget">Charged for every value; null for no limit.</param>
    /// <exception cref="ValueBudgetException">The budget is used up; some of the rows appended have values missing.</exception>
    public void ReadRows(List<object?[]> rows, ValueBudget? budget = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ObjectDisposedException.ThrowIf(isDisposed, this);
        var first = rows.Count;
        for (var row = 0; row < RowCount; row++)
        {
            rows.Add(new object?[vectors.Length]);
        }
        for (var column = 0; column < vectors.Length; column++)
        {
            var values = new DuckDbValues(vectors[column], budget);
            for (var row = 0; row < RowCount; row++)
            {
                rows[first + row][column] = values.Read(row);
            }
        }
    }

    /// <summary>The values of a BIGINT column; what stands where it is null is undefined. Good until this is disposed.</summary>
    public unsafe ReadOnlySpan<long> Longs(int column)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        return vectors[column].Type.Id == DuckDbTypeId.BigInt
            ? new(vectors[column].Data, RowCount)
            : throw new ArgumentException($"column {column} is {vectors[column].Type}, not BIGINT", nameof(column));
    }

    /// <summary>Appends some rows to columns, bit for bit. The result begins with a column for each of the target's, of the type that
    /// <see cref="SqlText.TypeName"/> says.</summary>
    /// <param name="target">Whose rows are complete, and published by the caller.</param>
    /// <param name="rows">Which rows of this chunk, in the order wanted.</param>
    public void AppendTo(ColumnChunk target, ReadOnlySpan<int> rows)
    {
        ArgumentNullException.ThrowIfNull(target);
        ObjectDisposedException.ThrowIf(isDisposed, this);
        for (var column = 0; column < target.Columns.Count; column++)
        {
            var copy = new VectorCopy(target.Columns[column], vectors[column]);
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
        isDisposed = true;
        frame?.Dispose();
        if (chunk != 0)
        {
            DuckDbNative.duckdb_destroy_data_chunk(ref chunk);
            chunk = 0;
        }
    }
}
