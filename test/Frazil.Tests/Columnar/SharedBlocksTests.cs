using System.Runtime.InteropServices;
using Frazil.Columnar;
using Xunit;

namespace Frazil.Tests.Columnar;

/// <summary>Memory that another process maps. Each test has some of its own.</summary>
public sealed unsafe partial class SharedBlocksTests
{
    private const int Page = 4096, Reading = 1, Writing = 2, Shared = 1;

    [Fact]
    public void Blocks_do_not_overlap_and_what_is_free_is_given_out_again()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "shared memory is for Linux");
        var blocks = SharedBlocks.TryCreate()!;
        var random = new Random(5);
        var held = new List<(nint Address, long Size, long Mark)>();
        var (bytes, peak) = (0L, 0L);
        for (var round = 1; round <= 20_000; round++)
        {
            if (held.Count > 60 || (held.Count > 0 && random.Next(2) == 0))
            {
                var index = random.Next(held.Count);
                var (address, size, mark) = held[index];
                Assert.Equal(mark, *(long*)address);
                Assert.Equal(mark, *(long*)(address + (nint)size - sizeof(long)));
                blocks.Return((byte*)address, size);
                held.RemoveAt(index);
                bytes -= size;
            }
            else
            {
                var size = random.NextInt64(1, 40) * 1000;
                size = (size + 63) & -64;
                var block = blocks.TryRent(size);
                *(long*)block = *(long*)(block + size - sizeof(long)) = round;
                held.Add(((nint)block, size, round));
                bytes += size;
                peak = Math.Max(peak, bytes);
            }
        }
        Assert.InRange(blocks.Extent, bytes, 2 * (peak + (60 * Page))); // holes are filled before it grows
        held.ForEach(one => blocks.Return((byte*)one.Address, one.Size));
        Assert.Equal(0, blocks.Extent); // all holes have become one, and that has gone
    }

    [Fact]
    public void Another_view_sees_what_is_written_and_loses_what_is_returned_but_cannot_write()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "shared memory is for Linux");
        var blocks = SharedBlocks.TryCreate()!;
        var kept = blocks.TryRent(10 * Page);
        var block = blocks.TryRent(10 * Page);
        var last = blocks.TryRent(Page);
        var descriptor = blocks.OpenToRead();
        Assert.Equal(-1, Map(0, (nuint)blocks.Reserved, Reading | Writing, Shared, descriptor, 0));
        var mapped = Map(0, (nuint)blocks.Reserved, Reading, Shared, descriptor, 0);
        Assert.NotEqual(-1, mapped);
        _ = Close(descriptor);
        var seen = (byte*)mapped + blocks.OffsetOf(block);

        block[5] = 7;
        Assert.Equal(7, seen[5]);
        Assert.NotEqual(0, Protect(mapped, Page, Reading | Writing)); // not later either
        blocks.Return(block, 10 * Page);
        Assert.Equal(0, seen[5]);
        var again = blocks.TryRent(4 * Page);
        Assert.Equal((nint)block, (nint)again);
        again[5] = 9;
        Assert.Equal(9, seen[5]);
        Assert.Equal(-1, blocks.OffsetOf(&descriptor));

        _ = Unmap(mapped, (nuint)blocks.Reserved);
        blocks.Return(again, 4 * Page);
        blocks.Return(kept, 10 * Page);
        blocks.Return(last, Page);
        Assert.Equal(0, blocks.Extent);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
