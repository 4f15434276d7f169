using System.Globalization;
using System.Security.Cryptography;
using Frazil.Log;
using Frazil.Rig;

namespace Frazil.Bench;

/// <summary>
/// What the transaction log costs an ingest: syncs a flush, as the process counts them; and CPU a flush (its entries written and synced,
/// its files' SHA-256), as a share of the CPU that the same process spends between two flushes.
/// </summary>
internal static class LogBench
{
    private const int Partitions = 6;

    public static async Task RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var count = run.Records(2_000_000);
        var topic = await run.TopicAsync(RecordStream.Events, count, cancellationToken);
        var folder = run.NewFolder("log");
        var config = new FrazilConfig
        {
            BootstrapServers = topic.Bootstrap,
            Topic = topic.Name,
            FlushIntervalSeconds = 2,
            FlushSizeMb = 100,
        };
        await using var frazil = FrazilProcess.Start(folder, config.HttpPort, "run", "-c", config.Write(folder));
        await frazil.ReadyAsync(cancellationToken);
        var (before, opening) = (frazil.Cost, await frazil.MetricAsync("frazil_log_syncs_total", cancellationToken));
        await frazil.UntilAsync(
            async () => await frazil.MetricAsync("frazil_committed_rows_total", cancellationToken) == count, TimeSpan.FromMilliseconds(50),
            cancellationToken);
        var flushes = await frazil.MetricAsync("frazil_flushes_total", cancellationToken);
        var syncs = await frazil.MetricAsync("frazil_log_syncs_total", cancellationToken) - opening;
        var cpuPerFlush = (frazil.Cost.CpuSeconds - before.CpuSeconds) / flushes;
        await frazil.StopAsync(cancellationToken);
        run.Figures.Add(
            "log.syncs_per_flush", syncs / flushes, "fsyncs",
            string.Create(CultureInfo.InvariantCulture, $"{flushes} flushes of {Partitions} files; {opening} more at the start"));

        var files = Directory.EnumerateFiles(folder, "*.parquet", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Take(Partitions).ToList();
        var (journal, hashing) = (await JournalCpuAsync(run.NewFolder("journal"), cancellationToken), HashCpu(files));
        run.Figures.Add("log.cpu_per_flush", (journal + hashing) * 1000, "ms", string.Create(CultureInfo.InvariantCulture,
            $"entries {journal * 1000:F2} ms, SHA-256 of {files.Sum(static file => new FileInfo(file).Length) / 1048576.0:F1} MiB {hashing * 1000:F2} ms"));
        run.Figures.Add(
            "log.cpu_share", (journal + hashing) / cpuPerFlush, "ratio",
            string.Create(CultureInfo.InvariantCulture, $"of {cpuPerFlush:F2} CPU-s a flush costs in all, from Kafka to the commit"));
    }

    /// <summary>CPU of all entries of one flush, synced where the product syncs them.</summary>
    private static async Task<double> JournalCpuAsync(string folder, CancellationToken cancellationToken)
    {
        const int Flushes = 300;
        using var log = new TransactionLog(folder, TimeProvider.System);
        log.Open(new("shop.user_events", Guid.NewGuid(), 1, []));
        var meter = new Meter();
        for (var i = 0; i < Flushes; i++)
        {
            foreach (var (entries, sync) in EntriesOfOneFlush(i))
            {
                await log.AppendAsync(entries, sync, cancellationToken);
            }
        }
        return meter.Stop().CpuSeconds / Flushes;
    }

    private static IEnumerable<(IReadOnlyList<LogEntry> Entries, bool Sync)> EntriesOfOneFlush(int number)
    {
        var flush = Guid.CreateVersion7().ToString();
        List<LoggedStep> steps = [
            .. Enumerable.Range(0, Partitions).Select(partition => new LoggedStep("user_events", partition, number, number + 1))];
        yield return ([new BufferSnapshot(flush, [.. steps.Select(static step => new LoggedBatch(step.Topic, step.Partition, step.Recorded, step.Next, step.Next, 1, 0))])], true);
        yield return ([.. steps.Select(step => new ParquetWritten(flush, Guid.Empty, step.Partition, 1, [step], 0, File(flush, step.Partition), new string('0', 64)))], true);
        yield return ([new OffsetCommit(flush, steps)], true);
        yield return ([new IcebergSnapshotCreated(flush, number, number, steps)], true);
        yield return ([new FlushComplete(flush, "committed", 1)], false);
    }

    /// <summary>Fifteen columns, as the stream's table has.</summary>
    private static LoggedFile File(string flush, int number)
    {
        var counts = Enumerable.Range(1, 15).ToDictionary(static id => id, static id => 60_000L + id);
        var bounds = Enumerable.Range(1, 15).ToDictionary(static id => id, static id => new byte[id % 2 == 0 ? 8 : 16]);
        return new()
        {
            Path = $"file:///warehouse/shop/user_events/data/kafka_partition={number}/{flush}-{number}.parquet",
            Rows = 60_000,
            Bytes = 5_000_000,
            SpecId = 0,
            ColumnSizes = counts,
            ValueCounts = counts,
            NullValueCounts = counts,
            LowerBounds = bounds,
            UpperBounds = bounds,
            SplitOffsets = [4],
        };
    }

    private static double HashCpu(List<string> files)
    {
        const int Rounds = 5;
        var meter = new Meter();
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var path in files)
            {
                using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
                _ = SHA256.HashData(file);
            }
        }
        return meter.Stop().CpuSeconds / Rounds;
    }
}
