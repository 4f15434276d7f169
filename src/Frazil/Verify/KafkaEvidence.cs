using Frazil.Config;
using Frazil.Kafka;

namespace Frazil.Verify;

/// <summary>What the brokers say: which topics these are, what the partitions hold, and whether a range has records.</summary>
internal sealed class KafkaEvidence(KafkaOptions options) : IAsyncDisposable
{
    /// <summary>Ranges that are nearer to each other than this are read in one go: starting a read costs more than some hundred
    /// records.</summary>
    private const long NearOffsets = 2000;

    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(15);

    private readonly PartitionReader reader = new(options.BootstrapServers, options.Properties, AnswerTime);
    private readonly KafkaAdmin admin = new(options.BootstrapServers, options.Properties);

    /// <summary>The topics' ids, where the brokers can tell.</summary>
    /// <exception cref="KafkaException">No broker answered.</exception>
    public Task<TopicIds> TopicIdsAsync(IReadOnlyList<string> topics, CancellationToken cancellationToken)
        => admin.TopicIdsAsync(topics, AnswerTime, cancellationToken);

    /// <summary>What the partition holds; null where the cluster does not have it.</summary>
    /// <exception cref="KafkaException">No broker answered, or no right to it.</exception>
    public Watermarks? EndsOf(TopicPartition partition)
    {
        try
        {
            return reader.QueryWatermarks(partition);
        }
        catch (KafkaException error) when (error.Error.Kind == KafkaErrorKind.UnknownTopic)
        {
            return null;
        }
    }

    /// <summary>Those of the wanted offsets at which a committed reader sees a record.</summary>
    /// <exception cref="KafkaException">The range cannot be read.</exception>
    public OffsetSet RecordsAmong(TopicPartition partition, OffsetSet wanted, Action<long> onRead, CancellationToken cancellationToken)
    {
        var found = new List<OffsetRange>();
        for (var from = 0; from < wanted.Ranges.Length;)
        {
            var to = from;
            while (to + 1 < wanted.Ranges.Length && wanted.Ranges[to + 1].First - wanted.Ranges[to].Last < NearOffsets)
            {
                to++;
            }
            var current = from;
            reader.Read(partition, wanted.Ranges[from].First, wanted.Ranges[to].Last + 1, (in KafkaMessage message) =>
            {
                while (wanted.Ranges[current].Last < message.Offset)
                {
                    current++; // the read ends with the last range's last offset, so there is a next one
                }
                if (message.Offset >= wanted.Ranges[current].First)
                {
                    Add(found, message.Offset);
                }
            }, cancellationToken);
            onRead(wanted.Ranges[to].Last - wanted.Ranges[from].First + 1);
            from = to + 1;
        }
        return OffsetSet.Of(found);
    }

    public async ValueTask DisposeAsync()
    {
        await reader.DisposeAsync();
        await admin.DisposeAsync();
    }

    private static void Add(List<OffsetRange> found, long offset)
    {
        if (found.Count > 0 && found[^1].Last + 1 == offset)
        {
            found[^1] = found[^1] with { Last = offset };
        }
        else
        {
            found.Add(new(offset, offset));
        }
    }
}
