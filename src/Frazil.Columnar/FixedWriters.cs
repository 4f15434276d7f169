using System.Runtime.CompilerServices;

namespace Frazil.Columnar;

/// <summary>A column of fixed-width values: <c>int</c> for Int32 and Date32; <c>long</c> for Int64, Time64, Timestamp and TimestampTz;
/// <c>float</c>, <c>double</c>; <c>Int128</c> for Decimal128.</summary>
public sealed unsafe class FixedWriter<T> : ColumnWriter
    where T : unmanaged
{
    private T* values;

    internal FixedWriter(ColumnField field, ChunkMemory memory, int capacity)
        : base(field, memory)
    {
        this.capacity = RoundUp(capacity);
        values = (T*)Enlarge(null, 0, this.capacity * (long)sizeof(T));
    }

    private protected override long OwnUsedBytes => appended * (long)sizeof(T);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(T value)
    {
        var index = appended;
        if (index == capacity)
        {
            Grow();
        }
        values[index] = value;
        MarkPresent(index);
        appended = index + 1;
    }

    public override void AppendNull()
    {
        var index = appended;
        if (index == capacity)
        {
            Grow();
        }
        values[index] = default;
        MarkNull(index);
        appended = index + 1;
    }

    internal override ColumnView TakeView(int values)
        => new() { Type = Field.Type, Length = values, Validity = validity, Values = (byte*)this.values };

    private protected override void Resize(int newCapacity)
        => values = (T*)Enlarge((byte*)values, OwnUsedBytes, newCapacity * (long)sizeof(T));

    internal override void Close()
    {
        base.Close();
        values = null;
    }
}

/// <summary>A column of bits.</summary>
public sealed unsafe class BooleanWriter : ColumnWriter
{
    private byte* values;

    internal BooleanWriter(ColumnField field, ChunkMemory memory, int capacity)
        : base(field, memory)
    {
        this.capacity = RoundUp(capacity);
        values = Enlarge(null, 0, this.capacity / 8);
    }

    private protected override long OwnUsedBytes => (appended + 7) / 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(bool value)
    {
        var index = appended;
        if (index == capacity)
        {
            Grow();
        }
        if (value)
        {
            SetBit(values, index);
        }
        else
        {
            ClearBit(values, index);
        }
        MarkPresent(index);
        appended = index + 1;
    }

    public override void AppendNull()
    {
        Append(false);
        MarkNull(appended - 1);
    }

    internal override ColumnView TakeView(int values)
        => new() { Type = Field.Type, Length = values, Validity = validity, Values = this.values };

    private protected override void Resize(int newCapacity) => values = Enlarge(values, OwnUsedBytes, (newCapacity + 7L) / 8);

    internal override void Close()
    {
        base.Close();
        values = null;
    }
}

/// <summary>A column of byte strings of one width: FixedBinary and Uuid.</summary>
public sealed unsafe class FixedBytesWriter : ColumnWriter
{
    private byte* values;

    internal FixedBytesWriter(ColumnField field, ChunkMemory memory, int capacity)
        : base(field, memory)
    {
        Width = field.Type.ValueSize;
        this.capacity = RoundUp(capacity);
        values = Enlarge(null, 0, this.capacity * (long)Width);
    }

    /// <summary>Bytes of each value.</summary>
    public int Width { get; }

    private protected override long OwnUsedBytes => appended * (long)Width;

    /// <exception cref="ArgumentException">Not exactly <see cref="Width"/> bytes.</exception>
    public void Append(ReadOnlySpan<byte> value)
    {
        if (value.Length != Width)
        {
            throw new ArgumentException($"column {Field.Name} holds values of {Width} bytes, not {value.Length}", nameof(value));
        }
        value.CopyTo(AppendSlot());
    }

    /// <summary>Appends a value whose <see cref="Width"/> bytes the caller fills in at once.</summary>
    public Span<byte> AppendSlot()
    {
        var index = appended;
        if (index == capacity)
        {
            Grow();
        }
        MarkPresent(index);
        appended = index + 1;
        return new(values + index * (long)Width, Width);
    }

    public override void AppendNull()
    {
        AppendSlot().Clear();
        MarkNull(appended - 1);
    }

    internal override ColumnView TakeView(int values)
        => new() { Type = Field.Type, Length = values, Validity = validity, Values = this.values };

    private protected override void Resize(int newCapacity) => values = Enlarge(values, OwnUsedBytes, newCapacity * (long)Width);

    internal override void Close()
    {
        base.Close();
        values = null;
    }
}
