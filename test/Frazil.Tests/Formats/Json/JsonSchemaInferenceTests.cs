using System.Text;
using Frazil.Columnar;
using Frazil.Formats;
using Frazil.Formats.Json;
using Xunit;

namespace Frazil.Tests.Formats.Json;

public sealed class JsonSchemaInferenceTests
{
    private static readonly ColumnFields Known = new(
    [
        new("id", ColumnType.Int64, 1),
        new("device", ColumnType.Struct(new ColumnField("os", ColumnType.Utf8, 3)), 2),
        new("items", ColumnType.List(new("element", ColumnType.Struct(new ColumnField("sku", ColumnType.Utf8, 6)), 5)), 4),
        new(
            "attrs",
            ColumnType.Map(
                new("key", ColumnType.Utf8, 8, Nullable: false),
                new("value", ColumnType.Struct(new ColumnField("n", ColumnType.Int64, 10)), 9)),
            7),
        new("kafka_offset", ColumnType.Int64, 11),
    ]);

    [Theory]
    [InlineData("""{"a":true}""", "a boolean")]
    [InlineData("""{"a":1}""", "a long")]
    [InlineData("""{"a":1.0}""", "a double")]
    [InlineData("""{"a":1e3}""", "a double")]
    [InlineData("""{"a":"2026-01-01"}""", "a string")]
    [InlineData("""{"a":{"b":1,"c":null,"d":{"e":"x"}}}""", "a struct<b: long, d: struct<e: string>>")]
    [InlineData("""{"a":[1,2.5,null]}""", "a list<double>")]
    [InlineData("""{"a":[[],[true]]}""", "a list<list<boolean>>")]
    [InlineData("""{"a":[{"x":1},{"y":"z"},{}]}""", "a list<struct<x: long, y: string>>")]
    [InlineData("""{"a":null,"b":[],"c":{},"d":[null,{}],"e":{"f":[]}}""", "")]
    [InlineData("""{"b":1,"a":2}""", "b long; a long")]
    [InlineData("""{"id":"not a long","kafka_offset":1}""", "")]
    public void Values_show_their_type(string record, string additions) => Assert.Equal(additions, Infer(record));

    [Theory]
    [InlineData("""{"a":1}""", """{"a":2.5}""", "a double")]
    [InlineData("""{"a":2.5}""", """{"a":1}""", "a double")]
    [InlineData("""{"a":null}""", """{"a":"x"}""", "a string")]
    [InlineData("""{"a":{}}""", """{"a":5}""", "a long")]
    [InlineData("""{"a":{"x":1}}""", """{"a":{"x":1.5,"y":true}}""", "a struct<x: double, y: boolean>")]
    [InlineData("""{"a":[1]}""", """{"a":[1.5],"b":0}""", "a list<double>; b long")]
    public void Records_are_joined_to_the_narrowest_type_that_holds_all(string first, string second, string additions)
        => Assert.Equal(additions, Infer(first, second));

    [Fact]
    public void Additions_below_known_columns_name_their_parent()
    {
        var inference = new JsonSchemaInference(Known);
        Assert.Null(Add(inference, """{"device":{"os":"x","cpu":{"cores":4}},"items":[{"sku":"a"},{"qty":1},{"qty":2.5}],"attrs":{"k":{"n":1,"m":"x"}},"top":true}"""));
        Assert.Equal(
            ["2 device.cpu struct<cores: long>", "5 items.element.qty double", "9 attrs.value.m string", "0 top boolean"],
            inference.Additions.Select(addition => $"{addition.ParentFieldId} {addition}"));
    }

    [Theory]
    [InlineData("""{"a":1}""", """{"a":"x"}""", "conflicting_types", "field a: values of type long and of type string")]
    [InlineData("""{"a":{"b":[1]}}""", """{"a":{"b":[true]}}""", "conflicting_types", "field a.b[]: values of type long and of type boolean")]
    [InlineData("""{"a":{"b":1}}""", """{"a":[1]}""", "conflicting_types", "field a: values of type struct<b: long> and of type list<long>")]
    [InlineData("""{"a":1}""", """{"b":[1,"x"]}""", "conflicting_types", "field b[]: values of type long and of type string")]
    [InlineData("""{"a":1}""", """{"b":[1,{}]}""", "conflicting_types", "field b[]: values of type long and of type struct<>")]
    [InlineData("""{"a":1}""", """{"b":18446744073709551615}""", "out_of_range", "field b: an integer beyond 64 bits")]
    [InlineData("""{"a":1}""", """{"A":1}""", "conflicting_names", "field A: differs from column a only in case")]
    [InlineData("""{"a":1}""", """{"ID":1}""", "conflicting_names", "field ID: differs from column id only in case")]
    [InlineData("""{"a":1}""", """{"b":{"x":1,"X":2}}""", "conflicting_names", "field b.X: differs from column b.x only in case")]
    [InlineData("""{"a":[{"x":1}]}""", """{"a":[{"X":1}]}""", "conflicting_names", "field a.element.X: differs from column a.element.x only in case")]
    [InlineData("""{"a":1}""", """{"items":[{"SKU":1}]}""", "conflicting_names", "field items.element.SKU: differs from column items.element.sku only in case")]
    [InlineData("""{"a":1}""", """{"attrs":{"k":{"N":1}}}""", "conflicting_names", "field attrs.value.N: differs from column attrs.value.n only in case")]
    [InlineData("""{"a.b":1}""", """{"a":{"b":2}}""", "conflicting_names", "field a.b: has the dotted name of another column, a.b")]
    [InlineData("""{"a":{"b":2}}""", """{"a.B":1}""", "conflicting_names", "field a.B: differs from column a.b only in case")]
    [InlineData("""{"a":1}""", """{"device.os":2}""", "conflicting_names", "field device.os: has the dotted name of another column, device.os")]
    [InlineData("""{"a":1}""", """{"attrs.key":2}""", "conflicting_names", "field attrs.key: has the dotted name of another column, attrs.key")]
    [InlineData("""{"a":1}""", """{"b":1,"b":1}""", "duplicate_field", "field b: a name that stands twice in its object")]
    [InlineData("""{"a":1}""", """{"c":{"b":1,"b":null}}""", "duplicate_field", "field c.b: a name that stands twice in its object")]
    [InlineData("""{"a":1}""", """{"kafka_key":1}""", "reserved_field", "field kafka_key: the name of a column that is filled from the record's Kafka position")]
    [InlineData("""{"a":1}""", """{"Kafka_Key":1}""", "reserved_field", "field Kafka_Key: the name of a column that is filled")]
    [InlineData("""{"a":1}""", """{"Kafka_Offset":1}""", "conflicting_names", "differs from column kafka_offset only in case")]
    [InlineData("""{"a":1}""", """{"id_bucket":1}""", "conflicting_names", "field id_bucket: is the name of a partition field")]
    [InlineData("""{"a":1}""", """{"device":{"OS":1}}""", "conflicting_names", "field device.OS: differs from column device.os only in case")]
    [InlineData("""{"a":1}""", """{"":1}""", "unknown_field", "a field with an empty name, or with a NUL in it, cannot become a column")]
    [InlineData("""{"a":1}""", """{"x\u0000":1}""", "unknown_field", "or with a NUL in it, cannot become a column")]
    [InlineData("""{"a":1}""", """{"b":[{"\u0000":1}]}""", "unknown_field", "field b[]: a field with an empty name, or with a NUL in it")]
    [InlineData("""{"a":1}""", """[1]""", "not_an_object", "a record must be a JSON object")]
    [InlineData("""{"a":1}""", """{"b":1""", "syntax", "")]
    [InlineData("""{"a":1}""", """{"b":1} x""", "syntax", "")]
    [InlineData("""{"a":1}""", """{"\ud800":1}""", "invalid_utf8", "")]
    public void A_record_that_no_schema_could_hold_is_named_and_leaves_no_trace(string first, string second, string code, string message)
    {
        var inference = new JsonSchemaInference(Known, partitionFields: [("id_bucket", "id"), ("device.os", "device.os")], reserved: ["kafka_offset", "kafka_key"]);
        Assert.Null(Add(inference, first));
        var before = string.Join("; ", inference.Additions);
        var error = Add(inference, second);
        Assert.Equal(code, error!.Code);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(before, string.Join("; ", inference.Additions));
    }

    [Theory]
    [InlineData("""{"a":ARRAYS}""", 12)]
    [InlineData("""{"a":{"b":{"c":ARRAYS}}}""", 12)]
    [InlineData("""{"a":[{"b":ARRAYS}]}""", 11)]
    [InlineData("""{"items":[{"deep":ARRAYS}]}""", 11)]
    [InlineData("""{"attrs":{"k":{"deep":[{"x":ARRAYS}]}}}""", 10)]
    public void Arrays_deeper_in_each_other_than_readers_of_parquet_can_read_ask_for_no_column(string record, int most)
    {
        string Of(int levels) => record.Replace("ARRAYS", new string('[', levels) + "1" + new string(']', levels), StringComparison.Ordinal);
        Assert.Null(Add(new JsonSchemaInference(Known), Of(most)));
        var inference = new JsonSchemaInference(Known);
        var error = Add(inference, Of(most + 1));
        Assert.Equal("too_deep", error!.Code);
        Assert.Contains("more than 12 arrays in each other", error.Message, StringComparison.Ordinal);
        Assert.Empty(inference.Additions);
    }

    [Fact]
    public void A_field_that_is_null_or_empty_in_the_first_records_or_below_such_a_parent_becomes_a_column_with_its_first_value()
    {
        var inference = new JsonSchemaInference(Known);
        foreach (var record in (string[])["""{"a":null,"items":null,"attrs":{},"device":null}""", """{"a":{},"items":[],"attrs":{"k":null}}""", """{"a":[],"items":[null,{}]}"""])
        {
            Assert.Null(Add(inference, record));
            Assert.Empty(inference.Additions);
        }
        Assert.Null(Add(inference, """{"a":[{"x":1}],"items":[null,{"qty":1}],"attrs":{"k":{"m":[1.5]}},"device":{"cpu":{"cores":4}}}"""));
        Assert.Equal(
            "a list<struct<x: long>>; attrs.value.m list<double>; device.cpu struct<cores: long>; items.element.qty long",
            string.Join("; ", inference.Additions.Select(static addition => addition.ToString()).Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void An_object_with_data_for_names_is_refused_before_it_becomes_thousands_of_columns()
    {
        var inference = new JsonSchemaInference(ColumnFields.Empty, maxFields: 100);
        Assert.Equal(
            "too_large", Add(inference, "{" + string.Join(",", Enumerable.Range(0, 200).Select(index => $"\"k{index}\":1")) + "}")!.Code);
        Assert.Empty(inference.Additions);
    }

    [Fact]
    public void A_table_does_not_grow_beyond_the_limit_one_new_field_at_a_time_either()
    {
        var known = new ColumnFields([new("s", ColumnType.Struct(new ColumnField("a", ColumnType.Int64, 2), new ColumnField("b", ColumnType.Int64, 3)), 1)]);
        var inference = new JsonSchemaInference(known, maxFields: 4);
        Assert.Null(Add(inference, """{"c":1}"""));
        Assert.Equal("too_large", Add(inference, """{"d":1}""")!.Code);
        Assert.Null(Add(inference, """{"s":{"a":1},"c":2}"""));
        Assert.Null(Add(new JsonSchemaInference(known, maxFields: 2), """{"s":{"b":1}}""")); // wider already, by declaration: no matter
    }

    [Fact]
    public void Nested_field_ids_are_given_level_by_level()
    {
        var inference = new JsonSchemaInference(ColumnFields.Empty);
        Add(inference, """{"a":{"b":{"c":1},"d":[{"e":2}]}}""");
        var next = 100;
        Assert.Equal(
            "struct<100: b struct<102: c int64>, 101: d list<struct<104: e int64>>>",
            inference.Additions[0].Type.ToColumnType(() => next++).ToString());
    }

    [Fact]
    public void A_stream_evolves_from_nothing_to_a_schema_that_holds_every_record()
    {
        string[] records =
        [
            """{"id":1}""", """{"id":2,"name":null}""", """{"id":3,"name":"x","device":{"os":"a"}}""", """{"id":4,"device":{"os":"b","cpu":[1]}}""",
            """{"tags":[],"id":5}""", """{"tags":["t"],"id":6,"device":{"cpu":[2,3]}}""",
        ];
        var schema = ColumnFields.Empty;
        var nextId = 1;
        var rows = 0;
        foreach (var record in records)
        {
            for (var attempt = 0; ; attempt++)
            {
                var chunk = new ColumnChunk(schema, 4, new());
                using var decoder = new JsonDecoder();
                decoder.Bind(chunk);
                var result = decoder.Decode(Encoding.UTF8.GetBytes(record));
                chunk.Unpin();
                if (result.IsOk)
                {
                    rows++;
                    break;
                }
                Assert.Equal(DecodeStatus.UnknownField, result.Status);
                Assert.Equal(0, attempt);
                var inference = new JsonSchemaInference(schema);
                Assert.Null(Add(inference, record));
                schema = Evolve(schema, inference.Additions, () => nextId++);
            }
        }
        Assert.Equal(records.Length, rows);
        Assert.Equal("id int64, name utf8, device struct<os utf8, cpu list<int64>>, tags list<utf8>", WithoutIds(schema));
    }

    [Fact]
    public void After_one_evolution_a_record_is_taken_or_bad_but_never_unknown_again()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var mutations = new JsonMutations(new Random(seed));
        var start = new ColumnFields([new("id", ColumnType.Int64, 1), new("st", ColumnType.Struct(new ColumnField("x", ColumnType.Int64, 3)), 2), new("li", ColumnType.List(new("element", ColumnType.List(new("element", ColumnType.Int64, 6)), 5)), 4)]);
        var outcomes = new int[3];
        using var decoder = new JsonDecoder();
        for (var count = 0; count < 5_000; count++)
        {
            var record = mutations.Next();
            if (Decode(start, record) != DecodeStatus.UnknownField)
            {
                continue;
            }
            var inference = new JsonSchemaInference(start);
            if (inference.Add(record) is not null)
            {
                outcomes[0]++;
                continue;
            }
            var nextId = 100;
            Assert.NotEmpty(inference.Additions);
            var status = Decode(Evolve(start, inference.Additions, () => nextId++), record);
            Assert.True(status is DecodeStatus.Ok or DecodeStatus.Bad, $"{status}: {Encoding.UTF8.GetString(record)}");
            outcomes[status == DecodeStatus.Ok ? 1 : 2]++;
        }
        TestContext.Current.TestOutputHelper!.WriteLine($"no schema {outcomes[0]}, taken {outcomes[1]}, bad {outcomes[2]}");
        Assert.True(outcomes[1] > outcomes[2] * 10);

        DecodeStatus Decode(ColumnFields schema, byte[] record)
        {
            var chunk = new ColumnChunk(schema, 1, new());
            decoder.Bind(chunk);
            var status = decoder.Decode(record).Status;
            chunk.Unpin();
            return status;
        }
    }

    private static ColumnFields Evolve(ColumnFields schema, IReadOnlyList<SchemaAddition> additions, Func<int> nextId, int parent = 0)
        => new(
        [
            .. schema.Select(known => known.Type.Kind == ColumnKind.Struct
                ? known with { Type = ColumnType.Struct([.. Evolve(known.Type.Fields, additions, nextId, known.FieldId)]) }
                : known),
            .. additions.Where(addition => addition.ParentFieldId == parent)
                .Select(addition => new ColumnField(addition.Name, addition.Type.ToColumnType(nextId), nextId())),
        ]);

    private static string WithoutIds(ColumnFields schema)
        => System.Text.RegularExpressions.Regex.Replace(string.Join(", ", schema), "[0-9]+: ", "");

    private static string Infer(params string[] records)
    {
        var inference = new JsonSchemaInference(Known);
        foreach (var record in records)
        {
            Assert.Null(Add(inference, record));
        }
        return string.Join("; ", inference.Additions);
    }

    private static DecodeError? Add(JsonSchemaInference inference, string record)
    {
        var bytes = Encoding.UTF8.GetBytes(record);
        return inference.Add(bytes);
    }
}
