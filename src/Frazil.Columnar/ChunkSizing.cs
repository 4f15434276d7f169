namespace Frazil.Columnar;

/// <summary>How large the buffers of a new chunk start. Taken from the previous chunk of the same stream (<see
/// cref="ColumnChunk.TakeSizing"/>) it keeps the steady state from ever growing a buffer. Columns are matched by field id; a column it does
/// not know starts from the row count.</summary>
public sealed class ChunkSizing
{
    private readonly Dictionary<int, (int Values, int Bytes)> columns = [];

    private ChunkSizing(int rows) => Rows = rows;

    /// <summary>Rows of the chunk.</summary>
    public int Rows { get; }

    /// <summary>A first guess: so many rows, 16 bytes a string, one element a list.</summary>
    public static ChunkSizing ForRows(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        return new(rows);
    }

    internal static ChunkSizing Of(IReadOnlyList<ColumnWriter> writers, int rows)
    {
        var sizing = new ChunkSizing(AddSlack(rows));
        foreach (var writer in writers)
        {
            sizing.Note(writer);
        }
        return sizing;
    }

    /// <summary>Values to make room for; <paramref name="parentValues"/> for a column not seen before.</summary>
    internal int ValuesOf(int fieldId, int parentValues) => columns.TryGetValue(fieldId, out var seen) ? seen.Values : parentValues;

    /// <summary>Bytes of content to make room for in a Utf8 or Binary column.</summary>
    internal int BytesOf(int fieldId, int values)
        => columns.TryGetValue(fieldId, out var seen) ? seen.Bytes : (int)Math.Min(16L * values, int.MaxValue / 2);

    private void Note(ColumnWriter writer)
    {
        columns[writer.Field.FieldId] = (AddSlack(writer.Length), AddSlack(writer.ContentBytes));
        foreach (var child in writer.Children)
        {
            Note(child);
        }
    }

    private static int AddSlack(int size) => (int)Math.Min(size + (long)size / 8, int.MaxValue / 2);
}
