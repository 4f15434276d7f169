using System.Runtime.CompilerServices;

namespace Frazil.Columnar;

/// <summary>A column of Utf8 or Binary values. That Utf8 is valid UTF-8 is the caller's promise.</summary>
public sealed unsafe class BytesWriter : ColumnWriter
{
    /// <summary>Bytes behind a reservation that may be overwritten with anything, so that copies go by whole vectors.</summary>
    public const int Slack = 64;

    private int* offsets;
    private byte* content;
    private int contentLength;

    /// <summary>Content bytes that fit, <see cref="Slack"/> not counted.</summary>
    private int contentCapacity;

    internal BytesWriter(ColumnField field, ChunkMemory memory, int capacity, int contentBytes)
        : base(field, memory)
    {
        this.capacity = RoundUp(capacity);
        offsets = (int*)Enlarge(null, 0, (this.capacity + 1L) * sizeof(int));
        offsets[0] = 0;
        EnlargeContent(RoundUp(contentBytes));
    }

    internal override int ContentBytes => contentLength;

    private protected override long OwnUsedBytes => contentLength + (appended + 1L) * sizeof(int);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(ReadOnlySpan<byte> value)
    {
        value.CopyTo(new Span<byte>(Reserve(value.Length), value.Length));
        Commit(value.Length);
    }

    /// <summary>Room for <paramref name="maxBytes"/> bytes (and <see cref="Slack"/> scratch bytes behind them) of the next value. Nothing
    /// is appended until <see cref="Commit"/>; the pointer is good until the next call on this column.</summary>
    /// <exception cref="ChunkFullException">The column would pass 2^31 bytes.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Reserve(int maxBytes)
    {
        if (maxBytes > contentCapacity - contentLength)
        {
            GrowContent(maxBytes);
        }
        return content + contentLength;
    }

    /// <summary>Appends the value whose <paramref name="bytes"/> bytes were written where <see cref="Reserve"/> said.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Commit(int bytes)
    {
        var index = appended;
        if (index == capacity)
        {
            Grow();
        }
        contentLength += bytes;
        offsets[index + 1] = contentLength;
        MarkPresent(index);
        appended = index + 1;
    }

    /// <summary>The bytes of an appended value; good until the next call on this column.</summary>
    public ReadOnlySpan<byte> ValueAt(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)appended);
        return new(content + offsets[index], offsets[index + 1] - offsets[index]);
    }

    public override void AppendNull()
    {
        var index = appended;
        if (index == capacity)
        {
            Grow();
        }
        offsets[index + 1] = contentLength;
        MarkNull(index);
        appended = index + 1;
    }

    public override void TruncateTo(int values)
    {
        if (values < appended)
        {
            appended = values;
            contentLength = offsets[values];
        }
    }

    internal override ColumnView TakeView(int values)
        => new() { Type = Field.Type, Length = values, Validity = validity, Offsets = offsets, Values = content };

    private protected override void Resize(int newCapacity)
        => offsets = (int*)Enlarge((byte*)offsets, (appended + 1L) * sizeof(int), (newCapacity + 1L) * sizeof(int));

    internal override void Close()
    {
        base.Close();
        offsets = null;
        content = null;
        contentLength = contentCapacity = 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void GrowContent(int more)
    {
        var needed = contentLength + (long)more;
        if (needed > ChunkFullException.MaxValues)
        {
            throw new ChunkFullException($"column {Field.Name} holds {contentLength} bytes and cannot take {more} more");
        }
        EnlargeContent((int)Math.Min(GrownSize(contentCapacity, needed), ChunkFullException.MaxValues));
    }

    private void EnlargeContent(int newCapacity)
    {
        content = Enlarge(content, contentLength, newCapacity + (long)Slack);
        contentCapacity = newCapacity;
    }
}
