using System.Runtime.CompilerServices;
using Frazil.Columnar;

namespace Frazil.DuckDb;

/// <summary>Rows of one source column: a range, or the rows that a selection names.</summary>
internal readonly unsafe struct RowSet(long start, int* rows, int count)
{
    public long Start { get; } = start;

    /// <summary>Null for the range <see cref="Start"/> …; otherwise row numbers.</summary>
    public int* Rows { get; } = rows;

    public int Count { get; } = count;

    public long this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Rows == null ? Start + index : Rows[index];
    }
}

/// <summary>
/// Fills DuckDB's vectors from column views. Fixed-width values are copied; strings are not, their references point into the chunk, which
/// the statement keeps pinned. One a thread.
/// </summary>
internal sealed unsafe class VectorFill
{
    private readonly List<int[]> scratch = [];
    private int depth;

    /// <summary>Rows <paramref name="first"/> … of <paramref name="slice"/> into <paramref name="vector"/>; <paramref name="view"/> is null
    /// where the chunk lacks the column.</summary>
    public void Fill(ColumnMapping mapping, ColumnView? view, nint vector, BatchSlice slice, long first, int count)
    {
        depth = 0;
        if (slice.Selection is null)
        {
            Fill(mapping, view, vector, new RowSet(slice.Start + first, null, count), null);
            return;
        }
        fixed (int* selection = slice.Selection)
        {
            Fill(mapping, view, vector, new RowSet(0, selection + first, count), null);
        }
    }

    /// <param name="parentValidity">A struct's own validity by output row: where the struct is null its children must be too; null for
    /// none.</param>
    private void Fill(ColumnMapping mapping, ColumnView? view, nint vector, RowSet rows, ulong* parentValidity)
    {
        if (view is null || mapping.Fill == FillKind.Absent)
        {
            FillNulls(mapping, vector, rows.Count);
            return;
        }
        var validity = ValidityFill.Copy(view, vector, rows, parentValidity);
        switch (mapping.Fill)
        {
            case FillKind.Struct:
                for (var child = 0; child < mapping.Children.Length; child++)
                {
                    var childVector = DuckDbNative.duckdb_struct_vector_get_child(vector, (ulong)child);
                    var source = mapping.Children[child].Source;
                    Fill(mapping.Children[child], source < 0 ? null : view.Children[source], childVector, rows, validity);
                }
                break;
            case FillKind.List:
            case FillKind.Map:
                FillList(mapping, view, vector, rows);
                break;
            default:
                ValueFill.Fill(mapping.Fill, view, DuckDbNative.duckdb_vector_get_data(vector), rows);
                break;
        }
    }

    private void FillList(ColumnMapping mapping, ColumnView view, nint vector, RowSet rows)
    {
        var entries = (ListEntry*)DuckDbNative.duckdb_vector_get_data(vector);
        if (rows.Rows == null)
        {
            var offsets = view.Offsets + rows.Start;
            var origin = offsets[0];
            for (var index = 0; index < rows.Count; index++)
            {
                entries[index] = new ListEntry((ulong)(offsets[index] - origin), (ulong)(offsets[index + 1] - offsets[index]));
            }
            FillElements(mapping, view, vector, new RowSet(origin, null, offsets[rows.Count] - origin));
            return;
        }
        var total = 0;
        for (var index = 0; index < rows.Count; index++)
        {
            var row = rows.Rows[index];
            var length = view.IsNull(row) ? 0 : view.Offsets[row + 1] - view.Offsets[row];
            entries[index] = new ListEntry((ulong)total, (ulong)length);
            total = checked(total + length);
        }
        var elements = Scratch(total);
        depth++;
        for (int index = 0, at = 0; index < rows.Count; index++)
        {
            var begin = view.Offsets[rows.Rows[index]];
            for (var element = 0; element < (int)entries[index].Length; element++)
            {
                elements[at++] = begin + element;
            }
        }
        fixed (int* selection = elements)
        {
            FillElements(mapping, view, vector, new RowSet(0, selection, total));
        }
        depth--;
    }

    private void FillElements(ColumnMapping mapping, ColumnView view, nint vector, RowSet elements)
    {
        if (DuckDbNative.duckdb_list_vector_reserve(vector, (ulong)elements.Count) != DuckDbNative.Success ||
            DuckDbNative.duckdb_list_vector_set_size(vector, (ulong)elements.Count) != DuckDbNative.Success)
        {
            throw new DuckDbException($"DuckDB could not hold {elements.Count} list elements in one vector.");
        }
        var child = DuckDbNative.duckdb_list_vector_get_child(vector);
        if (mapping.Fill == FillKind.List)
        {
            Fill(mapping.Children[0], view.Children[0], child, elements, null);
            return;
        }
        for (var index = 0; index < 2; index++)
        {
            Fill(
                mapping.Children[index], view.Children[index], DuckDbNative.duckdb_struct_vector_get_child(child, (ulong)index), elements,
                null);
        }
    }

    /// <summary>One buffer a nesting level, kept for the next vector; never empty, so that it can be pinned.</summary>
    private int[] Scratch(int count)
    {
        while (scratch.Count <= depth)
        {
            scratch.Add([]);
        }
        if (scratch[depth].Length < Math.Max(count, 1))
        {
            scratch[depth] = new int[Math.Max(count, DuckDbNative.VectorSize)];
        }
        return scratch[depth];
    }

    private static void FillNulls(ColumnMapping mapping, nint vector, int count)
    {
        DuckDbNative.duckdb_vector_ensure_validity_writable(vector);
        new Span<ulong>(DuckDbNative.duckdb_vector_get_validity(vector), (count + 63) >> 6).Clear();
        var type = mapping.TargetKind;
        if (type == ColumnKind.Struct)
        {
            for (var child = 0; child < mapping.Children.Length; child++)
            {
                FillNulls(mapping.Children[child], DuckDbNative.duckdb_struct_vector_get_child(vector, (ulong)child), count);
            }
        }
        else if (type is ColumnKind.List or ColumnKind.Map)
        {
            new Span<ListEntry>(DuckDbNative.duckdb_vector_get_data(vector), count).Clear();
            _ = DuckDbNative.duckdb_list_vector_set_size(vector, 0);
        }
    }
}
