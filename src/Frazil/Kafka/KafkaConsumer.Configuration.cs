using System.Globalization;

namespace Frazil.Kafka;

public sealed partial class KafkaConsumer
{
    private static ClientConfiguration Configure(KafkaConsumerOptions options, ClientCallbacks callbacks)
    {
        if (options.Pattern is null == (options.Topics.Count == 0) || options.Topics.Any(string.IsNullOrWhiteSpace))
        {
            throw new ArgumentException("A consumer needs at least one topic, none of them empty, or a pattern.", nameof(options));
        }
        if (options.Topics.FirstOrDefault(static topic => topic.StartsWith('^')) is { } expression)
        {
            throw new ArgumentException($"'{expression}' is not a topic's name: librdkafka would take it for an expression. Give Pattern.", nameof(options));
        }
        var configuration = new ClientConfiguration();
        try
        {
            SetDefaults(configuration, options, callbacks);
            configuration.SetAll(options.Properties, ReservedProperties.Reason);
            if (!UsesBrokerSideAssignment(options))
            {
                configuration.Set("partition.assignment.strategy", "cooperative-sticky");
            }
            callbacks.Bind(configuration);
            return configuration;
        }
        catch
        {
            configuration.Dispose();
            throw;
        }
    }

    /// <summary>The next-generation protocol (KIP-848), where the library knows it, takes no client-side strategy or session
    /// settings.</summary>
    private static bool UsesBrokerSideAssignment(KafkaConsumerOptions options) =>
        options.Properties.TryGetValue("group.protocol", out var protocol)
            && protocol.Equals("consumer", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the group may remember a member of this name.</summary>
    private static bool MayBeKnown(KafkaConsumerOptions options)
        => (options.GroupInstanceId is not null && options.HasPredecessor) || options.Properties.ContainsKey("group.instance.id");

    private static void SetDefaults(ClientConfiguration configuration, KafkaConsumerOptions options, ClientCallbacks callbacks)
    {
        configuration.Set("bootstrap.servers", options.BootstrapServers);
        configuration.Set("client.id", "frazil");
        configuration.Set("group.id", options.GroupId);
        // The broker's own protocol keeps a name that was not given back until the session of the dead member ends, and refuses its heir.
        if (options.GroupInstanceId is { } instance && !UsesBrokerSideAssignment(options))
        {
            configuration.Set("group.instance.id", instance);
        }
        configuration.Set("enable.auto.commit", "false");
        configuration.Set("enable.auto.offset.store", "false");
        configuration.Set("isolation.level", "read_committed");
        configuration.Set("enable.partition.eof", "true");
        configuration.Set("auto.offset.reset", "error");
        configuration.Set("allow.auto.create.topics", "false");
        configuration.Set("queued.max.messages.kbytes", options.QueuedMaxKilobytes.ToString(CultureInfo.InvariantCulture));
        // Making them costs librdkafka the more the more partitions there are.
        var statistics = callbacks.Statistics is null ? TimeSpan.Zero : options.StatisticsInterval;
        configuration.Set("statistics.interval.ms", ((int)statistics.TotalMilliseconds).ToString(CultureInfo.InvariantCulture));

        // A broker answers as soon as one of the partitions that are asked for has a record, so that freshness does not depend on this. What does:
        // how long a partition that begins, or goes on after its queue was full, waits for the answer about its idle neighbours. Every one of these
        // waits costs an idle consumer a request that names all its partitions. While 300 tables still began one after the other (bench many-tables),
        // with 20, 40 and 100: all assigned after 12, 15 and 23 s, idle 6.1, 3.6 and 2.2 % of a core.
        configuration.Set("fetch.wait.max.ms", "40");
        configuration.Set("fetch.error.backoff.ms", "100");
        configuration.Set("fetch.queue.backoff.ms", "5");
        configuration.Set("queued.min.messages", "10000000"); // the limit is in bytes

        // A restarted broker is found again, and a new topic that a pattern or a waiting table wants is seen, within seconds.
        configuration.Set("reconnect.backoff.ms", "50");
        configuration.Set("reconnect.backoff.max.ms", "2000");
        configuration.Set("topic.metadata.refresh.interval.ms", "5000");
        if (!UsesBrokerSideAssignment(options))
        {
            // Heartbeats come from a native thread, so the collector cannot stall them; a crashed member is replaced within seconds.
            configuration.Set("session.timeout.ms", "6000");
            configuration.Set("heartbeat.interval.ms", "1500");
        }
    }
}
