using Frazil.Kafka;
using Frazil.Verify;
using Xunit;

namespace Frazil.Tests.Verify;

public sealed class OffsetTallyTests
{
    [Fact]
    public void What_was_counted_agrees_with_a_plain_count_in_whichever_order_it_came()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 60; round++)
        {
            var offsets = Offsets(random);
            var counts = offsets.CountBy(static offset => offset).ToDictionary();
            var tally = new OffsetTally();
            offsets.ForEach(tally.Add);

            var held = tally.ToHeld();

            Assert.Equal(offsets.Count, held.Rows);
            Assert.Equal(counts.Keys.Order(), Members(held.Held));
            Assert.Equal(counts.Where(static pair => pair.Value > 1).Select(static pair => pair.Key).Order(), Members(held.Repeated));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(long.MaxValue - 1)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    [InlineData(-1)]
    public void The_ends_of_blocks_and_of_all_numbers_are_counted_like_others(long offset)
    {
        var tally = new OffsetTally();
        tally.Add(offset);
        tally.Add(offset);

        var held = tally.ToHeld();

        Assert.Equal([new(offset, offset)], held.Held.Ranges);
        Assert.Equal([new(offset, offset)], held.Repeated.Ranges);
    }

    [Fact]
    public void A_long_run_is_one_range()
    {
        var tally = new OffsetTally();
        for (var offset = 100_000L; offset < 400_000; offset++)
        {
            tally.Add(offset);
        }
        Assert.Equal([new(100_000, 399_999)], tally.ToHeld().Held.Ranges);
        Assert.Empty(tally.ToHeld().Repeated.Ranges);
    }

    /// <summary>Runs and single ones, some of them often, in order, backwards or mixed, few and many, close together and far apart.</summary>
    private static List<long> Offsets(Random random)
    {
        var (pieces, spread) = (random.Next(1, 1500), random.Next(3) switch { 0 => 3_000, 1 => 300_000, _ => 1L << 40 });
        var offsets = new List<long>();
        for (var piece = 0; piece < pieces; piece++)
        {
            var first = random.NextInt64(spread);
            offsets.AddRange(Enumerable.Range(0, random.Next(1, 40)).Select(i => first + i));
        }
        return random.Next(3) switch { 0 => [.. offsets.Order()], 1 => [.. offsets.OrderDescending()], _ => offsets };
    }

    private static IEnumerable<long> Members(OffsetSet set)
        => set.Ranges.SelectMany(static range => Enumerable.Range(0, (int)range.Count).Select(i => range.First + i));
}
