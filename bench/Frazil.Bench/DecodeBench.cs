using System.Diagnostics;
using System.Globalization;
using System.Text;
using Frazil.Columnar;
using Frazil.Decode;

namespace Frazil.Bench;

/// <summary>JSON records into columns, on one thread, nothing else: the ceiling of the decode stage.</summary>
public static class DecodeBench
{
    private const int ChunkRows = 200_000;
    private const int DistinctRecords = 20_000;

    /// <summary>Writes one JSON line a figure: records and bytes a second of decode and append, managed bytes allocated a record.</summary>
    public static void Run(TextWriter output, double secondsEach = 2)
    {
        ArgumentNullException.ThrowIfNull(output);
        foreach (var pad in (int[])[0, 720])
        {
            var records = MakeRecords(pad);
            Measure(records, 0.5);
            var (perSecond, bytesPerSecond, allocated) = Measure(records, secondsEach);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $$"""{"bench":"decode_json","record_bytes":{{records.Average(record => record.Length):F0}},"records_per_s":{{perSecond:F0}},"mb_per_s":{{bytesPerSecond / 1e6:F0}},"managed_bytes_per_record":{{allocated:F4}}}"""));
        }
    }

    /// <summary>Value columns of the kit's load stream, and the three Kafka columns.</summary>
    public static ColumnFields Schema(bool padded) => new(
    [
        new("user_id", ColumnType.Int64, 1),
        new("event_type", ColumnType.Utf8, 2),
        new("amount", ColumnType.Float64, 3),
        new("currency", ColumnType.Utf8, 4),
        new("event_timestamp", ColumnType.TimestampTz, 5),
        new("session_id", ColumnType.Utf8, 6),
        new("page", ColumnType.Utf8, 7),
        new("device", ColumnType.Struct(new("os", ColumnType.Utf8, 20), new("browser", ColumnType.Utf8, 21), new("version", ColumnType.Utf8, 22)), 8),
        new("tags", ColumnType.List(new("element", ColumnType.Utf8, 30)), 9),
        .. padded ? (ColumnField[])[new("pad", ColumnType.Utf8, 10)] : [],
        new("kafka_partition", ColumnType.Int32, 40),
        new("kafka_offset", ColumnType.Int64, 41),
        new("kafka_timestamp", ColumnType.TimestampTz, 42),
    ]);

    private static (double PerSecond, double BytesPerSecond, double Allocated) Measure(byte[][] records, double seconds)
    {
        using var decoder = new JsonDecoder();
        var schema = Schema(records[0].Length > 500);
        var account = new MemoryAccount();
        var sizing = ChunkSizing.ForRows(ChunkRows);
        long rows = 0, bytes = 0, allocated = 0;
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed.TotalSeconds < seconds)
        {
            var chunk = new ColumnChunk(schema, sizing, account);
            decoder.Bind(chunk, [.. Enumerable.Range(0, schema.Count - 3)]);
            var before = GC.GetAllocatedBytesForCurrentThread();
            bytes += Fill(decoder, chunk, records);
            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            rows += chunk.Rows;
            sizing = chunk.TakeSizing();
            chunk.Unpin();
        }
        var elapsed = clock.Elapsed.TotalSeconds;
        return (rows / elapsed, bytes / elapsed, (double)allocated / rows);
    }

    private static long Fill(JsonDecoder decoder, ColumnChunk chunk, byte[][] records)
    {
        var partition = chunk.Column<FixedWriter<int>>(chunk.Schema.Count - 3);
        var offset = chunk.Column<FixedWriter<long>>(chunk.Schema.Count - 2);
        var timestamp = chunk.Column<FixedWriter<long>>(chunk.Schema.Count - 1);
        long bytes = 0;
        for (var row = 0; row < ChunkRows; row++)
        {
            var record = records[row % records.Length];
            var result = decoder.Decode(record);
            if (!result.IsOk)
            {
                throw new InvalidOperationException(result.Error!.Message);
            }
            partition.Append(0);
            offset.Append(row);
            timestamp.Append(row);
            chunk.EndRow();
            bytes += record.Length;
        }
        chunk.Publish();
        return bytes;
    }

    /// <summary>Records of the shape of the kit's load stream, about 290 bytes each and <paramref name="pad"/> more.</summary>
    private static byte[][] MakeRecords(int pad)
    {
        string[] events = ["page_view", "click", "search", "add_to_cart", "remove_from_cart", "purchase", "login", "logout"];
        string[] currencies = ["EUR", "USD", "GBP", "JPY"];
        string[] systems = ["Android", "iOS", "Windows", "macOS", "Linux"];
        string[] browsers = ["Chrome", "Firefox", "Safari", "Edge", "Samsung Internet"];
        string[] tags = ["new", "returning", "mobile", "newsletter", "ab-test-a", "vip", "discount", "organic", "paid"];
        string[] pages = ["category", "help", "blog", "product"];
        var random = new Random(1);
        var start = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        return [.. Enumerable.Range(0, DistinctRecords).Select(index =>
        {
            var text = string.Create(
                CultureInfo.InvariantCulture,
                $$"""{"user_id":{{1_000_000_000 + random.Next(100_000)}},"event_type":"{{Pick(events)}}","amount":{{random.Next(100, 100_000) / 100.0}},"currency":"{{Pick(currencies)}}","event_timestamp":"{{start.AddMilliseconds(index):yyyy-MM-ddTHH:mm:ss.fffZ}}","session_id":"{{new Guid(Bytes(16))}}","page":"/{{Pick(pages)}}/{{random.Next(100_000)}}","device":{"os":"{{Pick(systems)}}","browser":"{{Pick(browsers)}}","version":"{{random.Next(60, 130)}}.{{random.Next(10)}}.{{random.Next(10_000)}}"},"tags":[{{string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => $"\"{Pick(tags)}\""))}}]""");
            return Encoding.UTF8.GetBytes(pad == 0 ? text + "}" : $"{text},\"pad\":\"{new string('x', pad)}\"}}");
        })];

        string Pick(string[] from) => from[random.Next(from.Length)];

        byte[] Bytes(int count)
        {
            var bytes = new byte[count];
            random.NextBytes(bytes);
            return bytes;
        }
    }
}
