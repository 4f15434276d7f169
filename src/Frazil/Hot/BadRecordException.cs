using Frazil.Kafka;

namespace Frazil.Hot;

/// <summary>A record does not fit its table and the configuration says to stop there.</summary>
public sealed class BadRecordException(TopicPartition partition, long offset, string code, string reason) : Exception(
    $"{partition} offset {offset}: {reason} ({code}); set on_bad_record = \"dlq\" to put such records into the dead-letter table and go on");
