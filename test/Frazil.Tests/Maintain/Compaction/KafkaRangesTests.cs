using Frazil.Maintain.Compaction;
using Xunit;

namespace Frazil.Tests.Maintain.Compaction;

public sealed class KafkaRangesTests
{
    [Fact]
    public void Ranges_of_one_partition_become_one()
    {
        Assert.Equal(Single("a.b-c", 3, 5, 40), Merge(Single("a.b-c", 3, 20, 40), Single("a.b-c", 3, 5, 19)));
        Assert.Equal(Single("t", 0, 0, 9), Merge(Single("t", 0, 0, 9), Single("t", 0, 0, 9)));
    }

    [Fact]
    public void Ranges_of_several_partitions_are_each_kept_and_those_that_meet_are_joined()
    {
        var first = new Dictionary<string, string> { ["kafka.ranges"] = "t[1]:0-9 t[0]:0-4 u[0]:7-7" };
        var second = new Dictionary<string, string> { ["kafka.ranges"] = "t[0]:5-6 t[1]:20-30" };

        Assert.Equal("t[0]:0-6 t[1]:0-9 t[1]:20-30 u[0]:7-7", Merge(first, second)["kafka.ranges"]);
        Assert.Equal("t[0]:0-9 t[1]:0-9", Merge(Single("t", 0, 0, 9), Single("t", 1, 0, 9))["kafka.ranges"]);
    }

    [Fact]
    public void Nothing_is_said_where_one_file_says_nothing()
    {
        Assert.Empty(Merge(Single("t", 0, 0, 9), []));
        Assert.Empty(Merge(new() { ["kafka.ranges"] = "t[x]:0-9" }));
        Assert.Empty(Merge());
    }

    private static Dictionary<string, string> Merge(params Dictionary<string, string>[] files)
    {
        var ranges = new KafkaRanges();
        foreach (var file in files)
        {
            ranges.Add(file);
        }
        return ranges.ToMetadata();
    }

    private static Dictionary<string, string> Single(string topic, int partition, long first, long last) => new()
    {
        ["kafka.topic"] = topic,
        ["kafka.partition"] = $"{partition}",
        ["kafka.offset.start"] = $"{first}",
        ["kafka.offset.end"] = $"{last}",
    };
}
