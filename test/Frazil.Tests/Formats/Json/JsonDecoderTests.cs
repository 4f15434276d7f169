using System.Text;
using Frazil.Columnar;
using Frazil.Formats.Json;
using Frazil.Tests.Columnar;
using Xunit;

namespace Frazil.Tests.Formats.Json;

/// <summary>Records become rows, or are refused with their reason.</summary>
public sealed partial class JsonDecoderTests
{
    private static readonly ColumnFields Event = new(
    [
        new("id", ColumnType.Int64, 1, Nullable: false),
        new("name", ColumnType.Utf8, 2),
        new("device", ColumnType.Struct(new("os", ColumnType.Utf8, 4), new("cpu", ColumnType.Struct(new ColumnField("cores", ColumnType.Int32, 6, Nullable: false)), 5)), 3),
        new("tags", ColumnType.List(new("element", ColumnType.Utf8, 8)), 7),
        new("scores", ColumnType.Map(new("key", ColumnType.Utf8, 10, Nullable: false), new("value", ColumnType.Float64, 11)), 9),
    ]);

    [Theory]
    [InlineData("""{"id":1,"name":"a","device":{"os":"x","cpu":{"cores":4}},"tags":["t","u"],"scores":{"s":1.5}}""", """1 | "a" | {os: "x", cpu: {cores: 4}} | ["t", "u"] | {s: d3ff8000000000000}""")]
    [InlineData("""{"id":1}""", "1 | null | null | null | null")]
    [InlineData("""  {  "id" : 1 , "name" : null , "tags" : [ ] }  """, "1 | null | null | [] | null")]
    [InlineData("""{"tags":[null,"é"],"name":"b","id":-7}""", """-7 | "b" | null | [null, "é"] | null""")]
    [InlineData("""{"id":1,"device":{}}""", "1 | null | {os: null, cpu: null} | null | null")]
    [InlineData("""{"id":1,"device":{"os":null,"cpu":null},"scores":{}}""", "1 | null | {os: null, cpu: null} | null | {}")]
    [InlineData("""{"\u0069d":1,"n\u0061me":"\u00e9\ud83d\ude00\n\/\\\""}""", "1 | \"é😀\n/\\\"\" | null | null | null")]
    public void A_record_becomes_a_row(string record, string row)
    {
        Assert.Equal(row, DecodedRow.Of(Event, record));
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData(" \n", "empty")]
    [InlineData("null", "not_an_object")]
    [InlineData("[1]", "not_an_object")]
    [InlineData("\"x\"", "not_an_object")]
    [InlineData("12", "not_an_object")]
    [InlineData("nul", "syntax")]
    [InlineData("{", "syntax")]
    [InlineData("{\"id\"", "syntax")]
    [InlineData("{\"id\":", "syntax")]
    [InlineData("{\"id\":1", "syntax")]
    [InlineData("{\"id\":1,", "syntax")]
    [InlineData("{\"id\":1,}", "syntax")]
    [InlineData("{,\"id\":1}", "syntax")]
    [InlineData("{\"id\" 1}", "syntax")]
    [InlineData("{\"id\":1}}", "syntax")]
    [InlineData("{\"id\":1}{\"id\":2}", "syntax")]
    [InlineData("{\"id\":1} x", "syntax")]
    [InlineData("{'id':1}", "syntax")]
    [InlineData("{id:1}", "syntax")]
    [InlineData("{\"id\":1/*c*/}", "syntax")]
    [InlineData("\uFEFF{\"id\":1}", "syntax")]
    [InlineData("{\"id\":01}", "syntax")]
    [InlineData("{\"id\":+1}", "syntax")]
    [InlineData("{\"id\":-}", "syntax")]
    [InlineData("{\"id\":1.}", "syntax")]
    [InlineData("{\"id\":NaN}", "syntax")]
    [InlineData("{\"id\":1,\"scores\":{\"a\":NaN}}", "syntax")]
    [InlineData("{\"id\":1,\"scores\":{\"a\":-Infinity}}", "syntax")]
    [InlineData("{\"id\":1,\"name\":\"a\tb\"}", "syntax")]
    [InlineData("{\"id\":1,\"name\":\"a\\x\"}", "syntax")]
    [InlineData("{\"id\":1,\"name\":\"a\\u12g4\"}", "syntax")]
    [InlineData("{\"id\":1,\"name\":\"a", "syntax")]
    [InlineData("{\"id\":1,\"name\":\"a\\", "syntax")]
    [InlineData("{\"id\":1,\"name\":\"\\ud83d\"}", "invalid_utf8")]
    [InlineData("{\"id\":1,\"name\":\"\\ude00\\ud83d\"}", "invalid_utf8")]
    [InlineData("{\"id\":1,\"name\":\"\\ud83d\\n\"}", "invalid_utf8")]
    [InlineData("{\"id\":1,\"x\":{\"\\ud83d\":1}}", "invalid_utf8")]
    [InlineData("{\"id\":1,\"id\":1}", "duplicate_field")]
    [InlineData("{\"id\":1,\"\\u0069d\":1}", "duplicate_field")]
    [InlineData("{\"id\":1,\"new\":null,\"n\\u0065w\":null}", "duplicate_field")]
    [InlineData("{\"id\":1,\"device\":{\"os\":null,\"os\":null}}", "duplicate_field")]
    [InlineData("{\"id\":1,\"scores\":{\"a\":1,\"b\":2,\"a\":1}}", "duplicate_field")]
    [InlineData("{\"id\":1,\"new\":{\"a\":null,\"a\":null}}", "duplicate_field")]
    [InlineData("{}", "missing_required")]
    [InlineData("{\"id\":null}", "missing_required")]
    [InlineData("{\"name\":\"a\",\"new\":1}", "missing_required")]
    [InlineData("{\"id\":1,\"device\":{\"cpu\":{}}}", "missing_required")]
    [InlineData("{\"id\":1,\"new\":1}", "unknown_field")]
    [InlineData("{\"id\":1,\"device\":{\"gpu\":false}}", "unknown_field")]
    [InlineData("{\"id\":1,\"new\":[[{\"a\":\"\"}]]}", "unknown_field")]
    [InlineData("{\"id\":1,\"new\":1,\"name\":2}", "wrong_type")]
    [InlineData("{\"id\":1,\"tags\":[1]}", "wrong_type")]
    [InlineData("{\"id\":1,\"tags\":{}}", "wrong_type")]
    [InlineData("{\"id\":1,\"device\":[]}", "wrong_type")]
    [InlineData("{\"id\":true}", "wrong_type")]
    public void A_record_that_is_not_sound_is_refused_with_its_reason(string record, string code) => Assert.Equal(code, DecodedRow.Of(Event, record));

    [Fact]
    public void A_record_is_read_and_refused_alike_wherever_in_memory_it_stands()
    {
        var chunk = new ColumnChunk(Event, 16, new());
        using var decoder = new JsonDecoder();
        decoder.Bind(chunk);
        var memory = new byte[3 * 4096];
        foreach (var (record, code) in new (string, string?)[] { (" ", "empty"), ("{}", "missing_required"), ("{\"id\":1}", null), ("{\"id\":1,\"x\":2}", "unknown_field"), ("[", "syntax"), ("{\"id\":1,\"name\":\"a", "syntax") })
        {
            var bytes = Encoding.UTF8.GetBytes(record);
            for (var at = 0; at + bytes.Length <= memory.Length; at++)
            {
                bytes.CopyTo(memory, at);
                var result = decoder.Decode(memory.AsSpan(at, bytes.Length));
                Assert.Equal(code, result.Error?.Code);
                Assert.InRange(result.Error?.Offset ?? 0, 0, code == "empty" ? 0 : bytes.Length);
                chunk.TruncateTo(0);
            }
        }
        chunk.Unpin();
    }

    [Theory]
    [InlineData("""{"id":1,"new":null}""")]
    [InlineData("""{"id":1,"new":[]}""")]
    [InlineData("""{"id":1,"new":{"a":{},"b":[null,[],{}]}}""")]
    public void A_new_field_without_a_value_yet_asks_for_no_column(string record)
    {
        Assert.Equal("1 | null | null | null | null", DecodedRow.Of(Event, record));
        Assert.Equal("unknown_field", DecodedRow.Of(Event, record, evolve: false));
    }

    [Fact]
    public void Sixty_four_levels_are_read_and_one_more_is_refused()
    {
        Assert.Equal("unknown_field", DecodedRow.Of(Event, Nested(63)));
        Assert.Equal("too_deep", DecodedRow.Of(Event, Nested(64)));
        Assert.Equal("too_deep", DecodedRow.Of(Event, $$"""{"id":1,"x":{{new string('[', 1_000_000)}}"""));
    }

    private static string Nested(int arrays) => "{\"id\":1,\"x\":" + new string('[', arrays) + "1" + new string(']', arrays) + "}";

    [Fact]
    public void Invalid_utf8_is_refused_wherever_it_stands()
    {
        byte[][] bad = [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]];
        foreach (var bytes in bad)
        {
            foreach (var before in (string[])["{\"id\":1,\"name\":\"", $"{{\"id\":1,\"name\":\"{new string('x', 100)}", "{\"id\":1,\"name\":\"\\n", "{\"id\":1,\"new", "{\"id\":1,\"new\":\""])
            {
                byte[] record = [.. Encoding.UTF8.GetBytes(before), .. bytes, .. before.EndsWith("new", StringComparison.Ordinal) ? "\":null}"u8 : "\"}"u8];
                Assert.Equal("invalid_utf8", DecodedRow.Of(Event, record));
            }
        }
    }

    [Fact]
    public void A_very_wide_record_is_read_in_any_order()
    {
        var fields = Enumerable.Range(0, 3000).Select(index => new ColumnField($"some_rather_long_prefix_of_a_name_{index}", ColumnType.Int64, index + 1)).ToArray();
        var shuffled = fields.ToArray();
        new Random(5).Shuffle(shuffled);
        var record = "{" + string.Join(",", shuffled.Select(field => $"\"{field.Name}\":{field.FieldId}")) + "}";
        Assert.Equal(string.Join(" | ", fields.Select(field => field.FieldId)), DecodedRow.Of(new(fields), record));
    }

    [Fact]
    public void A_very_large_record_is_read()
    {
        var text = new string('é', 5_000_000);
        Assert.Equal($"1 | \"{text}\" | null | null | null", DecodedRow.Of(Event, $$"""{"id":1,"name":"{{text}}"}"""));
        var keys = string.Join(",", Enumerable.Range(0, 100_000).Select(index => $"\"k{index}\":null"));
        Assert.StartsWith("1 |", DecodedRow.Of(Event, "{\"id\":1," + keys + ",\"scores\":{" + keys + "}}"), StringComparison.Ordinal);
        Assert.Equal("duplicate_field", DecodedRow.Of(Event, $$"""{"id":1,{{keys}},"k77":null}"""));
    }

    [Fact]
    public void Names_with_quotes_and_control_characters_are_matched_escaped_or_not()
    {
        var schema = new ColumnFields([new("a\"b\\c\n", ColumnType.Int32, 1), new("", ColumnType.Int32, 2), new("naïve", ColumnType.Int32, 3)]);
        Assert.Equal("1 | 2 | 3", DecodedRow.Of(schema, """{"a\"b\\c\n":1,"":2,"naïve":3}"""));
        Assert.Equal("1 | 2 | 3", DecodedRow.Of(schema, """{"na\u00efve":3,"\u0061\u0022b\u005cc\u000a":1,"":2}"""));
    }

    [Fact]
    public void A_field_with_the_name_of_a_kafka_column_is_refused()
    {
        var chunk = new ColumnChunk(new([new("a", ColumnType.Int32, 1), new("kafka_offset", ColumnType.Int64, 2)]), 4, new());
        using var decoder = new JsonDecoder();
        decoder.Bind(chunk, [0]);
        Assert.Equal("reserved_field", decoder.Decode("""{"a":1,"kafka_offset":5}"""u8).Error!.Code);
        Assert.True(decoder.Decode("""{"a":1}"""u8).IsOk);
        chunk.Column<FixedWriter<long>>(1).Append(5);
        chunk.EndRow();
        chunk.Publish();
        chunk.Unpin();
    }

    [Theory]
    [InlineData("""{"id":2,"name":"x","device":{"os":"y","cpu":{"cores":4}},"tags":["t"],"scores":{"s":1},"id":2}""")]
    [InlineData("""{"id":2,"tags":["t","u"],"scores":{"s":1,"t":true}}""")]
    [InlineData("""{"id":2,"device":{"os":"y","cpu":{"cores":4}},"name":7}""")]
    [InlineData("""{"id":2,"device":{"os":"y"},"name":"cut""")]
    [InlineData("""{"id":2,"name":"x","tags":["t"],"new":1}""")]
    public void A_record_that_fails_half_way_leaves_nothing_to_the_next_one(string failing)
    {
        var chunk = new ColumnChunk(Event, 1, new());
        using var decoder = new JsonDecoder();
        decoder.Bind(chunk);
        foreach (var record in (string[])["""{"id":1,"tags":["a"],"scores":{"k":1}}""", failing, """{"id":3}""", failing, """{"id":4,"device":{"cpu":{"cores":1}}}"""])
        {
            if (decoder.Decode(Encoding.UTF8.GetBytes(record)).IsOk)
            {
                chunk.EndRow();
            }
            DecodedRow.AssertUntouched(chunk.Columns, chunk.Rows);
        }
        chunk.Publish();
        var views = chunk.TakeViews(out var rows);
        Assert.Equal(
            from record in (string[])["""{"id":1,"tags":["a"],"scores":{"k":1}}""", """{"id":3}""", """{"id":4,"device":{"cpu":{"cores":1}}}"""]
            select DecodedRow.Of(Event, record),
            Enumerable.Range(0, rows).Select(row => ViewReader.ShowRow(views, row)));
        chunk.Unpin();
    }

    [Theory]
    [InlineData("""{"id":1}""", "1 | null | null")]
    [InlineData("""{"id":1,"m":null,"s":{"x":null}}""", "1 | null | {x: null}")]
    [InlineData("""{"id":1,"m":{}}""", "wrong_type")]
    [InlineData("""{"id":1,"s":{"x":{"1":"a"}}}""", "wrong_type")]
    public void A_column_of_another_engine_that_JSON_has_no_values_for_takes_nulls_and_nothing_else(string record, string expected)
    {
        var map = ColumnType.Map(new("key", ColumnType.Int32, 11, Nullable: false), new("value", ColumnType.Utf8, 12));
        var nested = ColumnType.Struct(new ColumnField("x", ColumnType.Map(new("key", ColumnType.Uuid, 22, Nullable: false), new("value", ColumnType.Utf8, 23)), 21));
        Assert.Equal(expected, DecodedRow.Of(new([new("id", ColumnType.Int32, 1), new("m", map, 10), new("s", nested, 20)]), record));
    }

    [Theory]
    [InlineData("""{"id":1,"device":{"os":5}}""", "device.os", 23, "field device.os (byte 23): expected a string, saw 5}}")]
    [InlineData("""{"id":1,"tags":["a",["b"]]}""", "tags[1]", 20, "field tags[1] (byte 20): expected a string, saw [\"b\"]]}")]
    [InlineData("""{"id":1,"scores":{"a.b":true}}""", "scores.a.b", 24, "field scores.a.b (byte 24): expected a number, saw true}}")]
    [InlineData("""{"id":1,"device":{"cpu":{}}}""", "device.cpu.cores", 25, "field device.cpu.cores (byte 25): required, but missing")]
    [InlineData("""{"id":1,"device":{"gpu":7}}""", "device.gpu", 18, "field device.gpu (byte 18): no column holds this field, saw \"gpu\":7}}")]
    [InlineData("""{"name":"a"}""", "id", 11, "field id (byte 11): required, but missing")]
    [InlineData("""{"id":1,"tags":["a" "b"]}""", "tags[0]", 20, "field tags[0] (byte 20): expected ',' or ']', saw \"b\"]}")]
    [InlineData("[1]", "", 0, "byte 0: a record must be a JSON object, saw [1]")]
    [InlineData("{\"id\":1", "id", 7, "field id (byte 7): the value ends in the middle")]
    public void An_error_names_field_byte_and_what_was_seen(string record, string path, int offset, string message)
    {
        var error = DecodedRow.ErrorOf(Event, record);
        Assert.Equal(message, error.Message);
        Assert.Equal(path, error.Path);
        Assert.Equal(offset, error.Offset);
    }

    [Fact]
    public void Decoding_allocates_nothing_on_the_managed_heap()
    {
        var chunk = new ColumnChunk(Event, 20_000, new());
        using var decoder = new JsonDecoder();
        decoder.Bind(chunk);
        byte[][] records =
        [
            """{"id":1,"name":"a","device":{"os":"x","cpu":{"cores":4}},"tags":["t","u"],"scores":{"s":1.5}}"""u8.ToArray(),
            """{"name":"tab\t and é and a text that is longer than any one vector can hold at once","id":1, "unknown":null,"scores":{"s":1.2345678901234567,"t":1e-7}}"""u8.ToArray(),
        ];
        Assert.Equal(0, ManagedMemory.LeastAllocated(rounds: 18, () => DecodeAll(1_000)));
        chunk.Unpin();

        void DecodeAll(int count)
        {
            for (var index = 0; index < count; index++)
            {
                if (!decoder.Decode(records[index & 1]).IsOk)
                {
                    Assert.Fail("refused");
                }
                chunk.EndRow();
            }
        }
    }
}
