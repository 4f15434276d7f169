using System.Numerics;
using Frazil.Columnar;
using Frazil.Parquet.Schema;
using Frazil.Parquet.Values;

namespace Frazil.Parquet.Levels;

/// <summary>Takes the rows of slices apart into the levels and the present values of one leaf.</summary>
internal sealed unsafe class Shredder : IDisposable
{
    private const int BlockRows = 8192;

    private LevelBlock current = new();
    private LevelBlock other = new();

    /// <exception cref="ParquetRowsException">A null stands where the schema allows none.</exception>
    public void Append(LeafColumn leaf, BatchSlice slice, long start, long count, ColumnLevels levels, ColumnValues values)
    {
        var source = LeafSource.Resolve(leaf, slice);
        values.BindTo(source);
        fixed (int* selection = slice.Selection)
        {
            for (var done = 0L; done < count;)
            {
                var rest = count - done;
                var first = (selection == null ? slice.Start : 0) + start + done;
                // All at once where nothing is taken apart; by blocks that stay in the cache where it is.
                var isPlain = selection == null && !leaf.IsRepeated;
                if (isPlain && done == 0 && TryAppendWhole(source, first, rest, levels, values))
                {
                    return;
                }
                var size = (int)Math.Min(BlockRows, rest);
                var isDone = isPlain
                    && (TryAppendWhole(source, first, size, levels, values) || TryAppendFlat(source, first, size, levels, values));
                if (!isDone)
                {
                    AppendBlock(leaf, source, selection == null ? null : selection + first, (int)first, size, levels, values);
                }
                done += size;
            }
        }
    }

    public long HeldBytes => current.HeldBytes + other.HeldBytes;

    public void Trim(long keptBytes)
    {
        current.Trim(keptBytes);
        other.Trim(keptBytes);
    }

    public void Dispose()
    {
        current.Dispose();
        other.Dispose();
    }

    /// <summary>A range of rows that are all present down to the leaf, or all lack the field.</summary>
    private static bool TryAppendWhole(LeafSource source, long first, long count, ColumnLevels levels, ColumnValues values)
    {
        byte definition = 0;
        foreach (var node in source.Nodes)
        {
            if (node.View is null && node.Field.Nullable)
            {
                levels.AppendConstant(definition, (int)count);
                return true;
            }
            if (node.View is null || !IsAllPresent(node.View, first, count))
            {
                return false;
            }
            definition += node.Field.Nullable ? (byte)1 : (byte)0;
        }
        levels.AppendConstant(definition, (int)count);
        values.AppendRun(source.Leaf!, first, (int)count);
        return true;
    }

    /// <summary>A range of rows of an optional top-level leaf.</summary>
    private bool TryAppendFlat(LeafSource source, long first, int count, ColumnLevels levels, ColumnValues values)
    {
        if (source.Nodes.Count > 1 || source.Leaf is not { } view || !source.Nodes[0].Field.Nullable || source.Nodes[0].IsRepeated)
        {
            return false;
        }
        current.Begin(null, 0, count); // its rows are the room for the positions
        var positions = current.Rows;
        var levelAt = levels.ReserveDefinitions(count);
        var present = 0;
        for (var done = 0; done < count; done += 64)
        {
            var size = Math.Min(64, count - done);
            var word = Bits.Read(view.Validity, first + done, size);
            Bits.ExpandToBytes(word, levelAt + done, size);
            for (; word != 0; word &= word - 1)
            {
                positions[present++] = (int)first + done + BitOperations.TrailingZeroCount(word);
            }
        }
        values.AppendPicked(view, positions, present);
        return true;
    }

    private void AppendBlock(
        LeafColumn leaf, LeafSource source, int* selection, int first, int count, ColumnLevels levels, ColumnValues values)
    {
        current.Begin(selection, first, count);
        byte repetition = 0;
        foreach (var node in source.Nodes)
        {
            if (!current.Descend(node))
            {
                throw new ParquetRowsException(
                    $"Column '{node.Field.Name}' (field {node.Field.FieldId}) is required, and a row to be written has a null in it.");
            }
            if (node.IsRepeated)
            {
                current.Expand(node.View, ++repetition, other);
                (current, other) = (other, current);
            }
        }
        var entries = current.Count;
        Buffer.MemoryCopy(current.Definitions, levels.ReserveDefinitions(entries), entries, entries);
        if (leaf.IsRepeated)
        {
            levels.AppendRepetitions(current.Repetitions, entries);
        }
        if (source.Leaf is { } view)
        {
            values.AppendPicked(view, current.Rows, Compact(current.Rows, entries));
        }
    }

    /// <summary>Moves the entries that are present to the front.</summary>
    private static int Compact(int* rows, int count)
    {
        var kept = 0;
        for (var index = 0; index < count; index++)
        {
            rows[kept] = rows[index];
            kept += rows[index] >= 0 ? 1 : 0;
        }
        return kept;
    }

    private static bool IsAllPresent(ColumnView view, long first, long count)
    {
        if (view.Validity == null)
        {
            return true;
        }
        for (var done = 0L; done < count; done += 64)
        {
            var size = (int)Math.Min(64, count - done);
            if (BitOperations.PopCount(Bits.Read(view.Validity, first + done, size)) != size)
            {
                return false;
            }
        }
        return true;
    }
}
