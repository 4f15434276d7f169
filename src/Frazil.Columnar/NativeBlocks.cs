using System.Runtime.InteropServices;

namespace Frazil.Columnar;

/// <summary>
/// Native memory of the process's large buffers. A block that is given back is kept for whoever wants one of about its size next: its pages are
/// mapped already, and writing to it costs no page fault. Small ones go to the C library. What is kept idle is bounded; the longest idle goes
/// first. A program may ask that other processes can map them (<see cref="Share"/>). Thread-safe.
/// </summary>
public static unsafe class NativeBlocks
{
    /// <summary>Arrow recommends 64 bytes for alignment and padding; SIMD writers rely on it.</summary>
    public const int Alignment = 64;

    /// <summary>Smaller blocks share pages with others, which the C library keeps.</summary>
    private const long LeastKept = 64 << 10;

    private const int MostBlocks = 4096;

    /// <summary>A block that is larger by more than this share is left for whoever needs all of it.</summary>
    private const int MostWasteShare = 4;

    private static readonly Lock Gate = new();

    /// <summary>Idle blocks by size.</summary>
    private static readonly List<IdleBlock> Idle = [];

    private static long idleBytes;
    private static long mostIdleBytes = 32L << 20;
    private static long clock;
    private static SharedBlocks? shared;

    /// <summary>Bytes kept idle now.</summary>
    public static long IdleBytes => Volatile.Read(ref idleBytes);

    /// <summary>Bytes kept idle at most; what is above goes back to the C library at once. Of the process, like the memory.</summary>
    public static long MostIdleBytes
    {
        get => Volatile.Read(ref mostIdleBytes);
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            lock (Gate)
            {
                mostIdleBytes = value;
                FreeAbove(value);
            }
        }
    }

    /// <summary>Addresses that a process sets aside which maps the shared blocks; 0 where none are shared.</summary>
    public static long SharedReserve => Volatile.Read(ref shared)?.Reserved ?? 0;

    /// <summary>From now on every block of a page or more lies in memory that another process may map to read; for as long as this process
    /// lives. Those from before stay where they are.</summary>
    /// <returns>False where the system does not have such memory.</returns>
    public static bool Share()
    {
        lock (Gate)
        {
            if (shared is null)
            {
                Volatile.Write(ref shared, SharedBlocks.TryCreate());
            }
            return shared is not null;
        }
    }

    /// <summary>A descriptor through which another process maps the shared blocks, and cannot write them. The caller closes it.</summary>
    /// <exception cref="IOException">There is none to be had.</exception>
    /// <exception cref="InvalidOperationException">Nothing is shared.</exception>
    public static int OpenShared() => (Volatile.Read(ref shared) ?? throw new InvalidOperationException("no blocks are shared")).OpenToRead();

    /// <returns>Where this byte lies in the shared blocks as another process maps them; -1 where it does not.</returns>
    public static long SharedOffsetOf(void* memory) => Volatile.Read(ref shared)?.OffsetOf(memory) ?? -1;

    /// <summary>An uninitialised block, to be given back by <see cref="Return"/>.</summary>
    /// <param name="size">Bytes wanted; becomes the bytes that there are, a multiple of <see cref="Alignment"/>.</param>
    public static byte* Rent(ref long size)
    {
        size = (size + Alignment - 1) & -Alignment;
        if (size >= LeastKept && TryTake(ref size, out var block))
        {
            return block;
        }
        block = size >= Environment.SystemPageSize && Volatile.Read(ref shared) is { } sharing ? sharing.TryRent(size) : null;
        return block != null ? block : (byte*)NativeMemory.AlignedAlloc((nuint)size, Alignment);
    }

    /// <param name="block">From <see cref="Rent"/>; null is nothing.</param>
    /// <param name="size">As it was told.</param>
    public static void Return(byte* block, long size)
    {
        if (block != null && (size < LeastKept || !TryKeep(block, size)))
        {
            Free(block, size);
        }
    }

    private static void Free(byte* block, long size)
    {
        if (Volatile.Read(ref shared) is { } sharing && sharing.OffsetOf(block) >= 0)
        {
            sharing.Return(block, size);
        }
        else
        {
            NativeMemory.AlignedFree(block);
        }
    }

    private static bool TryTake(ref long size, out byte* block)
    {
        block = null;
        lock (Gate)
        {
            var index = IndexOf(size);
            if (index == Idle.Count || Idle[index].Size > size + size / MostWasteShare)
            {
                return false;
            }
            block = (byte*)Idle[index].Address;
            size = Idle[index].Size;
            Remove(index);
            return true;
        }
    }

    private static bool TryKeep(byte* block, long size)
    {
        lock (Gate)
        {
            if (size > mostIdleBytes / 2)
            {
                return false;
            }
            FreeAbove(mostIdleBytes - size);
            if (Idle.Count == MostBlocks)
            {
                return false;
            }
            Idle.Insert(IndexOf(size), new((nint)block, size, ++clock));
            Volatile.Write(ref idleBytes, idleBytes + size);
            return true;
        }
    }

    private static void FreeAbove(long bytes)
    {
        while (idleBytes > bytes)
        {
            var oldest = 0;
            for (var index = 1; index < Idle.Count; index++)
            {
                oldest = Idle[index].Since < Idle[oldest].Since ? index : oldest;
            }
            Free((byte*)Idle[oldest].Address, Idle[oldest].Size);
            Remove(oldest);
        }
    }

    private static void Remove(int index)
    {
        Volatile.Write(ref idleBytes, idleBytes - Idle[index].Size);
        Idle.RemoveAt(index);
    }

    /// <summary>The first block of at least so many bytes.</summary>
    private static int IndexOf(long size)
    {
        var (low, high) = (0, Idle.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = Idle[middle].Size < size ? (middle + 1, high) : (low, middle);
        }
        return low;
    }

    private readonly record struct IdleBlock(nint Address, long Size, long Since);
}
