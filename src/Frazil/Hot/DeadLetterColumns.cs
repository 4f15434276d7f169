using System.Text;
using Frazil.Columnar;
using Frazil.Iceberg;
using Frazil.Kafka;

namespace Frazil.Hot;

/// <summary>
/// A record that does not fit its table, kept whole: bytes, position and reason (invariant 5). The same columns in every dead-letter table.
/// </summary>
internal sealed class DeadLetterColumns
{
    /// <summary>Appended to a table's name for its dead-letter table.</summary>
    public const string TableSuffix = "_dlq";

    private readonly ColumnChunk chunk;
    private readonly BytesWriter topic;
    private readonly FixedWriter<int> partition;
    private readonly FixedWriter<long> offset;
    private readonly FixedWriter<long> timestamp;
    private readonly BytesWriter key;
    private readonly BytesWriter value;
    private readonly BytesWriter code;
    private readonly BytesWriter reason;

    public DeadLetterColumns(ColumnChunk chunk)
    {
        this.chunk = chunk;
        topic = chunk.Column<BytesWriter>(0);
        partition = chunk.Column<FixedWriter<int>>(1);
        offset = chunk.Column<FixedWriter<long>>(2);
        timestamp = chunk.Column<FixedWriter<long>>(3);
        key = chunk.Column<BytesWriter>(4);
        value = chunk.Column<BytesWriter>(5);
        code = chunk.Column<BytesWriter>(6);
        reason = chunk.Column<BytesWriter>(7);
    }

    /// <summary>The table's schema: fixed, so that the table of version N is written unchanged by version N+1.</summary>
    public static Schema Schema { get; } = new(0,
    [
        new NestedField(1, KafkaColumns.Topic, true, IcebergType.String),
        new NestedField(2, KafkaColumns.Partition, true, IcebergType.Int),
        new NestedField(3, KafkaColumns.Offset, true, IcebergType.Long),
        new NestedField(4, KafkaColumns.Timestamp, false, IcebergType.TimestampTz),
        new NestedField(5, KafkaColumns.Key, false, IcebergType.Binary),
        new NestedField(6, "kafka_value", false, IcebergType.Binary),
        new NestedField(7, "error_code", true, IcebergType.String),
        new NestedField(8, "reason", true, IcebergType.String),
    ]);

    public static ColumnFields Columns { get; } = ColumnSchemas.FromIceberg(Schema.Fields);

    /// <summary>The partition spec that letters are written under: the unpartitioned one that the table was created with, also where
    /// another engine has partitioned it since.</summary>
    public static int SpecIdOf(TableMetadata letters)
        => letters.PartitionSpecs.FirstOrDefault(static spec => spec.Fields.Count == 0)?.SpecId ?? letters.DefaultSpecId;

    /// <summary>Where <see cref="Columns"/> has the offset.</summary>
    public const int OffsetPosition = 2;

    public void Append(in KafkaMessage message, ReadOnlySpan<byte> topicName, string errorCode, string why)
    {
        topic.Append(topicName);
        partition.Append(message.Partition);
        offset.Append(message.Offset);
        KafkaColumns.AppendTimestamp(timestamp, message);
        KafkaColumns.AppendKey(key, message);
        if (message.IsValueNull)
        {
            value.AppendNull();
        }
        else
        {
            value.Append(message.Value);
        }
        code.Append(Encoding.UTF8.GetBytes(errorCode));
        reason.Append(Encoding.UTF8.GetBytes(why));
        chunk.EndRow();
    }
}
