using System.Collections.Concurrent;
using Frazil.Config;
using Frazil.Flush;
using Frazil.Kafka;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil.Commit;

/// <summary>
/// A topic is its id, not its name (invariant 10): the table records the id of every topic it was fed from
/// (<c>frazil.topic-id.&lt;topic&gt;</c>), and a topic of the same name with another id is an error, because its offsets mean other records.
/// Brokers without topic ids (before Kafka 2.8), or a librdkafka that cannot ask over TLS, leave this unchecked, and the log says so.
/// </summary>
internal sealed class TopicIdentities(KafkaOptions kafka, string table, ILogger logger)
{
    public const string PropertyPrefix = "frazil.topic-id.";

    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, Guid> seen = [];

    /// <summary>Asks the brokers which topics these are now.</summary>
    /// <exception cref="PipelineFailedException">One is not the topic that the table was fed from.</exception>
    /// <exception cref="KafkaException">No broker answered; ask again.</exception>
    public async Task VerifyAsync(IReadOnlyList<string> topics, TableVersion? version, CancellationToken cancellationToken)
    {
        await using var admin = new KafkaAdmin(kafka.BootstrapServers, kafka.Properties);
        var answer = await admin.TryGetTopicIdsAsync(topics, AnswerTime, cancellationToken);
        if (answer.Unavailable is { } reason)
        {
            logger.TopicIdsUnavailable(table, reason);
        }
        foreach (var (topic, id) in answer.Ids)
        {
            var recorded = Recorded(topic, version) ?? (seen.TryGetValue(topic, out var before) ? before : null);
            if (recorded is { } known && known != id)
            {
                throw new PipelineFailedException(
                    $"table {table}: topic {topic} was deleted and recreated: the table was fed from id {known}, the topic has id {id} now. Its offsets "
                    + $"mean other records, so nothing is spliced: feed it into a table of its own, or remove {PropertyPrefix}{topic} and "
                    + $"{TableProgress.PropertyPrefix}{topic} from the table's properties to append the new topic from its beginning");
            }
            seen[topic] = id;
        }
    }

    /// <summary>Properties to set with a commit that moves these topics' progress: those the table lacks.</summary>
    public IEnumerable<KeyValuePair<string, string>> Unrecorded(IEnumerable<string> topics, TableVersion version)
        => topics.Distinct().Where(topic => seen.ContainsKey(topic) && Recorded(topic, version) is null)
            .Select(topic => KeyValuePair.Create(PropertyPrefix + topic, seen[topic].ToString()));

    private static Guid? Recorded(string topic, TableVersion? version)
        => Guid.TryParse(version?.Metadata.Properties.GetValueOrDefault(PropertyPrefix + topic), out var id) ? id : null;
}
