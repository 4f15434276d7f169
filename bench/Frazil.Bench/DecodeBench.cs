using System.Globalization;
using System.Text;
using Frazil.Columnar;
using Frazil.Formats.Json;

namespace Frazil.Bench;

/// <summary>JSON to columns on one thread, for shapes of records and kinds of values: where the decoder is fast and where it is not.
/// <see cref="StageBench"/> has the figure for the load stream itself.</summary>
internal static class DecodeBench
{
    private const int Distinct = 5_000;
    private const int Rows = 200_000;
    private const int Rounds = 12;

    private static readonly ColumnFields Event = new(
    [
        new("user_id", ColumnType.Int64, 1), new(
            "event_type", ColumnType.Utf8, 2), new("amount", ColumnType.Float64, 3), new("currency", ColumnType.Utf8, 4),
        new("event_timestamp", ColumnType.TimestampTz, 5), new("session_id", ColumnType.Utf8, 6), new("page", ColumnType.Utf8, 7),
        new(
            "device",
            ColumnType.Struct(new("os", ColumnType.Utf8, 20), new("browser", ColumnType.Utf8, 21), new("version", ColumnType.Utf8, 22)), 8),
        new("tags", ColumnType.List(new("element", ColumnType.Utf8, 30)), 9),
    ]);

    public static Task RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var random = new Random(1);
        Measure(run, "event", Event, _ => Join(Fields(random)), cancellationToken);
        Measure(
            run, "spaced", Event,
            _ => Join(Fields(random)).Replace(",\"", ", \"", StringComparison.Ordinal).Replace("\":", "\": ", StringComparison.Ordinal),
            cancellationToken);
        Measure(run, "any_order", Event, _ =>
        {
            var fields = Fields(random);
            random.Shuffle(fields);
            return Join(fields);
        }, cancellationToken);
        Measure(run, "half_missing", Event, _ => Join([.. Fields(random).Where(_ => random.Next(2) == 0)]), cancellationToken);
        Measure(run, "escaped", Event, _ => Join(Fields(random)).Replace("/", "\\/", StringComparison.Ordinal), cancellationToken);
        Measure(
            run, "not_ascii", Event, _ => Join(Fields(random)).Replace("category", "категория", StringComparison.Ordinal),
            cancellationToken);
        var wide = new ColumnFields(
            Enumerable.Range(0, 200).Select(index => new ColumnField($"column_{index}", ColumnType.Int64, index + 1)));
        Measure(run, "wide_200", wide, _ => Join([.. wide.Select(field => $"\"{field.Name}\":{random.Next()}")]), cancellationToken);
        Measure(
            run, "wide_10_of_200", wide,
            _ => Join([.. wide.Where(_ => random.Next(20) == 0).Select(field => $"\"{field.Name}\":{random.Next()}")]), cancellationToken);
        MeasureValues(run, random, cancellationToken);
        return Task.CompletedTask;
    }

    private static void MeasureValues(BenchRun run, Random random, CancellationToken cancellationToken)
    {
        Value("long", ColumnType.Int64, () => $"{random.NextInt64()}");
        Value("double_price", ColumnType.Float64, () => $"{random.Next(100_000) / 100.0}");
        Value("double_17_digits", ColumnType.Float64, () => $"{random.NextDouble():R}");
        Value("decimal", ColumnType.Decimal128(18, 2), () => $"{random.Next(100_000_000) / 100m}");
        Value("timestamptz", ColumnType.TimestampTz, () => $"\"2026-01-01T00:00:00.{random.Next(1000):000}Z\"");
        Value("uuid", ColumnType.Uuid, () => $"\"{new Guid(random.Next(), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)}\"");
        Value("map", ColumnType.Map(new("key", ColumnType.Utf8, 2, Nullable: false), new("value", ColumnType.Int64, 3)), () => $$"""{"a":{{random.Next()}},"b":2,"c":3}""");

        void Value(string name, ColumnType type, Func<string> value)
            => Measure(run, $"one_{name}", new([new("v", type, 1)]), _ => $"{{\"v\":{value()}}}", cancellationToken);
    }

    private static void Measure(BenchRun run, string name, ColumnFields schema, Func<int, string> make, CancellationToken cancellationToken)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        var records = Enumerable.Range(0, Distinct).Select(index => Encoding.UTF8.GetBytes(make(index))).ToArray();
        using var decoder = new JsonDecoder();
        var sizing = ChunkSizing.ForRows(Rows);
        var best = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var chunk = new ColumnChunk(schema, sizing, new MemoryAccount());
            decoder.Bind(chunk);
            var meter = new Meter();
            Fill(decoder, chunk, records);
            best = Math.Min(best, meter.Stop().CpuSeconds);
            sizing = chunk.TakeSizing();
            chunk.Unpin();
        }
        run.Figures.Add(
            $"decode.{name}.rows_per_cpu_second", Rows / best, "rows/CPU-s",
            $"{records.Average(record => record.Length):F0} B a record, best of {Rounds}");
    }

    private static void Fill(JsonDecoder decoder, ColumnChunk chunk, byte[][] records)
    {
        for (var row = 0; row < Rows; row++)
        {
            var result = decoder.Decode(records[row % records.Length]);
            if (!result.IsOk)
            {
                throw new InvalidOperationException(result.Error!.Message);
            }
            chunk.EndRow();
        }
        chunk.Publish();
    }

    private static string Join(string[] fields) => "{" + string.Join(",", fields) + "}";

    private static string[] Fields(Random random) =>
    [
        $"\"user_id\":{1_000_000_000 + random.Next(100_000)}",
        "\"event_type\":\"add_to_cart\"",
        $"\"amount\":{random.Next(100_000) / 100.0}",
        "\"currency\":\"EUR\"",
        $"\"event_timestamp\":\"2026-01-01T00:00:{random.Next(60):00}.{random.Next(1000):000}Z\"",
        $"\"session_id\":\"{new Guid(random.Next(), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)}\"",
        $"\"page\":\"/category/{random.Next(100_000)}\"",
        $$"""
        "device":{"os":"Linux","browser":"Safari","version":"{{random.Next(100)}}.8.3031"}
        """,
        "\"tags\":[\"ab-test-a\",\"paid\",\"mobile\"]",
    ];
}
