using System.Runtime.InteropServices;
using Frazil.Columnar;
using Frazil.Iceberg;

namespace Frazil.Flush;

/// <summary>
/// Sorts rows into Iceberg partitions: one group of slices a partition tuple. Rows keep their order within a group. Not thread-safe; one
/// per file set being written.
/// </summary>
internal sealed class PartitionSplitter
{
    private readonly PartitionCoder[] coders;
    private readonly Dictionary<(int Group, int Code), int> combined = [];
    private readonly List<int[]> codesOfGroup = [];
    private readonly List<List<BatchSlice>> slicesOfGroup = [];

    public PartitionSplitter(PartitionSpec spec, Schema schema)
        => coders = [
            .. spec.Fields.Select(
                (field, index) => new PartitionCoder(field, spec.SourceType(schema, index), PathTo(schema, field.SourceId)))];

    public void Add(BatchSlice slice)
    {
        if (slice.Count == 0)
        {
            return;
        }
        var groups = GroupRows(slice);
        var first = groups[0];
        if (groups.AsSpan().IndexOfAnyExcept(first) < 0)
        {
            slicesOfGroup[first].Add(slice);
            return;
        }
        var rows = new Dictionary<int, List<int>>();
        for (var i = 0; i < groups.Length; i++)
        {
            ref var list = ref CollectionsMarshal.GetValueRefOrAddDefault(rows, groups[i], out _);
            (list ??= []).Add((int)slice.Start + i);
        }
        foreach (var (group, selection) in rows)
        {
            slicesOfGroup[group].Add(new()
            {
                Schema = slice.Schema,
                Columns = slice.Columns,
                Count = selection.Count,
                Selection = [.. selection],
            });
        }
    }

    /// <summary>The groups found, in order of first appearance.</summary>
    public IEnumerable<(PartitionTuple Partition, IReadOnlyList<BatchSlice> Slices)> Groups()
    {
        for (var group = 0; group < slicesOfGroup.Count; group++)
        {
            var codes = codesOfGroup[group];
            yield return (new PartitionTuple([.. codes.Select((code, field) => coders[field].ValueOf(code))]), slicesOfGroup[group]);
        }
    }

    private int[] GroupRows(BatchSlice slice)
    {
        var count = (int)slice.Count;
        var groups = new int[count];
        var codes = new int[coders.Length][];
        for (var field = 0; field < coders.Length; field++)
        {
            codes[field] = coders[field].CodeRows(slice);
        }
        var previous = -1;
        for (var row = 0; row < count; row++)
        {
            groups[row] = previous = previous >= 0 && HasCodes(previous, codes, row) ? previous : FindGroup(codes, row);
        }
        return groups;
    }

    private bool HasCodes(int group, int[][] codes, int row)
    {
        var expected = codesOfGroup[group];
        for (var field = 0; field < codes.Length; field++)
        {
            if (codes[field][row] != expected[field])
            {
                return false;
            }
        }
        return true;
    }

    private int FindGroup(int[][] codes, int row)
    {
        // Walks a chain of pairs: (prefix, next field's code) names a longer prefix; the last one is the group.
        var prefix = -1;
        for (var field = 0; field < codes.Length; field++)
        {
            var key = (prefix, codes[field][row]);
            var isLast = field == codes.Length - 1;
            if (!combined.TryGetValue(key, out var next))
            {
                next = isLast ? slicesOfGroup.Count : -2 - combined.Count;
                combined.Add(key, next);
                if (isLast)
                {
                    codesOfGroup.Add([.. codes.Select(column => column[row])]);
                    slicesOfGroup.Add([]);
                }
            }
            prefix = next;
        }
        return prefix;
    }

    /// <summary>Field ids from the top-level column down to the source.</summary>
    private static int[] PathTo(Schema schema, int sourceId)
    {
        var path = new List<int>();
        for (var id = sourceId; id > 0; id = schema.ParentOf(id))
        {
            path.Insert(0, id);
        }
        return [.. path];
    }
}
