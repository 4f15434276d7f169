using Frazil.Kafka;
using Xunit;

namespace Frazil.Tests.Kafka;

/// <summary>What goes wrong is told in words, classified, and survived where it passes.</summary>
public sealed class ConsumerErrorTests
{
    private const int Heartbeat = 12;
    private const int FencedInstanceId = 82;
    private const int NotAuthorized = 29;
    private const int UnknownTopic = 3;

    [Theory]
    [InlineData("no.such.property", "1", "no.such.property = '1'", "No such configuration property")]
    [InlineData("session.timeout.ms", "soon", "session.timeout.ms = 'soon'", "Invalid value")]
    [InlineData("isolation.level", "read_uncommitted", "isolation.level = 'read_uncommitted'", "committed ones only")]
    [InlineData("auto.offset.reset", "latest", "auto.offset.reset = 'latest'", "kafka.start_from")]
    [InlineData("partition.assignment.strategy", "range", "partition.assignment.strategy = 'range'", "cooperative")]
    [InlineData("bootstrap.servers", "x:1", "bootstrap.servers = 'x:1'", "kafka.bootstrap_servers")]
    public void A_bad_property_is_refused_with_its_name_value_and_reason(string name, string value, string shown, string reason)
    {
        var failure = Assert.Throws<KafkaException>(() => Consumer(new Dictionary<string, string> { [name] = value }));
        Assert.Equal(KafkaErrorKind.InvalidConfiguration, failure.Error.Kind);
        Assert.Contains(shown, failure.Message, StringComparison.Ordinal);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_bad_properties_are_told_at_once_and_no_secret_is_shown()
    {
        var failure = Assert.Throws<KafkaException>(() => Consumer(new Dictionary<string, string>
        {
            ["session.timeout.ms"] = "soon",
            ["client.rack"] = "a",
            ["isolation.level"] = "read_uncommitted",
            ["ssl.key.pem"] = "hunter2",
            ["no.such.password"] = "hunter2",
        }));
        Assert.All(
            (string[])["session.timeout.ms = 'soon'", "isolation.level = 'read_uncommitted'", "no.such.password = (hidden)"],
            expected => Assert.Contains(expected, failure.Message, StringComparison.Ordinal));
        Assert.DoesNotContain("client.rack", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Properties_that_contradict_each_other_are_refused()
    {
        var failure = Assert.Throws<KafkaException>(() => Consumer(new Dictionary<string, string> { ["session.timeout.ms"] = "400000" }));
        Assert.Equal(KafkaErrorKind.InvalidConfiguration, failure.Error.Kind);
        Assert.Contains("session.timeout.ms", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unreachable_broker_is_reported_and_waited_for()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 1);
        await cluster.ProduceAsync("t", 1, 5);
        cluster.SetBrokerDown(-1, isDown: true);
        await using var probe = new ConsumerProbe(cluster.BootstrapServers, ["t"]);
        await probe.UntilAsync(() => probe.Errors.Any(error => error.Kind == KafkaErrorKind.Unreachable), "an error");
        var error = probe.Errors.First(error => error.Kind == KafkaErrorKind.Unreachable);
        Assert.Contains("kafka.bootstrap_servers", error.ToString(), StringComparison.Ordinal);
        cluster.SetBrokerDown(-1, isDown: false);
        await probe.UntilCountAsync(5);
    }

    [Fact]
    public async Task A_topic_without_permission_is_reported_by_name()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("secret", 1);
        cluster.SetTopicError("secret", 29);
        await using var probe = new ConsumerProbe(cluster.BootstrapServers, ["secret"]);
        await probe.UntilAsync(() => probe.Errors.Any(error => error.Kind == KafkaErrorKind.Authorization), "an error");
        var error = probe.Errors.First(error => error.Kind == KafkaErrorKind.Authorization);
        Assert.Contains("secret", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("Grant this user Read", error.ToString(), StringComparison.Ordinal);
        cluster.SetTopicError("secret", 0);
        await cluster.ProduceAsync("secret", 1, 3);
        await probe.UntilCountAsync(3);
    }

    [Fact]
    public async Task An_event_that_throws_ends_the_consumer_with_its_reason()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 1);
        await using var probe = new ConsumerProbe(
            cluster.BootstrapServers, ["t"], _ => throw new InvalidOperationException("the catalog is gone"));
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => probe.Consumer.Completion.WaitAsync(TimeSpan.FromMinutes(3)));
        Assert.Equal("the catalog is gone", failure.Message);
        Assert.Equal(0, probe.Count);
    }

    [Fact]
    public async Task A_member_that_is_fenced_while_it_takes_an_assignment_ends_with_the_reason_and_can_be_disposed()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 2);
        ConsumerProbe? itself = null;
        var probe = new ConsumerProbe(cluster.BootstrapServers, ["t"], _ =>
        {
            cluster.FailRequests(Heartbeat, [.. Enumerable.Repeat(FencedInstanceId, 10)]);
            Assert.True(SpinWait.SpinUntil(() => itself!.Consumer.HasFatalError, TimeSpan.FromMinutes(3)));
            return StartPosition.Earliest;
        }, properties: new Dictionary<string, string> { ["heartbeat.interval.ms"] = "200" }, start: false,
            change: static options => options with { GroupInstanceId = "one" });
        itself = probe;
        probe.Consumer.Start();

        var failure = await Assert.ThrowsAsync<KafkaException>(() => probe.Consumer.Completion.WaitAsync(TimeSpan.FromMinutes(3)));
        Assert.Equal(KafkaErrorKind.Fatal, failure.Error.Kind);
        await probe.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_client_that_is_being_asked_something_is_freed_after_the_question_and_nobody_asks_it_later()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 1);
        await using var probe = new ConsumerProbe(
            cluster.BootstrapServers, ["t"], change: static options => options with { RequestTimeout = TimeSpan.FromSeconds(4) });
        await probe.UntilAsync(() => probe.Owned.Count == 1, "the partition");
        var partition = new TopicPartition("t", 0);
        cluster.SetBrokerDown(-1, isDown: true);

        var asking = Task.Factory.StartNew(
            () =>
            {
                for (; ; )
                {
                    Assert.Null(probe.Consumer.DescribeOutOfRange(partition, 77).Watermarks); // nobody answers: it takes its whole time
                }
            },
            TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await probe.UntilAsync(() => probe.Consumer.Asking > 0 || asking.IsCompleted, "a question");
        await probe.DisposeAsync();

        Assert.Equal(0, probe.Consumer.Asking); // else the client was freed under a question
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        Assert.Throws<OperationCanceledException>(() => probe.Consumer.DescribeOutOfRange(partition, 77));
        Assert.Throws<OperationCanceledException>(() => probe.Consumer.Position(partition));
        Assert.Throws<OperationCanceledException>(() => probe.Consumer.OffsetsForTimes([partition], DateTimeOffset.UtcNow, TimeSpan.FromSeconds(1)));
        Assert.Throws<OperationCanceledException>(() => probe.Consumer.CommittedOffsets([partition], TimeSpan.FromSeconds(1)));
        Assert.Null(probe.Consumer.CachedWatermarks(partition));
    }

    /// <summary>A name makes a member join twice as it starts: the assignment it has not looked at is its second one.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData("one")]
    public async Task A_member_that_is_stopped_before_it_has_looked_at_an_assignment_ends(string? name)
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 2);
        cluster.CreateTopic("secret", 1);
        cluster.SetTopicError("secret", NotAuthorized);
        var moment = name is null ? KafkaErrorKind.Authorization : KafkaErrorKind.UnknownTopic;
        KafkaConsumer? itself = null;
        MessageQueue? queue = null;
        var stopped = new TaskCompletionSource<Task>();
        var consumer = new KafkaConsumer(Options(cluster.BootstrapServers) with { Topics = ["t", "secret"], GroupInstanceId = name }, new()
        {
            Assigned = partitions => [.. partitions.Select(partition => new PartitionStart(partition, StartPosition.Earliest, queue!))],
            Kept = kept => [.. kept.Select(partition => new PartitionStart(partition, StartPosition.At(0), queue!))],
            Positioned = _ => cluster.SetTopicError("secret", UnknownTopic),
            Revoked = static _ => { },
            Error = error =>
            {
                if (error.Kind == moment && !stopped.Task.IsCompleted)
                {
                    Assert.True(SpinWait.SpinUntil(() => itself!.Waiting > 0, TimeSpan.FromMinutes(3))); // the assignment
                    stopped.SetResult(itself!.StopAsync());
                }
            },
        });
        (itself, queue) = (consumer, consumer.CreateWorkerQueue());
        consumer.Start();

        await (await stopped.Task.WaitAsync(TimeSpan.FromMinutes(4))).WaitAsync(TimeSpan.FromMinutes(1));
        await consumer.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_start_that_names_the_wrong_partitions_ends_the_consumer()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 2);
        MessageQueue? queue = null;
        await using var consumer = new KafkaConsumer(Options(cluster.BootstrapServers), new()
        {
            Assigned = _ => [new PartitionStart(new("t", 7), StartPosition.Earliest, queue!)],
            Kept = static _ => [],
            Revoked = static _ => { },
        });
        queue = consumer.CreateWorkerQueue();
        consumer.Start();
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => consumer.Completion.WaitAsync(TimeSpan.FromMinutes(3)));
        Assert.Contains("t[0], t[1]", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopping_revokes_what_is_held_and_is_idempotent()
    {
        using var cluster = new MockCluster();
        cluster.CreateTopic("t", 2);
        await using var probe = new ConsumerProbe(cluster.BootstrapServers, ["t"]);
        await probe.UntilAsync(() => probe.Owned.Count == 2, "the assignment");
        await probe.Consumer.StopAsync();
        await probe.Consumer.StopAsync();
        var revoked = Assert.Single(probe.Revocations);
        Assert.False(revoked.Lost);
        Assert.Equal(2, revoked.Partitions.Count);
    }

    [Fact]
    public async Task A_consumer_without_any_broker_stops_at_once()
    {
        await using var probe = new ConsumerProbe("127.0.0.1:1", ["t"]);
        await probe.UntilAsync(() => !probe.Errors.IsEmpty, "an error");
        await probe.Consumer.StopAsync().WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_queue_refuses_a_second_batch_before_the_first_is_disposed()
    {
        using var cluster = new MockCluster();
        await using var consumer = new KafkaConsumer(
            Options(cluster.BootstrapServers), new() { Assigned = static _ => [], Kept = static _ => [], Revoked = static _ => { } });
        var queue = consumer.CreateWorkerQueue(16);
        using (queue.ConsumeBatch(TimeSpan.Zero))
        {
            Assert.Throws<InvalidOperationException>(() => { using var second = queue.ConsumeBatch(TimeSpan.Zero); });
        }
        await consumer.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => { using var late = queue.ConsumeBatch(TimeSpan.Zero); });
        Assert.Equal(0, queue.Length);
    }

    private static KafkaConsumer Consumer(Dictionary<string, string> properties) =>
        new(Options("127.0.0.1:1") with { Properties = properties }, new() { Assigned = static _ => [], Kept = static _ => [], Revoked = static _ => { } });

    private static KafkaConsumerOptions Options(string bootstrapServers)
        => new() { BootstrapServers = bootstrapServers, GroupId = "g", Topics = ["t"] };
}
