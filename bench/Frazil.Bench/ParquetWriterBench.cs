using Frazil.Flush;
using Frazil.Iceberg.IO;
using Frazil.Parquet;

namespace Frazil.Bench;

/// <summary>The same columns to durable zstd files through four writers, in turn, in one process: rows per CPU-second and bytes a row. Ours
/// and DuckDB's include what a manifest needs (statistics, SHA-256); the libraries' do not.</summary>
internal static class ParquetWriterBench
{
    private const int Rounds = 7;

    private static readonly ParquetBuffers Buffers = new();

    private delegate Task WriteAsync(ParquetSet set, string path);

    public static async Task RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var rows = (int)run.Records(250_000);
        var records = await StageBench.SampleAsync(RecordStream.Events, run.NewFolder("sample"), rows, cancellationToken);
        Func<ParquetSet>[] sets = [
            () => ParquetSet.Events(RecordStream.Events, records), () => ParquetSet.Wide(rows / 10), () => ParquetSet.Strings(rows),
            () => ParquetSet.Nested(rows)];
        await using var ours = new ParquetDataFileWriter();
        await using var duck = new DuckDbDataFileWriter();
        foreach (var make in sets)
        {
            using var set = make();
            var arrow = ParquetPeers.ToArrow(set);
            BenchRun.Say($"Parquet writers on {set.Name}, {set.Rows:N0} rows");
            var writers = new List<(string Name, WriteAsync Write)>
            {
                ("frazil", (data, path) => WriteWithAsync(ours, data, path)),
                ("delta", (data, path) => Task.Run(() => WritePlainly(data, path, ParquetEncodings.Delta), cancellationToken)),
                ("duckdb", (data, path) => WriteWithAsync(duck, data, path)),
                ("parquetsharp", (_, path) => Task.Run(() => ParquetPeers.WriteParquetSharp(arrow, path))),
            };
            if (ParquetPeers.CanWriteParquetNet(set))
            {
                writers.Add(("parquet.net", ParquetPeers.WriteParquetNetAsync));
            }
            await MeasureAsync(run, set, writers, cancellationToken);
            arrow.Dispose();
        }
    }

    private static async Task MeasureAsync(
        BenchRun run, ParquetSet set, List<(string Name, WriteAsync Write)> writers, CancellationToken cancellationToken)
    {
        var folder = run.NewFolder("parquet");
        var best = writers.ToDictionary(static writer => writer.Name, static _ => (Cpu: double.MaxValue, Seconds: 0.0, Bytes: 0L));
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var (name, write) in writers)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var path = Path.Combine(folder, $"{name}-{round}.parquet");
                var meter = new Meter();
                await write(set, path);
                var (cpu, seconds) = meter.Stop();
                best[name] = cpu < best[name].Cpu ? (cpu, seconds, new FileInfo(path).Length) : best[name];
                File.Delete(path);
            }
        }
        foreach (var (name, (cpu, seconds, bytes)) in best)
        {
            run.Figures.Add($"parquet.{set.Name}.{name}.rows_per_cpu_second", set.Rows / cpu, "rows/CPU-s",
                $"{set.Rows:N0} rows of {set.Schema.Count} columns, best of {Rounds}, {set.Rows / seconds:N0} rows/s");
            run.Figures.Add($"parquet.{set.Name}.{name}.bytes_per_row", (double)bytes / set.Rows, "B");
        }
        foreach (var (name, _) in writers.Skip(1))
        {
            run.Figures.AddRatio(
                $"parquet.{set.Name}.speed_over_{name}", $"parquet.{set.Name}.frazil.rows_per_cpu_second",
                $"parquet.{set.Name}.{name}.rows_per_cpu_second");
            run.Figures.AddRatio(
                $"parquet.{set.Name}.size_over_{name}", $"parquet.{set.Name}.frazil.bytes_per_row",
                $"parquet.{set.Name}.{name}.bytes_per_row");
        }
    }

    /// <summary>Our own writer with other encodings than the engine's.</summary>
    public static void WritePlainly(ParquetSet set, string path, ParquetEncodings encodings)
    {
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
        using var writer = new ParquetFileWriter(
            file, set.Schema, Buffers, new() { Encodings = encodings, RowGroupRows = 122_880, RowGroupBytes = 64L << 20 });
        writer.Write([set.ToSlice()]);
        writer.Finish();
        file.Flush(flushToDisk: true);
    }

    private static Task WriteWithAsync(DataFileWriter writer, ParquetSet set, string path)
        => writer.WriteAsync(new DataFileRequest { Store = new LocalFileIO(), Location = path, Schema = set.Schema, Slices = [set.ToSlice()] });
}
