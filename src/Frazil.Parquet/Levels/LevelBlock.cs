using Frazil.Columnar;

namespace Frazil.Parquet.Levels;

/// <summary>Some rows on their way down to a leaf: for each entry where it is in the current column (-1: nowhere), and its levels so
/// far.</summary>
internal sealed unsafe class LevelBlock : IDisposable
{
    private readonly NativeBuffer rows = new();
    private readonly NativeBuffer definitions = new();
    private readonly NativeBuffer repetitions = new();

    public int Count { get; private set; }

    public int* Rows => (int*)rows.Data;

    public byte* Definitions => definitions.Data;

    public byte* Repetitions => repetitions.Data;

    /// <summary>Starts at the top: rows of the slice, all present.</summary>
    public void Begin(int* selection, int start, int count)
    {
        Reserve(count);
        for (var index = 0; index < count; index++)
        {
            Rows[index] = selection == null ? start + index : selection[index];
        }
        new Span<byte>(Definitions, count).Clear();
        new Span<byte>(Repetitions, count).Clear();
        Count = count;
    }

    /// <summary>Takes the entries that are null in this column out, and lifts the level of the others.</summary>
    /// <returns>False where an entry is null in a column that must not have nulls.</returns>
    public bool Descend(PathNode node)
    {
        var at = Rows;
        var levels = Definitions;
        var isNullable = node.Field.Nullable;
        if (node.View is null)
        {
            var hasAny = new Span<int>(at, Count).IndexOfAnyExcept(-1) >= 0;
            new Span<int>(at, Count).Fill(-1);
            return isNullable || !hasAny;
        }
        var bits = node.View.Validity;
        var isWhole = true;
        for (var index = 0; index < Count; index++)
        {
            var row = at[index];
            if (row < 0)
            {
                continue;
            }
            if (bits != null && (bits[row >> 3] & (1 << (row & 7))) == 0)
            {
                at[index] = -1;
                isWhole = false;
            }
            else if (isNullable)
            {
                levels[index]++;
            }
        }
        return isNullable || isWhole;
    }

    /// <summary>Writes the elements of each list to <paramref name="target"/>; what has none keeps one entry.</summary>
    public void Expand(ColumnView? list, byte repetition, LevelBlock target)
    {
        target.Reserve(CountExpanded(list));
        var at = target.Rows;
        var levels = target.Definitions;
        var repeats = target.Repetitions;
        var written = 0;
        for (var index = 0; index < Count; index++)
        {
            var row = Rows[index];
            int begin = -1, end = 0;
            if (row >= 0)
            {
                (begin, end) = (list!.Offsets[row], list.Offsets[row + 1]);
            }
            at[written] = begin < end ? begin : -1;
            levels[written] = (byte)(Definitions[index] + (row >= 0 && begin < end ? 1 : 0));
            repeats[written++] = Repetitions[index];
            for (begin++; row >= 0 && begin < end; begin++)
            {
                at[written] = begin;
                levels[written] = (byte)(Definitions[index] + 1);
                repeats[written++] = repetition;
            }
        }
        target.Count = written;
    }

    public long HeldBytes => rows.HeldBytes + definitions.HeldBytes + repetitions.HeldBytes;

    public void Trim(long keptBytes)
    {
        rows.Trim(keptBytes);
        definitions.Trim(keptBytes);
        repetitions.Trim(keptBytes);
        Count = 0;
    }

    public void Dispose()
    {
        rows.Dispose();
        definitions.Dispose();
        repetitions.Dispose();
    }

    private long CountExpanded(ColumnView? list)
    {
        long count = Count;
        for (var index = 0; index < Count; index++)
        {
            var row = Rows[index];
            count += row < 0 ? 0 : Math.Max(0, list!.Offsets[row + 1] - list.Offsets[row] - 1);
        }
        return count;
    }

    private void Reserve(long count)
    {
        rows.Reserve(count * sizeof(int));
        definitions.Reserve(count);
        repetitions.Reserve(count);
    }
}
