namespace Frazil.Kafka;

/// <summary>Consumer properties of librdkafka that exactness or the data plane depends on, with the reason users are given when they try to set one.</summary>
internal static class ReservedProperties
{
    private const string Progress = "progress is committed with the table's files, never by the consumer";

    private static readonly Dictionary<string, string> Reasons = new(StringComparer.Ordinal)
    {
        ["bootstrap.servers"] = "it is kafka.bootstrap_servers",
        ["metadata.broker.list"] = "it is kafka.bootstrap_servers",
        ["group.id"] = "each table consumes in a group of its own, kafka.group_id + \".\" + its name",
        ["enable.auto.commit"] = Progress,
        ["auto.commit.enable"] = Progress,
        ["auto.commit.interval.ms"] = Progress,
        ["enable.auto.offset.store"] = Progress,
        ["offset.store.method"] = Progress,
        ["auto.offset.reset"] = "it is kafka.start_from; a position that the broker no longer has is reported, not skipped over",
        ["isolation.level"] = "records of aborted transactions would reach the table; Frazil reads committed ones only",
        ["partition.assignment.strategy"] = "rebalancing is cooperative-sticky, or the broker's own with group.protocol = consumer",
        ["enable.partition.eof"] = "freshness and lag are measured by it",
        ["queued.max.messages.kbytes"] = "it follows from hot_buffer.max_memory_mb",
        ["log.queue"] = "librdkafka's log lines are taken over already",
        ["statistics.interval.ms"] = "lag and broker metrics are measured by it",
    };

    /// <summary>Why the property may not be set, or null when it may.</summary>
    public static string? Reason(string property) => Reasons.GetValueOrDefault(property);
}
