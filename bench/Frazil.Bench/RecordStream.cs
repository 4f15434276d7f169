using System.Globalization;
using Frazil.Columnar;
using Frazil.Rig;

namespace Frazil.Bench;

/// <summary>A kind of record to measure with.</summary>
internal abstract class RecordStream
{
    /// <summary>The kit's user events: about 290 B of JSON with a nested object and an array.</summary>
    public static RecordStream Events { get; } = new EventStream();

    /// <summary>The same events with more text: about 1 KB.</summary>
    public static RecordStream WideEvents { get; } = new WideEventStream();

    /// <summary>Short, for the names of figures.</summary>
    public abstract string Name { get; }

    /// <summary>Records of a measurement, where no other number is asked for: enough that compiling the program is not what is
    /// measured.</summary>
    public abstract long UsualCount { get; }

    /// <summary>The columns of the table that Frazil makes of it; the last three are the Kafka position.</summary>
    public ColumnFields Schema => new(
    [
        new("user_id", ColumnType.Int64, 1),
        new("event_type", ColumnType.Utf8, 2),
        new("amount", ColumnType.Decimal128(10, 2), 3),
        new("currency", ColumnType.Utf8, 4),
        new("event_timestamp", ColumnType.TimestampTz, 5),
        new("session_id", ColumnType.Utf8, 6),
        new("page", ColumnType.Utf8, 7),
        new(
            "device",
            ColumnType.Struct(new("os", ColumnType.Utf8, 20), new("browser", ColumnType.Utf8, 21), new("version", ColumnType.Utf8, 22)), 8),
        new("tags", ColumnType.List(new("element", ColumnType.Utf8, 30)), 9),
        .. MoreFields,
        new("kafka_partition", ColumnType.Int32, 40),
        new("kafka_offset", ColumnType.Int64, 41),
        new("kafka_timestamp", ColumnType.TimestampTz, 42),
    ]);

    /// <summary>Columns of this stream alone.</summary>
    protected virtual ColumnField[] MoreFields => [];

    /// <summary>The columns of the table that Frazil makes of it, in DuckDB's words.</summary>
    public virtual string DuckDbColumns
        => "user_id: 'BIGINT', event_type: 'VARCHAR', amount: 'DECIMAL(10,2)', currency: 'VARCHAR', event_timestamp: 'TIMESTAMPTZ', "
        + "session_id: 'VARCHAR', page: 'VARCHAR', device: 'STRUCT(os VARCHAR, browser VARCHAR, version VARCHAR)', tags: 'VARCHAR[]'";

    /// <summary>Creates the topic (6 partitions) and fills it.</summary>
    /// <returns>What a reader must find; sums are 0 where the generator keeps none.</returns>
    public abstract Task<Ledger> FillAsync(string bootstrap, string topic, long count, string folder, CancellationToken cancellationToken);

    /// <summary>Writes records of this stream as lines, without a broker.</summary>
    public async Task WriteAsync(string path, long count, CancellationToken cancellationToken)
    {
        await using var writer = new StreamWriter(path);
        for (var first = 0L; first < count; first += SampleSize)
        {
            var size = Math.Min(SampleSize, count - first);
            foreach (var line in await LinesAsync(first, size, cancellationToken))
            {
                await writer.WriteLineAsync(line.AsMemory(), cancellationToken);
            }
        }
    }

    /// <summary>Records number <paramref name="first"/> and on.</summary>
    protected virtual async Task<IEnumerable<string>> LinesAsync(long first, long count, CancellationToken cancellationToken)
    {
        string[] arguments = [
            "--topic", "x", "--first", first.ToString(CultureInfo.InvariantCulture), "--sample",
            count.ToString(CultureInfo.InvariantCulture)];
        return (await Kit.RunAsync("kafka/load", arguments, cancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private const int SampleSize = 200_000;

    private sealed class EventStream : RecordStream
    {
        public override string Name => "290b";

        public override long UsualCount => 5_000_000;

        public override Task<Ledger> FillAsync(
            string bootstrap, string topic, long count, string folder, CancellationToken cancellationToken)
            => Kit.LoadAsync(bootstrap, topic, count, cancellationToken);
    }

    private sealed class WideEventStream : RecordStream
    {
        private const int Samples = 20_000;
        private const int TargetBytes = 1024;

        private static readonly string[] Words = "ice water river crystal night current slush surface drift freeze anchor turbulent shelf glass winter stream bank ridge".Split(' ');

        public override string Name => "1kb";

        public override long UsualCount => 2_000_000;

        public override string DuckDbColumns
            => base.DuckDbColumns + ", referrer: 'VARCHAR', user_agent: 'VARCHAR', title: 'VARCHAR', quantity: 'BIGINT', "
            + "position: 'STRUCT(latitude DOUBLE, longitude DOUBLE)', note: 'VARCHAR'";

        protected override ColumnField[] MoreFields =>
        [
            new("referrer", ColumnType.Utf8, 50),
            new("user_agent", ColumnType.Utf8, 51),
            new("title", ColumnType.Utf8, 52),
            new("quantity", ColumnType.Int64, 53),
            new("position", ColumnType.Struct(new("latitude", ColumnType.Float64, 55), new("longitude", ColumnType.Float64, 56)), 54),
            new("note", ColumnType.Utf8, 57),
        ];

        public override async Task<Ledger> FillAsync(
            string bootstrap, string topic, long count, string folder, CancellationToken cancellationToken)
        {
            var payloads = Path.Combine(folder, "payloads.ndjson");
            await File.WriteAllLinesAsync(payloads, await LinesAsync(0, Samples, cancellationToken), cancellationToken);
            await Kit.RunAsync(
                "kafka/tool", ["topics", "--bootstrap-server", bootstrap, "--create", "--topic", topic, "--partitions", "6"],
                cancellationToken);
            await Kit.RunAsync("kafka/tool",
                ["producer-perf-test", "--topic", topic, "--num-records", count.ToString(CultureInfo.InvariantCulture), "--throughput",
                    "-1", "--payload-file", payloads,
                 "--producer-props", $"bootstrap.servers={bootstrap}", "acks=all", "compression.type=lz4", "linger.ms=20",
                 "batch.size=262144"], cancellationToken);
            return new Ledger(count, 0, 0, 0);
        }

        protected override async Task<IEnumerable<string>> LinesAsync(long first, long count, CancellationToken cancellationToken)
        {
            var random = new Random((int)first + 7);
            return (await base.LinesAsync(first, count, cancellationToken)).Select(line => Widen(line, random));
        }

        private static string Widen(string line, Random random)
        {
            var more = $",\"referrer\":\"https://example.com/{Phrase(random, 4, '-')}?utm={random.NextInt64():x}\",\"user_agent\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 "
                + $"(KHTML, like Gecko) Chrome/{random.Next(90, 140)}.0.{random.Next(9999)}.{random.Next(200)} Safari/537.36\",\"title\":\"{Phrase(random, 8, ' ')}\""
                + $",\"quantity\":{random.Next(1, 9)},\"position\":{{\"latitude\":{random.NextDouble() * 180 - 90:F6},\"longitude\":{random.NextDouble() * 360 - 180:F6}}},\"note\":\"";
            var note = "";
            while (line.Length + more.Length + note.Length < TargetBytes - 8)
            {
                note += Words[random.Next(Words.Length)] + (random.Next(8) == 0 ? " \\u00e9t\\u00e9 " : " ");
            }
            return line[..^1] + more + note.TrimEnd() + "\"}";
        }

        private static string Phrase(Random random, int words, char separator)
            => string.Join(separator, Enumerable.Range(0, words).Select(_ => Words[random.Next(Words.Length)]));
    }
}
