using Frazil.Kafka.Native;

namespace Frazil.Kafka;

public sealed unsafe partial class KafkaConsumer
{
    /// <summary>The offset after the last record of the partition that a queue delivered; null before the first.</summary>
    public long? Position(TopicPartition partition)
    {
        using var visit = _use.Enter();
        using var list = PartitionList.Of([partition]);
        return RdKafkaNative.rd_kafka_position(_client, list.Handle) == 0 && list[0].Error == 0 && list[0].Offset >= 0
            ? list[0].Offset
            : null;
    }

    /// <summary>What the last fetch said of the partition's ends, without asking a broker; null before the first. For lag.</summary>
    public Watermarks? CachedWatermarks(TopicPartition partition)
    {
        long low;
        long high;
        lock (_gate)
        {
            return _client != 0
                && RdKafkaNative.rd_kafka_get_watermark_offsets(_client, partition.Topic, partition.Partition, &low, &high) == 0 && high >= 0
                ? new Watermarks(Math.Max(low, 0), high)
                : null;
        }
    }

    /// <summary>Asks the partition's leader for its ends; blocks.</summary>
    /// <exception cref="KafkaException">No answer in time, no such partition, or no right to it.</exception>
    /// <exception cref="OperationCanceledException">The consumer is being disposed.</exception>
    public Watermarks QueryWatermarks(TopicPartition partition, TimeSpan timeout)
    {
        long low;
        long high;
        using var visit = _use.Enter();
        KafkaException.ThrowIf(
            RdKafkaNative.rd_kafka_query_watermark_offsets(
                _client, partition.Topic, partition.Partition, &low, &high, Milliseconds(timeout)),
            $"asking for the ends of {partition}");
        return new(low, high);
    }

    /// <summary>Completes a <see cref="KafkaMessageKind.OffsetOutOfRange"/> event with what the partition holds now; blocks up to the
    /// request timeout, but no longer.</summary>
    /// <exception cref="OperationCanceledException">The consumer is being disposed.</exception>
    public OffsetOutOfRange DescribeOutOfRange(TopicPartition partition, long requestedOffset)
    {
        try
        {
            return new(partition, requestedOffset, QueryWatermarks(partition, _options.RequestTimeout));
        }
        catch (KafkaException)
        {
            return new(partition, requestedOffset, null); // says so in its text
        }
    }

    /// <summary>The first offset whose record's timestamp is at or after an instant, per partition; the end where there is none.
    /// Blocks.</summary>
    /// <exception cref="KafkaException">No answer in time, or an error of one of the partitions.</exception>
    public IReadOnlyList<TopicPartitionOffset> OffsetsForTimes(
        IReadOnlyCollection<TopicPartition> partitions, DateTimeOffset instant, TimeSpan timeout)
    {
        using var visit = _use.Enter();
        using var list = PartitionList.Of(partitions, instant.ToUnixTimeMilliseconds());
        KafkaException.ThrowIf(
            RdKafkaNative.rd_kafka_offsets_for_times(_client, list.Handle, Milliseconds(timeout)), "asking for offsets by time");
        var result = new List<TopicPartitionOffset>(partitions.Count);
        foreach (var partition in partitions)
        {
            ref var answer = ref list[result.Count];
            KafkaException.ThrowIf(answer.Error, $"asking for the offset of {instant:O} in {partition}");
            result.Add(new(partition, answer.Offset >= 0 ? answer.Offset : QueryWatermarks(partition, timeout).High));
        }
        return result;
    }

    /// <summary>Tells the group the next offsets to read, as a courtesy to lag tools: Frazil itself never reads them. Returns at once; a
    /// failure comes as an <see cref="KafkaConsumerEvents.Error"/> event. Also works inside <see
    /// cref="KafkaConsumerEvents.Revoked"/>.</summary>
    public void CommitOffsets(IReadOnlyCollection<TopicPartitionOffset> positions)
    {
        if (positions.Count == 0 || _isRejoining) // an answer from the older generation would cost the assignment; the next call tells more
        {
            return;
        }
        using var list = PartitionList.Of(positions);
        var code = 0;
        lock (_gate)
        {
            code = _client == 0 ? 0 : RdKafkaNative.rd_kafka_commit(_client, list.Handle, 1);
        }
        if (code != 0)
        {
            _events.Error?.Invoke(CommitError(code, positions.First().Partition));
        }
    }

    /// <summary>What the group recorded; null where nothing. Blocks. For tests and lag tools.</summary>
    /// <exception cref="KafkaException">No answer in time.</exception>
    public IReadOnlyList<long?> CommittedOffsets(IReadOnlyCollection<TopicPartition> partitions, TimeSpan timeout)
    {
        using var visit = _use.Enter();
        using var list = PartitionList.Of(partitions);
        KafkaException.ThrowIf(
            RdKafkaNative.rd_kafka_committed(_client, list.Handle, Milliseconds(timeout)), "asking for the group's offsets");
        var offsets = new long?[partitions.Count];
        for (var i = 0; i < offsets.Length; i++)
        {
            offsets[i] = list[i].Offset >= 0 ? list[i].Offset : null;
        }
        return offsets;
    }

    private void ServeOffsetCommit(int code, nint listHandle)
    {
        var list = (RdKafkaTopicPartitionList*)listHandle;
        for (var i = 0; list is not null && i < list->Count; i++)
        {
            var error = code != 0 ? code : list->Elements[i].Error;
            if (error != 0)
            {
                _events.Error?.Invoke(CommitError(error, new(RdKafkaLibrary.Text(list->Elements[i].Topic), list->Elements[i].Partition)));
            }
        }
    }

    private static KafkaError CommitError(int code, TopicPartition partition)
    {
        var error = KafkaError.Of(code, "", partition.Topic, partition.Partition);
        return error with { Reason = $"the group's offset was not stored (harmless, only lag tools use it): {error.Reason}" };
    }

    private static int Milliseconds(TimeSpan timeout) => (int)Math.Clamp(timeout.TotalMilliseconds, 0, int.MaxValue);
}
