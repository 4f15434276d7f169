using Frazil.Columnar;

namespace Frazil.Flush;

/// <summary>Rows written into one file, or into several where the writer's memory does not take them at once.</summary>
internal static class RowPieces
{
    /// <summary>Writes all rows, in order. Where it fails, what was written of them is discarded.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="write">Writes one file.</param>
    /// <param name="discard">Removes a file that <paramref name="write"/> made.</param>
    public static async Task<List<T>> WriteAsync<T>(
        IReadOnlyList<BatchSlice> rows, Func<IReadOnlyList<BatchSlice>, Task<T>> write, Func<T, Task> discard)
    {
        var written = new List<T>();
        var pending = new Stack<IReadOnlyList<BatchSlice>>([rows]);
        try
        {
            while (pending.TryPop(out var piece))
            {
                try
                {
                    written.Add(await write(piece));
                }
                catch (DataFileMemoryException) when (piece.Sum(static slice => slice.Count) > 1)
                {
                    var (first, second) = Halve(piece);
                    pending.Push(second);
                    pending.Push(first);
                }
            }
            return written;
        }
        catch
        {
            foreach (var file in written)
            {
                await discard(file);
            }
            throw;
        }
    }

    /// <summary>The first half of the rows, and the rest.</summary>
    internal static (List<BatchSlice> First, List<BatchSlice> Second) Halve(IReadOnlyList<BatchSlice> rows)
    {
        var (first, second) = (new List<BatchSlice>(), new List<BatchSlice>());
        var left = rows.Sum(static slice => slice.Count) / 2;
        foreach (var slice in rows)
        {
            var taken = Math.Min(left, slice.Count);
            left -= taken;
            if (taken > 0)
            {
                first.Add(Part(slice, 0, taken));
            }
            if (taken < slice.Count)
            {
                second.Add(Part(slice, taken, slice.Count - taken));
            }
        }
        return (first, second);
    }

    private static BatchSlice Part(BatchSlice slice, long from, long count) => from == 0 && count == slice.Count ? slice : new()
    {
        Schema = slice.Schema,
        Columns = slice.Columns,
        Start = slice.Start + from,
        Count = count,
        Selection = slice.Selection?[(int)from..(int)(from + count)],
    };
}
