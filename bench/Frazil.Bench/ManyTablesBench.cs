using System.Diagnostics;
using System.Globalization;
using System.Text;
using Frazil.Kafka;
using Frazil.Rig;

namespace Frazil.Bench;

/// <summary>Three hundred tables of one pattern: what they cost when idle, what memory a backlog takes, whether every table is right, and
/// whether one that cannot flush costs the others their rate, and how fresh SQL is while a steady stream is spread over all.</summary>
internal static class ManyTablesBench
{
    private const int Tables = 300;
    private const int FreshRate = 20_000;
    private const int FreshSeconds = 40;
    private const string ProbeTopic = "many_probe";
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(20);

    public static async Task RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var count = run.Records(3_000_000) / Tables * Tables;
        var bootstrap = (await run.BrokerAsync(cancellationToken)).Bootstrap;
        await using (var admin = new KafkaAdmin(bootstrap))
        {
            for (var table = 0; table < Tables; table++)
            {
                await admin.CreateTopicAsync(TopicOf(table), 1, cancellationToken: cancellationToken);
            }
            await admin.CreateTopicAsync(ProbeTopic, 1, cancellationToken: cancellationToken);
        }
        await MeasureAsync(run, "sound", bootstrap, count, stuck: false, produce: true, cancellationToken);
        var alone = await MeasureAsync(run, "backlog", bootstrap, count, stuck: false, produce: false, cancellationToken);
        var beside = await MeasureAsync(run, "stuck", bootstrap, count, stuck: true, produce: false, cancellationToken);
        run.Figures.Add(new Figure("many-tables.rate.beside-a-stuck-one", beside / alone, "ratio", "the same backlog without it"));
        await MeasureFreshnessAsync(run, bootstrap, cancellationToken);
    }

    /// <returns>Rows a second of the tables that are not stuck.</returns>
    private static async Task<double> MeasureAsync(
        BenchRun run, string name, string bootstrap, long count, bool stuck, bool produce, CancellationToken cancellationToken)
    {
        var folder = run.NewFolder($"many-{name}");
        var config = Config(bootstrap, name, @"^many_\d+$", "earliest");
        var readable = stuck ? Tables - 1 : Tables;
        if (stuck)
        {
            Obstruct(folder, config);
        }
        var started = Stopwatch.GetTimestamp();
        await using var frazil = await StartAsync(folder, config, Tables, cancellationToken);
        if (produce)
        {
            run.Figures.Add(new Figure("many-tables.start", Stopwatch.GetElapsedTime(started).TotalSeconds, "s", null, $"{Tables} tables assigned"));
            await MeasureIdleAsync(run, frazil, cancellationToken);
        }
        started = Stopwatch.GetTimestamp();
        if (produce)
        {
            BenchRun.Say($"producing {count:N0} records");
            await ProduceAsync(bootstrap, count, 0, cancellationToken);
        }
        await frazil.UntilAsync(
            async () => await frazil.MetricAsync("frazil_committed_rows_total", cancellationToken) >= count / Tables * readable,
            TimeSpan.FromSeconds(1), cancellationToken);
        var rate = count / Tables * readable / Stopwatch.GetElapsedTime(started).TotalSeconds;
        run.Figures.Add(new Figure($"many-tables.{name}.rate", rate, "rows/s", null, produce ? "while producing" : "a backlog"));
        if (!stuck)
        {
            await CheckAsync(frazil, count / Tables, cancellationToken);
        }
        var cost = frazil.Cost;
        run.Figures.Add(new Figure($"many-tables.{name}.peak", cost.PeakBytes / 1048576.0, "MiB", null, $"{count:N0} rows in {Tables} tables"));
        await frazil.KillAsync(cancellationToken);
        return rate;
    }

    /// <summary>Probes go to a topic of their own, where the offset of the next one is known; the engine's own histogram tells of all tables.</summary>
    private static async Task MeasureFreshnessAsync(BenchRun run, string bootstrap, CancellationToken cancellationToken)
    {
        var folder = run.NewFolder("many-fresh");
        var config = Config(bootstrap, "fresh", "^many_.*", "latest");
        await using var frazil = await StartAsync(folder, config, Tables + 1, cancellationToken);
        await ProduceAsync(bootstrap, FreshRate, FreshRate, cancellationToken); // the first records make the tables; that is not measured here
        await using var producer = new KafkaProducer(new() { BootstrapServers = bootstrap, Linger = TimeSpan.Zero });
        await ProbeAsync(frazil, producer, 0, cancellationToken);
        await frazil.UntilAsync(
            async () => await frazil.MetricAsync("frazil_records_total", cancellationToken) > FreshRate, TimeSpan.FromMilliseconds(200), cancellationToken);
        var before = await BatchesAsync(frazil, cancellationToken);
        BenchRun.Say($"freshness at {FreshRate:N0} records/s over {Tables} tables for {FreshSeconds} s");
        var load = Task.Run(() => ProduceAsync(bootstrap, FreshRate * FreshSeconds, FreshRate, cancellationToken), cancellationToken);
        var latencies = new List<double>();
        for (var probe = 1; !load.IsCompleted; probe++)
        {
            latencies.Add(await ProbeAsync(frazil, producer, probe, cancellationToken));
            await Task.Delay(10, cancellationToken);
        }
        var seconds = await load;
        var after = await BatchesAsync(frazil, cancellationToken);
        var commits = await frazil.MetricAsync("frazil_commits_total", cancellationToken);
        await frazil.KillAsync(cancellationToken);
        latencies.Sort();
        var detail = $"{latencies.Count} probes; {commits:F0} commits; produced at {FreshRate * FreshSeconds / seconds:N0} records/s";
        run.Figures.Add("many-tables.fresh.p50", latencies[latencies.Count / 2], "ms", detail);
        run.Figures.Add("many-tables.fresh.p99", latencies[(int)(latencies.Count * 0.99)], "ms");
        run.Figures.Add("many-tables.fresh.max", latencies[^1], "ms");
        run.Figures.Add(
            "many-tables.fresh.batches", 100.0 * (after.Fresh - before.Fresh) / (after.All - before.All), "%", "batches whose oldest record was seen within 150 ms");
    }

    private static async Task<double> ProbeAsync(FrazilProcess frazil, KafkaProducer producer, int probe, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        producer.Produce(ProbeTopic, 0, default, Encoding.UTF8.GetBytes($$"""{"n":{{probe}},"t":-1,"text":"probe"}"""), cancellationToken);
        var body = $$$"""{"sql": "select count(*) from shop.{{{ProbeTopic}}} where n = {{{probe}}}", "read_after": {"{{{ProbeTopic}}}": {"0": {{{probe}}} } } }""";
        while (true)
        {
            try
            {
                var answer = await frazil.PostSqlAsync(body, cancellationToken);
                return answer.Long(0, 0) == 1
                    ? Stopwatch.GetElapsedTime(started).TotalMilliseconds
                    : throw new InvalidOperationException($"probe {probe}: the query waited for its offset and found {answer.Long(0, 0)} rows");
            }
            catch (FrazilHttpException refused) when (probe == 0 && refused.Message.Contains("not exist", StringComparison.Ordinal))
            {
                await Task.Delay(50, cancellationToken); // the first record makes the table
            }
        }
    }

    /// <summary>Batches read so far, and those of them whose oldest record SQL saw within 150 ms.</summary>
    private static async Task<(double Fresh, double All)> BatchesAsync(FrazilProcess frazil, CancellationToken cancellationToken)
    {
        var lines = (await frazil.GetAsync("/metrics", cancellationToken)).Split('\n');
        return (Sum("frazil_freshness_seconds_bucket", "le=\"0.15\""), Sum("frazil_freshness_seconds_count", ""));

        double Sum(string name, string label) => lines
            .Where(line => line.StartsWith(name, StringComparison.Ordinal) && line.Contains(label, StringComparison.Ordinal))
            .Sum(static line => double.Parse(line.Split("} ")[1].Split(' ')[0], CultureInfo.InvariantCulture));
    }

    private static FrazilConfig Config(string bootstrap, string name, string pattern, string startFrom) => new()
    {
        BootstrapServers = bootstrap,
        Topic = pattern,
        Table = "shop.{topic}",
        GroupId = $"many-{name}",
        StartFrom = startFrom,
        FlushIntervalSeconds = 10,
        TtlSeconds = 1,
        TableLines = [],
    };

    private static async Task<FrazilProcess> StartAsync(string folder, FrazilConfig config, int partitions, CancellationToken cancellationToken)
    {
        var frazil = FrazilProcess.Start(folder, config.HttpPort, "run", "-c", config.Write(folder));
        await frazil.ReadyAsync(cancellationToken);
        await frazil.UntilAsync(
            async () => await frazil.MetricAsync("frazil_partitions", cancellationToken) >= partitions, TimeSpan.FromMilliseconds(50), cancellationToken);
        return frazil;
    }

    private static async Task MeasureIdleAsync(BenchRun run, FrazilProcess frazil, CancellationToken cancellationToken)
    {
        await Task.Delay(IdleTime / 2, cancellationToken); // what starting costs is not measured here
        var (before, since) = (frazil.Cost.CpuSeconds, Stopwatch.GetTimestamp());
        await Task.Delay(IdleTime, cancellationToken);
        var share = (frazil.Cost.CpuSeconds - before) / Stopwatch.GetElapsedTime(since).TotalSeconds;
        run.Figures.Add(new Figure("many-tables.idle.cpu", share * 100, "% of a core", null, $"{Tables} tables, no records"));
    }

    private static async Task CheckAsync(FrazilProcess frazil, long each, CancellationToken cancellationToken)
    {
        for (var table = 0; table < Tables; table++)
        {
            var answer = await frazil.SqlAsync(
                $"select count(*), count(distinct kafka_offset), min(n), max(n), min(t), max(t) from shop.{TopicOf(table)}", cancellationToken);
            long[] seen = [.. Enumerable.Range(0, 6).Select(column => answer.Long(0, column))];
            if (!seen.SequenceEqual([each, each, 0, each - 1, table, table]))
            {
                throw new InvalidOperationException($"{TopicOf(table)} holds {string.Join(", ", seen)} where {each} rows of table {table} were produced");
            }
        }
    }

    /// <param name="rate">Records a second; 0 as fast as it goes.</param>
    /// <returns>Seconds that it took.</returns>
    private static async Task<double> ProduceAsync(string bootstrap, long count, int rate, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        await using var producer = new KafkaProducer(new() { BootstrapServers = bootstrap });
        var text = new string('x', 100);
        for (var record = 0L; record < count; record++)
        {
            if (rate > 0 && record % (rate / 100) == 0 && TimeSpan.FromSeconds((double)record / rate) - Stopwatch.GetElapsedTime(started) is { Ticks: > 0 } early)
            {
                await Task.Delay(early, cancellationToken);
            }
            var value = string.Create(CultureInfo.InvariantCulture, $$"""{"n":{{record / Tables}},"t":{{record % Tables}},"text":"{{text}}"}""");
            producer.Produce(TopicOf((int)(record % Tables)), 0, "k"u8, Encoding.UTF8.GetBytes(value), cancellationToken);
        }
        await producer.FlushAsync(cancellationToken);
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>A file stands where the first table's data folder would be.</summary>
    private static void Obstruct(string folder, FrazilConfig config)
    {
        var data = Path.Combine(folder, config.Warehouse, "shop", TopicOf(0), "data");
        Directory.CreateDirectory(Path.GetDirectoryName(data)!);
        File.WriteAllText(data, "");
    }

    private static string TopicOf(int table) => string.Create(CultureInfo.InvariantCulture, $"many_{table:D3}");
}
