using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Frazil.Columnar;

/// <summary>A struct column: append one value to each child, then <see cref="EndStruct"/>.</summary>
public sealed unsafe class StructWriter : ColumnWriter
{
    private readonly ColumnWriter[] children;

    internal StructWriter(ColumnField field, ChunkMemory memory, int capacity, ColumnWriter[] children)
        : base(field, memory)
    {
        this.children = children;
        this.capacity = RoundUp(capacity);
    }

    public override IReadOnlyList<ColumnWriter> Children => children;

    private protected override long OwnUsedBytes => 0;

    /// <summary>Closes a struct that is present; every child must have got its value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void EndStruct()
    {
        var index = appended;
        AssertChildrenAt(index + 1);
        if (index == capacity)
        {
            Grow();
        }
        MarkPresent(index);
        appended = index + 1;
    }

    public override void AppendNull()
    {
        foreach (var child in children)
        {
            child.AppendNull();
        }
        EndStruct();
        MarkNull(appended - 1);
    }

    public override void TruncateTo(int values)
    {
        base.TruncateTo(values);
        foreach (var child in children)
        {
            child.TruncateTo(values);
        }
    }

    internal override ColumnView TakeView(int values)
        => new()
        {
            Type = Field.Type,
            Length = values,
            Validity = validity,
            Children = Array.ConvertAll(children, child => child.TakeView(values)),
        };

    private protected override void Resize(int newCapacity)
    {
    }

    [Conditional("DEBUG")]
    private void AssertChildrenAt(int expected)
    {
        foreach (var child in children)
        {
            Debug.Assert(
                child.Length == expected, $"struct {Field.Name}: child {child.Field.Name} has {child.Length} values, not {expected}");
        }
    }
}

/// <summary>A list or map column: append elements (a key and a value each for a map) to the children, then <see cref="EndList"/>.</summary>
public sealed unsafe class ListWriter : ColumnWriter
{
    private readonly ColumnWriter[] children;
    private int* offsets;

    internal ListWriter(ColumnField field, ChunkMemory memory, int capacity, ColumnWriter[] children)
        : base(field, memory)
    {
        this.children = children;
        this.capacity = RoundUp(capacity);
        offsets = (int*)Enlarge(null, 0, (this.capacity + 1L) * sizeof(int));
        offsets[0] = 0;
    }

    public override IReadOnlyList<ColumnWriter> Children => children;

    /// <summary>The element of a list, or the key of a map.</summary>
    public ColumnWriter First => children[0];

    private protected override long OwnUsedBytes => (appended + 1L) * sizeof(int);

    /// <summary>First element of the list that is being built.</summary>
    public int OpenStart
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => offsets[appended];
    }

    /// <summary>Closes a list that is present: the elements appended since the last one are its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void EndList()
    {
        var index = appended;
        Debug.Assert(children.Length == 1 || children[0].Length == children[1].Length, "a map's keys and values must be as many");
        if (index == capacity)
        {
            Grow();
        }
        offsets[index + 1] = children[0].Length;
        MarkPresent(index);
        appended = index + 1;
    }

    public override void AppendNull()
    {
        Debug.Assert(children[0].Length == offsets[appended], "a null list cannot have elements");
        EndList();
        MarkNull(appended - 1);
    }

    public override void TruncateTo(int values)
    {
        base.TruncateTo(values);
        foreach (var child in children)
        {
            // Also when this column has not ended the list yet: its elements go.
            child.TruncateTo(offsets[appended]);
        }
    }

    internal override ColumnView TakeView(int values)
    {
        var seen = offsets;
        var elements = seen[values];
        return new()
        {
            Type = Field.Type,
            Length = values,
            Validity = validity,
            Offsets = seen,
            Children = Array.ConvertAll(children, child => child.TakeView(elements)),
        };
    }

    private protected override void Resize(int newCapacity)
        => offsets = (int*)Enlarge((byte*)offsets, (appended + 1L) * sizeof(int), (newCapacity + 1L) * sizeof(int));

    internal override void Close()
    {
        base.Close();
        offsets = null;
    }
}
