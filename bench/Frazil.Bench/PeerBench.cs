using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Frazil.Rig;
using Microsoft.Data.Sqlite;

namespace Frazil.Bench;

/// <summary>
/// The kit's Kafka Connect Iceberg sink and Frazil, one after the other, in the same shape: started and idle, then the generator produces,
/// and CPU counts until the table's current snapshot holds every record. The peer first gets a warm-up of its own.
/// </summary>
internal static class PeerBench
{
    private const int CommitSeconds = 10;

    public static async Task RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var count = run.Records(3_000_000);
        var bootstrap = (await run.BrokerAsync(cancellationToken)).Bootstrap;
        var peer = await MeasurePeerAsync(run, bootstrap, count, cancellationToken);
        var ours = await MeasureFrazilAsync(run, bootstrap, count, cancellationToken);
        Report(run, "peer.connect_sink", count, peer);
        Report(run, "peer.frazil", count, ours);
        run.Figures.AddRatio("peer.cpu_ratio", "peer.frazil.rows_per_cpu_second", "peer.connect_sink.rows_per_cpu_second");
        run.Figures.AddRatio("peer.speed_ratio", "peer.frazil.rows_per_second", "peer.connect_sink.rows_per_second");
        run.Figures.AddRatio("peer.memory_ratio", "peer.frazil.peak_memory", "peer.connect_sink.peak_memory");
    }

    private static void Report(BenchRun run, string name, long count, (double Cpu, double Seconds, long Peak) cost)
    {
        run.Figures.Add(
            $"{name}.rows_per_cpu_second", count / cost.Cpu, "rows/CPU-s",
            $"{count:N0} rows produced while it runs, {CommitSeconds} s commits, {cost.Cpu:F1} CPU-s");
        run.Figures.Add(
            $"{name}.rows_per_second", count / cost.Seconds, "rows/s",
            $"{cost.Seconds:F1} s from the first record produced to the last one committed");
        run.Figures.Add($"{name}.peak_memory", cost.Peak / 1048576.0, "MiB");
    }

    private static async Task<(double Cpu, double Seconds, long Peak)> MeasurePeerAsync(
        BenchRun run, string bootstrap, long count, CancellationToken cancellationToken)
    {
        var folder = run.NewFolder("sink");
        const string Topic = "peer-connect";
        BenchRun.Say("starting the Kafka Connect Iceberg sink");
        var warm = count / 5;
        await Kit.LoadAsync(bootstrap, Topic, warm, cancellationToken);
        var port = FrazilProcess.FreePort().ToString(CultureInfo.InvariantCulture);
        await Kit.RunAsync("connect-sink/start",
            ["--bootstrap", bootstrap, "--topic", Topic, "--table", "db.ev", "--dir", folder, "--commit-interval-ms", $"{CommitSeconds}000", "--tasks", "2", "--port", port],
            cancellationToken);
        try
        {
            await UntilCommittedAsync(Path.Combine(folder, "catalog.db"), warm, cancellationToken);
            var before = await StatusAsync(folder, cancellationToken);
            BenchRun.Say($"the peer takes {count:N0} records");
            var clock = Stopwatch.StartNew();
            await Kit.LoadAsync(bootstrap, Topic, count, cancellationToken, "--first", warm.ToString(CultureInfo.InvariantCulture));
            await UntilCommittedAsync(Path.Combine(folder, "catalog.db"), warm + count, cancellationToken);
            var seconds = clock.Elapsed.TotalSeconds;
            var after = await StatusAsync(folder, cancellationToken);
            return (after.Cpu - before.Cpu, seconds, after.Peak);
        }
        finally
        {
            await Kit.RunAsync("connect-sink/stop", ["--dir", folder, "--kill"], CancellationToken.None);
        }
    }

    private static async Task<(double Cpu, double Seconds, long Peak)> MeasureFrazilAsync(
        BenchRun run, string bootstrap, long count, CancellationToken cancellationToken)
    {
        var folder = run.NewFolder("frazil");
        const string Topic = "peer-frazil";
        var warm = count / 5;
        await Kit.LoadAsync(bootstrap, Topic, warm, cancellationToken);
        var config = new FrazilConfig
        {
            BootstrapServers = bootstrap,
            Topic = Topic,
            FlushIntervalSeconds = CommitSeconds,
            FlushSizeMb = 128,
        };
        await using var frazil = FrazilProcess.Start(folder, config.HttpPort, "run", "-c", config.Write(folder));
        await frazil.ReadyAsync(cancellationToken);
        var catalog = Path.Combine(folder, "catalog.db");
        await UntilCommittedAsync(catalog, warm, cancellationToken);
        var before = frazil.Cost;
        BenchRun.Say($"Frazil takes {count:N0} records");
        var clock = Stopwatch.StartNew();
        await Kit.LoadAsync(bootstrap, Topic, count, cancellationToken, "--first", warm.ToString(CultureInfo.InvariantCulture));
        await UntilCommittedAsync(catalog, warm + count, cancellationToken);
        var seconds = clock.Elapsed.TotalSeconds;
        var after = frazil.Cost;
        await frazil.StopAsync(cancellationToken);
        return (after.CpuSeconds - before.CpuSeconds, seconds, after.PeakBytes);
    }

    private static async Task<(double Cpu, long Peak)> StatusAsync(string folder, CancellationToken cancellationToken)
    {
        using var json = JsonDocument.Parse(await Kit.RunAsync("connect-sink/status", ["--dir", folder], cancellationToken));
        return (json.RootElement.GetProperty("cpu_seconds").GetDouble(), json.RootElement.GetProperty("peak_rss").GetInt64());
    }

    /// <summary>Polls the catalog's database and the metadata file it points to, so that neither system's own counters are
    /// believed.</summary>
    private static async Task UntilCommittedAsync(string catalog, long records, CancellationToken cancellationToken)
    {
        var (last, since) = (-1L, Stopwatch.StartNew());
        while (true)
        {
            var total = TotalRecords(catalog);
            if (total >= records)
            {
                return;
            }
            if (total != last)
            {
                (last, since) = (total, Stopwatch.StartNew());
            }
            if (since.Elapsed > TimeSpan.FromMinutes(3))
            {
                throw new TimeoutException($"{catalog}: {total:N0} of {records:N0} records, and none more for three minutes");
            }
            await Task.Delay(100, cancellationToken);
        }
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
