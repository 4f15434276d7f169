using Frazil.Columnar;

namespace Frazil.DuckDb;

/// <summary>Copies validity bits from any bit offset, or row by row.</summary>
internal static unsafe class ValidityFill
{
    /// <summary>Sets the vector's validity to the view's, with whatever <paramref name="parent"/> (by output row) lacks cleared too.
    /// Returns the vector's words, or null where every row is present.</summary>
    public static ulong* Copy(ColumnView view, nint vector, RowSet rows, ulong* parent)
    {
        if (rows.Count == 0 || (parent == null && (view.Validity == null || IsAllPresent(view, rows))))
        {
            return null;
        }
        DuckDbNative.duckdb_vector_ensure_validity_writable(vector);
        var target = DuckDbNative.duckdb_vector_get_validity(vector);
        for (int word = 0, words = (rows.Count + 63) >> 6; word < words; word++)
        {
            target[word] = Word(view, rows, word) & (parent == null ? ulong.MaxValue : parent[word]);
        }
        return target;
    }

    /// <summary>Writes presence by row (the view's and the parent's) to <paramref name="target"/>, bits beyond the last row set. True where
    /// every row is present.</summary>
    public static bool Combine(ColumnView view, RowSet rows, ulong* parent, ulong* target)
    {
        var all = ulong.MaxValue;
        for (int word = 0, words = (rows.Count + 63) >> 6; word < words; word++)
        {
            target[word] = Word(view, rows, word) & (parent == null ? ulong.MaxValue : parent[word]);
            all &= target[word];
        }
        return all == ulong.MaxValue;
    }

    private static bool IsAllPresent(ColumnView view, RowSet rows)
    {
        for (int word = 0, words = (rows.Count + 63) >> 6; word < words; word++)
        {
            if (Word(view, rows, word) != ulong.MaxValue)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Output rows 64·word …; bits beyond the last row are set.</summary>
    private static ulong Word(ColumnView view, RowSet rows, int word)
    {
        if (view.Validity == null)
        {
            return ulong.MaxValue;
        }
        var first = word << 6;
        var count = Math.Min(64, rows.Count - first);
        var beyond = count == 64 ? 0 : ulong.MaxValue << count;
        return (rows.Rows == null ? Range(view.Validity, rows.Start + first, count) : Gather(view.Validity, rows.Rows + first, count)) | beyond;
    }

    private static ulong Range(byte* bits, long start, int count)
    {
        // The buffer is padded to whole words, so a word is readable when any of its rows is.
        var words = (ulong*)bits + (start >> 6);
        var shift = (int)(start & 63);
        var value = words[0] >> shift;
        return shift + count > 64 ? value | (words[1] << (64 - shift)) : value;
    }

    private static ulong Gather(byte* bits, int* rows, int count)
    {
        ulong value = 0;
        for (var index = 0; index < count; index++)
        {
            value |= (ulong)((bits[rows[index] >> 3] >> (rows[index] & 7)) & 1) << index;
        }
        return value;
    }
}
