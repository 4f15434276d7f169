using Frazil.Columnar;
using Xunit;

namespace Frazil.Tests.Columnar;

/// <summary>Other tests rent blocks of the process at the same time: sizes here are ones that nobody else has.</summary>
public sealed unsafe class NativeBlocksTests
{
    private const long Odd = (11L << 20) + 64;

    [Fact]
    public void A_block_that_was_given_back_is_lent_again_to_who_wants_its_size_and_to_nobody_who_wants_much_less_or_more()
    {
        var size = Odd;
        var block = NativeBlocks.Rent(ref size);
        Assert.Equal(Odd, size);
        Assert.Equal(0, (nint)block % NativeBlocks.Alignment);
        NativeBlocks.Return(block, size);

        var less = Odd / 2;
        var other = NativeBlocks.Rent(ref less);
        Assert.NotEqual((nint)block, (nint)other);
        var more = Odd + 64;
        var larger = NativeBlocks.Rent(ref more);
        Assert.NotEqual((nint)block, (nint)larger);
        var nearly = Odd - 64;
        var again = NativeBlocks.Rent(ref nearly);
        Assert.Equal((nint)block, (nint)again);
        Assert.Equal(Odd, nearly);

        NativeBlocks.Return(other, less);
        NativeBlocks.Return(larger, more);
        NativeBlocks.Return(again, nearly);
        NativeBlocks.Return(null, 0);
    }

    [Fact]
    public void What_is_kept_idle_stays_within_its_bound_and_no_block_is_lent_twice()
    {
        var random = new Random(3);
        var held = new List<(nint Address, long Size)>();
        for (var round = 0; round < 5000; round++)
        {
            if (held.Count > 20 || (held.Count > 0 && random.Next(2) == 0))
            {
                var index = random.Next(held.Count);
                Assert.Equal(index, (int)*(long*)held[index].Address);
                NativeBlocks.Return((byte*)held[index].Address, held[index].Size);
                held.RemoveAt(index);
                for (var moved = index; moved < held.Count; moved++)
                {
                    *(long*)held[moved].Address = moved;
                }
            }
            else
            {
                var size = random.NextInt64(1, 6L << 20);
                var wanted = size;
                var block = NativeBlocks.Rent(ref size);
                Assert.InRange(size, wanted, wanted + wanted / 4 + NativeBlocks.Alignment);
                *(long*)block = held.Count;
                held.Add(((nint)block, size));
            }
            Assert.InRange(NativeBlocks.IdleBytes, 0, NativeBlocks.MostIdleBytes);
        }
        Assert.Equal(held.Count, held.Select(static one => one.Address).Distinct().Count());
        held.ForEach(static one => NativeBlocks.Return((byte*)one.Address, one.Size));
    }
}
