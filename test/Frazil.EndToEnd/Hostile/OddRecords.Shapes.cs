using System.Text;
using Frazil.Kafka;

namespace Frazil.EndToEnd.Hostile;

internal static partial class OddRecords
{
    private static readonly string[] Dotted =
    [
        """ "a.b": 10 """, """ "a": {"b": 20} """, """ "l": [1, 2] """, """ "l.element": 5 """, """ "a.b.c": "x" """, """ "x.y": {"p": 1} """,
        """ "x": {"y": {"q": 1}} """, """ "x": {"y": {"n": 5}} """, """ "x.y": {"n": 7} """, """ ".": 1 """, """ "a..b": 1 """, """ "a.": 1 """,
        """ "seq.x": 1 """, """ "name.first": "n" """,
    ];

    private static readonly string[] Foreign =
    [
        "__duckdb_field_id", "file_row_number", "filename", "file_index", "rowid", "_file", "_pos", "_row_id", "_last_updated_sequence_number", "_deleted",
        "_spec_id", "_partition", "_change_type", "element", "key", "value", "key_value", "list", "array", "schema", "root", "column0", "select", "default",
        "at_day", "at_month", "at_hour", "name_bucket", "name_trunc", "kafka_partition_bucket", "kafka_value", "error_code", "reason", "name_2", "p_1",
    ];

    private static readonly string[] Positions =
        ["kafka_partition", "kafka_offset", "kafka_timestamp", "kafka_topic", "kafka_key", "kafka_headers", "KAFKA_OFFSET", "Kafka_Partition"];

    private static readonly string[] Names2 =
    [
        "", " ", "\u0000", "\n", "a\"b", "it's", "`", "\\", "/", "..", "☃", "ÄÖ", "a\u0301", "\ufeff", "x\u200b", "$1", "?", "%s", "{}", "[0]", "a;drop", "--", "🧊",
    ];

    private static readonly string[] Values =
    [
        "1", "-1", "true", "\"x\"", "1.5", "null", "[]", "{}", "[1]", "[null]", "[[1], []]", "{\"a\": 1}", "{\"b\": \"x\"}", "[{\"k\": 1}]", "[{\"j\": true}, null, {}]",
        "\"2026-01-31\"", "\"00000000-0000-0000-0000-000000000000\"", "9223372036854775807", "0", "\"\"",
    ];

    private static IEnumerable<(string Shape, Func<Random, long, OddRecord> Make)> Odd()
    {
        yield return ("dotted", (random, seq) => Record(RecordKind.Odd, seq, Any(random, Dotted)));
        yield return ("foreign-name", (random, seq) => Record(RecordKind.Odd, seq, $"{Quoted(Any(random, Foreign))}: {Any(random, Values)}"));
        yield return ("foreign-name-inside", (random, seq) => Record(RecordKind.Odd, seq, $"\"s\": {{{Quoted(Any(random, Foreign))}: {Any(random, Values)}}}"));
        yield return ("position-name", (random, seq) => Record(RecordKind.Odd, seq, $"{Quoted(Any(random, Positions))}: {random.Next(5)}"));
        yield return ("odd-name", (random, seq) => Record(RecordKind.Odd, seq, $"{Quoted(Any(random, Names2))}: {Any(random, Values)}"));
        yield return ("long-name", (random, seq) => Record(RecordKind.Odd, seq, $"\"n{new string('n', Any(random, 100, 254, 300, 1000))}\": 1"));
        yield return ("case", (random, seq) => Record(RecordKind.Odd, seq, Any(random, """ "odd": 1, "ODD": 2 """, """ "Odd": 1 """, """ "NAME": "x" """,
            """ "arr": [{"k": 1}, {"K": 2}] """, """ "s": {"a": 1, "A": 2} """, """ "ß": 1, "SS": 2 """, """ "İ": 1, "i": 2 """)));
        yield return ("type-change", (random, seq) => Record(RecordKind.Odd, seq, $"\"odd\": {Any(random, Values)}"));
        yield return ("shape-change", (random, seq) => Record(RecordKind.Odd, seq, $"\"{Any(random, "s", "tags", "m", "late")}\": {Any(random, Values)}"));
        yield return ("declared-change", (random, seq)
            => Record(RecordKind.Odd, seq, $"\"{Any(random, "name", "amount", "price", "at", "flag")}\": {Any(random, Values)}"));
        yield return ("nested", (random, seq) => Record(RecordKind.Odd, seq, Nested(random)));
        yield return ("deep-objects", (random, seq) => Record(RecordKind.Odd, seq, Deep(random, "{\"o\": ", "}", "deepo")));
        yield return ("deep-arrays", (random, seq) => Record(RecordKind.Odd, seq, Deep(random, "[", "]", "deepa")));
        yield return ("wide", (random, seq) => Record(RecordKind.Odd, seq, Wide(random, random.Next(25) == 0 ? 400 : Any(random, 3, 10, 30, 60)))); // 400 make each later round slow
        yield return ("large", (random, seq) => Record(RecordKind.Odd, seq, $"\"big\": \"{new string('x', Any(random, 10_000, 65_537, 400_000, 900_000))}\""));
        yield return ("long-partition-value", (random, seq) => Record(RecordKind.Odd, seq, $"\"name\": {Quoted(LongName(random))}"));
        yield return ("extreme", (random, seq) => Record(RecordKind.Odd, seq, Extreme(random)));
        yield return ("number", (random, seq) => Record(RecordKind.Odd, seq, $"\"num{random.Next(3)}\": {Any(random, "1e400", "123456789012345678901234567890", "-0.0", "1e-400",
            "9007199254740993", "9223372036854775808", "-9223372036854775808", "0.1e1", "1.0", "1E+2", "\"12\"", "\"1.5\"")}"));
        yield return ("only-nulls", (random, seq) => Record(RecordKind.Odd, seq, Any(random, "\"u\": null", "\"u\": [], \"v\": {}", "", "\"name\": null", "\"s\": null", "\"s\": {}")));
        yield return ("without-seq", (_, seq) => new("", RecordKind.Odd, seq, "{}"u8.ToArray()));
    }

    private static IEnumerable<(string Shape, Func<Random, long, OddRecord> Make)> Broken()
    {
        yield return ("not-an-object", (random, seq) => Raw(seq, Any(random, "1", "\"x\"", "[1]", "true", "null", "[{\"seq\": 1}]", "-", "NaN")));
        yield return ("nan", (random, seq) => Record(RecordKind.Broken, seq, $"\"n\": {Any(random, "NaN", "Infinity", "-Infinity", "nan", "undefined", ".5", "01", "+1", "0x10")}"));
        yield return ("cut", (random, seq) => Raw(seq, Any(random, "{\"seq\": ", "{\"seq\": 1", "{", "{\"seq\": 1}}", "{\"seq\": 1} {\"seq\": 2}", "{\"seq\": 1,}", "{'seq': 1}", "\ufeff{\"seq\": 1}x")));
        yield return ("duplicate-key", (random, seq) => Record(RecordKind.Broken, seq, Any(random, "\"seq\": 1", "\"d\": 1, \"d\": 2", "\"s\": {\"e\": 1, \"e\": 1}", "\"\\u0064\": 1, \"d\": 2")));
        yield return ("surrogate", (random, seq) => Record(RecordKind.Broken, seq, Any(random, "\"name\": \"\\ud800\"", "\"name\": \"\\udc00x\"", "\"name\": \"\\ud800\\ud800\"")));
        yield return ("not-utf8", (random, seq) => new("", RecordKind.Broken, seq, [.. "{\"name\": \""u8, Any(random, (byte)0xFF, (byte)0xC0, (byte)0x80), .. "\"}"u8]));
        yield return ("no-bytes", (_, seq) => new("", RecordKind.Broken, seq, []));
        yield return ("tombstone", (random, seq) => new("", RecordKind.Broken, seq, null) { Key = Any<byte[]?>(random, null, [], [1, 2]) });
        yield return ("too-deep", (_, seq) => Record(RecordKind.Broken, seq, $"\"x\": {new string('[', 70)}{new string(']', 70)}"));
    }

    private static IEnumerable<(string Shape, Func<Random, long, OddRecord> Make)> Envelopes()
    {
        yield return ("odd-key", (random, seq) => Plain(random, seq) with
        {
            Key = Any<byte[]?>(random, null, [], [0], [0, 0, 0, 0, 7], [0xFF, 0xFE], Encoding.UTF8.GetBytes("\\x07"), new byte[5000]),
        });
        yield return ("odd-headers", (random, seq) => Plain(random, seq) with
        {
            Headers = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => new ProducedHeader(
                Any(random, "", "h", "h", "trace-id", "ü", new string('h', 3000)), Any<ReadOnlyMemory<byte>?>(random, null, Array.Empty<byte>(), new byte[] { 0xFF }, "v"u8.ToArray())))],
        });
        yield return ("raw-header", (random, seq) => Plain(random, seq) with
        {
            Kind = RecordKind.Odd,
            Headers = [new("h", "v"u8.ToArray()), new("", "v"u8.ToArray()) { RawName = Any<byte[]>(random, [0xFF], [0x68, 0xC3], [0xED, 0xA0, 0x80], [0xC0, 0xAF]) }],
        });
        yield return ("odd-timestamp", (random, seq) => Plain(random, seq) with { TimestampMs = Any(random, 1L, 253_402_300_800_000L, 4_102_444_800_000L, 1_000L) });
    }

    private static OddRecord Raw(long seq, string text) => new("", RecordKind.Broken, seq, Encoding.UTF8.GetBytes(text));

    private static string Nested(Random random)
    {
        var inner = string.Join(", ", Enumerable.Range(0, random.Next(1, 4)).Select(_ => $"\"{(char)('a' + random.Next(5))}{random.Next(1000)}\": {Any(random, Values)}"));
        return Any(random, $"\"s\": {{\"a\": 1, {inner}}}", $"\"list\": [{{{inner}}}, null]", $"\"s\": {{\"t\": {{{inner}}}}}", $"\"s\": {{\"l\": [[{{{inner}}}]]}}");
    }

    private static string Deep(Random random, string open, string close, string name)
    {
        var depth = Any(random, 2, 5, 12, 30, 60);
        return $"\"{name}{depth % 4}\": {string.Concat(Enumerable.Repeat(open, depth))}1{string.Concat(Enumerable.Repeat(close, depth))}";
    }

    private static string Wide(Random random, int count)
    {
        var start = random.Next(40);
        return string.Join(", ", Enumerable.Range(start, count).Select(n => $"\"w{n}\": {(n % 3) switch { 0 => "1", 1 => "\"v\"", _ => "1.5" }}"));
    }

    private static string LongName(Random random) => Any(random, string.Concat(Enumerable.Repeat("中", Any(random, 40, 90, 2000))), new string('a', 256), new string('%', 90),
        "..", ".", "/", "a/../../b", "nul\u0000", "line\nbreak", "tab\t", "=", "a=b", "null", "__HIVE_DEFAULT_PARTITION__", " trailing ", "\\", "#?&", "🧊🧊", "e\u0301");

    private static string Extreme(Random random) => Any(random, """ "at": "9999-12-31T23:59:59.999999Z" """, """ "at": "0001-01-01T00:00:00Z" """, """ "at": "1969-12-31T23:59:59.999999Z" """,
        """ "at": "2026-01-31T12:34:56.789+05:30" """, """ "amount": 99999999.99 """, """ "amount": -99999999.99 """, """ "amount": 100000000 """, """ "amount": 0.001 """,
        """ "price": 1.7976931348623157e308 """, """ "price": 5e-324 """, """ "price": -0.0 """, """ "price": 1e309 """, """ "at": "2026-01-31T12:34:56+0000" """);
}
