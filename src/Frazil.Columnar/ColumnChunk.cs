namespace Frazil.Columnar;

/// <summary>
/// Rows of one schema in Arrow layout in native memory. One writer appends; any number of readers look at the published rows without
/// blocking it and without a copy.
///
/// Invariants: (1) what a published row consists of is never written again; (2) <see cref="Publish"/> releases the row count after the rows
/// and after the pointers of the buffers they are in, readers acquire the count first, so a pointer read afterwards leads to at least
/// those rows; (3) no buffer is freed or reused before the last pin is gone, then all are, once.
///
/// The creator owns one pin and gives it back with <see cref="Unpin"/>; there is no finalizer. Memory only: nothing here is durable.
/// </summary>
public sealed class ColumnChunk
{
    private readonly ChunkMemory memory;
    private readonly ColumnWriter[] columns;
    private int rows;
    private int publishedRows;
    private int pins = 1;

    /// <param name="schema">The columns; their nested field ids are unique in the chunk.</param>
    /// <param name="rows">Rows to make room for at first.</param>
    /// <param name="account">Counts every native byte.</param>
    public ColumnChunk(ColumnFields schema, int rows, MemoryAccount account)
        : this(schema, ChunkSizing.ForRows(rows), account)
    {
    }

    public ColumnChunk(ColumnFields schema, ChunkSizing sizing, MemoryAccount account)
    {
        Schema = schema;
        memory = new(account);
        try
        {
            columns = ColumnWriters.Create(schema, memory, sizing, sizing.Rows);
        }
        catch
        {
            memory.FreeAll();
            throw;
        }
    }

    public ColumnFields Schema { get; }

    /// <summary>One writer a field of <see cref="Schema"/>. For the writer thread only.</summary>
    public IReadOnlyList<ColumnWriter> Columns => columns;

    /// <summary>Complete rows, published or not. For the writer thread only.</summary>
    public int Rows => rows;

    /// <summary>Rows that readers see.</summary>
    public int PublishedRows => Volatile.Read(ref publishedRows);

    /// <summary>Native bytes held, buffers outgrown but not yet free included.</summary>
    public long Bytes => memory.Bytes;

    /// <summary>Bytes of content: what a flush size counts. Exact on the writer thread.</summary>
    public long UsedBytes
    {
        get
        {
            long bytes = 0;
            foreach (var column in columns)
            {
                bytes += column.UsedBytes;
            }
            return bytes;
        }
    }

    /// <summary>The writer of the column at this position, as the type its kind has (see <see cref="FixedWriter{T}"/> and its
    /// siblings).</summary>
    public TWriter Column<TWriter>(int position)
        where TWriter : ColumnWriter
        => columns[position] as TWriter
            ?? throw new InvalidOperationException(
                $"column {Schema[position]} is written by {columns[position].GetType().Name}, not {typeof(TWriter).Name}");

    /// <summary>Closes the row that one append to every column has made. It is visible after the next <see cref="Publish"/>.</summary>
    public void EndRow() => rows++;

    /// <summary>Makes all complete rows visible.</summary>
    /// <exception cref="InvalidOperationException">A column has more or fewer values than there are rows: a writer's mistake.</exception>
    public void Publish()
    {
        foreach (var column in columns)
        {
            if (column.Length != rows)
            {
                throw new InvalidOperationException($"column {column.Field.Name} has {column.Length} values but the chunk {rows} rows; append to every column, then EndRow");
            }
        }
        Volatile.Write(ref publishedRows, rows);
    }

    /// <summary>Undoes everything from row <paramref name="rowCount"/> on, half-written records included. <c>TruncateTo(Rows)</c> leaves
    /// the chunk exactly as it was before the record that failed.</summary>
    /// <exception cref="InvalidOperationException">Those rows are published.</exception>
    public void TruncateTo(int rowCount)
    {
        if (rowCount < publishedRows)
        {
            throw new InvalidOperationException($"cannot truncate to {rowCount} rows: {publishedRows} are published");
        }
        foreach (var column in columns)
        {
            column.TruncateTo(rowCount);
        }
        rows = Math.Min(rows, rowCount);
    }

    /// <summary>The published rows, one view a column. The views hold nothing: they are good while the caller's pin is.</summary>
    /// <exception cref="ObjectDisposedException">Nobody holds a pin: the memory is gone.</exception>
    public IReadOnlyList<ColumnView> TakeViews(out int rowCount)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref pins) <= 0, this);
        var visible = Volatile.Read(ref publishedRows);
        rowCount = visible;
        return Array.ConvertAll(columns, column => column.TakeView(visible));
    }

    /// <summary>How large the next chunk of this stream should start. Take it before the last <see cref="Unpin"/>.</summary>
    public ChunkSizing TakeSizing() => ChunkSizing.Of(columns, rows);

    /// <summary>Keeps the memory alive until the matching <see cref="Unpin"/>. False when it is gone already.</summary>
    public bool TryPin()
    {
        var seen = Volatile.Read(ref pins);
        while (seen > 0)
        {
            var before = Interlocked.CompareExchange(ref pins, seen + 1, seen);
            if (before == seen)
            {
                return true;
            }
            seen = before;
        }
        return false;
    }

    /// <summary>Gives a pin back; the last one frees the memory.</summary>
    /// <exception cref="InvalidOperationException">More pins were given back than taken.</exception>
    public void Unpin()
    {
        var left = Interlocked.Decrement(ref pins);
        if (left < 0)
        {
            throw new InvalidOperationException("a chunk was unpinned more often than pinned");
        }
        if (left == 0)
        {
            foreach (var column in columns)
            {
                column.Close();
            }
            memory.FreeAll();
        }
    }
}
