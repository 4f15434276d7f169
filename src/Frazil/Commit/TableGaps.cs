using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Frazil.Hot;
using Frazil.Kafka;

namespace Frazil.Commit;

/// <summary>
/// What a table does not hold of the offsets that it has passed, and why. Lives in the table beside its progress and changes in the same
/// commit, one property a topic: <c>frazil.gaps.&lt;topic&gt;</c> =
/// <c>{"0":{"first":0,"transaction":12,"compaction":3,"unknown":1,"retention":[[5,9]]}}</c>.
/// <para><c>first</c> is the first offset that was ever read of the partition. The others count positions that hold neither a row nor a
/// dead letter; <c>retention</c> has exact ranges, both ends included, merged (beyond <see cref="MostRanges"/> of them
/// <c>retention_unlisted</c> counts on). Zeros are left out, and so is a partition that begins at 0 and has no gap, and a topic of such
/// partitions only.</para>
/// <para>What follows, for every partition of a sound table: rows + dead letters + skipped = next offset - first.</para>
/// Immutable.
/// </summary>
public sealed class TableGaps
{
    public const string PropertyPrefix = "frazil.gaps.";

    /// <summary>Ranges listed a partition: retention that overtakes a reader does so a few times, not thousands.</summary>
    internal const int MostRanges = 1000;

    private readonly ImmutableDictionary<TopicPartition, PartitionGaps> gaps;

    private TableGaps(ImmutableDictionary<TopicPartition, PartitionGaps> gaps) => this.gaps = gaps;

    public static TableGaps Empty { get; } = new(ImmutableDictionary<TopicPartition, PartitionGaps>.Empty);

    /// <summary>What is recorded of a partition; nothing recorded means that it began at 0 and has no gap.</summary>
    public PartitionGaps Of(TopicPartition partition) => gaps.GetValueOrDefault(partition, PartitionGaps.None);

    /// <summary>Reads the gaps out of table properties.</summary>
    /// <exception cref="GapsFormatException">A property of ours does not hold what it should; nothing is guessed from it.</exception>
    public static TableGaps Parse(IReadOnlyDictionary<string, string> tableProperties)
    {
        var read = ImmutableDictionary.CreateBuilder<TopicPartition, PartitionGaps>();
        foreach (var (key, json) in tableProperties)
        {
            if (key.StartsWith(PropertyPrefix, StringComparison.Ordinal))
            {
                ParseTopic(key, key[PropertyPrefix.Length..], json, read);
            }
        }
        return read.Count == 0 ? Empty : new(read.ToImmutable());
    }

    /// <summary>The gaps after these steps.</summary>
    internal TableGaps With(IEnumerable<ProgressStep> steps)
    {
        var changed = gaps.ToBuilder();
        foreach (var step in steps)
        {
            var before = step.Recorded is null ? PartitionGaps.None with { First = step.First } : Of(step.Partition);
            var after = step.Skipped is { } skipped ? before.With(skipped) : before;
            if (after != PartitionGaps.None)
            {
                changed[step.Partition] = after;
            }
            else
            {
                changed.Remove(step.Partition);
            }
        }
        return new(changed.ToImmutable());
    }

    /// <summary>The properties to set with a commit of these steps: none where there is nothing to say that is not said already.</summary>
    internal IEnumerable<KeyValuePair<string, string>> ChangedBy(IReadOnlyCollection<ProgressStep> steps)
    {
        // A partition without progress that has gaps is read anew: they are of the time before.
        if (steps.All(step => step.Skipped is null && (step.Recorded is not null || (step.First == 0 && !gaps.ContainsKey(step.Partition)))))
        {
            return [];
        }
        var after = With(steps);
        return steps.Select(static step => step.Partition.Topic).Distinct()
            .Select(topic => KeyValuePair.Create(PropertyPrefix + topic, after.Render(topic)))
            .Where(pair => pair.Value != Render(pair.Key[PropertyPrefix.Length..]));
    }

    private string Render(string topic)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (partition, known) in gaps.Where(entry => entry.Key.Topic == topic).OrderBy(entry => entry.Key.Partition))
            {
                json.WriteStartObject(partition.Partition.ToString(CultureInfo.InvariantCulture));
                json.WriteNumber("first", known.First);
                WriteCount(json, "transaction", known.Transaction);
                WriteCount(json, "compaction", known.Compaction);
                WriteCount(json, "unknown", known.Unknown);
                WriteRanges(json, known);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void WriteCount(Utf8JsonWriter json, string name, long count)
    {
        if (count > 0)
        {
            json.WriteNumber(name, count);
        }
    }

    private static void WriteRanges(Utf8JsonWriter json, PartitionGaps known)
    {
        if (known.Retention.IsEmpty)
        {
            return;
        }
        json.WriteStartArray("retention");
        foreach (var range in known.Retention)
        {
            json.WriteStartArray();
            json.WriteNumberValue(range.First);
            json.WriteNumberValue(range.Last);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        WriteCount(json, "retention_unlisted", known.RetentionUnlisted);
    }

    private static void ParseTopic(string key, string topic, string json, ImmutableDictionary<TopicPartition, PartitionGaps>.Builder read)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            foreach (var entry in document.RootElement.EnumerateObject())
            {
                if (!int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var partition))
                {
                    throw new FormatException($"'{entry.Name}' is no partition");
                }
                read[new(topic, partition)] = ParsePartition(entry.Value);
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw new GapsFormatException(key, json, error);
        }
    }

    private static PartitionGaps ParsePartition(JsonElement json)
    {
        var known = PartitionGaps.None;
        foreach (var entry in json.EnumerateObject())
        {
            known = entry.Name switch
            {
                "first" => known with { First = Count(entry.Value) },
                "transaction" => known with { Transaction = Count(entry.Value) },
                "compaction" => known with { Compaction = Count(entry.Value) },
                "unknown" => known with { Unknown = Count(entry.Value) },
                "retention" => known with { Retention = ParseRanges(entry.Value) },
                "retention_unlisted" => known with { RetentionUnlisted = Count(entry.Value) },
                _ => throw new FormatException($"'{entry.Name}' is no kind of gap"),
            };
        }
        return known;
    }

    private static ImmutableArray<OffsetRange> ParseRanges(JsonElement json)
    {
        var ranges = ImmutableArray.CreateBuilder<OffsetRange>();
        foreach (var entry in json.EnumerateArray())
        {
            if (entry.GetArrayLength() != 2)
            {
                throw new FormatException($"{entry.GetRawText()} is no pair of offsets");
            }
            var range = new OffsetRange(Count(entry[0]), Count(entry[1]));
            if (range.Last < range.First || (ranges.Count > 0 && ranges[^1].Last >= range.First))
            {
                throw new FormatException($"{entry.GetRawText()} is no range behind the one before");
            }
            ranges.Add(range);
        }
        return ranges.ToImmutable();
    }

    private static long Count(JsonElement json)
        => json.GetInt64() is >= 0 and var count ? count : throw new FormatException($"{json.GetRawText()} is negative");
}

/// <summary>What one partition's part of a table lacks.</summary>
/// <param name="First">The first offset that was ever read.</param>
/// <param name="Transaction">Positions of control records and aborted transactions.</param>
/// <param name="Compaction">Positions that a compacted topic does not show (any more).</param>
/// <param name="Unknown">One of the above; the brokers did not say whether the topic is compacted.</param>
/// <param name="Retention">Offsets removed before they were read: ascending, merged.</param>
/// <param name="RetentionUnlisted">Further such offsets, beyond what is listed.</param>
public sealed record PartitionGaps(
    long First, long Transaction, long Compaction, long Unknown, ImmutableArray<OffsetRange> Retention, long RetentionUnlisted)
{
    public static PartitionGaps None { get; } = new(0, 0, 0, 0, [], 0);

    /// <summary>Positions removed before they were read.</summary>
    public long Removed => Retention.Sum(static range => range.Count) + RetentionUnlisted;

    /// <summary>Positions in [first, next) that hold neither a row nor a dead letter.</summary>
    public long Skipped => Transaction + Compaction + Unknown + Removed;

    public bool Equals(PartitionGaps? other) => other is not null
        && (First, Transaction, Compaction, Unknown, RetentionUnlisted) == (other.First, other.Transaction, other.Compaction, other.Unknown, other.RetentionUnlisted)
        && Retention.SequenceEqual(other.Retention);

    public override int GetHashCode() => HashCode.Combine(First, Transaction, Compaction, Unknown, Retention.Length, RetentionUnlisted);

    internal PartitionGaps With(SkippedOffsets skipped)
    {
        var retention = Retention.ToBuilder();
        var unlisted = RetentionUnlisted;
        foreach (var (offsets, _) in skipped.Ranges.Where(static range => range.Kind == SkipKind.Retention))
        {
            if (retention.Count > 0 && retention[^1].Last + 1 == offsets.First)
            {
                retention[^1] = retention[^1] with { Last = offsets.Last };
            }
            else if (retention.Count < TableGaps.MostRanges)
            {
                retention.Add(offsets);
            }
            else
            {
                unlisted += offsets.Count;
            }
        }
        return new(
            First,
            Transaction + skipped.CountOf(SkipKind.Transaction),
            Compaction + skipped.CountOf(SkipKind.Compaction),
            Unknown + skipped.CountOf(SkipKind.Unknown),
            retention.ToImmutable(),
            unlisted);
    }
}

/// <summary>A property that records gaps was changed by other hands into something unreadable.</summary>
public sealed class GapsFormatException(string key, string value, Exception inner) : Exception(
    $"table property {key} should hold the gaps of each partition as JSON such as {{\"0\":{{\"first\":0,\"transaction\":12,\"retention\":[[5,9]]}}}}, but holds '{value}' "
    + $"({inner.Message}); restore it from an older metadata file of the table, or remove it: `frazil verify --deep` can then explain gaps from Kafka alone", inner);
