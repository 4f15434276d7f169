using System.Runtime.InteropServices;

namespace Frazil.DuckDb;

/// <summary>
/// A chunk's rows in one piece of native memory of its own, nothing of DuckDB's left in it, so that the statement and what it has pinned can
/// go while the rows wait to be read, in this process or another. Native bytes: dispose.
/// </summary>
public sealed unsafe class ChunkFrame : IDisposable
{
    private byte* memory;

    private ChunkFrame(byte* memory, long bytes)
    {
        this.memory = memory;
        Bytes = bytes;
    }

    /// <summary>Native bytes held.</summary>
    public long Bytes { get; }

    /// <summary>All of it, for <see cref="Receive"/> elsewhere.</summary>
    public ReadOnlySpan<byte> Content => new(Memory, checked((int)Bytes));

    internal byte* Memory
    {
        get
        {
            ObjectDisposedException.ThrowIf(memory == null, this);
            return memory;
        }
    }

    /// <summary>Copies the rows out of a chunk.</summary>
    /// <param name="chunk">Stays the caller's.</param>
    /// <param name="maxBytes">As many as are taken at most.</param>
    /// <exception cref="ValueBudgetException">They need more.</exception>
    /// <exception cref="DuckDbException">A column's type cannot be taken out of DuckDB.</exception>
    public static ChunkFrame Copy(DuckDbChunk chunk, long maxBytes)
    {
        ArgumentNullException.ThrowIfNull(chunk);
        using var writer = new FrameWriter(maxBytes);
        writer.WriteLong(chunk.RowCount);
        foreach (var vector in chunk.Vectors)
        {
            writer.Write(vector);
        }
        return writer.Finish();
    }

    /// <summary>One row of one BIGINT.</summary>
    public static ChunkFrame OfLong(long value)
    {
        using var writer = new FrameWriter(1 << 10);
        writer.WriteLong(1);
        writer.Write(new DuckDbVector(DuckDbType.BigInt, 1, (byte*)&value, null, []));
        return writer.Finish();
    }

    /// <summary>Rows of one VARCHAR.</summary>
    public static ChunkFrame OfTexts(IReadOnlyList<string> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        using var writer = new FrameWriter(long.MaxValue);
        writer.WriteLong(values.Count);
        writer.WriteTexts(values);
        return writer.Finish();
    }

    /// <summary>A frame that comes from elsewhere. What stands in it is checked when it is read.</summary>
    /// <param name="bytes">Of it, at most 2 GiB.</param>
    /// <param name="source">Fills them.</param>
    /// <exception cref="DuckDbException">It has more rows than a chunk.</exception>
    public static ChunkFrame Receive(long bytes, ByteSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        var frame = new ChunkFrame((byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, sizeof(long)), 16), bytes);
        try
        {
            source(new Span<byte>(frame.memory, checked((int)bytes)));
            return bytes >= sizeof(long) && *(long*)frame.memory is >= 0 and <= DuckDbNative.VectorSize ? frame : throw ByteReader.Damaged("a number of rows");
        }
        catch
        {
            frame.Dispose();
            throw;
        }
    }

    /// <summary>Takes over memory of <see cref="NativeMemory.AlignedAlloc"/>.</summary>
    internal static ChunkFrame Own(byte* memory, long bytes) => new(memory, bytes);

    public void Dispose()
    {
        NativeMemory.AlignedFree(memory);
        memory = null;
    }
}

/// <summary>Fills a span with the next bytes, all of it.</summary>
/// <param name="into">What to fill.</param>
public delegate void ByteSource(Span<byte> into);
