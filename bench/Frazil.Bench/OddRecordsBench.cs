using System.Globalization;
using System.Text;
using Frazil.Columnar;
using Frazil.Formats.Json;
using Frazil.Iceberg.IO;
using Frazil.DuckDb;
using Frazil.Flush;

namespace Frazil.Bench;

/// <summary>Wide and odd records from JSON to a durable zstd file, by our decoder and writer and by DuckDB's <c>read_json</c> → <c>COPY</c>, one
/// thread each, taking turns. Kafka is left out on both sides.</summary>
internal static class OddRecordsBench
{
    private const int Rounds = 5;

    private static readonly ColumnField[] KafkaColumns = [
        new("kafka_partition", ColumnType.Int32, 9001), new("kafka_offset", ColumnType.Int64, 9002),
        new("kafka_timestamp", ColumnType.TimestampTz, 9003)];

    /// <param name="Name">Of the figure.</param>
    /// <param name="Fields">Columns of the record.</param>
    /// <param name="DuckDb">The same for <c>read_json</c>.</param>
    /// <param name="Share">Records, as a share of the usual number.</param>
    /// <param name="Write">One record.</param>
    private sealed record Shape(string Name, ColumnField[] Fields, string DuckDb, double Share, Func<Random, string> Write);

    public static async Task RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        await using var writer = new ParquetDataFileWriter();
        using var duck = DuckDbInstance.Open(new Dictionary<string, string> { ["threads"] = "1" });
        using var connection = duck.Connect();
        foreach (var shape in Shapes())
        {
            var random = new Random(5);
            var records = Enumerable.Range(0, (int)(run.Records(200_000) * shape.Share)).Select(_ => Encoding.UTF8.GetBytes(shape.Write(random))).ToArray();
            var folder = run.NewFolder("odd");
            var input = Path.Combine(folder, "records.ndjson");
            await File.WriteAllLinesAsync(input, records.Select(Encoding.UTF8.GetString), cancellationToken);
            BenchRun.Say($"{records.Length:N0} records of {records.Average(static record => record.Length):N0} B: {shape.Name}");
            var (ours, theirs) = (double.MaxValue, double.MaxValue);
            for (var round = 0; round < Rounds; round++)
            {
                var meter = new Meter();
                await WriteAsync(writer, shape, records, Path.Combine(folder, $"ours-{round}.parquet"), cancellationToken);
                ours = Math.Min(ours, meter.Stop().CpuSeconds);
                meter = new Meter();
                connection.Execute(
                    $"COPY (SELECT * FROM read_json({SqlText.Literal(input)}, format = 'newline_delimited', columns = {{{shape.DuckDb}}})) "
                    + $"TO {SqlText.Literal(Path.Combine(folder, $"theirs-{round}.parquet"))} (FORMAT parquet, COMPRESSION zstd)", cancellationToken);
                theirs = Math.Min(theirs, meter.Stop().CpuSeconds);
            }
            Report(run, shape, records.Length, ours, theirs);
        }
    }

    private static void Report(BenchRun run, Shape shape, int rows, double ours, double theirs)
    {
        var detail = $"JSON to a durable zstd file, one thread, {rows:N0} rows, best of {Rounds}";
        run.Figures.Add($"odd.{shape.Name}.frazil.rows_per_cpu_second", rows / ours, "rows/CPU-s", detail);
        run.Figures.Add($"odd.{shape.Name}.duckdb.rows_per_cpu_second", rows / theirs, "rows/CPU-s", detail);
        run.Figures.AddRatio(
            $"odd.{shape.Name}.against_duckdb", $"odd.{shape.Name}.frazil.rows_per_cpu_second", $"odd.{shape.Name}.duckdb.rows_per_cpu_second");
    }

    private static async Task WriteAsync(
        ParquetDataFileWriter writer, Shape shape, byte[][] records, string path, CancellationToken cancellationToken)
    {
        var schema = new ColumnFields([.. shape.Fields, .. KafkaColumns]);
        using var decoder = new JsonDecoder();
        var chunk = new ColumnChunk(schema, records.Length, new MemoryAccount());
        try
        {
            decoder.Bind(chunk, [.. Enumerable.Range(0, shape.Fields.Length)]);
            StageBench.Fill(decoder, chunk, records);
            var views = chunk.TakeViews(out var rows);
            await writer.WriteAsync(
                new() { Store = new LocalFileIO(), Location = path, Schema = schema, Slices = [new() { Schema = schema, Columns = views, Count = rows }] }, cancellationToken);
        }
        finally
        {
            chunk.Unpin();
        }
    }

    private static IEnumerable<Shape> Shapes()
    {
        yield return Columns("1kb", 40, 1, static (random, _) => $"\"{random.Next(500):x4} of some text\"", ColumnType.Utf8, "VARCHAR");
        yield return Columns("200-columns", 200, 0.1, static (random, _) => random.Next(1000).ToString(CultureInfo.InvariantCulture), ColumnType.Int64, "BIGINT");
        yield return Columns(
            "half-null", 40, 0.5, static (random, _) => random.Next(2) == 0 ? "null" : $"{random.Next(100_000)}", ColumnType.Int64, "BIGINT");
        yield return Columns("high-cardinality", 6, 1, static (random, _) => $"\"{random.NextInt64():x16}-{random.Next():x8}\"", ColumnType.Utf8, "VARCHAR");
        yield return Columns(
            "numbers-as-text", 12, 1, static (random, _) => $"\"{random.Next(1_000_000)}.{random.Next(100):00}\"", ColumnType.Utf8, "VARCHAR");
        yield return Deep(8);
    }

    private static Shape Columns(string name, int count, double share, Func<Random, int, string> value, ColumnType type, string duckDb) => new(
        name, [.. Enumerable.Range(0, count).Select(index => new ColumnField($"c{index}", type, index + 1))],
        string.Join(", ", Enumerable.Range(0, count).Select(index => $"c{index}: '{duckDb}'")), share,
        random => $"{{{string.Join(",", Enumerable.Range(0, count).Select(index => $"\"c{index}\":{value(random, index)}"))}}}");

    /// <summary>A struct in a struct in a struct, each with a number and a list beside the next one.</summary>
    private static Shape Deep(int depth)
    {
        var (id, type, duckDb) = (1, ColumnType.Int64, "BIGINT");
        for (var level = 0; level < depth; level++)
        {
            type = ColumnType.Struct(
                new("n", ColumnType.Int64, id++), new("tags", ColumnType.List(new("element", ColumnType.Utf8, id++)), id++), new("next", type, id++));
            duckDb = $"STRUCT(n BIGINT, tags VARCHAR[], next {duckDb})";
        }
        return new("deep", [new("root", type, id)], $"root: '{duckDb}'", 0.5, random => $"{{\"root\":{Value(random, depth)}}}");

        static string Value(Random random, int level) => level == 0
            ? random.Next(100).ToString(CultureInfo.InvariantCulture)
            : $"{{\"n\":{random.Next(1000)},\"tags\":[\"t{random.Next(9)}\",\"u{random.Next(9)}\"],\"next\":{Value(random, level - 1)}}}";
    }
}
