using System.Globalization;
using Frazil.Kafka;

namespace Frazil.Maintain.Compaction;

/// <summary>Which records a file holds, as Frazil writes it into the file (<c>kafka.*</c>), put together from the files that its rows come
/// from. Says nothing where one of them does not. Not thread-safe.</summary>
internal sealed class KafkaRanges
{
    private const string Topic = "kafka.topic", Partition = "kafka.partition", Start = "kafka.offset.start", End = "kafka.offset.end";
    private const string Several = "kafka.ranges";

    private readonly List<(TopicPartition Partition, long First, long Last)> ranges = [];
    private bool isIncomplete;

    /// <param name="metadata">Key-value metadata of a file that rows come from.</param>
    public void Add(IReadOnlyDictionary<string, string> metadata)
    {
        if (metadata.TryGetValue(Several, out var several))
        {
            foreach (var text in several.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                Add(Parse(text));
            }
            return;
        }
        Add(metadata.TryGetValue(Topic, out var topic) && Number(metadata, Partition) is { } partition
            && Number(metadata, Start) is { } first && Number(metadata, End) is { } last
                ? (new TopicPartition(topic, (int)partition), first, last)
                : null);
    }

    /// <summary>What the new file says of itself: one range where its rows are of one partition, else one range for each that hangs
    /// together.</summary>
    public Dictionary<string, string> ToMetadata()
    {
        if (isIncomplete || ranges.Count == 0)
        {
            return [];
        }
        var merged = Merge();
        var partition = merged[0].Partition;
        if (merged.Exists(range => range.Partition != partition))
        {
            return new() { [Several] = string.Join(' ', merged.Select(static range => $"{range.Partition}:{range.First}-{range.Last}")) };
        }
        return new()
        {
            [Topic] = partition.Topic,
            [Partition] = partition.Partition.ToString(CultureInfo.InvariantCulture),
            [Start] = merged[0].First.ToString(CultureInfo.InvariantCulture),
            [End] = merged.Max(static range => range.Last).ToString(CultureInfo.InvariantCulture),
        };
    }

    private List<(TopicPartition Partition, long First, long Last)> Merge()
    {
        var merged = new List<(TopicPartition Partition, long First, long Last)>();
        var ordered = ranges.OrderBy(static range => range.Partition.Topic, StringComparer.Ordinal)
            .ThenBy(static range => range.Partition.Partition).ThenBy(static range => range.First);
        foreach (var range in ordered)
        {
            if (merged.Count > 0 && merged[^1].Partition == range.Partition && range.First <= merged[^1].Last + 1)
            {
                merged[^1] = merged[^1] with { Last = Math.Max(merged[^1].Last, range.Last) };
                continue;
            }
            merged.Add(range);
        }
        return merged;
    }

    private void Add((TopicPartition Partition, long First, long Last)? range)
    {
        if (range is { } known)
        {
            ranges.Add(known);
            return;
        }
        isIncomplete = true;
    }

    /// <summary><c>topic[3]:10-20</c>.</summary>
    private static (TopicPartition Partition, long First, long Last)? Parse(string text)
    {
        var (open, close, dash) = (text.LastIndexOf('['), text.LastIndexOf("]:", StringComparison.Ordinal), text.LastIndexOf('-'));
        return open > 0 && close > open && dash > close + 1
            && Number(text[(open + 1)..close]) is { } partition
            && Number(text[(close + 2)..dash]) is { } first && Number(text[(dash + 1)..]) is { } last
                ? (new TopicPartition(text[..open], (int)partition), first, last)
                : null;
    }

    private static long? Number(IReadOnlyDictionary<string, string> metadata, string key)
        => metadata.TryGetValue(key, out var text) ? Number(text) : null;

    private static long? Number(string text)
        => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
