using Frazil.Columnar;

namespace Frazil.Hot;

/// <summary>Cuts a slice at a Kafka offset.</summary>
internal static class SliceBounds
{
    /// <summary>The rows at or after an offset. Rows stand in offset order, so this is a binary search in the offset column.</summary>
    /// <param name="slice">A plain range of one partition's chunk.</param>
    /// <param name="offsetPosition">Where the chunk's schema has the offset column; 64-bit, no nulls.</param>
    /// <param name="firstOffset">The first offset wanted.</param>
    public static unsafe BatchSlice From(BatchSlice slice, int offsetPosition, long firstOffset)
    {
        var offsets = new ReadOnlySpan<long>((long*)slice.Columns[offsetPosition].Values + slice.Start, (int)slice.Count);
        var skip = offsets.BinarySearch(firstOffset);
        skip = skip < 0 ? ~skip : skip;
        return skip == 0 ? slice : new()
        {
            Schema = slice.Schema,
            Columns = slice.Columns,
            Start = slice.Start + skip,
            Count = slice.Count - skip,
        };
    }

    /// <summary>The rows whose offset is not among those named.</summary>
    /// <param name="slice">All rows of one partition's chunk.</param>
    /// <param name="offsetPosition">Where the chunk's schema has the offset column; 64-bit, no nulls.</param>
    /// <param name="isKnown">Whether the row of an offset is left out.</param>
    public static unsafe BatchSlice Without(BatchSlice slice, int offsetPosition, Func<long, bool> isKnown)
    {
        var offsets = new ReadOnlySpan<long>(slice.Columns[offsetPosition].Values, (int)slice.Count);
        var rows = new List<int>();
        for (var row = 0; row < offsets.Length; row++)
        {
            if (!isKnown(offsets[row]))
            {
                rows.Add(row);
            }
        }
        return new() { Schema = slice.Schema, Columns = slice.Columns, Count = rows.Count, Selection = [.. rows] };
    }
}
