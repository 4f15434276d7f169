using System.Runtime.InteropServices;

namespace Frazil.Columnar;

/// <summary>
/// Blocks in one piece of memory that another process may map to read: a file without a name, as long as its furthest block. What is free in it is
/// a hole, which takes no memory and is gone from every process's view of it at once. Blocks are whole pages; what is freed beside what is free
/// becomes one. Linux only. Thread-safe.
/// </summary>
internal sealed unsafe partial class SharedBlocks
{
    /// <summary>Addresses set aside, which cost nothing. Blocks that find no room among them are the C library's.</summary>
    private const long MostReserved = 256L << 30, LeastReserved = 16L << 30;

    private const long GrowBy = 1 << 20;
    private const int Interrupted = 4;
    private readonly Lock gate = new();
    private readonly int descriptor;
    private readonly byte* start;

    /// <summary>Holes, by where they begin and by size: no two touch.</summary>
    private readonly SortedSet<(long Size, long At)> bySize = [];
    private readonly Dictionary<long, long> sizeByStart = [], startByEnd = [];

    private long furthest;
    private long fileBytes;

    private SharedBlocks(int descriptor, byte* start, long reserved)
    {
        this.descriptor = descriptor;
        this.start = start;
        Reserved = reserved;
    }

    /// <summary>Bytes that whoever maps it sets aside.</summary>
    public long Reserved { get; }

    /// <summary>Bytes up to the end of the furthest block, holes included.</summary>
    public long Extent => Volatile.Read(ref furthest);

    /// <summary>Null where the system has no such memory, or counts it in a way in which it could run out under a writer.</summary>
    public static SharedBlocks? TryCreate()
    {
        const uint CloseIt = 1, NeverRun = 8;
        if (!OperatingSystem.IsLinux() || CountsEveryPromise())
        {
            return null;
        }
        var descriptor = CreateMemoryFile("frazil-columns", CloseIt | NeverRun);
        descriptor = descriptor >= 0 ? descriptor : CreateMemoryFile("frazil-columns", CloseIt); // before Linux 6.3
        if (descriptor < 0)
        {
            return null;
        }
        for (var reserved = MostReserved; reserved >= LeastReserved; reserved /= 2)
        {
            const int Reading = 1, Writing = 2, Shared = 1, WithoutPromise = 0x4000;
            var mapped = Map(0, (nuint)reserved, Reading | Writing, Shared | WithoutPromise, descriptor, 0);
            if (mapped != -1)
            {
                return new(descriptor, (byte*)mapped, reserved);
            }
        }
        _ = Close(descriptor);
        return null;
    }

    /// <summary>A new descriptor through which it can be mapped, but not written; the caller closes it.</summary>
    /// <exception cref="IOException">There is no /proc, or no descriptor left.</exception>
    public int OpenToRead()
    {
        const int CloseOnExec = 0x80000;
        var opened = Open($"/proc/self/fd/{descriptor}", CloseOnExec);
        return opened >= 0 ? opened : throw new IOException($"The shared columns cannot be opened to be read: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    /// <returns>Where it begins in what is mapped; -1 for memory that is not in it.</returns>
    public long OffsetOf(void* memory)
    {
        var offset = (byte*)memory - start;
        return offset >= 0 && offset < Reserved ? offset : -1;
    }

    /// <summary>Null where there is no room.</summary>
    public byte* TryRent(long size)
    {
        var wanted = WholePages(size);
        lock (gate)
        {
            return (TryTakeHole(wanted) ?? TryTakeNew(wanted)) is { } at ? start + at : null;
        }
    }

    /// <summary>Its memory goes back to the system.</summary>
    public void Return(byte* block, long size)
    {
        var at = block - start;
        size = WholePages(size);
        MakeHole(at, size);
        lock (gate)
        {
            if (startByEnd.TryGetValue(at, out var before))
            {
                RemoveHole(before);
                (at, size) = (before, size + at - before);
            }
            if (sizeByStart.TryGetValue(at + size, out var after))
            {
                RemoveHole(at + size);
                size += after;
            }
            if (at + size == furthest)
            {
                Volatile.Write(ref furthest, at);
                return;
            }
            AddHole(at, size);
        }
    }

    private static long WholePages(long size) => (size + Environment.SystemPageSize - 1) & -Environment.SystemPageSize;

    private long? TryTakeHole(long wanted)
    {
        var (size, at) = bySize.GetViewBetween((wanted, 0), (long.MaxValue, 0)).Min;
        if (size == 0)
        {
            return null;
        }
        RemoveHole(at);
        if (size > wanted)
        {
            AddHole(at + wanted, size - wanted);
        }
        return at;
    }

    private long? TryTakeNew(long wanted)
    {
        var end = furthest + wanted;
        if (end > fileBytes)
        {
            var longer = (end + GrowBy - 1) & -GrowBy;
            if (longer > Reserved || SetLength(descriptor, longer) != 0)
            {
                return null;
            }
            fileBytes = longer;
        }
        var at = furthest;
        Volatile.Write(ref furthest, end);
        return at;
    }

    private void AddHole(long at, long size)
    {
        bySize.Add((size, at));
        sizeByStart.Add(at, size);
        startByEnd.Add(at + size, at);
    }

    private void RemoveHole(long at)
    {
        sizeByStart.Remove(at, out var size);
        startByEnd.Remove(at + size);
        bySize.Remove((size, at));
    }

    /// <summary>Where the kernel refuses, the pages stay for the next block.</summary>
    private void MakeHole(long at, long size)
    {
        const int KeepLength = 1, Punch = 2;
        while (Allocate(descriptor, KeepLength | Punch, at, size) != 0 && Marshal.GetLastPInvokeError() == Interrupted)
        {
        }
    }

    /// <summary>With vm.overcommit_memory = 2 a page may be refused when it is first written, which ends the process; the C library's memory is
    /// refused when it is asked for.</summary>
    private static bool CountsEveryPromise()
    {
        try
        {
            return File.ReadAllText("/proc/sys/vm/overcommit_memory").Trim() == "2";
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateMemoryFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    private static partial int SetLength(int descriptor, long length);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int Allocate(int descriptor, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
