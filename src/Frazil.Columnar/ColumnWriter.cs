using System.Runtime.CompilerServices;

namespace Frazil.Columnar;

/// <summary>
/// One growable column of a <see cref="ColumnChunk"/>. Only the chunk's one writer thread may call it; readers look through
/// <see cref="ColumnView"/>s. A buffer that is too small is replaced by a larger copy and stays alive until the chunk is freed, because
/// a reader may hold it.
/// </summary>
public abstract unsafe class ColumnWriter
{
    private protected readonly ChunkMemory memory;

    /// <summary>Null until the first null is appended; then one explicit bit for every value.</summary>
    private protected byte* validity;
    private protected int appended;

    /// <summary>Values that fit without growing. Zero after the chunk was freed, so that the next append fails instead of writing to freed
    /// memory.</summary>
    private protected int capacity;

    private protected ColumnWriter(ColumnField field, ChunkMemory memory)
    {
        Field = field;
        this.memory = memory;
    }

    public ColumnField Field { get; }

    /// <summary>Values appended, published or not.</summary>
    public int Length
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => appended;
    }

    /// <summary>Nested columns: a struct's fields, a list's element, a map's key and value.</summary>
    public virtual IReadOnlyList<ColumnWriter> Children => [];

    /// <summary>Bytes of values, offsets and validity in use, children included: what a flush size counts.</summary>
    public long UsedBytes
    {
        get
        {
            var bytes = OwnUsedBytes + (validity != null ? (appended + 7) / 8 : 0);
            foreach (var child in Children)
            {
                bytes += child.UsedBytes;
            }
            return bytes;
        }
    }

    /// <summary>Appends a null, whatever the field's nullability: that rule is the decoder's. A null struct appends a null to each
    /// child.</summary>
    public abstract void AppendNull();

    /// <summary>Forgets the values from <paramref name="values"/> on, recursively. Never below what is published.</summary>
    public virtual void TruncateTo(int values)
    {
        if (values < appended)
        {
            appended = values;
        }
    }

    /// <summary>A view of the first <paramref name="values"/> values; the caller has read the published count before.</summary>
    internal abstract ColumnView TakeView(int values);

    /// <summary>Bytes of variable-width content; 0 for other kinds.</summary>
    internal virtual int ContentBytes => 0;

    /// <summary>Makes every later append fail: the chunk was freed.</summary>
    internal virtual void Close()
    {
        appended = capacity = 0;
        validity = null;
        foreach (var child in Children)
        {
            child.Close();
        }
    }

    private protected abstract long OwnUsedBytes { get; }

    /// <summary>Enlarges this column's own buffers (not the children's) to <paramref name="newCapacity"/> values.</summary>
    private protected abstract void Resize(int newCapacity);

    /// <summary>Makes room for one more value.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private protected void Grow()
    {
        var newCapacity = (int)Math.Min(GrownSize(capacity, capacity + 1L), ChunkFullException.MaxValues);
        if (newCapacity <= capacity)
        {
            throw new ChunkFullException($"column {Field.Name} holds {appended} values, the most a chunk can");
        }
        if (validity != null)
        {
            var bits = AllocateBits(newCapacity);
            Buffer.MemoryCopy(validity, bits, long.MaxValue, (appended + 7) / 8);
            Volatile.WriteBarrier();
            validity = bits;
        }
        Resize(newCapacity);
        capacity = newCapacity;
    }

    /// <summary>Fourfold while small, then double: what growth leaves behind stays below what is in use.</summary>
    private protected static long GrownSize(long size, long needed)
    {
        var grown = Math.Max(size * (size < 64 * 1024 ? 4 : 2), needed);
        return (grown + 63) & -64;
    }

    /// <summary>A larger copy of a buffer, published to readers only when its content stands.</summary>
    private protected byte* Enlarge(byte* old, long usedBytes, long newBytes)
    {
        var buffer = memory.Allocate(ref newBytes);
        if (usedBytes > 0)
        {
            Buffer.MemoryCopy(old, buffer, newBytes, usedBytes);
        }
        Volatile.WriteBarrier();
        return buffer;
    }

    /// <summary>Writes the bit of the value at <paramref name="index"/> as present.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private protected void MarkPresent(int index)
    {
        if (validity != null)
        {
            SetBit(validity, index);
        }
    }

    /// <summary>Writes the bit of the value at <paramref name="index"/> as null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private protected void MarkNull(int index)
    {
        if (validity == null)
        {
            BeginValidity(index);
        }
        ClearBit(validity, index);
    }

    /// <summary>At the first null: every value before it is present.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void BeginValidity(int index)
    {
        var bits = AllocateBits(capacity);
        Unsafe.InitBlock(bits, 0xFF, (uint)((index >> 3) + 1));
        Volatile.WriteBarrier();
        validity = bits;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private protected static void SetBit(byte* bits, int index) => bits[index >> 3] |= (byte)(1 << (index & 7));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private protected static void ClearBit(byte* bits, int index) => bits[index >> 3] &= (byte)~(1 << (index & 7));

    private protected static int RoundUp(int values) => (int)Math.Min(Math.Max(64, (values + 63L) & -64), ChunkFullException.MaxValues);

    private byte* AllocateBits(int values)
    {
        var bytes = (values + 7L) / 8;
        return memory.Allocate(ref bytes);
    }
}

/// <summary>A buffer of the chunk cannot hold more (2^31 - 1 bytes of text, or values, in one column). Seal the chunk and go on in a new
/// one.</summary>
public sealed class ChunkFullException(string message) : Exception(message)
{
    internal const int MaxValues = int.MaxValue - 127;
}
