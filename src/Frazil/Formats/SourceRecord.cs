using Frazil.Kafka;

namespace Frazil.Formats;

/// <summary>One record as a format sees it: all that the producer sent. Points into the batch's memory; valid during the call it is given
/// to.</summary>
public readonly ref struct SourceRecord
{
    private readonly KafkaMessage message;
    private readonly bool isMessage;

    public SourceRecord(in KafkaMessage message)
    {
        this.message = message;
        isMessage = true;
        Value = message.Value;
        IsValueNull = message.IsValueNull;
    }

    /// <summary>A value alone, without topic, key and headers: for benches and tests of what a format makes of bytes.</summary>
    public SourceRecord(ReadOnlySpan<byte> value) => Value = value;

    /// <summary>Empty for a null value; see <see cref="IsValueNull"/>.</summary>
    public ReadOnlySpan<byte> Value { get; }

    /// <summary>A tombstone.</summary>
    public bool IsValueNull { get; }

    /// <summary>Empty for a null key; see <see cref="IsKeyNull"/>.</summary>
    public ReadOnlySpan<byte> Key => isMessage ? message.Key : default;

    public bool IsKeyNull => !isMessage || message.IsKeyNull;

    /// <summary>Looked up at each call; empty where there is a value alone.</summary>
    public string Topic => isMessage ? message.Topic : "";

    /// <summary>Parsed by librdkafka at the first call for a record.</summary>
    public KafkaHeaders Headers => isMessage ? message.Headers : default;
}
