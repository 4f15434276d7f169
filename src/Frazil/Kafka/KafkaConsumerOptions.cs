namespace Frazil.Kafka;

/// <summary>What a consumer reads and how; frozen.</summary>
public sealed record KafkaConsumerOptions
{
    /// <summary><c>host:port</c>, several separated by commas.</summary>
    public required string BootstrapServers { get; init; }

    /// <summary>The consumer group.</summary>
    public required string GroupId { get; init; }

    /// <summary>Topics to read, by name; none where there is a <see cref="Pattern"/>.</summary>
    public IReadOnlyList<string> Topics { get; init; } = [];

    /// <summary>Reads the topics that this selects, also those that come later, which are seen within seconds; null where they are
    /// named.</summary>
    public TopicPattern? Pattern { get; init; }

    /// <summary>librdkafka properties, set over the consumer's own; those that exactness depends on are refused.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();

    /// <summary>A name that this member keeps across restarts: the group then hands its partitions back at once instead of waiting for
    /// the session of the dead one to end, and a second process of that name is fenced. Null: an ordinary member.</summary>
    public string? GroupInstanceId { get; init; }

    /// <summary>An earlier process may have been a member under this name. The group hands its assignment over as it was then, so the
    /// consumer asks for another one at once.</summary>
    public bool HasPredecessor { get; init; } = true;

    /// <summary>Kilobytes (2^10) of fetched records that may wait in each worker queue before fetching stops. One fetch more, and the
    /// batch being worked on, come on top.</summary>
    public int QueuedMaxKilobytes { get; init; } = 32 * 1024;

    /// <summary>How often <see cref="KafkaConsumerEvents.Statistics"/> comes; zero turns it off, and so does
    /// having nobody to tell.</summary>
    public TimeSpan StatisticsInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The longest that one question to the brokers about offsets may take before it is asked again.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>What a consumer tells its owner. Everything is called on the consumer's own thread, one call at a time; while one runs, no
/// other event comes and the group waits, and partitions that stay pause until it has ended. An exception ends the consumer
/// (<see cref="KafkaConsumer.Completion"/> faults).</summary>
public sealed record KafkaConsumerEvents
{
    /// <summary>New partitions, in addition to those held: returns for each where to begin and which queue its records go to. They are
    /// assigned with those positions; nothing is delivered from anywhere else first. One that is left out is held and not read until <see
    /// cref="KafkaConsumer.RestartWhereAsync"/> says where.</summary>
    public required Func<IReadOnlyList<TopicPartition>, IReadOnlyList<PartitionStart>> Assigned { get; init; }

    /// <summary>Partitions that stay while others come or go, of which no more records can come than the workers hold now: returns for
    /// each the offset at which it goes on, which is behind the last record that its worker has taken, and its queue.</summary>
    public required Func<IReadOnlyList<TopicPartition>, IReadOnlyList<PartitionStart>> Kept { get; init; }

    /// <summary>The exact offsets at which reading begins, <see cref="StartPosition.Earliest"/> and the like resolved. Comes after
    /// <see cref="Assigned"/> (or a restart) and before the first record.</summary>
    public Action<IReadOnlyList<TopicPartitionOffset>>? Positioned { get; init; }

    /// <summary>Partitions are taken away; they are given up when this returns. Records of them may still be in the queue until then and
    /// in the batch a worker holds: wait for the worker to have passed its current batch, and let it ignore them from there on. After
    /// this no queue delivers any of them until they are assigned again.</summary>
    public required Action<PartitionsRevoked> Revoked { get; init; }

    /// <summary>Errors of the client as a whole; those of a partition come in its queue.</summary>
    public Action<KafkaError>? Error { get; init; }

    /// <summary>The client's numbers, at the interval asked for.</summary>
    public Action<KafkaStatistics>? Statistics { get; init; }

    /// <summary>librdkafka's own log lines (syslog level, facility, text), called on threads of its own.</summary>
    public Action<int, string, string>? Log { get; init; }
}
