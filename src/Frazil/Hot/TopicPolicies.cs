using System.Collections.Concurrent;
using Frazil.Kafka;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil.Hot;

/// <summary>Which topics are compacted, asked once each: it tells what a gap in their offsets means. Where the brokers do not say, gaps are
/// recorded as of unknown kind, and the log says so once.</summary>
internal sealed class TopicPolicies(KafkaAdmin admin, string table, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<string, SkipKind> known = [];
    private readonly ConcurrentDictionary<string, bool> asked = [];

    /// <summary>What a gap in this topic's offsets means, retention apart.</summary>
    public SkipKind KindOf(string topic) => known.GetValueOrDefault(topic, SkipKind.Unknown);

    /// <summary>Asks for the topics that were not asked for yet, and waits a moment for the answer: it comes in milliseconds, or there is
    /// something in the way, which must not hold an assignment back. Never fails: a gap of unknown kind is recorded all the same.</summary>
    public async Task AskAsync(IReadOnlyCollection<string> topics)
    {
        var asking = AskAllAsync([.. topics.Where(topic => asked.TryAdd(topic, true))]);
        await Task.WhenAny(asking, Task.Delay(Patience, time));
        if (asking.IsCompleted)
        {
            await asking;
        }
        else
        {
            asking.Forget(error => logger.CleanupPolicyUnavailable(table, string.Join(", ", topics), error.Message));
        }
    }

    private async Task AskAllAsync(IReadOnlyCollection<string> topics)
    {
        if (topics.Count == 0)
        {
            return;
        }
        foreach (var topic in topics)
        {
            try
            {
                var settings = await admin.DescribeSettingsAsync(topic, AnswerTime);
                known[topic] = settings.TryGetValue("cleanup.policy", out var policy)
                    ? policy.Contains("compact", StringComparison.Ordinal) ? SkipKind.Compaction : SkipKind.Transaction
                    : SkipKind.Unknown;
            }
            catch (KafkaException error)
            {
                known[topic] = SkipKind.Unknown;
                logger.CleanupPolicyUnavailable(table, topic, error.Message);
            }
        }
    }
}
