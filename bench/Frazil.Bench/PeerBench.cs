using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Frazil.Rig;
using Microsoft.Data.Sqlite;

namespace Frazil.Bench;

/// <summary>
/// The kit's Kafka Connect Iceberg sink and Frazil, one after the other, over the same topic that is full before they start. Rows and CPU are
/// taken from one window between two commits, after a warm-up, so that neither start-up nor the wait for a last commit counts.
/// </summary>
internal static class PeerBench
{
    private const int CommitSeconds = 10;
    private const double WarmUpSeconds = 20;
    private const double WindowSeconds = 45;
    private const string Topic = "peer";

    /// <summary>What was seen right after a commit.</summary>
    private readonly record struct Commit(double Seconds, long Rows, double Cpu, long Peak);

    private delegate Task<(double Cpu, long Peak)> CostAsync(CancellationToken cancellationToken);

    public static async Task RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var count = run.Records(20_000_000);
        var bootstrap = (await run.BrokerAsync(cancellationToken)).Bootstrap;
        BenchRun.Say($"producing {count:N0} records for both");
        await Kit.LoadAsync(bootstrap, Topic, count, cancellationToken);
        Report(run, "peer.connect_sink", await MeasurePeerAsync(run, bootstrap, count, cancellationToken));
        Report(run, "peer.frazil", await MeasureFrazilAsync(run, bootstrap, count, cancellationToken));
        run.Figures.AddRatio("peer.cpu_ratio", "peer.frazil.rows_per_cpu_second", "peer.connect_sink.rows_per_cpu_second");
        run.Figures.AddRatio("peer.speed_ratio", "peer.frazil.rows_per_second", "peer.connect_sink.rows_per_second");
        run.Figures.AddRatio("peer.memory_ratio", "peer.frazil.peak_memory", "peer.connect_sink.peak_memory");
    }

    private static void Report(BenchRun run, string name, IReadOnlyList<Commit> commits)
    {
        var (from, to) = WindowOf(commits);
        var (rows, seconds, cpu) = (to.Rows - from.Rows, to.Seconds - from.Seconds, to.Cpu - from.Cpu);
        if (seconds < WindowSeconds || from.Seconds - commits[0].Seconds < WarmUpSeconds)
        {
            BenchRun.Say($"{name}: the records ended too early for a window of {WindowSeconds} s after {WarmUpSeconds} s; take more (--records)");
        }
        var window = $"{rows:N0} rows between two commits {seconds:F1} s apart, {from.Seconds - commits[0].Seconds:F1} s after the first one; {CommitSeconds} s commits, topic filled before";
        run.Figures.Add($"{name}.rows_per_cpu_second", rows / cpu, "rows/CPU-s", $"{cpu:F1} CPU-s; {window}");
        run.Figures.Add($"{name}.rows_per_second", rows / seconds, "rows/s", window);
        run.Figures.Add($"{name}.peak_memory", commits[^1].Peak / 1048576.0, "MiB");
    }

    /// <summary>The first commit after the warm-up, and the first one long enough behind it; where the records ended before, the widest
    /// that there is.</summary>
    private static (Commit From, Commit To) WindowOf(IReadOnlyList<Commit> commits)
    {
        if (commits.Count < 2)
        {
            throw new InvalidOperationException("Fewer than two commits were seen: there is no window between them. Take more records.");
        }
        var from = commits.Take(commits.Count - 1).Select((commit, index) => (commit, index))
            .FirstOrDefault(one => one.commit.Seconds - commits[0].Seconds >= WarmUpSeconds).index;
        var end = Enumerable.Range(from + 1, commits.Count - from - 1)
            .FirstOrDefault(index => commits[index].Seconds - commits[from].Seconds >= WindowSeconds, commits.Count - 1);
        return (commits[from], commits[end]);
    }

    private static async Task<IReadOnlyList<Commit>> MeasurePeerAsync(
        BenchRun run, string bootstrap, long count, CancellationToken cancellationToken)
    {
        var folder = run.NewFolder("sink");
        BenchRun.Say("starting the Kafka Connect Iceberg sink");
        var port = FrazilProcess.FreePort().ToString(CultureInfo.InvariantCulture);
        await Kit.RunAsync("connect-sink/start",
            ["--bootstrap", bootstrap, "--topic", Topic, "--table", "db.ev", "--dir", folder, "--commit-interval-ms", $"{CommitSeconds}000", "--tasks", "2", "--port", port],
            cancellationToken);
        try
        {
            return await WatchAsync(Path.Combine(folder, "catalog.db"), count, token => StatusAsync(folder, token), cancellationToken);
        }
        finally
        {
            await Kit.RunAsync("connect-sink/stop", ["--dir", folder, "--kill"], CancellationToken.None);
        }
    }

    private static async Task<IReadOnlyList<Commit>> MeasureFrazilAsync(
        BenchRun run, string bootstrap, long count, CancellationToken cancellationToken)
    {
        var folder = run.NewFolder("frazil");
        BenchRun.Say("starting Frazil on the same topic");
        var config = new FrazilConfig
        {
            BootstrapServers = bootstrap,
            Topic = Topic,
            FlushIntervalSeconds = CommitSeconds,
            FlushSizeMb = 128,
        };
        await using var frazil = FrazilProcess.Start(folder, config.HttpPort, "run", "-c", config.Write(folder));
        await frazil.ReadyAsync(cancellationToken);
        var commits = await WatchAsync(
            Path.Combine(folder, "catalog.db"), count,
            _ => Task.FromResult((frazil.Cost.CpuSeconds, frazil.Cost.PeakBytes)), cancellationToken);
        await frazil.StopAsync(cancellationToken);
        return commits;
    }

    /// <summary>Polls the catalog's database and the metadata file it points to, so that neither system's own counters are believed, until
    /// the window is over or every record is committed.</summary>
    private static async Task<IReadOnlyList<Commit>> WatchAsync(
        string catalog, long count, CostAsync costAsync, CancellationToken cancellationToken)
    {
        var (commits, clock, quiet) = (new List<Commit>(), Stopwatch.StartNew(), Stopwatch.StartNew());
        while (commits.Count == 0 || (commits[^1].Rows < count && commits[^1].Seconds - commits[0].Seconds < WarmUpSeconds + WindowSeconds + 2 * CommitSeconds))
        {
            var total = TotalRecords(catalog);
            if (total > (commits.Count == 0 ? 0 : commits[^1].Rows))
            {
                var seconds = clock.Elapsed.TotalSeconds;
                var (cpu, peak) = await costAsync(cancellationToken);
                commits.Add(new(seconds, total, cpu, peak));
                quiet.Restart();
            }
            if (quiet.Elapsed > TimeSpan.FromMinutes(3))
            {
                throw new TimeoutException($"{catalog}: {total:N0} of {count:N0} records, and none more for three minutes");
            }
            await Task.Delay(50, cancellationToken);
        }
        return commits;
    }

    private static async Task<(double Cpu, long Peak)> StatusAsync(string folder, CancellationToken cancellationToken)
    {
        using var json = JsonDocument.Parse(await Kit.RunAsync("connect-sink/status", ["--dir", folder], cancellationToken));
        return (json.RootElement.GetProperty("cpu_seconds").GetDouble(), json.RootElement.GetProperty("peak_rss").GetInt64());
    }

    private static long TotalRecords(string catalog)
    {
        if (!File.Exists(catalog))
        {
            return 0;
        }
        using var connection = new SqliteConnection($"Data Source={catalog};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "select metadata_location from iceberg_tables where table_name not like '%dlq' limit 1";
        try
        {
            if (command.ExecuteScalar() is not string location)
            {
                return 0;
            }
            using var metadata = JsonDocument.Parse(File.ReadAllBytes(LocalPath(location)));
            return CurrentTotal(metadata.RootElement);
        }
        catch (SqliteException)
        {
            return 0; // its tables are not made yet, or it is being written
        }
    }

    /// <summary>file:/a, file:///a and even file:////a all mean /a.</summary>
    private static string LocalPath(string location)
        => location.StartsWith("file:", StringComparison.Ordinal) ? "/" + location["file:".Length..].TrimStart('/') : location;

    private static long CurrentTotal(JsonElement metadata)
    {
        if (!metadata.TryGetProperty("current-snapshot-id", out var current) || current.ValueKind != JsonValueKind.Number
            || current.GetInt64() < 0)
        {
            return 0;
        }
        var snapshot = metadata.GetProperty("snapshots").EnumerateArray()
            .First(snapshot => snapshot.GetProperty("snapshot-id").GetInt64() == current.GetInt64());
        return long.Parse(snapshot.GetProperty("summary").GetProperty("total-records").GetString()!, CultureInfo.InvariantCulture);
    }
}
