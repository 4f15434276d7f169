using System.Text;
using Frazil.Kafka;
using Xunit;

namespace Frazil.Tests.Kafka;

public sealed class ProducerAndAdminTests
{
    private const int InitProducerId = 22;
    private const int EndTransaction = 26;
    private const int ConcurrentTransactions = 51;

    [Fact]
    public async Task Records_without_a_partition_are_spread_by_their_key_as_javas_clients_do()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 6);
        await using (var producer = new KafkaProducer(new() { BootstrapServers = cluster.BootstrapServers }))
        {
            for (var i = 0; i < 600; i++)
            {
                producer.Produce(
                    "t", KafkaProducer.AnyPartition, Encoding.UTF8.GetBytes($"key-{i % 50}"), Encoding.UTF8.GetBytes($"key-{i % 50}"));
            }
            await producer.FlushAsync();
            Assert.Equal((600, 600, 0), (producer.Produced, producer.Delivered, producer.Failed));
        }
        await using var probe = new ConsumerProbe(cluster.BootstrapServers, ["t"]);
        await probe.UntilCountAsync(600);
        var placed = Enumerable.Range(0, 6).SelectMany(p => probe.Seen("t", p).Values.Distinct()).ToList();
        Assert.Equal(50, placed.Count);
        Assert.Equal(50, placed.Distinct().Count());
    }

    [Fact]
    public async Task Transactions_commit_and_abort_and_survive_an_answer_that_another_is_still_running()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 1);
        await using (var producer = new KafkaProducer(new() { BootstrapServers = cluster.BootstrapServers, TransactionalId = "x" }))
        {
            cluster.FailRequests(InitProducerId, ConcurrentTransactions, ConcurrentTransactions);
            await producer.InitTransactionsAsync();
            for (var i = 0; i < 4; i++)
            {
                producer.BeginTransaction();
                producer.Produce("t", 0, [], Encoding.UTF8.GetBytes($"{i}"));
                if (i % 2 == 0)
                {
                    cluster.FailRequests(EndTransaction, ConcurrentTransactions);
                    await producer.CommitTransactionAsync();
                }
                else
                {
                    await producer.AbortTransactionAsync();
                }
            }
            Assert.Equal(4, producer.Delivered);
        }
        await using var probe = new ConsumerProbe(cluster.BootstrapServers, ["t"]);
        await probe.UntilCountAsync(4); // aborted ones are visible here
        Assert.Equal(["0", "1", "2", "3"], probe.Seen("t", 0).Values);
    }

    [Fact]
    public async Task A_record_that_cannot_be_written_is_told_with_its_topic()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 1);
        await using var producer = new KafkaProducer(
            new()
            {
                BootstrapServers = cluster.BootstrapServers,
                Properties = new Dictionary<string, string> { ["message.max.bytes"] = "2000" },
            });
        var failure = Assert.Throws<KafkaException>(() => producer.Produce("t", 0, [], new byte[5000]));
        Assert.Equal("MSG_SIZE_TOO_LARGE", failure.Error.Name);
        Assert.Contains("topic t", failure.Message, StringComparison.Ordinal);
        Assert.Contains("compression.type = 'brotli'", Assert.Throws<KafkaException>(
            () => new KafkaProducer(new() { BootstrapServers = "x:1", Compression = "brotli" })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Topics_are_described_and_missing_ones_told()
    {
        using var cluster = new MockCluster(brokers: 2);
        cluster.CreateTopic("a", 3);
        cluster.CreateTopic("b", 5);
        await using var admin = new KafkaAdmin(cluster.BootstrapServers);
        var report = await admin.CheckAsync(["a", "^pattern"], TimeSpan.FromSeconds(30));
        Assert.Null(report.Error);
        Assert.Equal(2, report.Brokers.Count);
        Assert.Equal([new TopicDescription("a", 3, null)], report.Topics);
        Assert.Equal([new TopicDescription("a", 3, null), new TopicDescription("b", 5, null)],
            (await admin.ListTopicsAsync(TimeSpan.FromSeconds(30))).OrderBy(topic => topic.Name));
    }

    [Fact]
    public async Task Topic_ids_are_asked_for_again_and_again_over_connections_that_stay_open()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("a", 1);
        cluster.CreateTopic("b", 1);
        await using var door = new CountingDoor(cluster.BootstrapServers);
        await using var admin = new KafkaAdmin(door.Address);
        var first = await admin.TopicIdsAsync(["a", "b", "no-such-topic"], TimeSpan.FromSeconds(30));

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(first.Ids, (await admin.TopicIdsAsync(["a", "b", "no-such-topic"], TimeSpan.FromSeconds(30))).Ids);
        }

        Assert.Null(first.Unavailable);
        Assert.Equal(["a", "b"], first.Ids.Keys.Order());
        Assert.Equal(2, first.Ids.Values.Where(static id => id != Guid.Empty).Distinct().Count());
        Assert.Equal(1, door.Visitors);
    }

    [Fact]
    public async Task Questions_about_topics_do_not_wait_for_each_other_and_freeing_the_client_waits_for_all()
    {
        var admin = new KafkaAdmin("127.0.0.1:1");
        var asking = Enumerable.Range(0, 8).Select(_ => admin.TopicIdsAsync(["a"], TimeSpan.FromSeconds(1))).ToArray();

        var failures = await Task.WhenAll(asking.Select(static one => Assert.ThrowsAsync<KafkaException>(() => one)));
        var last = admin.TopicIdsAsync(["a"], TimeSpan.FromSeconds(1));
        await admin.DisposeAsync();

        Assert.All(failures, static failure => Assert.Contains("asking for the ids of a: ", failure.Message, StringComparison.Ordinal));
        await Assert.ThrowsAnyAsync<Exception>(() => last);
        Assert.True(last.IsCompleted);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => admin.TopicIdsAsync(["a"], TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task A_check_without_a_broker_says_which_address_and_what_to_do()
    {
        await using var admin = new KafkaAdmin("127.0.0.1:1");
        var report = await admin.CheckAsync(["t"], TimeSpan.FromSeconds(2));
        Assert.Equal(KafkaErrorKind.Unreachable, report.Error!.Kind);
        Assert.Contains("127.0.0.1:1", report.Error.ToString(), StringComparison.Ordinal);
        Assert.Contains("kafka.bootstrap_servers", report.Error.ToString(), StringComparison.Ordinal);
        Assert.Empty(report.Topics);
    }

    [Fact]
    public void Statistics_are_read_from_what_librdkafka_writes()
    {
        var statistics = KafkaStatistics.Parse("""
            {"name":"x","rx_bytes":123,"rxmsgs":4,"brokers":{"b":{"toppars":{"t-0":{"topic":"t"}}}},
             "topics":{"t":{"topic":"t","age":1,"partitions":{
               "0":{"partition":0,"fetch_state":"active","fetchq_cnt":7,"fetchq_size":70,"hi_offset":20,"ls_offset":19,"consumer_lag":9},
               "1":{"partition":1,"fetch_state":"none","consumer_lag":-1},
               "-1":{"partition":-1,"fetch_state":"active"}}}},
             "cgrp":{"state":"up","rebalance_cnt":3}}
            """u8);
        Assert.Equal(
            (123, 4, "up", 3), (statistics.ReceivedBytes, statistics.ReceivedMessages, statistics.GroupState, statistics.Rebalances));
        Assert.Equal([new PartitionStatistics(new("t", 0), 9, 7, 70, 20, 19)], statistics.Partitions);
        Assert.Throws<FormatException>(() => KafkaStatistics.Parse("[]"u8));
    }
}
