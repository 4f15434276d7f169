using System.Collections.Concurrent;
using Frazil.Kafka;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil.Commit;

/// <summary>
/// A topic is its id, not its name (invariant 10): the table records the id of every topic it was fed from
/// (<c>frazil.topic-id.&lt;topic&gt;</c>), and a topic of the same name with another id is an error, because its offsets mean other
/// records. Brokers without topic ids (before Kafka 2.8) leave this unchecked, and the log says so.
/// </summary>
internal sealed class TopicIdentities(KafkaAdmin admin, string table, ILogger logger)
{
    public const string PropertyPrefix = "frazil.topic-id.";

    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(10);

    /// <summary>A flush waits no longer than this for brokers that are away: what it holds was read while they were there.</summary>
    private static readonly TimeSpan FlushAnswerTime = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<string, Guid> seen = [];
    private string? told;

    /// <summary>Asks the brokers which topics these are now.</summary>
    /// <exception cref="PipelineFailedException">One is not the topic that the table was fed from.</exception>
    /// <exception cref="KafkaException">No broker answered; ask again.</exception>
    public Task VerifyAsync(IReadOnlyList<string> topics, TableVersion? version, CancellationToken cancellationToken)
        => AskAsync(topics, version, AnswerTime, cancellationToken);

    /// <summary>
    /// Asks once more after rows were sealed and before they are written: an id that is still the same then was the same while they were
    /// read, so no row of a topic that was recreated meanwhile gets into a file. Brokers that are away hold no flush up.
    /// </summary>
    /// <exception cref="PipelineFailedException">One is not the topic that the table was fed from.</exception>
    public async Task ConfirmAsync(IReadOnlyList<string> topics, TableVersion? version, CancellationToken cancellationToken)
    {
        try
        {
            await AskAsync(topics, version, FlushAnswerTime, cancellationToken);
        }
        catch (KafkaException error)
        {
            Tell(error.Message);
        }
    }

    /// <summary>Holds an answer of the brokers against what the table records, and remembers it.</summary>
    /// <exception cref="PipelineFailedException">One is not the topic that the table was fed from.</exception>
    public void Compare(TopicIds answer, TableVersion? version)
    {
        Tell(answer.Unavailable);
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

    /// <summary>The ids to mirror in a snapshot that moves these topics' progress: as far as they are known.</summary>
    public IEnumerable<KeyValuePair<string, string>> Known(IEnumerable<string> topics, TableVersion version)
        => from topic in topics.Distinct()
           let id = Recorded(topic, version) ?? (seen.TryGetValue(topic, out var asked) ? asked : null as Guid?)
           where id is not null
           select KeyValuePair.Create(PropertyPrefix + topic, id.ToString()!);

    /// <summary>Whether the topic is certainly another one than that of an id.</summary>
    public bool IsAnother(string topic, string? id) => Guid.TryParse(id, out var known) && seen.TryGetValue(topic, out var now) && now != known;

    /// <summary>Those of the topics that were deleted and recreated since a dead-letter table recorded them. Its main table, which is asked
    /// first, goes on with them.</summary>
    public IEnumerable<string> Replaced(IEnumerable<string> topics, TableVersion version)
        => topics.Distinct().Where(topic => seen.TryGetValue(topic, out var id) && Recorded(topic, version) is { } known && known != id);

    private static Guid? Recorded(string topic, TableVersion? version)
        => Guid.TryParse(version?.Metadata.Properties.GetValueOrDefault(PropertyPrefix + topic), out var id) ? id : null;

    private async Task AskAsync(IReadOnlyList<string> topics, TableVersion? version, TimeSpan timeout, CancellationToken cancellationToken)
        => Compare(await admin.TopicIdsAsync(topics, timeout, cancellationToken), version);

    /// <summary>Says why ids are not known, once per reason: it is asked with each flush.</summary>
    private void Tell(string? reason)
    {
        if (reason is not null && Interlocked.Exchange(ref told, reason) != reason)
        {
            logger.TopicIdsUnavailable(table, reason);
        }
    }
}
