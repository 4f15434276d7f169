using System.Globalization;
using Frazil.Columnar;
using Frazil.Config;
using Frazil.DuckDb;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Iceberg.Metrics;
using Frazil.Maintain;

namespace Frazil.Bench;

/// <summary>Files of about 1 MB packed into large ones: <c>maintain compact</c>, planning and commit included, against DuckDB's COPY of the
/// same files into one, with as many threads and half a gigabyte. Peak memory is what the process had at most above what it began with.</summary>
internal static class CompactionBench
{
    private const int RowsPerFile = 20_000;
    private const int SampleRows = 200_000;
    private const double Mb = 1 << 20;

    private static readonly TableIdentifier Table = TableIdentifier.Parse("shop.small");

    public static async Task RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var files = (int)Math.Max(2, run.Records(4_000_000) / RowsPerFile);
        var folder = run.NewFolder("compact");
        var options = new FrazilOptions
        {
            DataDir = folder,
            Catalog = new() { Uri = $"sqlite:{folder}/catalog.db", Warehouse = $"{folder}/warehouse" },
        };
        var sample = await StageBench.SampleAsync(RecordStream.Events, run.NewFolder("sample"), SampleRows, cancellationToken);
        using var set = ParquetSet.Events(RecordStream.Events, sample);
        var paths = await WriteAsync(options, set, files, cancellationToken);
        var megabytes = paths.Sum(static path => new FileInfo(path).Length) / Mb;
        BenchRun.Say($"compaction of {files:N0} files, {megabytes:N0} MB");

        await MeasureAsync(run, "duckdb", megabytes, files, () => Task.Run(() => Copy(paths, Path.Combine(folder, "copy.parquet")), cancellationToken));
        await MeasureAsync(run, "frazil", megabytes, files, async () =>
        {
            var report = await TableMaintenance.RunAsync(options, new(MaintenanceJob.Compact, Table.ToString()), cancellationToken: cancellationToken);
            if (report.Compaction?.FilesIn != files)
            {
                throw new InvalidOperationException($"{report.Compaction?.FilesIn} files were compacted of {files}.");
            }
        });
        run.Figures.AddRatio("compact.speed_over_duckdb", "compact.frazil.mb_per_second", "compact.duckdb.mb_per_second");
        run.Figures.AddRatio("compact.cpu_speed_over_duckdb", "compact.frazil.mb_per_cpu_second", "compact.duckdb.mb_per_cpu_second");
    }

    private static async Task MeasureAsync(BenchRun run, string name, double megabytes, int files, Func<Task> work)
    {
        GC.Collect();
        await File.WriteAllTextAsync("/proc/self/clear_refs", "5");
        var before = StatusKb("VmRSS");
        var meter = new Meter();
        await work();
        var (cpu, seconds) = meter.Stop();
        var detail = $"{files:N0} files, {megabytes:N0} MB of zstd Parquet";
        run.Figures.Add($"compact.{name}.mb_per_second", megabytes / seconds, "MB/s", detail);
        run.Figures.Add($"compact.{name}.mb_per_cpu_second", megabytes / cpu, "MB/CPU-s", detail);
        run.Figures.Add($"compact.{name}.peak_mb", (StatusKb("VmHWM") - before) / 1024.0, "MB", detail);
    }

    private static long StatusKb(string key)
        => long.Parse(
            File.ReadLines("/proc/self/status").First(line => line.StartsWith(key, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture);

    private static void Copy(List<string> paths, string target)
    {
        var threads = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture);
        using var duck = DuckDbInstance.Open(new Dictionary<string, string> { ["threads"] = threads, ["memory_limit"] = "512MiB" });
        using var connection = duck.Connect();
        connection.Execute(
            $"COPY (SELECT * FROM read_parquet([{string.Join(", ", paths.Select(SqlText.Literal))}])) TO {SqlText.Literal(target)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)");
    }

    /// <summary>A table of small files, each a piece of the sample.</summary>
    private static async Task<List<string>> WriteAsync(FrazilOptions options, ParquetSet set, int files, CancellationToken cancellationToken)
    {
        var store = new LocalFileIO();
        await using var catalog = await SqlCatalog.OpenAsync(options.Catalog.Uri, options.Catalog.Warehouse, store, cancellationToken: cancellationToken);
        await catalog.CreateNamespaceAsync(Table.Namespace, null, cancellationToken);
        var fields = set.Schema.Select(static field => new NestedField(field.FieldId, field.Name, !field.Nullable, ColumnSchemas.ToIceberg(field.Type)));
        var table = await catalog.CreateTableAsync(Table, new Schema(0, [.. fields]), cancellationToken: cancellationToken);
        var columns = ColumnSchemas.FromIceberg(table.Metadata.CurrentSchema.Fields);
        var (whole, metrics, append) = (set.ToSlice(), new MetricsConfig(table.Metadata), new AppendFiles(new ManifestCache(store), TimeProvider.System));
        await using var writer = new ParquetDataFileWriter();
        var paths = new List<string>();
        for (var number = 0; number < files; number++)
        {
            var start = (long)number * RowsPerFile % (set.Rows - RowsPerFile + 1);
            var location = $"{table.Metadata.DataLocation}/{number:00000}.parquet";
            var slice = new BatchSlice { Schema = columns, Columns = whole.Columns, Start = start, Count = RowsPerFile };
            var written = await writer.WriteAsync(new() { Store = store, Location = location, Schema = columns, Slices = [slice] }, cancellationToken);
            append.Add(DataFileMetrics.ToDataFile(written, location, 0, PartitionTuple.Empty, table.Metadata.CurrentSchema, metrics));
            paths.Add(store.LocalPathFor(location)!);
        }
        await new Iceberg.Table(catalog, Table).CommitAsync(append, cancellationToken);
        return paths;
    }
}
