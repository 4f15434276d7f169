using System.Diagnostics;
using System.Globalization;
using Frazil.Rig;

namespace Frazil.Bench;

/// <summary>
/// A <c>kill -9</c> with some 100 MB of rows in memory that no file holds, and one with the same rows in files that no snapshot holds: how
/// long until the restarted process has its first record from Kafka, and until SQL sees every row again.
/// </summary>
internal static class RecoveryBench
{
    public static async Task RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var count = run.Records(350_000); // 290 B each
        var topic = await run.TopicAsync(RecordStream.Events, count, cancellationToken);
        await MeasureAsync(run, topic, "unflushed", new Dictionary<string, string>(), count, cancellationToken);
        await MeasureAsync(
            run, topic, "uncommitted", new Dictionary<string, string> { ["FRAZIL_FAULTS"] = "commit.begin=kill" }, count,
            cancellationToken);
    }

    private static async Task MeasureAsync(
        BenchRun run, Topic topic, string state, IReadOnlyDictionary<string, string> faults, long count,
        CancellationToken cancellationToken)
    {
        var folder = run.NewFolder($"recovery-{state}");
        var config = new FrazilConfig
        {
            BootstrapServers = topic.Bootstrap,
            Topic = topic.Name,
            GroupId = $"recovery-{state}",
            FlushIntervalSeconds = 3_600,
            FlushSizeMb = 1_024,
            MaxMemoryMb = 2_048,
        };
        var file = config.Write(folder);
        BenchRun.Say($"killing frazil with {count:N0} rows {state}");
        await using (var first = FrazilProcess.Start(folder, config.HttpPort, faults, "run", "-c", file))
        {
            await first.ReadyAsync(cancellationToken);
            await IngestBench.SeenAsync(first, count, cancellationToken);
            if (faults.Count == 0)
            {
                await first.KillAsync(cancellationToken);
            }
            else
            {
                await first.StopAsync(cancellationToken); // its last flush meets the fault
            }
        }

        var clock = Stopwatch.StartNew();
        await using var second = FrazilProcess.Start(folder, config.HttpPort, "run", "-c", file);
        await second.ReadyAsync(cancellationToken);
        var ready = clock.Elapsed;
        var fetched = faults.Count == 0
            ? await UntilAsync(
                second, clock, async () => await second.MetricAsync("frazil_records_total", cancellationToken) > 0, cancellationToken)
            : ready;
        var whole = await UntilAsync(
            second, clock, async () => await second.CountAsync($"select count(*) from {config.Table}", cancellationToken) == count,
            cancellationToken);
        var detail = string.Create(CultureInfo.InvariantCulture,
            $"{count:N0} rows; from the start of the process; it serves after {ready.TotalSeconds:F2} s, SQL sees every row again after {whole.TotalSeconds:F2} s");
        run.Figures.Add(
            $"recovery.{state}.{(faults.Count == 0 ? "first_record" : "every_row")}", (faults.Count == 0 ? fetched : whole).TotalSeconds,
            "s", detail);
        await second.StopAsync(cancellationToken);
    }

    private static async Task<TimeSpan> UntilAsync(
        FrazilProcess frazil, Stopwatch clock, Func<Task<bool>> condition, CancellationToken cancellationToken)
    {
        await frazil.UntilAsync(condition, TimeSpan.FromMilliseconds(5), cancellationToken);
        return clock.Elapsed;
    }
}
