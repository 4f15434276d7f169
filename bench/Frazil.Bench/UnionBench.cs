using System.Diagnostics;
using System.Globalization;
using Frazil.DuckDb;
using Frazil.Rig;

namespace Frazil.Bench;

/// <summary>SQL over hot and cold rows through the running server, against plain DuckDB over the same rows in one Parquet file.</summary>
internal static class UnionBench
{
    private const int WarmUp = 15;
    private const int Rounds = 80;

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
            await MeasureAsync(run, frazil, folder, (cold, hot), cancellationToken);
            await frazil.StopAsync(cancellationToken);
        }
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

    /// <summary>Both sides take turns, query by query, so that whatever else the machine does meets both alike.</summary>
    private static async Task MeasureAsync(
        BenchRun run, FrazilProcess frazil, string folder, (long Cold, long Hot) rows, CancellationToken cancellationToken)
    {
        using var duckdb = DuckDbInstance.Open(new Dictionary<string, string>());
        using var connection = duckdb.Connect();
        var copy = CopyToOneFile(connection, folder, rows.Hot, cancellationToken);
        foreach (var (name, sql) in Queries)
        {
            var (server, client, plain) = (new List<double>(), new List<double>(), new List<double>());
            for (var round = 0; round < WarmUp + Rounds; round++)
            {
                var clock = Stopwatch.GetTimestamp();
                var answer = await frazil.SqlAsync(string.Format(CultureInfo.InvariantCulture, sql, "shop.user_events"), cancellationToken);
                client.Add(Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
                server.Add(answer.ElapsedMs);
                clock = Stopwatch.GetTimestamp();
                var same = Read(connection, string.Format(CultureInfo.InvariantCulture, sql, $"read_parquet('{copy}')"), cancellationToken);
                plain.Add(Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
                if (answer.HotRows != rows.Hot || (name == "count" && (answer.Long(0, 0) != rows.Cold + rows.Hot || Convert.ToInt64(same[0][0], CultureInfo.InvariantCulture) != rows.Cold + rows.Hot)))
                {
                    throw new InvalidOperationException(
                        $"expected {rows.Cold} cold and {rows.Hot} hot rows; got {answer.Json}, and {same[0][0]} from the copy");
                }
            }
            run.Figures.Add(
                $"query.{name}.union", Median(server), "ms",
                $"{rows.Cold:N0} cold + {rows.Hot:N0} hot rows, as the server says; {Median(client):F2} ms at the HTTP client");
            run.Figures.Add(
                $"query.{name}.plain", Median(plain), "ms",
                $"{rows.Cold + rows.Hot:N0} rows in one Parquet file, in process, taking turns with the server");
        }
    }

    /// <summary>As many rows as the union has, of the same stream: the cold ones, and some of them again in place of the hot ones, which
    /// are in no file.</summary>
    private static string CopyToOneFile(DuckDbConnection connection, string folder, long hot, CancellationToken cancellationToken)
    {
        var files = Directory.EnumerateFiles(folder, "*.parquet", SearchOption.AllDirectories)
            .Where(file => !file.Contains("_dlq", StringComparison.Ordinal));
        var list = string.Join(", ", files.Select(file => $"'{file}'"));
        var copy = Path.Combine(folder, "copy.parquet");
        connection.Execute(
            $"COPY (SELECT * FROM read_parquet([{list}]) UNION ALL (SELECT * FROM read_parquet([{list}]) LIMIT {hot})) TO '{copy}' (FORMAT parquet, COMPRESSION zstd)",
            cancellationToken);
        return copy;
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

    private static double Median(List<double> values) => values.Skip(WarmUp).Order().ElementAt((values.Count - WarmUp) / 2);
}
