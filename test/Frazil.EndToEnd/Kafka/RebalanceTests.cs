using Frazil.Kafka;
using Frazil.Rig;
using Frazil.Tests.Kafka;
using Xunit;

namespace Frazil.EndToEnd.Kafka;

/// <summary>Members come and go; positions come from what was read, as from a table.</summary>
public sealed class RebalanceTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_members_share_partitions_and_no_record_is_lost_or_doubled_as_they_come_and_go()
    {
        broker.Require();
        var topic = await broker.CreateTopicAsync("shared", 6);
        var probes = new List<ConsumerProbe>();
        StartPosition Progress(TopicPartition partition) => StartPosition.At(probes.Max(probe => probe.Next(partition)) ?? 0);
        await using var first = new ConsumerProbe(broker.Bootstrap, [topic], Progress, workers: 2, group: topic);
        probes.Add(first);
        await first.UntilAsync(() => first.Owned.Count == 6, "all partitions");
        await using var loading = new RunningLoad(broker.Bootstrap, topic, rate: 10_000, Cancellation); // until both have read of it
        await first.UntilAsync(() => first.Count > 0, "records");
        {
            await using var second = new ConsumerProbe(broker.Bootstrap, [topic], Progress, group: topic, start: false);
            probes.Add(second);
            second.Consumer.Start();
            await second.UntilAsync(() => second.Owned.Count == 3 && first.Owned.Count == 3, "three partitions each");
            await second.UntilAsync(() => second.Count > 1000, "records of the second member");
        }
        await first.UntilAsync(() => first.Owned.Count == 6, "all partitions again");
        var ledger = await loading.StopAsync();
        await first.UntilAsync(() => probes.Sum(probe => probe.Count) >= ledger.Records, "all records");
        foreach (var (partition, count) in ledger.Counts!)
        {
            var offsets = probes.SelectMany(probe => probe.Seen(topic, partition).Offsets).Order().ToList();
            Assert.Equal(Enumerable.Range(0, (int)count).Select(i => (long)i), offsets);
        }
        Assert.All(probes, probe => Assert.Empty(probe.Trouble));
        Assert.Equal(3, first.Revocations.First().Partitions.Count); // cooperative: the other three were never taken away
        Assert.All(first.Revocations, revoked => Assert.False(revoked.Lost));
    }

    [Fact]
    public async Task A_named_member_that_dies_gets_its_partitions_back_at_once()
    {
        broker.Require();
        var topic = await broker.CreateTopicAsync("named", 2);
        await Kit.LoadAsync(broker.Bootstrap, topic, 1000, Cancellation);
        static KafkaConsumerOptions Named(KafkaConsumerOptions options) => options with
        {
            GroupInstanceId = "frazil-1",
            Properties = new Dictionary<string, string> { ["session.timeout.ms"] = "300000" },
        };
        await using var zombie = new ConsumerProbe(broker.Bootstrap, [topic], group: topic, change: Named);
        await zombie.UntilCountAsync(1000);
        await using var heir = new ConsumerProbe(broker.Bootstrap, [topic], group: topic, change: Named);
        await heir.UntilCountAsync(1000); // long before the session of the other ends
        var fenced = await Assert.ThrowsAsync<KafkaException>(
            () => zombie.Consumer.Completion.WaitAsync(TimeSpan.FromMinutes(1), Cancellation));
        Assert.Equal(KafkaErrorKind.Fatal, fenced.Error.Kind);
        Assert.Contains("Another instance of the same name took over: its data_dir is a copy", fenced.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Partitions_that_stay_go_on_where_their_owner_says()
    {
        broker.Require();
        var topic = await broker.CreateTopicAsync("kept", 4);
        await Kit.LoadAsync(broker.Bootstrap, topic, 1000, Cancellation);
        await using var first = new ConsumerProbe(broker.Bootstrap, [topic], group: topic) { KeptAt = static _ => StartPosition.At(5) };
        await first.UntilCountAsync(1000);
        await using var second = new ConsumerProbe(broker.Bootstrap, [topic], static _ => StartPosition.Latest, group: topic);
        await second.UntilAsync(() => second.Owned.Count == 2 && first.Owned.Count == 2, "two partitions each");
        var stayed = first.Owned[0];
        await first.UntilAsync(() => first.Seen(topic, stayed.Partition).Offsets.Count(static offset => offset == 5) > 1, "the fifth record once more");

        var again = first.Seen(topic, stayed.Partition).Offsets;
        Assert.Equal(1, again.Count(static offset => offset == 4));
    }

    /// <summary>librdkafka pauses what stays and goes on where it believes the reader to be; several of its versions are wrong there.</summary>
    [Fact]
    public async Task Partitions_that_stay_while_others_come_and_go_miss_no_record()
    {
        broker.Require();
        var topic = await broker.CreateTopicAsync("staying", 6);
        await Kit.LoadAsync(broker.Bootstrap, topic, 300_000, Cancellation);
        var quick = new Dictionary<string, string>
        {
            ["heartbeat.interval.ms"] = "100",
            ["session.timeout.ms"] = "6000",
            ["fetch.wait.max.ms"] = "5",
        };
        await using var reader = new EndlessReader(broker.Bootstrap, topic, quick);
        var reading = reader.ReadAgainAndAgainAsync(Cancellation);
        // On a slow machine one's leaving and the next one's coming are one rebalance.
        for (var round = 0; round < 15 || reader.Kept <= 15; round++)
        {
            await using var other = new ConsumerProbe(broker.Bootstrap, [topic], static _ => StartPosition.Latest, properties: quick, group: topic);
            await other.UntilAsync(() => other.Owned.Count == 3, "the other has its share");
        }
        reader.Stop();
        await reading;

        Assert.Empty(reader.Gaps);
        Assert.True(reader.Kept > 15, $"only {reader.Kept} times did partitions stay");
    }

    [Fact]
    public async Task The_brokers_own_group_protocol_works()
    {
        broker.Require();
        var topic = SharedBroker.NewTopic("kip848");
        await Kit.LoadAsync(broker.Bootstrap, topic, 10_000, Cancellation);
        var properties = new Dictionary<string, string> { ["group.protocol"] = "consumer" };
        await using var first = new ConsumerProbe(broker.Bootstrap, [topic], properties: properties, group: topic);
        await first.UntilCountAsync(10_000);
        await using var second = new ConsumerProbe(
            broker.Bootstrap, [topic], partition => StartPosition.At(first.Next(partition)!.Value), properties: properties, group: topic);
        await second.UntilAsync(() => second.Owned.Count == 3 && first.Owned.Count == 3, "three partitions each");
        Assert.Empty(first.Trouble);
    }
}
