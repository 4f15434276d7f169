using System.Diagnostics;
using Frazil.Rig;

namespace Frazil.Bench;

/// <summary>
/// Kafka to committed Iceberg through the real binary, from a topic that is already full. The process first ingests a tenth, so that what
/// is measured is code that is warm; then everything counts until it has exited after SIGTERM, with all rows committed.
/// </summary>
internal static class IngestBench
{
    public static async Task RunAsync(BenchRun run, RecordStream stream, CancellationToken cancellationToken)
    {
        var count = run.Records(stream.UsualCount);
        var topic = await run.TopicAsync(stream, count, cancellationToken);
        var folder = run.NewFolder("ingest");
        var config = new FrazilConfig
        {
            BootstrapServers = topic.Bootstrap,
            Topic = topic.Name,
            FlushIntervalSeconds = 10,
            FlushSizeMb = 100,
            MaxMemoryMb = 1024,
        };
        var file = config.Write(folder);
        BenchRun.Say($"ingesting {count:N0} records of the {stream.Name} stream");

        await using var frazil = FrazilProcess.Start(folder, config.HttpPort, "run", "-c", file);
        await frazil.ReadyAsync(cancellationToken);
        var startedUp = frazil.Cost;
        var warm = await SeenAsync(frazil, count / 10, cancellationToken);
        var (before, clock) = (frazil.Cost, Stopwatch.StartNew());
        await SeenAsync(frazil, count, cancellationToken);
        var visibleAfter = clock.Elapsed;
        var (code, after) = await StopAsync(frazil, cancellationToken);
        var committedAfter = clock.Elapsed;
        if (code != 0)
        {
            throw new InvalidOperationException($"frazil run ended with {code}: {frazil.Text}");
        }
        await CheckAsync(folder, config, file, topic.Filled, cancellationToken);

        var (rows, cpu) = (count - warm, after.CpuSeconds - before.CpuSeconds);
        var name = $"ingest.{stream.Name}";
        run.Figures.Add($"{name}.rows_per_second", rows / committedAfter.TotalSeconds, "rows/s",
            $"{rows:N0} rows until committed and exited, {committedAfter.TotalSeconds:F2} s; visible after {visibleAfter.TotalSeconds:F2} s; broker on the same {Environment.ProcessorCount} cores");
        run.Figures.Add($"{name}.rows_per_cpu_second", rows / cpu, "rows/CPU-s",
            $"{cpu:F2} CPU-s after {warm:N0} rows of warm-up; start-up {startedUp.CpuSeconds:F2} CPU-s; whole process {count / after.CpuSeconds:N0} rows/CPU-s");
        run.Figures.Add(
            $"{name}.peak_memory", after.PeakBytes / 1048576.0, "MiB",
            $"max_memory_mb = {config.MaxMemoryMb}, flush_size_mb = {config.FlushSizeMb}");
    }

    /// <summary>Polls the record counter until so many records were appended.</summary>
    /// <returns>How many it was then.</returns>
    public static async Task<long> SeenAsync(FrazilProcess frazil, long count, CancellationToken cancellationToken)
    {
        var seen = 0L;
        await frazil.UntilAsync(async () => (seen = (long)await frazil.MetricAsync("frazil_records_total", cancellationToken)) >= count,
            TimeSpan.FromMilliseconds(50), cancellationToken);
        return seen;
    }

    /// <summary>SIGTERM, and the last cost that could be read before the process was gone.</summary>
    public static async Task<(int Code, ProcessCost Cost)> StopAsync(FrazilProcess frazil, CancellationToken cancellationToken)
    {
        var cost = frazil.Cost;
        var exit = frazil.StopAsync(cancellationToken);
        while (!exit.IsCompleted)
        {
            try
            {
                var now = frazil.Cost;
                // A zombie's counters stay, its memory reads 0: keep the peak.
                cost = now with { PeakBytes = Math.Max(now.PeakBytes, cost.PeakBytes) };
            }
            catch (IOException)
            {
                break; // gone
            }
            await Task.Delay(2, cancellationToken);
        }
        return (await exit, cost);
    }

    /// <summary>Counts and sums through a query on the catalog alone: figures of rows that are not there are worth nothing.</summary>
    private static async Task CheckAsync(
        string folder, FrazilConfig config, string file, Ledger ledger, CancellationToken cancellationToken)
    {
        var sql = $"select count(*), sum(user_id), sum(amount) from {config.Table}";
        var (code, output, errors) = await FrazilProcess.RunAsync(folder, ["query", "-c", file, "--json", sql], cancellationToken);
        var exact = output.Contains(ledger.Records.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal)
            && (ledger.UserId == 0 || output.Contains(ledger.UserId.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal));
        if (code != 0 || !exact)
        {
            throw new InvalidOperationException($"the table does not hold what was produced ({ledger}): {output}{errors}");
        }
    }
}
