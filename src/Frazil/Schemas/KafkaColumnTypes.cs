using Frazil.Iceberg;

namespace Frazil.Schemas;

/// <summary>The columns that come from a record's place in Kafka rather than from its value: their names and types.</summary>
internal static class KafkaColumnTypes
{
    public const string Topic = "kafka_topic";
    public const string Partition = "kafka_partition";
    public const string Offset = "kafka_offset";
    public const string Timestamp = "kafka_timestamp";
    public const string Key = "kafka_key";
    public const string Headers = "kafka_headers";

    /// <summary>The Iceberg type of a Kafka column; nested fields take their ids from <paramref name="nextId"/>.</summary>
    public static IcebergType TypeOf(string name, Func<int> nextId) => name switch
    {
        Partition => IcebergType.Int,
        Offset => IcebergType.Long,
        Timestamp => IcebergType.TimestampTz,
        Topic => IcebergType.String,
        Key => IcebergType.Binary,
        Headers => IcebergType.List(nextId(), IcebergType.Struct(
            new NestedField(nextId(), "key", false, IcebergType.String), new NestedField(nextId(), "value", false, IcebergType.Binary))),
        _ => throw new ArgumentException($"{name} is no Kafka column", nameof(name)),
    };
}
