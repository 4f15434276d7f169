using Frazil.Kafka;
using Frazil.Rig;
using Frazil.Tests.Kafka;
using Xunit;

namespace Frazil.EndToEnd.Kafka;

/// <summary>Brokers of their own, which these tests kill or lock.</summary>
public sealed class BrokerFailureTests
{
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"frazil-kafka-{Guid.NewGuid():N}");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_broker_that_is_killed_and_restarted_costs_no_record_and_doubles_none()
    {
        Assert.SkipUnless(Kit.Folder is not null, Kit.Absent);
        await using var broker = await Broker.StartAsync(folder, Cancellation);
        var ledger = await Kit.LoadAsync(broker.Bootstrap, "t", 200_000, Cancellation, "--seq");
        ConsumerProbe? itself = null; // lost partitions come back where they were left
        await using var probe = new ConsumerProbe(broker.Bootstrap, ["t"], partition => StartPosition.At(itself!.Next(partition) ?? 0),
            workers: 2, start: false,
            change: options => options with
            {
                QueuedMaxKilobytes = 256,
                Properties = new Dictionary<string,
                string>
                { ["fetch.message.max.bytes"] = "65536" }
            });
        itself = probe;
        probe.Consumer.Start();
        await probe.UntilAsync(() => probe.Count > 1000, "the first records");
        await broker.KillAsync(Cancellation);
        await probe.UntilAsync(() => probe.Errors.Any(error => error.Kind == KafkaErrorKind.Unreachable), "the news of the loss");
        await probe.UntilAsync(
            () => probe.Revocations.Any(revoked => revoked.Lost), "the partitions to be lost, as the session ends without a broker");
        await broker.RestartAsync(Cancellation);
        await Kit.LoadAsync(broker.Bootstrap, "t", 10_000, Cancellation, "--first", "200000", "--seq");
        await probe.UntilCountAsync(210_000);
        Assert.Empty(probe.Trouble);
        Assert.All(Enumerable.Range(0, 6), p => Assert.Equal(probe.Seen("t", p).Offsets.Count, probe.Consumer.QueryWatermarks(new("t", p), TimeSpan.FromSeconds(30)).High));
        var values = Enumerable.Range(0, 6).SelectMany(p => probe.Seen("t", p).Values).ToList();
        Assert.Equal(210_000, values.Count);
        Assert.Equal(210_000, values.Distinct().Count());
        Assert.Empty(probe.Trouble);
        Assert.Equal(200_000, ledger.Records);
    }

    [Fact]
    public async Task A_wrong_password_is_an_authentication_error_and_the_right_one_reads()
    {
        Assert.SkipUnless(Kit.Folder is not null, Kit.Absent);
        await using var broker = await Broker.StartAsync(folder, ["--sasl", "frazil:right"], Cancellation);
        var properties = new Dictionary<string, string>(broker.ClientProperties);
        if (Version.Parse(KafkaConsumer.LibraryVersion) < new Version(2, 6, 1))
        {
            properties["sasl.mechanism"] = "PLAIN"; // its SCRAM is refused by Kafka 4
        }
        var wrong = new Dictionary<string, string>(properties) { ["sasl.password"] = "wrong" };

        await using (var admin = new KafkaAdmin(broker.Bootstrap, wrong))
        {
            var report = await admin.CheckAsync(["t"], TimeSpan.FromSeconds(60), Cancellation);
            Assert.Equal(KafkaErrorKind.Authentication, report.Error!.Kind);
            Assert.Contains("sasl.password", report.Error.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("wrong", report.Error.ToString(), StringComparison.Ordinal);
        }
        await using (var probe = new ConsumerProbe(broker.Bootstrap, ["t"], properties: wrong))
        {
            await probe.UntilAsync(() => probe.Errors.Any(error => error.Kind == KafkaErrorKind.Authentication), "an authentication error");
        }
        await using (var admin = new KafkaAdmin(broker.Bootstrap)) // a plaintext client
        {
            var report = await admin.CheckAsync([], TimeSpan.FromSeconds(5), Cancellation);
            Assert.Equal(KafkaErrorKind.Unreachable, report.Error!.Kind);
            Assert.Contains("security.protocol", report.Error.ToString(), StringComparison.Ordinal);
        }

        await using (var admin = new KafkaAdmin(broker.Bootstrap, properties))
        {
            await admin.CreateTopicAsync("t", 1, cancellationToken: Cancellation);
            var ids = await admin.TopicIdsAsync(["t"], TimeSpan.FromSeconds(30), Cancellation);
            while (ids.Ids.Count == 0) // until the broker's own view has caught up with the controller's
            {
                ids = await admin.TopicIdsAsync(["t"], TimeSpan.FromSeconds(30), Cancellation);
            }
            Assert.Null(ids.Unavailable);
        }
        await using (var producer = new KafkaProducer(new() { BootstrapServers = broker.Bootstrap, Properties = properties }))
        {
            producer.Produce("t", 0, [], "v"u8, Cancellation);
            await producer.FlushAsync(Cancellation);
        }
        await using var reader = new ConsumerProbe(broker.Bootstrap, ["t"], properties: properties);
        await reader.UntilCountAsync(1);
    }
}
