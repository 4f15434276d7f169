using Frazil.Columnar;
using Frazil.Columnar.Statistics;
using Frazil.DuckDb;

namespace Frazil.Tests.Parquet;

/// <summary>
/// Exact statistics of the leaf columns of some slices under one schema. Taken from the columns themselves, because what a Parquet writer
/// reports is text, cut, and without NaN counts.
/// </summary>
internal static unsafe class ColumnStatistics
{
    // Rows looked at together: enough to hide the call, few enough for the stack and the cache.
    private const int BlockRows = 2048;
    private const int BlockWords = BlockRows / 64;

    /// <summary>One entry a leaf field of <paramref name="schema"/>, by field id. The slices must be pinned.</summary>
    /// <exception cref="DuckDbException">A slice's column has a type that cannot become the schema's.</exception>
    public static IReadOnlyDictionary<int, FieldStatistics> Measure(
        ColumnFields schema, IReadOnlyList<BatchSlice> slices, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(schema);
        ArgumentNullException.ThrowIfNull(slices);
        var results = new Dictionary<int, FieldStatistics>();
        foreach (var field in schema)
        {
            var node = new StatisticsNode(field, isRepeated: false);
            foreach (var slice in slices)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var mapping = ColumnMapping.Create(field, slice.Schema);
                Add(node, mapping, mapping.Source < 0 ? null : slice.Columns[mapping.Source], slice);
            }
            node.Collect(results);
        }
        return results;
    }

    private static void Add(StatisticsNode node, ColumnMapping mapping, ColumnView? view, BatchSlice slice)
    {
        fixed (int* selection = slice.Selection)
        {
            for (var first = 0L; first < slice.Count; first += BlockRows)
            {
                var count = (int)Math.Min(BlockRows, slice.Count - first);
                var rows = slice.Selection is null ? new RowSet(slice.Start + first, null, count) : new RowSet(0, selection + first, count);
                Add(node, mapping, view, rows, null);
            }
        }
    }

    /// <param name="parent">Presence of the enclosing struct by row of the block; null where it is always present.</param>
    private static void Add(StatisticsNode node, ColumnMapping mapping, ColumnView? view, RowSet rows, ulong* parent)
    {
        if (view is null)
        {
            node.AddNulls(rows.Count);
            return;
        }
        var present = stackalloc ulong[BlockWords];
        var isAllPresent = ValidityFill.Combine(view, rows, parent, present);
        switch (mapping.Fill)
        {
            case FillKind.Struct:
                for (var child = 0; child < mapping.Children.Length; child++)
                {
                    var source = mapping.Children[child].Source;
                    Add(
                        node.Children[child], mapping.Children[child], source < 0 ? null : view.Children[source], rows,
                        isAllPresent ? null : present);
                }
                break;
            case FillKind.List:
            case FillKind.Map:
                for (var child = 0; child < mapping.Children.Length; child++)
                {
                    AddElements(node.Children[child], mapping.Children[child], view, view.Children[child], rows, present);
                }
                break;
            default:
                node.Add(view, rows, present, isAllPresent);
                break;
        }
    }

    private static void AddElements(
        StatisticsNode node, ColumnMapping mapping, ColumnView list, ColumnView child, RowSet rows, ulong* present)
    {
        // Neighbouring lists lie next to each other, so that runs of present ones are one range of elements.
        for (var index = 0; index < rows.Count;)
        {
            if (!IsSet(present, index))
            {
                index++;
                continue;
            }
            long begin = list.Offsets[rows[index]];
            long end = list.Offsets[rows[index] + 1];
            for (index++; index < rows.Count && IsSet(present, index) && list.Offsets[rows[index]] == end; index++)
            {
                end = list.Offsets[rows[index] + 1];
            }
            for (; begin < end; begin += BlockRows)
            {
                Add(node, mapping, child, new RowSet(begin, null, (int)Math.Min(BlockRows, end - begin)), null);
            }
        }
    }

    private static bool IsSet(ulong* bits, int index) => (bits[index >> 6] & (1UL << (index & 63))) != 0;
}
