using Frazil.Columnar;

namespace Frazil.Parquet;

/// <summary>Consecutive rows of one slice.</summary>
/// <param name="Slice">The slice.</param>
/// <param name="Start">The first row, counted from the slice's own first.</param>
/// <param name="Count">Rows.</param>
internal readonly record struct RowRange(BatchSlice Slice, long Start, long Count);

/// <summary>Cuts rows into row groups by what they hold in memory, however unevenly that is spread.</summary>
internal static unsafe class RowGroupPlan
{
    /// <summary>Bytes that an entry of a list or map counts at least: what its levels and place need while it is written.</summary>
    private const int EntryBytes = 16;

    /// <summary>Row groups in order, each within the limits of the options; one row alone may be beyond them.</summary>
    public static IEnumerable<IReadOnlyList<RowRange>> Cut(IEnumerable<BatchSlice> slices, ParquetOptions options)
    {
        var group = new List<RowRange>();
        var (rows, bytes) = (0L, 0L);
        foreach (var slice in slices)
        {
            for (var start = 0L; start < slice.Count;)
            {
                var count = Math.Min(slice.Count - start, options.RowGroupRows - rows);
                var fitting = Fit(slice, start, count, options.RowGroupBytes - bytes, out var taken);
                if (fitting < count && group.Count > 0 && fitting == 0)
                {
                    yield return group;
                    (group, rows, bytes) = ([], 0, 0);
                    continue;
                }
                fitting = Math.Max(fitting, 1);
                group.Add(new(slice, start, fitting));
                (rows, bytes, start) = (rows + fitting, bytes + taken, start + fitting);
                if (fitting < count || rows == options.RowGroupRows)
                {
                    yield return group;
                    (group, rows, bytes) = ([], 0, 0);
                }
            }
        }
        if (group.Count > 0)
        {
            yield return group;
        }
    }

    /// <summary>How many of the rows fit, at most <paramref name="count"/>; by halving, as the sizes of ranges are cheap.</summary>
    private static long Fit(BatchSlice slice, long start, long count, long room, out long taken)
    {
        taken = Measure(slice, start, count);
        if (taken <= room)
        {
            return count;
        }
        var (fits, tooMany) = (0L, count);
        while (tooMany - fits > Math.Max(1, fits / 16))
        {
            var middle = fits + (tooMany - fits) / 2;
            if (Measure(slice, start, middle) <= room)
            {
                fits = middle;
            }
            else
            {
                tooMany = middle;
            }
        }
        taken = Measure(slice, start, fits);
        return fits;
    }

    private static long Measure(BatchSlice slice, long start, long count)
    {
        var bytes = 0L;
        foreach (var column in slice.Columns)
        {
            if (slice.Selection is null)
            {
                bytes += Measure(column, slice.Start + start, slice.Start + start + count);
                continue;
            }
            if (column.Type.ValueSize > 0)
            {
                bytes += column.Type.ValueSize * count;
                continue;
            }
            for (var index = start; index < start + count; index++)
            {
                bytes += Measure(column, slice.Selection[index], slice.Selection[index] + 1L);
            }
        }
        return bytes;
    }

    private static long Measure(ColumnView column, long first, long end)
    {
        switch (column.Type.Kind)
        {
            case ColumnKind.Utf8 or ColumnKind.Binary:
                return column.Offsets[end] - column.Offsets[first] + (end - first) * sizeof(int);
            case ColumnKind.List or ColumnKind.Map:
                var (begin, last) = (column.Offsets[first], column.Offsets[end]);
                var bytes = (end - first) * sizeof(int);
                foreach (var child in column.Children)
                {
                    bytes += (last - begin) * (long)EntryBytes + Measure(child, begin, last);
                }
                return bytes;
            case ColumnKind.Struct:
                bytes = 0;
                foreach (var child in column.Children)
                {
                    bytes += Measure(child, first, end);
                }
                return bytes;
            default:
                return Math.Max(1, column.Type.ValueSize) * (end - first);
        }
    }
}
