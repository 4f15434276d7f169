using System.Runtime.InteropServices;

namespace Frazil.Kafka.Native;

/// <summary><c>rd_kafka_message_t</c>. With <see cref="Error"/> set, the payload is the error's text.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RdKafkaMessage
{
    public int Error;
    public nint Topic;
    public int Partition;
    public byte* Payload;
    public nuint Length;
    public byte* Key;
    public nuint KeyLength;
    public long Offset;
    public nint Private;
}

/// <summary><c>rd_kafka_topic_partition_t</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RdKafkaTopicPartition
{
    public byte* Topic;
    public int Partition;
    public long Offset;
    public void* Metadata;
    public nuint MetadataSize;
    public void* Opaque;
    public int Error;
    public void* Private;
}

/// <summary><c>rd_kafka_topic_partition_list_t</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RdKafkaTopicPartitionList
{
    public int Count;
    public int Size;
    public RdKafkaTopicPartition* Elements;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RdKafkaMetadataBroker
{
    public int Id;
    public byte* Host;
    public int Port;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RdKafkaMetadataPartition
{
    public int Id;
    public int Error;
    public int Leader;
    public int ReplicaCount;
    public int* Replicas;
    public int IsrCount;
    public int* Isrs;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RdKafkaMetadataTopic
{
    public byte* Topic;
    public int PartitionCount;
    public RdKafkaMetadataPartition* Partitions;
    public int Error;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RdKafkaMetadata
{
    public int BrokerCount;
    public RdKafkaMetadataBroker* Brokers;
    public int TopicCount;
    public RdKafkaMetadataTopic* Topics;
    public int OriginatingBrokerId;
    public byte* OriginatingBrokerName;
}

/// <summary><c>rd_kafka_vu_t</c>: one tagged argument of <c>rd_kafka_produceva</c>. The union is 64 bytes by the header's
/// promise.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal unsafe struct RdKafkaProduceArgument
{
    [FieldOffset(0)] public int Type;
    [FieldOffset(8)] public nint Pointer;
    [FieldOffset(8)] public int Int32;
    [FieldOffset(8)] public long Int64;
    [FieldOffset(8)] public byte* Memory;
    [FieldOffset(16)] public nuint MemorySize;

    public const int TypeTopic = 1;
    public const int TypePartition = 3;
    public const int TypeValue = 4;
    public const int TypeKey = 5;
    public const int TypeFlags = 7;
    public const int TypeTimestamp = 8;
    public const int TypeHeaders = 10;
}
