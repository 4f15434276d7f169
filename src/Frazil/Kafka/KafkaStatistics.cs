using System.Text.Json;

namespace Frazil.Kafka;

/// <summary>What librdkafka counts of one partition that is read.</summary>
/// <param name="Partition">Which.</param>
/// <param name="Lag">Records between the position and the end that committed readers see; -1 unknown.</param>
/// <param name="QueuedMessages">Fetched and not delivered yet.</param>
/// <param name="QueuedBytes">Bytes of those.</param>
/// <param name="HighWatermark">The end of the log; negative when unknown.</param>
/// <param name="LastStableOffset">The end that committed readers see; negative when unknown.</param>
public readonly record struct PartitionStatistics(
    TopicPartition Partition, long Lag, long QueuedMessages, long QueuedBytes, long HighWatermark, long LastStableOffset);

/// <summary>The few of librdkafka's numbers that Frazil shows. Counters are since the start of the client.</summary>
public sealed record KafkaStatistics
{
    /// <summary>Bytes received from brokers, compressed as they came.</summary>
    public long ReceivedBytes { get; private set; }

    /// <summary>Records received.</summary>
    public long ReceivedMessages { get; private set; }

    /// <summary>The group's state: <c>up</c>, <c>init</c>, …; empty for a producer.</summary>
    public string GroupState { get; private set; } = "";

    /// <summary>How often the group was rebalanced.</summary>
    public long Rebalances { get; private set; }

    /// <summary>Partitions that are being read.</summary>
    public IReadOnlyList<PartitionStatistics> Partitions { get; private set; } = [];

    /// <summary>Reads librdkafka's statistics text.</summary>
    public static KafkaStatistics Parse(ReadOnlySpan<byte> json)
    {
        var result = new KafkaStatistics();
        var reader = new Utf8JsonReader(json);
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("rx_bytes"u8))
            {
                result.ReceivedBytes = NextNumber(ref reader);
            }
            else if (reader.ValueTextEquals("rxmsgs"u8))
            {
                result.ReceivedMessages = NextNumber(ref reader);
            }
            else if (reader.ValueTextEquals("topics"u8))
            {
                result.Partitions = ReadTopics(ref reader);
            }
            else if (reader.ValueTextEquals("cgrp"u8))
            {
                result.ReadGroup(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }
        return result;
    }

    private void ReadGroup(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("state"u8))
            {
                reader.Read();
                GroupState = reader.GetString() ?? "";
            }
            else if (reader.ValueTextEquals("rebalance_cnt"u8))
            {
                Rebalances = NextNumber(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private static List<PartitionStatistics> ReadTopics(ref Utf8JsonReader reader)
    {
        var partitions = new List<PartitionStatistics>();
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var topic = reader.GetString()!;
            Expect(ref reader, JsonTokenType.StartObject);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("partitions"u8))
                {
                    ReadPartitions(ref reader, topic, partitions);
                }
                else
                {
                    reader.Skip();
                }
            }
        }
        return partitions;
    }

    private static void ReadPartitions(ref Utf8JsonReader reader, string topic, List<PartitionStatistics> partitions)
    {
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var (statistics, isRead) = ReadPartition(ref reader, topic);
            if (isRead && statistics.Partition.Partition >= 0)
            {
                partitions.Add(statistics);
            }
        }
    }

    private static (PartitionStatistics Statistics, bool IsRead) ReadPartition(ref Utf8JsonReader reader, string topic)
    {
        int partition = -1;
        long lag = -1, queued = 0, queuedBytes = 0, high = -1, stable = -1;
        var isRead = false;
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("partition"u8))
            {
                partition = (int)NextNumber(ref reader);
            }
            else if (reader.ValueTextEquals("consumer_lag"u8))
            {
                lag = NextNumber(ref reader);
            }
            else if (reader.ValueTextEquals("fetchq_cnt"u8))
            {
                queued = NextNumber(ref reader);
            }
            else if (reader.ValueTextEquals("fetchq_size"u8))
            {
                queuedBytes = NextNumber(ref reader);
            }
            else if (reader.ValueTextEquals("hi_offset"u8))
            {
                high = NextNumber(ref reader);
            }
            else if (reader.ValueTextEquals("ls_offset"u8))
            {
                stable = NextNumber(ref reader);
            }
            else if (reader.ValueTextEquals("fetch_state"u8))
            {
                reader.Read();
                isRead = !reader.ValueTextEquals("none"u8) && !reader.ValueTextEquals("stopped"u8);
            }
            else
            {
                reader.Skip();
            }
        }
        return (new(new(topic, partition), lag, queued, queuedBytes, high, stable), isRead);
    }

    private static long NextNumber(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var value) ? value : -1;
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType token)
    {
        if (!reader.Read() || reader.TokenType != token)
        {
            throw new FormatException(
                $"librdkafka's statistics have {reader.TokenType} where {token} is expected, at byte {reader.TokenStartIndex}.");
        }
    }
}
