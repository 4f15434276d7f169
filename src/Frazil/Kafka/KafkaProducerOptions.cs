namespace Frazil.Kafka;

/// <summary>How a producer writes; frozen.</summary>
public sealed record KafkaProducerOptions
{
    /// <summary><c>host:port</c>, several separated by commas.</summary>
    public required string BootstrapServers { get; init; }

    /// <summary><c>none</c>, <c>gzip</c>, <c>snappy</c>, <c>lz4</c> or <c>zstd</c>.</summary>
    public string Compression { get; init; } = "lz4";

    /// <summary>How long records wait for company before they are sent.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>Makes the producer transactional: its records are visible to committed readers when their transaction commits. The name
    /// fences an earlier producer of the same name.</summary>
    public string? TransactionalId { get; init; }

    /// <summary>librdkafka properties, set over the producer's own.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();

    /// <summary>Errors of the client, classified; called on the producer's thread.</summary>
    public Action<KafkaError>? Error { get; init; }
}
