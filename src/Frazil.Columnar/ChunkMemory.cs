using System.Runtime.InteropServices;

namespace Frazil.Columnar;

/// <summary>
/// Every native buffer of one chunk. Only the chunk's writer allocates; nothing is freed alone, because a reader may still hold a buffer
/// that has been replaced by a larger one: all go together when the chunk's last pin is released.
/// </summary>
internal sealed unsafe class ChunkMemory(MemoryAccount account)
{
    /// <summary>Arrow recommends 64 bytes for alignment and padding; SIMD writers rely on it.</summary>
    public const int Alignment = 64;

    private readonly List<nint> buffers = [];
    private long bytes;
    private bool freed;

    /// <summary>Bytes allocated and not yet freed.</summary>
    public long Bytes => Volatile.Read(ref bytes);

    /// <summary>An uninitialised buffer of at least <paramref name="size"/> bytes, rounded up to <see cref="Alignment"/>.</summary>
    public byte* Allocate(ref long size)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref freed), typeof(ColumnChunk));
        size = (size + Alignment - 1) & -Alignment;
        buffers.EnsureCapacity(buffers.Count + 1);
        var buffer = (byte*)NativeMemory.AlignedAlloc((nuint)size, Alignment);
        buffers.Add((nint)buffer);
        Volatile.Write(ref bytes, bytes + size);
        account.Add(size);
        return buffer;
    }

    /// <summary>Frees all. The caller makes sure that it happens once.</summary>
    public void FreeAll()
    {
        Volatile.Write(ref freed, true);
        foreach (var buffer in buffers)
        {
            NativeMemory.AlignedFree((void*)buffer);
        }
        buffers.Clear();
        account.Add(-bytes);
        Volatile.Write(ref bytes, 0);
    }
}
