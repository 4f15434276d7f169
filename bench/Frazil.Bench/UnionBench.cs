using System.Diagnostics;
using System.Globalization;
using Frazil.Columnar.DuckDb;
using Frazil.Rig;

namespace Frazil.Bench;

/// <summary>SQL over hot and cold rows through the running server, against plain DuckDB over the same rows in one Parquet file.</summary>
internal static class UnionBench
{
    private static readonly (string Name, string Sql)[] Queries =
    [
        ("count", "select count(*) from {0}"),
        ("aggregate", "select event_type, count(*), sum(amount) from {0} where currency = 'EUR' group by event_type order by event_type"),
    ];

    public static async Task RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var count = run.Records(2_000_000);
        var (cold, hot) = (count * 9 / 10, count / 10);
        var bootstrap = (await run.BrokerAsync(cancellationToken)).Bootstrap;
        var folder = run.NewFolder("union");
        await Kit.LoadAsync(bootstrap, "union", cold, cancellationToken);
        await FreezeAsync(folder, bootstrap, cold, cancellationToken);

        // Now nothing is flushed any more, and the rest stays hot.
        var config = Config(bootstrap, flushSeconds: 3_600);
        await using (var frazil = FrazilProcess.Start(folder, config.HttpPort, "run", "-c", config.Write(folder)))
        {
            await frazil.ReadyAsync(cancellationToken);
            await Kit.LoadAsync(bootstrap, "union", hot, cancellationToken, "--first", cold.ToString(CultureInfo.InvariantCulture));
            await IngestBench.SeenAsync(frazil, hot, cancellationToken);
            BenchRun.Say($"querying {cold:N0} cold and {hot:N0} hot rows");
            await MeasureUnionAsync(run, frazil, config.Table, cold, hot, cancellationToken);
            await frazil.StopAsync(cancellationToken);
        }
        MeasurePlain(run, folder, cold + hot, cancellationToken);
        foreach (var (name, _) in Queries)
        {
            run.Figures.AddRatio($"query.{name}.ratio", $"query.{name}.union", $"query.{name}.plain");
        }
    }

    private static FrazilConfig Config(string bootstrap, double flushSeconds) => new()
    {
        BootstrapServers = bootstrap,
        Topic = "union",
        FlushIntervalSeconds = flushSeconds,
        FlushSizeMb = 512,
        MaxMemoryMb = 2048,
    };

    private static async Task FreezeAsync(string folder, string bootstrap, long cold, CancellationToken cancellationToken)
    {
        var config = Config(bootstrap, flushSeconds: 5);
        await using var frazil = FrazilProcess.Start(folder, config.HttpPort, "run", "-c", config.Write(folder));
        await frazil.ReadyAsync(cancellationToken);
        await IngestBench.SeenAsync(frazil, cold, cancellationToken);
        await frazil.StopAsync(cancellationToken);
    }

    private static async Task MeasureUnionAsync(BenchRun run, FrazilProcess frazil, string table, long cold, long hot, CancellationToken cancellationToken)
    {
        foreach (var (name, sql) in Queries)
        {
            var (server, client) = (new List<double>(), new List<double>());
            for (var round = 0; round < 25; round++)
            {
                var clock = Stopwatch.GetTimestamp();
                var answer = await frazil.SqlAsync(string.Format(CultureInfo.InvariantCulture, sql, table), cancellationToken);
                client.Add(Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
                server.Add(answer.ElapsedMs);
                if (answer.HotRows != hot || (name == "count" && answer.Long(0, 0) != cold + hot))
                {
                    throw new InvalidOperationException($"expected {cold} cold and {hot} hot rows; got {answer.Json}");
                }
            }
            run.Figures.Add($"query.{name}.union", Median(server), "ms", $"{cold:N0} cold + {hot:N0} hot rows, as the server says; {Median(client):F2} ms at the HTTP client");
        }
    }

    private static void MeasurePlain(BenchRun run, string folder, long rows, CancellationToken cancellationToken)
    {
        using var duckdb = DuckDbInstance.Open(new Dictionary<string, string>());
        using var connection = duckdb.Connect();
        var files = Directory.EnumerateFiles(folder, "*.parquet", SearchOption.AllDirectories).Where(file => !file.Contains("_dlq", StringComparison.Ordinal));
        var copy = Path.Combine(folder, "copy.parquet");
        var list = string.Join(", ", files.Select(file => $"'{file}'"));
        connection.Execute($"COPY (SELECT * FROM read_parquet([{list}])) TO '{copy}' (FORMAT parquet, COMPRESSION zstd)", cancellationToken);
        foreach (var (name, sql) in Queries)
        {
            var times = new List<double>();
            for (var round = 0; round < 25; round++)
            {
                var clock = Stopwatch.GetTimestamp();
                var result = Read(connection, string.Format(CultureInfo.InvariantCulture, sql, $"read_parquet('{copy}')"), cancellationToken);
                times.Add(Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
                if (name == "count" && Convert.ToInt64(result[0][0], CultureInfo.InvariantCulture) != rows)
                {
                    throw new InvalidOperationException($"the copy holds {result[0][0]} rows, not {rows}");
                }
            }
            run.Figures.Add($"query.{name}.plain", Median(times), "ms", $"{rows:N0} rows in one Parquet file, in process");
        }
    }

    private static List<object?[]> Read(DuckDbConnection connection, string sql, CancellationToken cancellationToken)
    {
        var rows = new List<object?[]>();
        using var result = connection.Query(sql, cancellationToken);
        while (result.NextChunk() is { } chunk)
        {
            using (chunk)
            {
                chunk.ReadRows(rows);
            }
        }
        return rows;
    }

    private static double Median(List<double> values) => values.Skip(5).Order().ElementAt((values.Count - 5) / 2);
}
