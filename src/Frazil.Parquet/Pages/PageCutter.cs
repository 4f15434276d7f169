using Frazil.Parquet.Encodings;
using Frazil.Parquet.Levels;
using Frazil.Parquet.Schema;
using Frazil.Parquet.Values;

namespace Frazil.Parquet.Pages;

/// <summary>What one data page holds of a column chunk.</summary>
internal readonly record struct PageRange(int FirstEntry, int Entries, int FirstValue, int Values, long FirstRow, int Rows)
{
    public int Nulls => Entries - Values;
}

/// <summary>Cuts a column chunk into pages of whole rows.</summary>
internal sealed unsafe class PageCutter(LeafColumn leaf, ColumnLevels levels, ColumnValues values, ParquetOptions options)
{
    /// <param name="last">The page before; the default one at the start.</param>
    /// <param name="limitBytes">Whether values are written as they are, so that their bytes count.</param>
    /// <param name="next">The page found.</param>
    /// <returns>False at the end.</returns>
    public bool TryNext(PageRange last, bool limitBytes, out PageRange next)
    {
        var first = last.FirstEntry + last.Entries;
        next = default;
        if (first == levels.Count)
        {
            return false;
        }
        var isBytes = leaf.Physical == PhysicalType.ByteArray;
        var limit = limitBytes && !isBytes && leaf.Width > 0
            ? Math.Clamp(options.PageBytes / leaf.Width, 1, options.PageRows)
            : options.PageRows;
        while (true)
        {
            var end = EndOfRows(first, limit);
            var firstValue = last.FirstValue + last.Values;
            var present = CountPresent(first, end);
            var bytes = limitBytes && isBytes ? ValueEncoders.SumLengths(values.Refs + firstValue, present) : 0;
            if (bytes <= options.PageBytes || !CanShrink(first, end, ref limit, bytes))
            {
                next = new(first, end - first, firstValue, present, last.FirstRow + last.Rows, CountRows(first, end));
                return true;
            }
        }
    }

    /// <summary>The end of the last whole row within the limit; of the first row where that alone is beyond.</summary>
    private int EndOfRows(int first, int limit)
    {
        if (limit >= levels.Count - first)
        {
            return levels.Count;
        }
        if (!leaf.IsRepeated)
        {
            return first + limit;
        }
        var end = first + limit;
        while (end > first && levels.Repetitions[end] != 0)
        {
            end--;
        }
        return end > first ? end : EndOfRow(first + limit);
    }

    private int EndOfRow(int entry)
    {
        var next = new ReadOnlySpan<byte>(levels.Repetitions + entry, levels.Count - entry).IndexOf((byte)0);
        return next < 0 ? levels.Count : entry + next;
    }

    private bool CanShrink(int first, int end, ref int limit, long bytes)
    {
        if (end - first <= 1 || CountRows(first, end) == 1)
        {
            return false;
        }
        // What fits by the average, a little less so that it mostly does.
        limit = (int)Math.Clamp((double)(end - first) * options.PageBytes / bytes * 0.95, 1, end - first - 1);
        return true;
    }

    private int CountPresent(int first, int end) => levels.HasDefinitions
        ? new ReadOnlySpan<byte>(levels.Definitions + first, end - first).Count((byte)leaf.MaxDefinition)
        : end - first;

    private int CountRows(int first, int end) => leaf.IsRepeated
        ? new ReadOnlySpan<byte>(levels.Repetitions + first, end - first).Count((byte)0)
        : end - first;
}
