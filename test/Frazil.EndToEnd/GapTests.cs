using System.Text;
using System.Text.Json;
using Frazil.Kafka;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary>Offsets that never become rows, from a real broker: told apart, recorded in the table, and accepted by <c>frazil
/// verify</c>.</summary>
public sealed class GapTests(SharedBroker shared)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task Aborted_transactions_and_control_records_are_recorded_as_such()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "gaps-transactions");
        var ledger = await Kit.LoadAsync(
            scene.Config.BootstrapServers, "gaps-transactions", 20_000, time.Token, "--txn", "500", "--abort-every", "3");
        await scene.RunUntilAsync(ledger.Records, time.Token);

        var deep = await scene.VerifyAsync(deep: true, time.Token);
        var shallow = await scene.VerifyAsync(deep: false, time.Token);

        Assert.Equal([], deep.Findings.Concat(shallow.Findings));
        Assert.Equal((0, 0), (deep.Code, shallow.Code));
        Assert.Equal(ledger.Records, deep.Sum("rows"));
        Assert.Equal(deep.Sum("next") - ledger.Records, deep.Gaps("transaction"));
        Assert.True(deep.Gaps("transaction") > 20_000 - ledger.Records, "aborted records and control records are gaps");
        Assert.Equal(0, deep.Gaps("compaction") + deep.Gaps("unknown") + deep.Gaps("retention"));

        // Without the record of gaps, the counts no longer add up; but Kafka still shows that there is nothing.
        await scene.ChangeAsync(
            static (_, metadata) => new([new Iceberg.TableUpdate.RemoveProperties(["frazil.gaps.gaps-transactions"])]), time.Token);
        Assert.Equal(1, (await scene.VerifyAsync(deep: false, time.Token)).Code);
        var explained = await scene.VerifyAsync(deep: true, time.Token);
        Assert.True(
            explained.Code == 0 && explained.Json.Contains("Kafka itself shows no record there", StringComparison.Ordinal), explained.Json);
    }

    [Fact]
    public async Task What_compaction_removed_is_recorded_as_such()
    {
        SharedBroker.SkipWithoutKit();
        using var time = Time();
        await using var broker = await Broker.StartAsync(
            shared.NewFolder("compacting"), ["--prop", "log.cleaner.backoff.ms=200"], time.Token);
        var scene = await Scene.SetAsync(shared, "compacted", _ => Scene.Usual(broker.Bootstrap, "compacted", tableLines: []));
        await CompactAsync(broker.Bootstrap, "compacted", time.Token);

        await scene.RunUntilAsync(12, time.Token);

        var deep = await scene.VerifyAsync(deep: true, time.Token);
        Assert.Equal([], deep.Findings);
        Assert.Equal(0, (await scene.VerifyAsync(deep: false, time.Token)).Code);
        Assert.Equal(deep.Sum("next") - deep.Sum("rows"), deep.Gaps("compaction"));
        Assert.InRange(deep.Gaps("compaction"), 1, deep.Sum("next") - 12);
        Assert.Equal(0, deep.Gaps("transaction") + deep.Gaps("retention"));
    }

    [Fact]
    public async Task What_retention_removed_while_we_were_down_is_told_recorded_exactly_and_passed()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "retention");
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, "retention", 6_000, time.Token);
        await scene.RunUntilAsync(ledger.Records, time.Token);
        var more = await Kit.LoadAsync(scene.Config.BootstrapServers, "retention", 6_000, time.Token, "--first", "6000");
        var (read, ends) = (ledger.Counts!, ledger.Counts!.ToDictionary(one => one.Key, one => one.Value + more.Counts![one.Key]));
        await using (var admin = new KafkaAdmin(scene.Config.BootstrapServers))
        {
            // All that is new of partition 0, so that no record follows the gap; ten records of partition 1; and of partition 2 only what
            // was read.
            await admin.DeleteRecordsAsync([At(0, ends[0]), At(1, read[1] + 10), At(2, read[2])], cancellationToken: time.Token);
        }
        var expected = ledger.Records + more.Records - (ends[0] - read[0]) - 10;

        await using (var frazil = await scene.StartReadyAsync(time.Token))
        {
            await scene.UntilRowsAsync(frazil, expected, time.Token);
            await frazil.UntilAsync(async () => (await scene.PropertiesAsync(time.Token)).TryGetValue("frazil.gaps.retention",
                out var gaps) && gaps.Contains("\"0\"", StringComparison.Ordinal)
                && gaps.Contains("\"1\"", StringComparison.Ordinal), TimeSpan.FromMilliseconds(100), time.Token);
            await Scene.StopCleanlyAsync(frazil, time.Token); // its text is whole only when it has ended
            Assert.Contains($"retention[0]: offsets {read[0]} to {ends[0] - 1} were removed", frazil.Text, StringComparison.Ordinal);
            Assert.Contains($"retention[1]: offsets {read[1]} to {read[1] + 9} were removed", frazil.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("retention[2]: offsets", frazil.Text, StringComparison.Ordinal);
        }

        Assert.Equal(
            $$$"""{"0":{"first":0,"retention":[[{{{read[0]}}},{{{ends[0] - 1}}}]]},"1":{"first":0,"retention":[[{{{read[1]}}},{{{read[1] + 9}}}]]}}""",
            (await scene.PropertiesAsync(time.Token))["frazil.gaps.retention"]);
        Assert.Equal(
            ends[0],
            JsonDocument.Parse((await scene.PropertiesAsync(time.Token))["frazil.offsets.retention"]).RootElement.GetProperty("0")
                .GetInt64());
        foreach (var deep in new[] { true, false })
        {
            var verification = await scene.VerifyAsync(deep, time.Token);
            Assert.Equal([], verification.Findings);
            Assert.Equal(0, verification.Code);
        }

        // Without that record nobody can explain the gap any more: Kafka no longer has the range.
        await scene.ChangeAsync(static (_, _) => new([new Iceberg.TableUpdate.RemoveProperties(["frazil.gaps.retention"])]), time.Token);
        foreach (var deep in new[] { true, false })
        {
            var verification = await scene.VerifyAsync(deep, time.Token);
            Assert.Equal(1, verification.Code);
            Assert.Equal([$"missing 0 {read[0]}..{ends[0] - 1}", $"missing 1 {read[1]}..{read[1] + 9}"], verification.Findings);
        }
    }

    [Fact]
    public async Task Retention_that_overtakes_a_process_that_sleeps_does_not_hang_it()
    {
        using var time = Time();
        var scene = await Scene.SetAsync(shared, "overtaken");
        var ledger = await Kit.LoadAsync(scene.Config.BootstrapServers, "overtaken", 3_000, time.Token);
        await scene.RunUntilAsync(ledger.Records, time.Token); // committed: what is only in memory cannot be a gap of the table
        await using var frazil = await scene.StartReadyAsync(time.Token);
        await frazil.UntilAsync(() => Task.FromResult(Enumerable.Range(0, 6).All(partition => frazil.Text.Contains($"reading overtaken[{partition}] from", StringComparison.Ordinal))),
            TimeSpan.FromMilliseconds(50), time.Token);
        frazil.Freeze();
        var missed = await Kit.LoadAsync(scene.Config.BootstrapServers, "overtaken", 3_000, time.Token, "--first", "3000");
        await using (var admin = new KafkaAdmin(scene.Config.BootstrapServers))
        {
            await admin.DeleteRecordsAsync(
                [.. missed.Counts!.Select(one => new TopicPartitionOffset(new("overtaken", one.Key), ledger.Counts![one.Key] + one.Value))],
                cancellationToken: time.Token);
        }
        frazil.Thaw();
        var last = await Kit.LoadAsync(scene.Config.BootstrapServers, "overtaken", 3_000, time.Token, "--first", "6000");

        await scene.UntilRowsAsync(frazil, ledger.Records + last.Records, time.Token);
        await Scene.StopCleanlyAsync(frazil, time.Token);

        var deep = await scene.VerifyAsync(deep: true, time.Token);
        Assert.True(deep.IsProven, deep.Json);
        // What a fetch that was under way had got already may be a row; the rest is a gap, to the last offset.
        Assert.True(deep.Sum("next") == deep.Sum("rows") + deep.Gaps("retention"), $"{deep.Json}\n{frazil.Text}");
        Assert.InRange(deep.Gaps("retention"), 1, missed.Records);
        Assert.Contains("(retention) before they were read", frazil.Text, StringComparison.Ordinal);
    }

    private static TopicPartitionOffset At(int partition, long offset) => new(new("retention", partition), offset);

    /// <summary>Writes the same few keys over and over, until the broker's cleaner has removed some of them.</summary>
    private static async Task CompactAsync(string bootstrap, string topic, CancellationToken cancellationToken)
    {
        await using var admin = new KafkaAdmin(bootstrap);
        await admin.CreateTopicAsync(topic, 1, settings: new Dictionary<string, string>
        {
            ["cleanup.policy"] = "compact",
            ["segment.bytes"] = "1048576",
            ["segment.ms"] = "100",
            [
                "min.cleanable.dirty.ratio"] = "0.01",
            ["max.compaction.lag.ms"] = "100",
        }, cancellationToken: cancellationToken);
        await using var producer = new KafkaProducer(new() { BootstrapServers = bootstrap });
        await using var reader = new PartitionReader(bootstrap);
        for (var round = 0L; ; round++)
        {
            for (var i = 0; i < 20; i++)
            {
                producer.Produce(topic, 0, Encoding.UTF8.GetBytes($"key-{i % 10}"), Encoding.UTF8.GetBytes($$"""{"id":{{i}},"round":{{round}}}"""), cancellationToken);
            }
            await producer.FlushAsync(cancellationToken);
            var (seen, end) = (0L, reader.QueryWatermarks(new(topic, 0)).High);
            reader.Read(new(topic, 0), 0, end, (in KafkaMessage _) => seen++, cancellationToken);
            if (seen < end)
            {
                return;
            }
            await Task.Delay(100, cancellationToken);
        }
    }

    private static CancellationTokenSource Time()
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        source.CancelAfter(Limit);
        return source;
    }
}
