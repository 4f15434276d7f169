using System.Runtime.CompilerServices;
using Frazil.Kafka.Native;

namespace Frazil.Kafka;

/// <summary>What an entry of a batch is.</summary>
public enum KafkaMessageKind
{
    /// <summary>A record.</summary>
    Record,
    /// <summary>Everything there is to read of the partition has been delivered: <see cref="KafkaMessage.Offset"/> is the next offset to
    /// read, past any control records and aborted transactions. Comes once each time the end is reached.</summary>
    PartitionEnd,
    /// <summary>The offset to read is not in the log; the partition is not read until it is restarted (<see
    /// cref="KafkaConsumer.RestartAsync"/>).</summary>
    OffsetOutOfRange,
    /// <summary>Another error of this partition; <see cref="KafkaMessage.ToError"/> says which.</summary>
    Error,
}

/// <summary>Who set a record's timestamp.</summary>
public enum KafkaTimestampType
{
    /// <summary>The record has none.</summary>
    None,
    /// <summary>The producer.</summary>
    CreateTime,
    /// <summary>The broker, on append.</summary>
    LogAppendTime,
}

/// <summary>A record, or an event of its partition, in librdkafka's memory: valid until the batch is disposed.</summary>
public readonly unsafe ref struct KafkaMessage
{
    private readonly RdKafkaMessage* _message;
    private readonly MessageQueue _queue;

    internal KafkaMessage(RdKafkaMessage* message, MessageQueue queue)
    {
        _message = message;
        _queue = queue;
    }

    public bool IsRecord => _message->Error == 0;

    public KafkaMessageKind Kind => _message->Error switch
    {
        0 => KafkaMessageKind.Record,
        KafkaErrorCodes.PartitionEof => KafkaMessageKind.PartitionEnd,
        KafkaErrorCodes.AutoOffsetReset or KafkaErrorCodes.OffsetOutOfRange or KafkaErrorCodes.LogTruncation or KafkaErrorCodes.NoOffset
            => KafkaMessageKind.OffsetOutOfRange,
        _ => KafkaMessageKind.Error,
    };

    /// <summary>Index of the topic in <see cref="KafkaConsumer.Topics"/>; the same for the life of the consumer.</summary>
    public int TopicIndex
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _queue.TopicIndexOf(_message->Topic);
    }

    public string Topic => _queue.TopicName(TopicIndex);

    public int Partition => _message->Partition;

    /// <summary>Of a record: its offset. Of <see cref="KafkaMessageKind.PartitionEnd"/>: the next offset to read. Of an error: the offset
    /// it is about, negative when it is about none.</summary>
    public long Offset => _message->Offset;

    /// <summary>Bytes of key and value, as they count for memory and rates.</summary>
    public int Size => IsRecord ? (int)(_message->Length + _message->KeyLength) : 0;

    public bool IsKeyNull => _message->Key is null;

    /// <summary>Empty for a null key; see <see cref="IsKeyNull"/>.</summary>
    public ReadOnlySpan<byte> Key => new(_message->Key, (int)_message->KeyLength);

    public bool IsValueNull => _message->Payload is null;

    /// <summary>Empty for a null value (a tombstone); see <see cref="IsValueNull"/>.</summary>
    public ReadOnlySpan<byte> Value => new(_message->Payload, (int)_message->Length);

    /// <summary>Milliseconds since 1970-01-01 UTC; -1 when the record has no timestamp.</summary>
    public long TimestampMs
    {
        get
        {
            int type;
            return RdKafkaNative.rd_kafka_message_timestamp(_message, &type);
        }
    }

    public KafkaTimestampType TimestampType
    {
        get
        {
            int type;
            _ = RdKafkaNative.rd_kafka_message_timestamp(_message, &type);
            return (KafkaTimestampType)type;
        }
    }

    /// <summary>The record's headers; parsed by librdkafka on the first call for a record.</summary>
    public KafkaHeaders Headers
    {
        get
        {
            nint headers;
            return new(IsRecord && RdKafkaNative.rd_kafka_message_headers(_message, &headers) == 0 ? headers : 0);
        }
    }

    /// <summary>The event as an error, classified; null for records and partition ends.</summary>
    public KafkaError? ToError() => Kind is KafkaMessageKind.Record or KafkaMessageKind.PartitionEnd
        ? null
        : KafkaError.Of(_message->Error, System.Text.Encoding.UTF8.GetString(Value).TrimEnd('\0'), Topic, Partition);
}
