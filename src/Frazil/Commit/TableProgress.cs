using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Frazil.Kafka;

namespace Frazil.Commit;

/// <summary>
/// How far a table has read: per topic partition the next offset to read. Lives in the table itself (invariant 1), one property a topic
/// (<c>frazil.offsets.&lt;topic&gt;</c> = <c>{"0":1234,"1":77}</c>), and is mirrored in the summary of the snapshot that moved it.
/// Immutable.
/// </summary>
public sealed class TableProgress
{
    public const string PropertyPrefix = "frazil.offsets.";

    /// <summary>Snapshot summary key of the flush that made the snapshot.</summary>
    public const string FlushIdKey = "frazil.flush-id";

    private readonly ImmutableDictionary<TopicPartition, long> next;

    private TableProgress(ImmutableDictionary<TopicPartition, long> next) => this.next = next;

    public static TableProgress Empty { get; } = new(ImmutableDictionary<TopicPartition, long>.Empty);

    public IReadOnlyDictionary<TopicPartition, long> NextOffsets => next;

    /// <summary>The next offset to read, or null where nothing of the partition is recorded.</summary>
    public long? NextOffset(TopicPartition partition) => next.TryGetValue(partition, out var offset) ? offset : null;

    /// <summary>True when something of the topic was read: a partition without progress has come later.</summary>
    public bool Knows(string topic) => next.Keys.Any(partition => partition.Topic == topic);

    public TableProgress With(IEnumerable<KeyValuePair<TopicPartition, long>> moved) => new(next.SetItems(moved));

    public TableProgress Without(IEnumerable<TopicPartition> forgotten) => new(next.RemoveRange(forgotten));

    /// <summary>Reads the progress out of table properties.</summary>
    /// <exception cref="ProgressFormatException">A property of ours does not hold what it should; nothing is guessed from it.</exception>
    public static TableProgress Parse(IReadOnlyDictionary<string, string> tableProperties)
    {
        var offsets = ImmutableDictionary.CreateBuilder<TopicPartition, long>();
        foreach (var (key, json) in tableProperties)
        {
            if (key.StartsWith(PropertyPrefix, StringComparison.Ordinal))
            {
                ParseTopic(key, key[PropertyPrefix.Length..], json, offsets);
            }
        }
        return new(offsets.ToImmutable());
    }

    /// <summary>The properties that record these topics' progress; all their partitions, not only the moved ones.</summary>
    public IReadOnlyDictionary<string, string> ToProperties(IEnumerable<string> topics)
    {
        var properties = new Dictionary<string, string>();
        foreach (var topic in topics.Distinct())
        {
            properties[PropertyPrefix + topic] = Render(topic);
        }
        return properties;
    }

    private string Render(string topic)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (partition, offset) in next.Where(entry => entry.Key.Topic == topic).OrderBy(entry => entry.Key.Partition))
            {
                json.WriteNumber(partition.Partition.ToString(), offset);
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void ParseTopic(string key, string topic, string json, ImmutableDictionary<TopicPartition, long>.Builder offsets)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            foreach (var entry in document.RootElement.EnumerateObject())
            {
                var offset = entry.Value.GetInt64();
                if (!int.TryParse(entry.Name, out var partition) || partition < 0 || offset < 0)
                {
                    throw new ProgressFormatException(key, json, null);
                }
                offsets[new(topic, partition)] = offset;
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw new ProgressFormatException(key, json, error);
        }
    }
}

/// <summary>A progress property was changed by other hands into something unreadable.</summary>
public sealed class ProgressFormatException(string key, string value, Exception? inner) : Exception(
    $"table property {key} should hold the next offset of each partition as JSON such as {{\"0\":1234}}, but holds '{value}'; restore it from "
    + "the summary of the newest snapshot that has it", inner);
