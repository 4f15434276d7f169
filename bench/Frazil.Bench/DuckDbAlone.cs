using System.Globalization;
using Frazil.DuckDb;

namespace Frazil.Bench;

/// <summary>The same records by DuckDB alone, one thread: read_json of an NDJSON file, COPY to zstd Parquet. It has no broker to talk to,
/// no commits to make and the whole input at hand: a hard yardstick for rows per CPU-second.</summary>
internal static class DuckDbAlone
{
    public static async Task RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        foreach (var stream in new[] { RecordStream.Events, RecordStream.WideEvents })
        {
            var count = Math.Min(run.Records(1_000_000), 1_000_000);
            var folder = run.NewFolder("duckdb");
            var input = Path.Combine(folder, "records.ndjson");
            BenchRun.Say($"writing {count:N0} records of the {stream.Name} stream as NDJSON");
            await stream.WriteAsync(input, count, cancellationToken);
            Measure(run, stream, count, input, Path.Combine(folder, "records.parquet"), cancellationToken);
            var name = $"duckdb.{stream.Name}.rows_per_cpu_second";
            run.Figures.AddRatio($"ingest.{stream.Name}.against_duckdb", $"ingest.{stream.Name}.rows_per_cpu_second", name,
                "Kafka, exactly once and SQL included, against none of them");
        }
    }

    private static void Measure(
        BenchRun run, RecordStream stream, long count, string input, string output, CancellationToken cancellationToken)
    {
        using var duckdb = DuckDbInstance.Open(new Dictionary<string, string> { ["threads"] = "1" });
        using var connection = duckdb.Connect();
        var best = (Cpu: double.MaxValue, Seconds: 0.0);
        for (var round = 0; round < 3; round++)
        {
            var meter = new Meter();
            var source = $"read_json('{input}', format = 'newline_delimited', columns = {{{stream.DuckDbColumns}}})";
            connection.Execute($"COPY (SELECT * FROM {source}) TO '{output}' (FORMAT parquet, COMPRESSION zstd)", cancellationToken);
            var (cpu, seconds) = meter.Stop();
            best = cpu < best.Cpu ? (cpu, seconds) : best;
        }
        using var counted = connection.Query($"SELECT count(*) FROM read_parquet('{output}')", cancellationToken);
        var rows = new List<object?[]>();
        while (counted.NextChunk() is { } chunk)
        {
            using (chunk)
            {
                chunk.ReadRows(rows);
            }
        }
        if (Convert.ToInt64(rows[0][0], CultureInfo.InvariantCulture) != count)
        {
            throw new InvalidOperationException($"DuckDB wrote {rows[0][0]} rows, not {count}");
        }
        run.Figures.Add($"duckdb.{stream.Name}.rows_per_cpu_second", count / best.Cpu, "rows/CPU-s",
            $"read_json of the table's columns to COPY zstd, one thread, {count:N0} rows, best of 3, {best.Seconds:F2} s, DuckDB {DuckDbInstance.LibraryVersion}");
    }
}
