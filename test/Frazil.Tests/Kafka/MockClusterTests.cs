using System.Text;
using Frazil.Kafka;
using Xunit;

namespace Frazil.Tests.Kafka;

/// <summary>The data plane against librdkafka's mock brokers: fast, in-process; what those cannot show is tested end to end.</summary>
public sealed class MockClusterTests
{
    [Fact]
    public async Task Records_of_every_partition_arrive_once_and_in_order()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 6);
        await cluster.ProduceAsync("t", partitions: 6, perPartition: 500);
        await using var probe = new ConsumerProbe(cluster.BootstrapServers, ["t"]);
        await probe.UntilCountAsync(3000);
        for (var partition = 0; partition < 6; partition++)
        {
            var seen = probe.Seen("t", partition);
            Assert.Equal(Enumerable.Range(0, 500).Select(i => (long)i), seen.Offsets);
            Assert.Equal(Enumerable.Range(0, 500).Select(i => $"{partition}:{i}"), seen.Values);
        }
        await probe.UntilAsync(() => Enumerable.Range(0, 6).All(p => probe.Seen("t", p).End == 500), "the end of every partition");
        Assert.Empty(probe.Trouble);
        Assert.Equal(["t"], probe.Consumer.Topics);
    }

    [Fact]
    public async Task A_partition_is_only_ever_delivered_to_its_own_worker_queue()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 16);
        await cluster.ProduceAsync("t", partitions: 16, perPartition: 300);
        await using var probe = new ConsumerProbe(cluster.BootstrapServers, ["t"], workers: 4);
        await probe.UntilCountAsync(16 * 300);
        Assert.All(Enumerable.Range(0, 16), partition => Assert.Equal([partition % 4], probe.Seen("t", partition).Workers));
        Assert.Equal(TaskStatus.WaitingForActivation, probe.Consumer.Completion.Status); // a record outside its queue would have faulted it
    }

    [Fact]
    public async Task Reading_begins_at_the_offset_that_came_with_the_assignment()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 2);
        await cluster.ProduceAsync("t", partitions: 2, perPartition: 100);
        await using var probe = new ConsumerProbe(
            cluster.BootstrapServers, ["t"], partition => StartPosition.At(partition.Partition == 0 ? 37 : 100));
        await probe.UntilAsync(() => probe.Seen("t", 0).End == 100 && probe.Seen("t", 1).End == 100, "both ends");
        Assert.Equal(Enumerable.Range(37, 63).Select(i => (long)i), probe.Seen("t", 0).Offsets);
        Assert.Empty(probe.Seen("t", 1).Offsets);
    }

    [Fact]
    public async Task Earliest_and_latest_are_resolved_before_the_first_record()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 3);
        await cluster.ProduceAsync("t", partitions: 3, perPartition: 10);
        await using var probe = new ConsumerProbe(cluster.BootstrapServers, ["t"], partition => partition.Partition switch
        {
            0 => StartPosition.Earliest,
            1 => StartPosition.Latest,
            _ => StartPosition.AtTime(DateTimeOffset.UtcNow.AddDays(1)), // no such record: the end
        });
        await probe.UntilAsync(() => Enumerable.Range(0, 3).All(p => probe.Seen("t", p).End == 10), "all ends");
        Assert.Equal([0, 10, 10], Enumerable.Range(0, 3).Select(p => probe.Seen("t", p).Start));
        Assert.Equal([10, 0, 0], Enumerable.Range(0, 3).Select(p => probe.Seen("t", p).Offsets.Count));
    }

    [Fact]
    public async Task Keys_values_headers_and_timestamps_come_as_they_were_written()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 1);
        await using (var producer = new KafkaProducer(new() { BootstrapServers = cluster.BootstrapServers, Compression = "zstd" }))
        {
            producer.Produce("t", 0, [], isKeyNull: true, [], isValueNull: true, timestampMs: 1);
            producer.Produce("t", 0, [], isKeyNull: false, [], isValueNull: false, timestampMs: 2);
            producer.Produce(
                "t", 0, "ключ"u8, false, [0, 255], false, [new("a", "1"u8.ToArray()), new("a", null), new("b", ReadOnlyMemory<byte>.Empty)],
                3);
            await producer.FlushAsync();
        }
        await using var consumer = ReadOne(cluster, "t", out var queue);
        var seen = new List<string>();
        while (seen.Count < 3)
        {
            using var batch = queue.ConsumeBatch(TimeSpan.FromMilliseconds(100));
            foreach (var message in batch)
            {
                if (message.IsRecord)
                {
                    seen.Add(Describe(message));
                }
            }
        }
        Assert.Equal(
            ["t[0]@0 key null value null at 1 CreateTime headers 0",
             "t[0]@1 key '' value '' at 2 CreateTime headers 0",
             "t[0]@2 key 'ключ' value 00FF at 3 CreateTime headers 3 a='1' a=null b=''"], seen);
    }

    [Fact]
    public async Task An_offset_beyond_the_log_is_reported_with_what_the_log_holds_and_reading_goes_on_where_told()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 1);
        await cluster.ProduceAsync("t", partitions: 1, perPartition: 50);
        await using var probe = new ConsumerProbe(cluster.BootstrapServers, ["t"], _ => StartPosition.At(1000));
        await probe.UntilAsync(() => !probe.OutOfRange.IsEmpty, "an out-of-range event");
        Assert.True(probe.OutOfRange.TryDequeue(out var report));
        Assert.Equal(new OffsetOutOfRange(new("t", 0), 1000, new Watermarks(0, 50)), report);
        Assert.Contains("beyond the end 50", report.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, probe.Count);

        await probe.Consumer.RestartAsync([new(new("t", 0), StartPosition.At(20), probe.QueueOf(new("t", 0)))]);
        await probe.UntilAsync(() => probe.Seen("t", 0).End == 50, "the end");
        Assert.Equal(Enumerable.Range(20, 30).Select(i => (long)i), probe.Seen("t", 0).Offsets);
        Assert.Empty(probe.Trouble);
    }

    [Fact]
    public async Task Pausing_and_restarting_under_load_loses_and_doubles_nothing()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 4);
        await using var probe = new ConsumerProbe(cluster.BootstrapServers, ["t"], workers: 2);
        await probe.UntilAsync(() => probe.Owned.Count == 4, "the assignment");
        var producing = cluster.ProduceAsync("t", partitions: 4, perPartition: 20_000);
        for (var round = 0; round < 20 || !producing.IsCompleted; round++)
        {
            var partitions = probe.Owned.Where(partition => partition.Partition % 2 == round % 2).ToArray();
            await probe.Consumer.PauseAsync(partitions);
            await probe.PassAsync();
            await probe.Consumer.RestartAsync(
                [.. partitions.Select(p => new PartitionStart(p, StartPosition.At(probe.Next(p)!.Value), probe.QueueOf(p)))]);
            var before = probe.Count;
            await probe.UntilAsync(() => probe.Count > before || producing.IsCompleted, "records after the restart");
        }
        await producing;
        await probe.UntilCountAsync(80_000);
        Assert.All(Enumerable.Range(0, 4), p => Assert.Equal(Enumerable.Range(0, 20_000).Select(i => (long)i), probe.Seen("t", p).Offsets));
        Assert.Empty(probe.Trouble);
    }

    [Fact]
    public async Task A_member_that_is_stopped_at_any_moment_of_joining_its_group_ends_cleanly()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 4);
        // Joining takes the mock brokers some three seconds; twenty moments of it, each with members that are led and members that lead.
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            MessageQueue? queue = null;
            await using var consumer = new KafkaConsumer(
                new() { BootstrapServers = cluster.BootstrapServers, GroupId = $"joining-{i / 2}", Topics = ["t"] },
                new()
                {
                    Assigned = partitions => [
                        .. partitions.Select(partition => new PartitionStart(partition, StartPosition.Earliest, queue!))],
                    Kept = kept => [.. kept.Select(partition => new PartitionStart(partition, StartPosition.At(0), queue!))],
                    Revoked = static _ => { },
                });
            queue = consumer.CreateWorkerQueue();
            consumer.Start();
            await Task.Delay(TimeSpan.FromMilliseconds(i / 2 * 150), TestContext.Current.CancellationToken);
            await consumer.StopAsync(TestContext.Current.CancellationToken);
        }));
    }

    [Fact]
    public async Task A_restart_is_never_lost_to_the_stop_before_it()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 4);
        await cluster.ProduceAsync("t", partitions: 4, perPartition: 200);
        await using var probe = new ConsumerProbe(cluster.BootstrapServers, ["t"], workers: 2);
        await probe.UntilCountAsync(800);
        for (var round = 0; round < 100; round++)
        {
            await probe.Consumer.RestartAsync([.. probe.Owned.Select(p => new PartitionStart(p, StartPosition.At(199), probe.QueueOf(p)))]);
            var expected = 800 + 4 * (round + 1);
            await probe.UntilAsync(() => probe.Count >= expected, $"the last record of every partition after restart {round}");
        }
        Assert.All(Enumerable.Range(0, 4), p => Assert.Equal([p % 2], probe.Seen("t", p).Workers));
    }

    [Fact]
    public async Task A_record_costs_no_managed_memory()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 4);
        await cluster.ProduceAsync("t", partitions: 4, perPartition: 10_000);
        await using var consumer = ReadOne(cluster, "t", out var queue);
        var (due, read, bytes) = (0L, 0L, 0L);
        Assert.Equal(0, ManagedMemory.LeastAllocated(rounds: 4, ReadMore));
        Assert.Equal(40_000, read);
        Assert.True(bytes > 0);

        void ReadMore()
        {
            due += 10_000;
            while (read < due)
            {
                var (records, more) = Drain(queue);
                read += records;
                bytes += more;
            }
        }
    }

    [Fact]
    public async Task Statistics_watermarks_and_position_tell_the_lag()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 1);
        await cluster.ProduceAsync("t", partitions: 1, perPartition: 10);
        await using var probe = new ConsumerProbe(cluster.BootstrapServers, ["t"],
            change: options => options with { StatisticsInterval = TimeSpan.FromMilliseconds(100) });
        await probe.UntilCountAsync(10);
        await probe.UntilAsync(() => probe.Statistics is { ReceivedMessages: 10, Partitions: [{ HighWatermark: 10 }] }, "statistics");
        Assert.Equal(new TopicPartition("t", 0), probe.Statistics!.Partitions[0].Partition);
        Assert.True(probe.Statistics.ReceivedBytes > 0);
        Assert.Equal("up", probe.Statistics.GroupState);
        Assert.Equal(10, probe.Consumer.Position(new("t", 0)));
        Assert.Equal(new Watermarks(0, 10), probe.Consumer.CachedWatermarks(new("t", 0)));
        Assert.Equal(new Watermarks(0, 10), probe.Consumer.QueryWatermarks(new("t", 0), TimeSpan.FromSeconds(10)));

        probe.Consumer.CommitOffsets([new(new("t", 0), 7)]);
        await probe.UntilAsync(
            () => probe.Consumer.CommittedOffsets([new("t", 0)], TimeSpan.FromSeconds(10))[0] == 7, "the group's offset");
    }

    private static KafkaConsumer ReadOne(MockCluster cluster, string topic, out MessageQueue queue)
    {
        MessageQueue? target = null;
        var consumer = new KafkaConsumer(
            new() { BootstrapServers = cluster.BootstrapServers, GroupId = "one", Topics = [topic] },
            new()
            {
                Assigned = partitions => [
                    .. partitions.Select(partition => new PartitionStart(partition, StartPosition.Earliest, target!))],
                Kept = kept => [.. kept.Select(partition => new PartitionStart(partition, StartPosition.At(0), target!))],
                Revoked = static _ => { },
            });
        queue = target = consumer.CreateWorkerQueue();
        consumer.Start();
        return consumer;
    }

    private static (long Records, long Bytes) Drain(MessageQueue queue)
    {
        var (records, bytes) = (0L, 0L);
        using var batch = queue.ConsumeBatch(TimeSpan.FromMilliseconds(100));
        foreach (var message in batch)
        {
            if (message.IsRecord)
            {
                records++;
                bytes += message.Value.Length + message.Key.Length + message.TopicIndex + message.Partition + (message.TimestampMs & 1) + message.Headers.Count;
            }
        }
        return (records, bytes);
    }

    private static string Describe(KafkaMessage message)
    {
        var text = new StringBuilder($"{message.Topic}[{message.Partition}]@{message.Offset} key ");
        text.Append(message.IsKeyNull ? "null" : $"'{Encoding.UTF8.GetString(message.Key)}'");
        text.Append(" value ").Append(message.IsValueNull ? "null" : message.Value.Length == 0 ? "''" : Convert.ToHexString(message.Value));
        text.Append($" at {message.TimestampMs} {message.TimestampType} headers {message.Headers.Count}");
        for (var i = 0; i < message.Headers.Count; i++)
        {
            var header = message.Headers[i];
            text.Append(
                $" {Encoding.UTF8.GetString(header.Name)}={(header.IsValueNull ? "null" : $"'{Encoding.UTF8.GetString(header.Value)}'")}");
        }
        return text.ToString();
    }
}
