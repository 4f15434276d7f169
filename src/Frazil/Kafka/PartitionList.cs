using Frazil.Kafka.Native;

namespace Frazil.Kafka;

/// <summary>Owns an <c>rd_kafka_topic_partition_list_t</c> for the length of a call.</summary>
internal unsafe ref struct PartitionList
{
    private RdKafkaTopicPartitionList* _list;

    public PartitionList(int capacity) => _list = RdKafkaNative.rd_kafka_topic_partition_list_new(capacity);

    public readonly RdKafkaTopicPartitionList* Handle => _list;

    public readonly int Count => _list->Count;

    public readonly ref RdKafkaTopicPartition this[int index] => ref _list->Elements[index];

    public static PartitionList Of(IReadOnlyCollection<TopicPartition> partitions, long offset = RdKafkaNative.OffsetInvalid)
    {
        var list = new PartitionList(partitions.Count);
        foreach (var partition in partitions)
        {
            list.Add(partition, offset);
        }
        return list;
    }

    public static PartitionList Of(IReadOnlyCollection<TopicPartitionOffset> positions)
    {
        var list = new PartitionList(positions.Count);
        foreach (var position in positions)
        {
            list.Add(position.Partition, position.Offset);
        }
        return list;
    }

    public static TopicPartition[] Read(RdKafkaTopicPartitionList* list)
    {
        if (list is null)
        {
            return [];
        }
        var partitions = new TopicPartition[list->Count];
        for (var i = 0; i < partitions.Length; i++)
        {
            partitions[i] = new(RdKafkaLibrary.Text(list->Elements[i].Topic), list->Elements[i].Partition);
        }
        return partitions;
    }

    public readonly void Add(TopicPartition partition, long offset) =>
        RdKafkaNative.rd_kafka_topic_partition_list_add(_list, partition.Topic, partition.Partition)->Offset = offset;

    public void Dispose()
    {
        if (_list is not null)
        {
            RdKafkaNative.rd_kafka_topic_partition_list_destroy(_list);
            _list = null;
        }
    }
}
