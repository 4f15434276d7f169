using Frazil.Kafka;
using Frazil.Verify;
using Xunit;

namespace Frazil.Tests.Verify;

public sealed class OffsetSetTests
{
    [Fact]
    public void Ranges_that_overlap_or_touch_become_one()
        => Assert.Equal([new(0, 9), new(11, 20)], OffsetSet.Of([new(5, 9), new(0, 5), new(11, 20), new(12, 13)]).Ranges);

    [Fact]
    public void Union_intersection_and_difference_agree_with_plain_sets()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 500; round++)
        {
            var (left, right) = (RandomRanges(random), RandomRanges(random));
            var (one, other) = (OffsetSet.Of(left), OffsetSet.Of(right));
            var (plainOne, plainOther) = (Plain(left), Plain(right));

            AssertSame(plainOne.Union(plainOther), one.Union(other));
            AssertSame(plainOne.Intersect(plainOther), one.Intersect(other));
            AssertSame(plainOne.Except(plainOther), one.Except(other));
        }
    }

    private static List<OffsetRange> RandomRanges(Random random)
        => [
            .. Enumerable.Range(0, random.Next(12)).Select(_ => random.Next(100))
                .Select(first => new OffsetRange(first, first + random.Next(12)))];

    private static HashSet<long> Plain(IEnumerable<OffsetRange> ranges)
        => [.. ranges.SelectMany(static range => Enumerable.Range(0, (int)range.Count).Select(i => range.First + i))];

    private static void AssertSame(IEnumerable<long> expected, OffsetSet actual)
    {
        Assert.Equal(expected.Order(), Plain(actual.Ranges).Order());
        Assert.Equal(expected.Count(), actual.Count);
        Assert.All(actual.Ranges.Zip(actual.Ranges.Skip(1)), static pair => Assert.True(pair.First.Last + 1 < pair.Second.First));
    }
}
