using System.Collections.Concurrent;
using System.Text;
using Frazil.Kafka.Native;

namespace Frazil.Kafka;

/// <summary>A header of a record to write.</summary>
public readonly record struct ProducedHeader(string Name, ReadOnlyMemory<byte>? Value)
{
    /// <summary>The name as it is sent, where it need not be text: Kafka does not look at it.</summary>
    internal ReadOnlyMemory<byte> RawName { get; init; } = Encoding.UTF8.GetBytes(Name);
}

/// <summary>
/// Writes records: idempotent (no duplicates or reordering by retries), acknowledged by all replicas. Records are copied on the call;
/// whether they arrived is counted, and told by <see cref="FlushAsync"/>. Any thread may produce.
/// </summary>
public sealed unsafe partial class KafkaProducer : IAsyncDisposable
{
    /// <summary>For the partition of a record: by a hash of its key (that of Java's clients), or any when it has none.</summary>
    public const int AnyPartition = -1;

    private readonly ClientCallbacks _callbacks;
    private readonly ConcurrentDictionary<string, nint> _topics = new(StringComparer.Ordinal);
    private readonly Thread _thread;
    private readonly bool _isTransactional;
    private nint _client;
    private long _produced;
    private long _delivered;
    private long _failed;
    private volatile KafkaError? _firstFailure;
    private volatile KafkaError? _fatal;
    private volatile bool _stopping;

    /// <summary>Makes the client; nothing is asked of a broker yet.</summary>
    /// <exception cref="KafkaException">A property is unknown or refused; the text names it.</exception>
    public KafkaProducer(KafkaProducerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _isTransactional = options.TransactionalId is not null;
        _callbacks = new ClientCallbacks
        {
            Error = error =>
            {
                _fatal = error.Kind == KafkaErrorKind.Fatal ? error : _fatal;
                options.Error?.Invoke(error);
            },
            Failed = static _ => { },
            Delivered = CountDelivery,
        };
        using var configuration = new ClientConfiguration();
        SetDefaults(configuration, options);
        configuration.SetAll(options.Properties);
        _callbacks.Bind(configuration);
        _client = configuration.CreateClient(RdKafkaNative.Producer);
        _thread = new Thread(Poll) { IsBackground = true, Name = "kafka producer" };
        _thread.Start();
    }

    /// <summary>Records acknowledged by the broker.</summary>
    public long Delivered => Interlocked.Read(ref _delivered);

    /// <summary>Records given up, those of aborted transactions among them.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Records given to this producer.</summary>
    public long Produced => Interlocked.Read(ref _produced);

    /// <summary>Queues a record; waits while the queue (100,000 records) is full.</summary>
    /// <exception cref="KafkaException">It cannot be queued: too large, no transaction begun, or the producer met a fatal
    /// error.</exception>
    public void Produce(
        string topic, int partition, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, CancellationToken cancellationToken = default)
    {
        var handle = TopicHandle(topic);
        fixed (byte* keyBytes = NonNull(key), valueBytes = NonNull(value))
        {
            for (var wait = new SpinWait(); ; wait.SpinOnce())
            {
                if (RdKafkaNative.rd_kafka_produce(handle, partition, RdKafkaNative.MessageFlagCopy, valueBytes, (nuint)value.Length,
                    key.IsEmpty ? null : keyBytes, (nuint)key.Length, 0) == 0)
                {
                    Interlocked.Increment(ref _produced);
                    return;
                }
                var code = RdKafkaNative.rd_kafka_last_error();
                if (code != KafkaErrorCodes.QueueFull)
                {
                    throw ProduceFailure(code, topic);
                }
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>Queues a record with all that a record can have.</summary>
    /// <param name="key">Null when <paramref name="isKeyNull"/>.</param>
    /// <param name="value">A tombstone when <paramref name="isValueNull"/>.</param>
    /// <param name="timestampMs">Milliseconds since 1970-01-01 UTC; 0 takes the clock.</param>
    public void Produce(string topic, int partition, ReadOnlySpan<byte> key, bool isKeyNull, ReadOnlySpan<byte> value, bool isValueNull,
        IReadOnlyList<ProducedHeader>? headers = null, long timestampMs = 0, CancellationToken cancellationToken = default)
    {
        var name = Encoding.UTF8.GetBytes(topic + '\0');
        Span<RdKafkaProduceArgument> arguments = stackalloc RdKafkaProduceArgument[7];
        fixed (byte* nameBytes = name, keyBytes = NonNull(key), valueBytes = NonNull(value))
        fixed (RdKafkaProduceArgument* first = arguments)
        {
            arguments[0] = new() { Type = RdKafkaProduceArgument.TypeTopic, Pointer = (nint)nameBytes };
            arguments[1] = new() { Type = RdKafkaProduceArgument.TypePartition, Int32 = partition };
            arguments[2] = new() { Type = RdKafkaProduceArgument.TypeFlags, Int32 = RdKafkaNative.MessageFlagCopy };
            arguments[3] = new()
            {
                Type = RdKafkaProduceArgument.TypeKey,
                Memory = isKeyNull ? null : keyBytes,
                MemorySize = isKeyNull ? 0 : (nuint)key.Length,
            };
            arguments[4] = new()
            {
                Type = RdKafkaProduceArgument.TypeValue,
                Memory = isValueNull ? null : valueBytes,
                MemorySize = isValueNull ? 0 : (nuint)value.Length,
            };
            arguments[5] = new() { Type = RdKafkaProduceArgument.TypeTimestamp, Int64 = timestampMs };
            var count = headers is { Count: > 0 } ? 7 : 6;
            for (var wait = new SpinWait(); ; wait.SpinOnce())
            {
                var native = count == 7 ? CopyHeaders(headers!) : 0;
                arguments[6] = new() { Type = RdKafkaProduceArgument.TypeHeaders, Pointer = native };
                var error = KafkaError.Take(RdKafkaNative.rd_kafka_produceva(_client, first, (nuint)count), $"producing to {topic}");
                if (error is null)
                {
                    Interlocked.Increment(ref _produced);
                    return;
                }
                if (native != 0)
                {
                    RdKafkaNative.rd_kafka_headers_destroy(native); // ours again, as the call failed
                }
                if (error.Code != KafkaErrorCodes.QueueFull)
                {
                    throw new KafkaException(error with { Topic = topic });
                }
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    private static nint CopyHeaders(IReadOnlyList<ProducedHeader> headers)
    {
        var native = RdKafkaNative.rd_kafka_headers_new((nuint)headers.Count);
        foreach (var header in headers)
        {
            var bytes = header.Value.GetValueOrDefault().Span;
            fixed (byte* value = NonNull(bytes), name = NonNull(header.RawName.Span))
            {
                _ = RdKafkaNative.rd_kafka_header_add(
                    native, name, header.RawName.Length, header.Value is null ? null : value, bytes.Length);
            }
        }
        return native;
    }

    /// <summary>An empty span has no address, and a null address means null to librdkafka.</summary>
    private static ReadOnlySpan<byte> NonNull(ReadOnlySpan<byte> span) => span.IsEmpty ? "\0"u8 : span;

    private nint TopicHandle(string topic)
    {
        ObjectDisposedException.ThrowIf(_client == 0, this);
        return _topics.GetOrAdd(topic, static (name, self) =>
        {
            var handle = RdKafkaNative.rd_kafka_topic_new(self._client, name, 0);
            return handle != 0 ? handle : throw self.ProduceFailure(RdKafkaNative.rd_kafka_last_error(), name);
        }, this);
    }

    private KafkaException ProduceFailure(int code, string topic) => new(_fatal ?? KafkaError.Of(code, "", topic));

    private void CountDelivery(int code, string? topic, int partition)
    {
        if (code == 0)
        {
            Interlocked.Increment(ref _delivered);
            return;
        }
        if (code is not (KafkaErrorCodes.PurgeQueue or KafkaErrorCodes.PurgeInflight))
        {
            _firstFailure ??= KafkaError.Of(code, "", topic, partition);
        }
        Interlocked.Increment(ref _failed);
    }

    private void Poll()
    {
        while (!_stopping)
        {
            _ = RdKafkaNative.rd_kafka_poll(_client, 100);
        }
    }
}
