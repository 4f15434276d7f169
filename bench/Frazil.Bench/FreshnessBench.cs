using System.Diagnostics;
using System.Globalization;
using System.Text;
using Frazil.Kafka;
using Frazil.Rig;

namespace Frazil.Bench;

/// <summary>
/// From the timestamp that a record carries to the answer of a query that saw it, over HTTP, while the generator keeps a steady rate and
/// flushes and commits run. The probes go to a topic of their own in the same table, because there the offset of the next one is known.
/// </summary>
internal static class FreshnessBench
{
    private const int Seconds = 40;
    private const string ProbeTopic = "fresh-probe";

    public static async Task RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        foreach (var rate in new[] { 10_000, 50_000 })
        {
            await MeasureAsync(run, rate, cancellationToken);
        }
    }

    private static async Task MeasureAsync(BenchRun run, int rate, CancellationToken cancellationToken)
    {
        await using var broker = await Broker.StartAsync(run.NewFolder("kafka-fresh"), cancellationToken);
        await Kit.RunAsync(
            "kafka/tool", ["topics", "--bootstrap-server", broker.Bootstrap, "--create", "--topic", ProbeTopic, "--partitions", "1"],
            cancellationToken);
        await Kit.LoadAsync(broker.Bootstrap, "fresh", rate, cancellationToken);
        var folder = run.NewFolder("fresh");
        var config = new FrazilConfig
        {
            BootstrapServers = broker.Bootstrap,
            Topic = "fresh",
            MoreTopics = [ProbeTopic],
            FlushIntervalSeconds = 2,
        };
        await using var frazil = FrazilProcess.Start(folder, config.HttpPort, "run", "-c", config.Write(folder));
        await frazil.ReadyAsync(cancellationToken);
        await IngestBench.SeenAsync(frazil, rate, cancellationToken);

        BenchRun.Say($"freshness at {rate:N0} records/s for {Seconds} s");
        var load = Kit.LoadAsync(broker.Bootstrap, "fresh", (long)rate * Seconds, cancellationToken,
            "--now", "--first", $"{rate}", "--rate", rate.ToString(CultureInfo.InvariantCulture));
        var options = new KafkaProducerOptions { BootstrapServers = broker.Bootstrap, Linger = TimeSpan.Zero };
        await using var producer = new KafkaProducer(options);
        var latencies = new List<double>();
        var warmUp = Stopwatch.StartNew();
        for (var probe = 0; !load.IsCompleted; probe++)
        {
            var latency = await ProbeAsync(frazil, producer, config.Table, probe, cancellationToken);
            if (warmUp.Elapsed > TimeSpan.FromSeconds(5))
            {
                latencies.Add(latency);
            }
            await Task.Delay(10, cancellationToken);
        }
        var ledger = await load;
        var commits = await frazil.MetricAsync("frazil_commits_total", cancellationToken);
        await frazil.StopAsync(cancellationToken);
        Report(
            run, rate, latencies,
            $"{latencies.Count} probes; {commits:F0} commits meanwhile; produced at {ledger.Records / ledger.Seconds:N0} records/s");
    }

    private static async Task<double> ProbeAsync(
        FrazilProcess frazil, KafkaProducer producer, string table, int probe, CancellationToken cancellationToken)
    {
        var (started, stamp) = (Stopwatch.GetTimestamp(), DateTime.UtcNow);
        var record = $$"""{"user_id":1,"event_type":"probe","amount":1.00,"currency":"EUR","event_timestamp":"{{stamp:yyyy-MM-ddTHH:mm:ss.fffZ}}","session_id":"probe-{{probe}}","page":"/","device":{"os":"Linux","browser":"none","version":"1"},"tags":[]}""";
        var since = stamp.AddSeconds(-10).ToString("yyyy-MM-dd HH:mm:ss+00", CultureInfo.InvariantCulture);
        var body = $$$"""{"sql": "select count(*) from {{{table}}} where session_id = 'probe-{{{probe}}}' and kafka_timestamp > '{{{since}}}'", "read_after": {"{{{ProbeTopic}}}": {"0": {{{probe}}} } } }""";
        producer.Produce(ProbeTopic, 0, default, Encoding.UTF8.GetBytes(record), cancellationToken);
        var answer = await frazil.PostSqlAsync(body, cancellationToken);
        var elapsed = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        return answer.Long(0, 0) == 1
            ? elapsed
            : throw new InvalidOperationException($"probe {probe}: the query waited for its offset and found {answer.Long(0, 0)} rows");
    }

    private static void Report(BenchRun run, int rate, List<double> latencies, string detail)
    {
        latencies.Sort();
        var name = $"freshness.{rate / 1000}k";
        run.Figures.Add($"{name}.p50", latencies[latencies.Count / 2], "ms", detail);
        run.Figures.Add($"{name}.p99", latencies[(int)(latencies.Count * 0.99)], "ms");
        run.Figures.Add($"{name}.max", latencies[^1], "ms");
    }
}
