using System.Text;
using Frazil.Kafka.Native;

namespace Frazil.Kafka;

/// <summary>What an error means to whoever must react to it.</summary>
public enum KafkaErrorKind
{
    /// <summary>Goes away by itself; the client retries.</summary>
    Retriable,
    /// <summary>No broker answers: wrong address, broker down, network. The client keeps trying.</summary>
    Unreachable,
    /// <summary>The broker or we refuse the other's identity: SASL credentials or mechanism, TLS certificates. The client keeps
    /// trying.</summary>
    Authentication,
    /// <summary>The user is known but may not do this to a topic, group, transactional id or the cluster.</summary>
    Authorization,
    /// <summary>A topic or partition that the cluster does not have (yet).</summary>
    UnknownTopic,
    /// <summary>The offset to read is not in the log any more, or not yet: retention, truncation, or a recreated topic.</summary>
    OffsetOutOfRange,
    /// <summary>A property or an argument that librdkafka refuses.</summary>
    InvalidConfiguration,
    /// <summary>The current transaction must be aborted; a new one may succeed.</summary>
    TransactionAborted,
    /// <summary>The client cannot go on: fenced by another instance, or in a state that nothing leads out of.</summary>
    Fatal,
    /// <summary>None of the above; the text says more.</summary>
    Other,
}

/// <summary>One error of a Kafka client, classified, with what to do about it.</summary>
/// <param name="Kind">What it means.</param>
/// <param name="Code">librdkafka's or the protocol's code.</param>
/// <param name="Name">The code's name, such as <c>_ALL_BROKERS_DOWN</c> or <c>TOPIC_AUTHORIZATION_FAILED</c>.</param>
/// <param name="Reason">What happened, in librdkafka's words; names the broker where one is involved.</param>
public sealed record KafkaError(KafkaErrorKind Kind, int Code, string Name, string Reason)
{
    /// <summary>The topic it is about; null when it is about none.</summary>
    public string? Topic { get; init; }

    /// <summary>The partition of <see cref="Topic"/> it is about; null when it is about none.</summary>
    public int? Partition { get; init; }

    /// <summary>What to change or expect; empty when there is nothing useful to say.</summary>
    public string Fix => KafkaErrorCodes.FixOf(this);

    /// <summary>One line for people: where, what, and what to do.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        if (Topic is not null && Partition is { } partition)
        {
            text.Append(new TopicPartition(Topic, partition)).Append(": ");
        }
        else if (Topic is not null && !Reason.Contains($" {Topic}:", StringComparison.Ordinal))
        {
            text.Append("topic ").Append(Topic).Append(": ");
        }
        text.Append(Reason).Append(" (").Append(Name).Append(')');
        return Fix.Length == 0 ? text.ToString() : text.Append(". ").Append(Fix).ToString();
    }

    /// <summary>From a code and the words that came with it; empty words stand for the library's own of that code.</summary>
    internal static unsafe KafkaError Of(int code, string reason, string? topic = null, int? partition = null) => new(
        KafkaErrorCodes.KindOf(code),
        code,
        RdKafkaLibrary.Text(RdKafkaNative.rd_kafka_err2name(code)),
        reason.Length > 0 ? reason : RdKafkaLibrary.Text(RdKafkaNative.rd_kafka_err2str(code)))
    {
        Topic = topic,
        Partition = partition,
    };

    /// <summary>What made the client's state fatal; <c>_FATAL</c> itself says nothing.</summary>
    internal static unsafe KafkaError FatalOf(nint client)
    {
        var text = stackalloc byte[512];
        var code = RdKafkaNative.rd_kafka_fatal_error(client, text, 512);
        return Of(code, RdKafkaLibrary.Text(text)) with { Kind = KafkaErrorKind.Fatal };
    }

    /// <summary>Takes over an <c>rd_kafka_error_t</c>: reads and destroys it. Null for a null handle, which is success.</summary>
    internal static unsafe KafkaError? Take(nint error, string what)
    {
        if (error == 0)
        {
            return null;
        }
        var result = Of(
            RdKafkaNative.rd_kafka_error_code(error), $"{what}: {RdKafkaLibrary.Text(RdKafkaNative.rd_kafka_error_string(error))}");
        var kind = RdKafkaNative.rd_kafka_error_is_fatal(error) != 0 ? KafkaErrorKind.Fatal
            : RdKafkaNative.rd_kafka_error_txn_requires_abort(error) != 0 ? KafkaErrorKind.TransactionAborted
            : RdKafkaNative.rd_kafka_error_is_retriable(error) != 0 ? KafkaErrorKind.Retriable
            : result.Kind;
        RdKafkaNative.rd_kafka_error_destroy(error);
        return result with { Kind = kind };
    }
}

/// <summary>A Kafka operation failed; <see cref="Error"/> says how, <see cref="Exception.Message"/> also what to change.</summary>
public sealed class KafkaException(KafkaError error) : Exception(error.ToString())
{
    public KafkaError Error { get; } = error;

    internal static void ThrowIf(int code, string what)
    {
        if (code != 0)
        {
            var error = KafkaError.Of(code, "");
            throw new KafkaException(error with { Reason = $"{what}: {error.Reason}" });
        }
    }

    internal static void ThrowIf(nint errorHandle, string what)
    {
        if (KafkaError.Take(errorHandle, what) is { } error)
        {
            throw new KafkaException(error);
        }
    }
}
