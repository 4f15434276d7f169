using Frazil.Maintain;
using Xunit;

namespace Frazil.Tests.Maintain;

public sealed class SeenOffsetsTests
{
    [Fact]
    public void It_holds_what_was_added_in_any_order_and_says_so_in_ranges()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 200; round++)
        {
            var (set, model) = (new SeenOffsets(), new SortedSet<long>());
            for (var i = random.Next(60); i > 0; i--)
            {
                var offset = random.Next(80);
                set.Add(offset);
                model.Add(offset);
            }
            Assert.Equal(model.Count, set.Count);
            for (var offset = -1; offset <= 80; offset++)
            {
                Assert.Equal(model.Contains(offset), set.Contains(offset));
            }
        }
    }

    [Fact]
    public void It_is_written_as_ranges_and_cut_where_there_are_many()
    {
        var set = new SeenOffsets();
        foreach (var offset in new long[] { 9, 1, 2, 4, 3, 7 })
        {
            set.Add(offset);
        }
        Assert.Equal("1-4, 7, 9", set.ToString());
        for (var offset = 100; offset < 200; offset += 2)
        {
            set.Add(offset);
        }
        Assert.EndsWith("and 43 more ranges", set.ToString(), StringComparison.Ordinal);
        Assert.True(new SeenOffsets().IsEmpty);
    }
}
