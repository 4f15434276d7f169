using Frazil.DuckDb;
using Frazil.Parquet;

namespace Frazil.Bench;

/// <summary>The same file read into columns by three readers, in turn, in one process, on one thread: rows per CPU-second. Each one's result is
/// whole columns in memory; DuckDB's are its vectors, dropped one after the other.</summary>
internal static class ParquetReaderBench
{
    private const int Rounds = 7;

    public static async Task RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var rows = (int)run.Records(250_000);
        var records = await StageBench.SampleAsync(RecordStream.Events, run.NewFolder("sample"), rows, cancellationToken);
        Func<ParquetSet>[] sets = [
            () => ParquetSet.Events(RecordStream.Events, records), () => ParquetSet.Wide(rows / 10), () => ParquetSet.Strings(rows),
            () => ParquetSet.Nested(rows)];
        using var duck = DuckDbInstance.Open(new Dictionary<string, string> { ["threads"] = "1" });
        using var connection = duck.Connect();
        foreach (var make in sets)
        {
            using var set = make();
            var path = Path.Combine(run.NewFolder("parquet"), "f.parquet");
            ParquetWriterBench.WritePlainly(set, path, ParquetEncodings.Basic);
            BenchRun.Say($"Parquet readers on {set.Name}, {set.Rows:N0} rows");
            (string Name, Func<long> Read)[] readers = [
                ("frazil", () => ReadOurs(path, cancellationToken)), ("duckdb", () => ReadDuckDb(connection, path)),
                ("parquetsharp", () => ReadParquetSharp(path))];
            var best = readers.ToDictionary(static reader => reader.Name, static _ => double.MaxValue);
            for (var round = 0; round < Rounds; round++)
            {
                foreach (var (name, read) in readers)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var meter = new Meter();
                    if (read() != set.Rows)
                    {
                        throw new InvalidOperationException($"{name} read other rows than were written.");
                    }
                    best[name] = Math.Min(best[name], meter.Stop().CpuSeconds);
                }
            }
            Add(run, set, best);
        }
    }

    private static void Add(BenchRun run, ParquetSet set, Dictionary<string, double> best)
    {
        foreach (var (name, cpu) in best)
        {
            run.Figures.Add($"parquet-read.{set.Name}.{name}.rows_per_cpu_second", set.Rows / cpu, "rows/CPU-s",
                $"{set.Rows:N0} rows of {set.Schema.Count} columns, best of {Rounds}");
        }
        foreach (var name in best.Keys.Skip(1))
        {
            run.Figures.AddRatio(
                $"parquet-read.{set.Name}.speed_over_{name}", $"parquet-read.{set.Name}.frazil.rows_per_cpu_second",
                $"parquet-read.{set.Name}.{name}.rows_per_cpu_second");
        }
    }

    private static long ReadOurs(string path, CancellationToken cancellationToken)
    {
        using var source = new ParquetFileSource(path);
        var rows = 0L;
        // A local file is read at once: there is nothing to wait for.
        var reader = Done(ParquetFileReader.OpenAsync(source, cancellationToken: cancellationToken));
        for (var group = 0; group < reader.RowGroups.Count; group++)
        {
            using var read = Done(reader.ReadAsync(group, cancellationToken: cancellationToken));
            rows += read.Count;
        }
        return rows;
    }

#pragma warning disable VSTHRD002 // what is asked for first has ended
    private static T Done<T>(ValueTask<T> task)
        => task.IsCompleted ? task.GetAwaiter().GetResult() : throw new InvalidOperationException("A local read was put off.");
#pragma warning restore VSTHRD002

    private static long ReadDuckDb(DuckDbConnection connection, string path)
    {
        var rows = 0L;
        using var result = connection.Query($"SELECT * FROM read_parquet({SqlText.Literal(path)})");
        while (result.NextChunk() is { } chunk)
        {
            rows += chunk.RowCount;
            chunk.Dispose();
        }
        return rows;
    }

    private static long ReadParquetSharp(string path)
    {
        var rows = 0L;
        using var reader = new ParquetSharp.Arrow.FileReader(path);
        using var batches = reader.GetRecordBatchReader();
        while (Done(batches.ReadNextRecordBatchAsync()) is { } batch)
        {
            rows += batch.Length;
            batch.Dispose();
        }
        return rows;
    }
}
