using System.Text;
using Frazil.Kafka;
using Frazil.Rig;
using Frazil.Tests.Kafka;
using Xunit;

namespace Frazil.EndToEnd.Kafka;

/// <summary>The consumer against a real Kafka: what the mock brokers cannot show.</summary>
public sealed class ConsumerTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    public async Task Batches_of_every_compression_are_read_completely(string compression)
    {
        broker.Require();
        var topic = SharedBroker.NewTopic(compression);
        var ledger = await Kit.LoadAsync(broker.Bootstrap, topic, 20_000, Cancellation, "--compression", compression, "--seq");
        await using (var producer = new KafkaProducer(new() { BootstrapServers = broker.Bootstrap, Compression = compression }))
        {
            for (var i = 0; i < 2000; i++)
            {
                producer.Produce(topic, i % 6, [], Encoding.UTF8.GetBytes($"librdkafka {i}, over and over and over"), Cancellation);
            }
            await producer.FlushAsync(Cancellation);
        }
        await using var probe = new ConsumerProbe(broker.Bootstrap, [topic], workers: 2);
        await probe.UntilCountAsync(22_000);
        foreach (var (partition, count) in ledger.Counts!)
        {
            var seen = probe.Seen(topic, partition);
            Assert.Equal(Enumerable.Range(0, seen.Offsets.Count).Select(i => (long)i), seen.Offsets);
            Assert.Equal(count, seen.Values.Count(value => value!.StartsWith('{')));
        }
        Assert.Equal(22_000, Enumerable.Range(0, 6).SelectMany(p => probe.Seen(topic, p).Values).Distinct().Count());
    }

    [Fact]
    public async Task Aborted_transactions_are_invisible_and_the_end_lies_past_their_markers()
    {
        broker.Require();
        var topic = SharedBroker.NewTopic("txn");
        var ledger = await Kit.LoadAsync(
            broker.Bootstrap, topic, 12_000, Cancellation, "--txn", "500", "--abort-every", "3", "--seq", "--txn-id", topic);
        await using var probe = new ConsumerProbe(broker.Bootstrap, [topic]);
        await probe.UntilCountAsync(ledger.Records);
        foreach (var (partition, count) in ledger.Counts!)
        {
            var high = probe.Consumer.QueryWatermarks(new(topic, partition), TimeSpan.FromSeconds(30)).High;
            await probe.UntilAsync(() => probe.Seen(topic, partition).End == high, $"the end of partition {partition} at {high}");
            Assert.Equal(count, probe.Seen(topic, partition).Offsets.Count);
            Assert.True(high > count, "markers and aborted records take offsets");
        }
        Assert.Equal(ledger.Records, probe.Count);
    }

    [Fact]
    public async Task Our_transactional_producer_commits_and_aborts_on_a_real_broker()
    {
        broker.Require();
        var topic = await broker.CreateTopicAsync("own-txn", 2);
        await using var probe = new ConsumerProbe(broker.Bootstrap, [topic]);
        await using (var producer = new KafkaProducer(new() { BootstrapServers = broker.Bootstrap, TransactionalId = topic }))
        {
            await producer.InitTransactionsAsync(Cancellation);
            for (var transaction = 0; transaction < 20; transaction++)
            {
                producer.BeginTransaction();
                for (var i = 0; i < 10; i++)
                {
                    producer.Produce(topic, i % 2, [], Encoding.UTF8.GetBytes($"{transaction}.{i}"), Cancellation);
                }
                await (transaction % 2 == 0 ? producer.CommitTransactionAsync(Cancellation) : producer.AbortTransactionAsync(Cancellation));
            }
        }
        await probe.UntilCountAsync(100);
        var values = Enumerable.Range(0, 2).SelectMany(p => probe.Seen(topic, p).Values).ToHashSet();
        Assert.Equal(
            Enumerable.Range(0, 10).SelectMany(t => Enumerable.Range(0, 10).Select(i => (string?)$"{2 * t}.{i}")).ToHashSet(), values);

        await using var zombie = new KafkaProducer(new() { BootstrapServers = broker.Bootstrap, TransactionalId = $"{topic}-fence" });
        await zombie.InitTransactionsAsync(Cancellation);
        await using var successor = new KafkaProducer(new() { BootstrapServers = broker.Bootstrap, TransactionalId = $"{topic}-fence" });
        await successor.InitTransactionsAsync(Cancellation);
        var fenced = await Assert.ThrowsAsync<KafkaException>(async () =>
        {
            zombie.BeginTransaction();
            zombie.Produce(topic, 0, [], "late"u8, Cancellation);
            await zombie.CommitTransactionAsync(Cancellation);
        });
        Assert.Equal(KafkaErrorKind.Fatal, fenced.Error.Kind);
    }

    [Fact]
    public async Task A_start_time_finds_the_first_record_at_or_after_it()
    {
        broker.Require();
        var topic = await broker.CreateTopicAsync("times", 1);
        var epoch = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        await using (var producer = new KafkaProducer(new() { BootstrapServers = broker.Bootstrap, Linger = TimeSpan.Zero }))
        {
            for (var i = 0; i < 10; i++)
            {
                producer.Produce(
                    topic, 0, [], true, "v"u8, false, timestampMs: epoch.AddSeconds(i).ToUnixTimeMilliseconds(),
                    cancellationToken: Cancellation);
            }
            await producer.FlushAsync(Cancellation);
        }
        await using var probe = new ConsumerProbe(broker.Bootstrap, [topic], _ => StartPosition.AtTime(epoch.AddSeconds(3.5)));
        await probe.UntilCountAsync(6);
        Assert.Equal([4L, 5, 6, 7, 8, 9], probe.Seen(topic, 0).Offsets);
        Assert.Equal(4, probe.Consumer.OffsetsForTimes([new(topic, 0)], epoch.AddSeconds(4), TimeSpan.FromSeconds(30))[0].Offset);
        Assert.Equal(10, probe.Consumer.OffsetsForTimes([new(topic, 0)], epoch.AddDays(4), TimeSpan.FromSeconds(30))[0].Offset);
    }

    [Fact]
    public async Task An_offset_that_retention_removed_is_reported_with_the_new_beginning()
    {
        broker.Require();
        var topic = await broker.CreateTopicAsync("gone", 1);
        await using (var producer = new KafkaProducer(new() { BootstrapServers = broker.Bootstrap }))
        {
            for (var i = 0; i < 100; i++)
            {
                producer.Produce(topic, 0, [], "v"u8, Cancellation);
            }
            await producer.FlushAsync(Cancellation);
        }
        await using var admin = new KafkaAdmin(broker.Bootstrap);
        await admin.DeleteRecordsAsync([new(new(topic, 0), 60)], cancellationToken: Cancellation);
        await using var probe = new ConsumerProbe(broker.Bootstrap, [topic], _ => StartPosition.At(10));
        await probe.UntilAsync(() => !probe.OutOfRange.IsEmpty, "an out-of-range event");
        Assert.True(probe.OutOfRange.TryDequeue(out var report));
        Assert.Equal(new OffsetOutOfRange(new(topic, 0), 10, new Watermarks(60, 100)), report);
        Assert.Contains("removed 50 offsets", report.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, probe.Count);
        await probe.Consumer.RestartAsync([new(new(topic, 0), StartPosition.Earliest, probe.QueueOf(new(topic, 0)))]);
        await probe.UntilCountAsync(40);
        Assert.Equal(60, probe.Seen(topic, 0).Offsets[0]);
    }

    [Fact]
    public async Task A_missing_topic_is_reported_and_read_once_it_is_there()
    {
        broker.Require();
        var topic = SharedBroker.NewTopic("late");
        await using var probe = new ConsumerProbe(broker.Bootstrap, [topic]);
        await probe.UntilAsync(() => probe.Errors.Any(error => error.Kind == KafkaErrorKind.UnknownTopic), "an error");
        Assert.Contains(topic, probe.Errors.First(error => error.Kind == KafkaErrorKind.UnknownTopic).ToString(), StringComparison.Ordinal);
        await Kit.LoadAsync(broker.Bootstrap, topic, 1000, Cancellation);
        await probe.UntilCountAsync(1000);
    }

    [Fact]
    public async Task A_pattern_finds_topics_that_appear_later()
    {
        broker.Require();
        var prefix = SharedBroker.NewTopic("pattern");
        await using var probe = new ConsumerProbe(broker.Bootstrap, [$"^{prefix}\\..*"]);
        await Kit.LoadAsync(broker.Bootstrap, $"{prefix}.a", 1000, Cancellation);
        await probe.UntilCountAsync(1000);
        await Kit.LoadAsync(broker.Bootstrap, $"{prefix}.b", 1000, Cancellation);
        await probe.UntilCountAsync(2000);
        Assert.Equal([$"{prefix}.a", $"{prefix}.b"], probe.Consumer.Topics.Order());
        Assert.Empty(probe.Trouble);
    }

    [Fact]
    public async Task A_consumer_of_which_a_topic_was_deleted_ends()
    {
        broker.Require();
        var (kept, gone) = (await broker.CreateTopicAsync("kept", 2), await broker.CreateTopicAsync("gone", 2));
        await Kit.LoadAsync(broker.Bootstrap, kept, 100, Cancellation);
        await Kit.LoadAsync(broker.Bootstrap, gone, 100, Cancellation);
        var probe = new ConsumerProbe(broker.Bootstrap, [kept, gone]);
        await probe.UntilCountAsync(200);
        await using (var admin = new KafkaAdmin(broker.Bootstrap))
        {
            await admin.DeleteTopicAsync(gone, cancellationToken: Cancellation);
        }
        await probe.UntilAsync(() => probe.Owned.All(partition => partition.Topic == kept), "the topic's partitions are given up");

        await probe.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
    }

    [Fact]
    public async Task A_recreated_topic_has_another_id()
    {
        broker.Require();
        var topic = await broker.CreateTopicAsync("twice", 3);
        await using var admin = new KafkaAdmin(broker.Bootstrap);
        var first = await IdsAsync(topic, "no-such-topic");
        while (first.Unavailable is null && first.Ids.Count == 0) // until the broker's own view has caught up with the controller's
        {
            first = await IdsAsync(topic, "no-such-topic");
        }
        Assert.Null(first.Unavailable);
        Assert.Equal([topic], first.Ids.Keys);
        Assert.NotEqual(Guid.Empty, first.Ids[topic]);
        Assert.Equal(first.Ids, (await IdsAsync(topic)).Ids);
        Assert.False(await admin.CreateTopicAsync(topic, 3, cancellationToken: Cancellation)); // it is there
        await admin.DeleteTopicAsync(topic, cancellationToken: Cancellation);
        while (!await admin.CreateTopicAsync(topic, 3, cancellationToken: Cancellation))
        {
            await Task.Delay(50, Cancellation);
        }
        var second = await IdsAsync(topic);
        while (!second.Ids.ContainsKey(topic) || second.Ids[topic] == first.Ids[topic]) // until the broker's own view has caught up
        {
            second = await IdsAsync(topic);
        }
        Assert.NotEqual(first.Ids[topic], second.Ids[topic]);
        Assert.NotNull((await admin.DescribeTopicAsync("no-such-topic", TimeSpan.FromSeconds(30), Cancellation)).Error);

        Task<TopicIds> IdsAsync(params string[] topics)
            => admin.TopicIdsAsync(topics, TimeSpan.FromSeconds(30), Cancellation);
    }
}
