using System.Runtime.CompilerServices;
using Frazil.Parquet.Schema;

namespace Frazil.Parquet.Levels;

/// <summary>Definition and repetition levels of one column chunk, a byte each. As long as every value is present none are kept.</summary>
internal sealed unsafe class ColumnLevels : IDisposable
{
    private readonly NativeBuffer definitions = new();
    private readonly NativeBuffer repetitions = new();
    private byte full;

    /// <summary>Entries: values, nulls, and one for each absent or empty list.</summary>
    public int Count { get; private set; }

    /// <summary>False while every entry has the highest definition level.</summary>
    public bool HasDefinitions { get; private set; }

    public byte* Definitions => definitions.Data;

    /// <summary>Meaningful for repeated leaves only.</summary>
    public byte* Repetitions => repetitions.Data;

    public void Begin(LeafColumn leaf)
    {
        full = (byte)leaf.MaxDefinition;
        Count = 0;
        HasDefinitions = false;
        definitions.Clear();
        repetitions.Clear();
    }

    /// <summary>Appends entries of one definition level, outside of lists.</summary>
    public void AppendConstant(byte definition, int count)
    {
        if (definition != full || HasDefinitions)
        {
            Unsafe.InitBlock(ReserveDefinitions(count), definition, (uint)count);
        }
        else
        {
            Count += count;
        }
    }

    /// <summary>Room for the levels of so many entries, which the caller fills at once.</summary>
    public byte* ReserveDefinitions(int count)
    {
        if (!HasDefinitions)
        {
            HasDefinitions = true;
            Unsafe.InitBlock(definitions.Reserve(Count), full, (uint)Count);
            definitions.Advance(Count);
        }
        var room = definitions.Reserve(count);
        definitions.Advance(count);
        Count += count;
        return room;
    }

    public void AppendRepetitions(byte* levels, int count) => repetitions.Append(new ReadOnlySpan<byte>(levels, count));

    public long HeldBytes => definitions.HeldBytes + repetitions.HeldBytes;

    public void Trim(long keptBytes)
    {
        definitions.Trim(keptBytes);
        repetitions.Trim(keptBytes);
    }

    public void Dispose()
    {
        definitions.Dispose();
        repetitions.Dispose();
    }
}
