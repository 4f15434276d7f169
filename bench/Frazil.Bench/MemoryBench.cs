using Frazil.Rig;

namespace Frazil.Bench;

/// <summary>Peak memory of the process against <c>max_memory_mb</c> while a long backlog comes in as fast as it can.</summary>
internal static class MemoryBench
{
    private const int LimitMb = 512;

    public static async Task RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var count = run.Records(10_000_000);
        var topic = await run.TopicAsync(RecordStream.Events, count, cancellationToken);
        var folder = run.NewFolder("memory");
        var config = new FrazilConfig
        {
            BootstrapServers = topic.Bootstrap,
            Topic = topic.Name,
            FlushIntervalSeconds = 60,
            FlushSizeMb = 100,
            MaxMemoryMb = LimitMb,
        };
        BenchRun.Say($"backfilling {count:N0} records with max_memory_mb = {LimitMb}");
        await using var frazil = FrazilProcess.Start(folder, config.HttpPort, "run", "-c", config.Write(folder));
        await frazil.ReadyAsync(cancellationToken);
        await IngestBench.SeenAsync(frazil, count, cancellationToken);
        var (code, cost) = await IngestBench.StopAsync(frazil, cancellationToken);
        if (code != 0)
        {
            throw new InvalidOperationException($"frazil run ended with {code}: {frazil.Text}");
        }
        run.Figures.Add(
            new Figure(
                "memory.backfill.peak", cost.PeakBytes / 1048576.0, "MiB", null,
                $"{count:N0} rows; max_memory_mb = {LimitMb}, flush_size_mb = 100"));
        run.Figures.Add(new Figure("memory.backfill.ratio", cost.PeakBytes / 1048576.0 / LimitMb, "ratio", "max_memory_mb"));
    }
}
