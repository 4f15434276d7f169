using System.Text;
using Frazil.Kafka;
using Xunit;

namespace Frazil.Tests.Kafka;

/// <summary>One engine says which topics a pattern means, wherever that is asked.</summary>
public sealed class TopicPatternTests
{
    [Theory]
    [InlineData(@"^ord-\d+$", "ord-1", true)]
    [InlineData(@"^ord-\d+$", "ord-d", false)] // what librdkafka's own engine read
    [InlineData("^ord-(?:1|22)$", "ord-22", true)]
    [InlineData("^ord-(?:1|22)$", "ord-2", false)]
    [InlineData("^(?i)ORD-1$", "ord-1", true)]
    [InlineData(@"^\p{L}+$", "ord", true)]
    [InlineData(@"^\p{L}+$", "ord1", false)]
    [InlineData("^ord", "orders.eu", true)]
    [InlineData("^.*", "__consumer_offsets", false)]
    [InlineData("^__.*", "__consumer_offsets", false)]
    [InlineData("^__.*", "__transaction_state", false)]
    [InlineData("^.*", "__debezium-heartbeat.shop", false)]
    [InlineData("^__debezium", "__debezium-heartbeat.shop", true)]
    [InlineData("^.*", "_schemas", true)]
    public void A_pattern_selects_what_dotnets_expressions_match_and_nothing_of_kafkas_own(string pattern, string topic, bool selects)
        => Assert.Equal(selects, TopicPattern.Parse(pattern).Selects(topic));

    [Theory]
    [InlineData("ord", "does not begin with ^")]
    [InlineData("^(", "is not a regular expression")]
    [InlineData("^(?!__).*", "cannot be matched in linear time")]
    [InlineData(@"^(a)\1", "cannot be matched in linear time")]
    public void What_cannot_be_matched_in_linear_time_is_refused_with_the_reason(string pattern, string problem)
        => Assert.Contains(problem, Assert.Throws<ArgumentException>(() => TopicPattern.Parse(pattern)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_pattern_of_dotnets_is_read_to_the_letter_with_topics_that_come_later_and_without_kafkas_own()
    {
        using var cluster = new MockCluster();
        foreach (var topic in new[] { "ord-1", "ord-22", "ord-d", "__consumer_offsets" })
        {
            cluster.CreateTopic(topic, 1);
            await ProduceAsync(cluster, topic);
        }
        await using var probe = new ConsumerProbe(cluster.BootstrapServers, [@"^(?:(?i)ORD)-\d+$|^\p{Pc}\p{Pc}.*"]);
        await probe.UntilCountAsync(20);
        cluster.CreateTopic("ord-333", 1);
        await ProduceAsync(cluster, "ord-333");
        await probe.UntilCountAsync(30);

        Assert.Equal(["ord-1", "ord-22", "ord-333"], probe.Owned.Select(static partition => partition.Topic).Order());
        Assert.Equal(30, probe.Count);
        Assert.Empty(probe.Trouble);
    }

    [Fact]
    public async Task A_pattern_that_matches_nothing_yet_says_so_and_reads_what_comes()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("other", 1);
        await using var probe = new ConsumerProbe(cluster.BootstrapServers, ["^ord"]);
        await probe.UntilAsync(() => !probe.Errors.IsEmpty, "an error that says it");
        Assert.Contains("matches ^ord yet", probe.Errors.First().Reason, StringComparison.Ordinal);

        cluster.CreateTopic("ord", 1);
        await ProduceAsync(cluster, "ord");
        await probe.UntilCountAsync(10);
    }

    [Fact]
    public void An_expression_among_the_names_is_refused()
        => Assert.Contains("'^ord' is not a topic's name", Assert.Throws<ArgumentException>(
            () => new ConsumerProbe("127.0.0.1:1", ["ord", "^ord"])).Message, StringComparison.Ordinal);

    private static async Task ProduceAsync(MockCluster cluster, string topic)
    {
        await using var producer = new KafkaProducer(new() { BootstrapServers = cluster.BootstrapServers });
        for (var i = 0; i < 10; i++)
        {
            producer.Produce(topic, 0, [], Encoding.UTF8.GetBytes($"{i}"));
        }
        await producer.FlushAsync();
    }
}
