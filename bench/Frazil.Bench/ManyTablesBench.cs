using System.Diagnostics;
using System.Globalization;
using System.Text;
using Frazil.Kafka;
using Frazil.Rig;

namespace Frazil.Bench;

/// <summary>Three hundred tables of one pattern: what they cost when idle, what memory a backlog takes, whether every table is right, and
/// whether one that cannot flush costs the others their rate.</summary>
internal static class ManyTablesBench
{
    private const int Tables = 300;
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
        }
        var sound = await MeasureAsync(run, "sound", bootstrap, count, stuck: false, produce: true, cancellationToken);
        var beside = await MeasureAsync(run, "stuck", bootstrap, count, stuck: true, produce: false, cancellationToken);
        run.Figures.Add(new Figure("many-tables.rate.beside-a-stuck-one", beside / sound, "ratio", "the same without it"));
    }

    /// <returns>Rows a second of the tables that are not stuck.</returns>
    private static async Task<double> MeasureAsync(
        BenchRun run, string name, string bootstrap, long count, bool stuck, bool produce, CancellationToken cancellationToken)
    {
        var folder = run.NewFolder($"many-{name}");
        var config = new FrazilConfig
        {
            BootstrapServers = bootstrap,
            Topic = "^many_.*",
            Table = "shop.{topic}",
            GroupId = $"many-{name}",
            FlushIntervalSeconds = 10,
            TtlSeconds = 1,
            TableLines = [],
        };
        var readable = stuck ? Tables - 1 : Tables;
        if (stuck)
        {
            Obstruct(folder, config);
        }
        var started = Stopwatch.GetTimestamp();
        await using var frazil = FrazilProcess.Start(folder, config.HttpPort, "run", "-c", config.Write(folder));
        await frazil.ReadyAsync(cancellationToken);
        await frazil.UntilAsync(
            async () => await frazil.MetricAsync("frazil_partitions", cancellationToken) >= Tables, TimeSpan.FromMilliseconds(50), cancellationToken);
        if (produce)
        {
            run.Figures.Add(new Figure("many-tables.start", Stopwatch.GetElapsedTime(started).TotalSeconds, "s", null, $"{Tables} tables assigned"));
            await MeasureIdleAsync(run, frazil, cancellationToken);
        }
        started = Stopwatch.GetTimestamp();
        if (produce)
        {
            BenchRun.Say($"producing {count:N0} records");
            await ProduceAsync(bootstrap, count, cancellationToken);
        }
        await frazil.UntilAsync(
            async () => await frazil.MetricAsync("frazil_committed_rows_total", cancellationToken) >= count / Tables * readable,
            TimeSpan.FromMilliseconds(200), cancellationToken);
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

    private static async Task ProduceAsync(string bootstrap, long count, CancellationToken cancellationToken)
    {
        await using var producer = new KafkaProducer(new() { BootstrapServers = bootstrap });
        var text = new string('x', 100);
        for (var record = 0L; record < count; record++)
        {
            var value = string.Create(CultureInfo.InvariantCulture, $$"""{"n":{{record / Tables}},"t":{{record % Tables}},"text":"{{text}}"}""");
            producer.Produce(TopicOf((int)(record % Tables)), 0, "k"u8, Encoding.UTF8.GetBytes(value), cancellationToken);
        }
        await producer.FlushAsync(cancellationToken);
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
