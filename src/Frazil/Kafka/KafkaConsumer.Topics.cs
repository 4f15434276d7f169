using Frazil.Kafka.Native;
using Frazil.Telemetry;

namespace Frazil.Kafka;

/// <summary>What the consumer subscribes to: always names, also where a pattern says which.</summary>
public sealed partial class KafkaConsumer
{
    private static readonly TimeSpan ListInterval = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan ListTimeout = TimeSpan.FromSeconds(5);

    /// <summary>A topic that the brokers no longer list is given up after so many lists in a row: one list may come from a broker that has
    /// just begun.</summary>
    private const int ListsBeforeGone = 3;

    /// <summary>Replaced, never changed. Written by the consumer's thread, and before it starts.</summary>
    private volatile IReadOnlyList<string> _names = [];

    private Task _listing = Task.CompletedTask;

    /// <summary>
    /// In <see cref="Start"/>, with each change of the topics that a pattern selects, and once more inside the first assignment of a member
    /// whose name the group may know: the group then hands it what its predecessor held and asks nobody to assign anew, so that partitions
    /// added in between, or topics that only this configuration names, would belong to no one. librdkafka postpones the repeated
    /// subscription to the end of the assignment and joins again with it, which the group cannot overlook; partitions that stay go on (<see
    /// cref="Suspend"/>).
    /// </summary>
    private unsafe void Subscribe()
    {
        using var topics = PartitionList.Of([.. _names.Select(static topic => new TopicPartition(topic, RdKafkaNative.PartitionUnassigned))]);
        KafkaException.ThrowIf(RdKafkaNative.rd_kafka_subscribe(_client, topics.Handle), $"subscribing to {string.Join(", ", _names)}");
    }

    private void SubscribeFirst()
    {
        if (_options.Pattern is { } pattern)
        {
            _listing = Task.Run(() => FollowAsync(pattern));
            _listing.Forget(Fail);
        }
        else
        {
            _names = _options.Topics;
            Subscribe();
        }
    }

    /// <summary>A predecessor's assignment may hold topics that this configuration no longer names; those are not read.</summary>
    private bool IsSubscribed(TopicPartition partition) => _names.Contains(partition.Topic);

    /// <summary>Asks which topics there are, again and again, and subscribes to those that the pattern selects.</summary>
    private async Task FollowAsync(TopicPattern pattern)
    {
        var absences = new Dictionary<string, int>(StringComparer.Ordinal);
        var saidNothingMatches = false;
        while (!_stopping.IsCancellationRequested)
        {
            var (error, listed) = ListTopics();
            if (error is not null)
            {
                Tell(error);
            }
            else
            {
                await TakeListAsync([.. listed.Where(pattern.Selects)], absences).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (_names.Count == 0 && !saidNothingMatches)
                {
                    saidNothingMatches = true;
                    Tell(KafkaError.Of(
                        KafkaErrorCodes.UnknownTopicOrPartition, $"none of the {listed.Count} topics that this user may see matches {pattern} yet"));
                }
            }
            await Task.Delay(ListInterval, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Events come on the consumer's thread.</summary>
    private void Tell(KafkaError error) => Post(() => _events.Error?.Invoke(error)).Forget(Fail);

    private Task TakeListAsync(HashSet<string> selected, Dictionary<string, int> absences)
    {
        var kept = new List<string>();
        foreach (var name in _names)
        {
            var missed = selected.Contains(name) ? 0 : absences.GetValueOrDefault(name) + 1;
            absences[name] = missed;
            if (missed < ListsBeforeGone)
            {
                kept.Add(name);
            }
            else
            {
                absences.Remove(name);
            }
        }
        string[] names = [.. kept.Union(selected).Order(StringComparer.Ordinal)];
        return names.SequenceEqual(_names) ? Task.CompletedTask : Post(() =>
        {
            _names = names;
            if (names.Length > 0)
            {
                Subscribe();
            }
            else
            {
                KafkaException.ThrowIf(RdKafkaNative.rd_kafka_unsubscribe(_client), "giving up the last topic");
            }
        });
    }

    private unsafe (KafkaError? Error, IReadOnlyList<string> Topics) ListTopics()
    {
        using var visit = _use.Enter();
        RdKafkaMetadata* metadata;
        var code = RdKafkaNative.rd_kafka_metadata(_client, 1, 0, &metadata, (int)ListTimeout.TotalMilliseconds);
        if (code != 0)
        {
            return (KafkaError.Of(code, $"asking which topics match {_options.Pattern}"), []);
        }
        return (null, [.. KafkaAdmin.ReadTopics(metadata).Where(static topic => topic.Error is null).Select(static topic => topic.Name)]);
    }
}
