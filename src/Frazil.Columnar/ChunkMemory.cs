namespace Frazil.Columnar;

/// <summary>
/// Every native buffer of one chunk. Only the chunk's writer allocates; nothing is freed alone, because a reader may still hold a buffer
/// that has been replaced by a larger one: all go together when the chunk's last pin is released.
/// </summary>
internal sealed unsafe class ChunkMemory(MemoryAccount account)
{
    private readonly List<(nint Address, long Size)> buffers = [];
    private long bytes;
    private bool freed;

    /// <summary>Bytes allocated and not yet freed.</summary>
    public long Bytes => Volatile.Read(ref bytes);

    /// <summary>An uninitialised buffer of at least <paramref name="size"/> bytes, rounded up to <see cref="NativeBlocks.Alignment"/>.</summary>
    public byte* Allocate(ref long size)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref freed), typeof(ColumnChunk));
        buffers.EnsureCapacity(buffers.Count + 1);
        var buffer = NativeBlocks.Rent(ref size);
        buffers.Add(((nint)buffer, size));
        Volatile.Write(ref bytes, bytes + size);
        account.Add(size);
        return buffer;
    }

    /// <summary>Frees all. The caller makes sure that it happens once.</summary>
    public void FreeAll()
    {
        Volatile.Write(ref freed, true);
        foreach (var (address, size) in buffers)
        {
            NativeBlocks.Return((byte*)address, size);
        }
        buffers.Clear();
        account.Add(-bytes);
        Volatile.Write(ref bytes, 0);
    }
}
