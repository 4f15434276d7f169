using TextMap = System.Collections.Generic.IReadOnlyDictionary<string, string>;
using TableKey = Frazil.Config.ConfigKey<Frazil.Config.TableOptions>;
using TextList = System.Collections.Generic.IReadOnlyList<string>;

namespace Frazil.Config;

/// <summary>Every key of one [[tables]] entry, in the order of the documentation. Defaults are those of <see
/// cref="TableOptions"/>.</summary>
internal static class TableKeys
{
    public static IReadOnlyList<TableKey> All { get; } =
    [
        Text("name", t => t.Name, (t, v) => t with { Name = v },
            "`namespace.table`; may hold `{topic}`", "Name of the Iceberg table. Required. Created when missing. With `{topic}`: one table a topic of `topics`, or that `topic_pattern` finds, dots in its name as `_`; all tables of an entry share one consumer, of the group `group_id.NAME` with `{topic}` as it stands."),
        TextList("topics", t => t.Topics, (t, v) => t with { Topics = v },
            "topic names", "Topics that the table is fed by. This or `topic_pattern` is required."),
        Text("topic_pattern", t => t.TopicPattern, (t, v) => t with { TopicPattern = v },
            "a regular expression that begins with `^`", "Instead of `topics`: every topic whose name matches, new ones within seconds. Kafka's internal topics never do."),
        Text("format", t => t.Format, (t, v) => t with { Format = v },
            "`json` (`avro`, `protobuf`, `json_schema`, `raw`, `debezium_json` are not supported yet)", "How records are written."),
        Text("mode", t => t.Mode, (t, v) => t with { Mode = v },
            "`append` (`upsert` is not supported yet)", "What a record does to the table."),
        TextList("key", t => t.Key, (t, v) => t with { Key = v }, "column names", "The key of mode `upsert`."),
        Map("columns", ConfigKind.TextMap, t => t.Columns, (t, v) => t with { Columns = v },
            "column = Iceberg type",
            "Declared types, such as `timestamptz`, `decimal(10,2)`, `struct<a: int, b: list<string>>`. The rest is inferred."),
        Flag("evolve_schema", t => t.EvolveSchema, (t, v) => t with { EvolveSchema = v },
            "True: fields that no column holds yet become columns. False: a record with an unknown field is bad."),
        TextList("partition_by", t => t.PartitionBy, (t, v) => t with { PartitionBy = v },
            "`column`, `identity(c)`, `bucket(N, c)`, `truncate(W, c)`, `year(c)`, `month(c)`, `day(c)`, `hour(c)`, `void(c)`",
            "Iceberg partition fields, in order."),
        Flag("preserve_kafka_partitions", t => t.PreserveKafkaPartitions, (t, v) => t with { PreserveKafkaPartitions = v },
            "True: a data file holds the records of one Kafka partition, under `kafka_partition=N/`."),
        Text("on_bad_record", t => t.OnBadRecord == OnBadRecord.Fail ? "fail" : "dlq",
            (t, v) => t with { OnBadRecord = ParseOnBadRecord(v) },
            "`dlq` or `fail`", "A record that does not parse or fit: to the dead-letter table `NAME_dlq`, or the table stops."),
        Text("on_rollback", t => t.OnRollback switch { OnRollback.ReadAgain => "read_again", OnRollback.GoOn => "go_on", _ => "stop" },
            (t, v) => t with { OnRollback = ParseOnRollback(v) },
            "`stop`, `read_again` or `go_on`", "Another engine set the table back to an older snapshot, or removed its progress: the table stops, the records are read again, or their rows stay out."),
        TextList("kafka_columns", t => t.KafkaColumns, (t, v) => t with { KafkaColumns = v },
            string.Join(", ", KafkaColumnNames.Select(name => $"`{name}`")),
            "Kafka position columns that the table gets. `kafka_timestamp` is null where a record has none, "
            + "or one that microseconds cannot say (before the year -290308, after 294247)."),
        Map("properties", ConfigKind.Properties, t => t.Properties, (t, v) => t with { Properties = v },
            "Iceberg table properties", "Set when the table is created: `write.*`, `history.expire.*`, `commit.retry.*`, …"),
    ];

    public static IReadOnlyList<string> KafkaColumnNames
        => ["kafka_partition", "kafka_offset", "kafka_timestamp", "kafka_topic", "kafka_key", "kafka_headers"];

    private static OnBadRecord ParseOnBadRecord(string text) => text switch
    {
        "dlq" => OnBadRecord.Dlq,
        "fail" => OnBadRecord.Fail,
        _ => throw new FormatException("must be \"dlq\" or \"fail\""),
    };

    private static OnRollback ParseOnRollback(string text) => text switch
    {
        "stop" => OnRollback.Stop,
        "read_again" => OnRollback.ReadAgain,
        "go_on" => OnRollback.GoOn,
        _ => throw new FormatException("must be \"stop\", \"read_again\" or \"go_on\""),
    };

    private static TableKey Text(
        string path, Func<TableOptions, string?> read, Func<TableOptions, string, TableOptions> apply, string allowed,
        string meaning) => new()
        {
            Path = path,
            Kind = ConfigKind.Text,
            Read = read,
            Apply = (t, v) => apply(t, (string)v),
            Allowed = allowed,
            Meaning = meaning,
        };

    private static TableKey TextList(
        string path, Func<TableOptions, TextList> read, Func<TableOptions, TextList, TableOptions> apply, string allowed,
        string meaning) => new()
        {
            Path = path,
            Kind = ConfigKind.TextList,
            Read = read,
            Apply = (t, v) => apply(t, (TextList)v),
            Allowed = allowed,
            Meaning = meaning,
        };

    private static TableKey Map(
        string path, ConfigKind kind, Func<TableOptions, TextMap> read, Func<TableOptions, TextMap, TableOptions> apply, string allowed,
        string meaning) => new()
        {
            Path = path,
            Kind = kind,
            Read = read,
            Apply = (t, v) => apply(t, (TextMap)v),
            Allowed = allowed,
            Meaning = meaning,
        };

    private static TableKey Flag(string path, Func<TableOptions, bool> read, Func<TableOptions, bool, TableOptions> apply, string meaning)
        => new()
        {
            Path = path,
            Kind = ConfigKind.Flag,
            Read = t => read(t),
            Apply = (t, v) => apply(t, (bool)v),
            Allowed = "`true` or `false`",
            Meaning = meaning,
        };
}
