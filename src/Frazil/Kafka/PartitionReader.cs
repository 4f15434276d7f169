using System.Diagnostics;
using System.Globalization;
using Frazil.Kafka.Native;

namespace Frazil.Kafka;

/// <summary>How far a range was read.</summary>
/// <param name="Next">Every committed record before this offset was delivered, and there is none else before it in the partition.</param>
/// <param name="ReachedEnd">True: the partition ended first, at <paramref name="Next"/> (open transactions count as not written
/// yet).</param>
public readonly record struct PartitionRead(long Next, bool ReachedEnd);

/// <summary>
/// Reads offset ranges of single partitions, outside of any group: only committed records, nothing is stored anywhere, no consumer is
/// disturbed. One client for all ranges; one read at a time. Dispose frees the client.
/// </summary>
public sealed class PartitionReader : IAsyncDisposable, IMessageQueueOwner
{
    private const int QueueKilobytes = 32 * 1024;
    private const int BatchCapacity = 4096;

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    private readonly ClientCallbacks _callbacks;
    private readonly List<(string Name, nint Handle)> _topics = [];
    private readonly TimeSpan _patience;
    private nint _client;
    private KafkaError? _lastError;

    /// <summary>What is done with a record. The message is good until the call returns.</summary>
    public delegate void Visit(in KafkaMessage message);

    /// <summary>Makes the client; nothing is asked of a broker yet.</summary>
    /// <param name="bootstrapServers"><c>host:port</c>, several separated by commas.</param>
    /// <param name="properties">librdkafka properties: TLS, SASL, tuning; those of groups mean nothing.</param>
    /// <param name="patience">How long a read or a question waits without an answer before it fails; 30 seconds by default.</param>
    /// <exception cref="KafkaException">A property is unknown or refused; the text names it.</exception>
    public PartitionReader(string bootstrapServers, IReadOnlyDictionary<string, string>? properties = null, TimeSpan? patience = null)
    {
        _patience = patience ?? TimeSpan.FromSeconds(30);
        _callbacks = new ClientCallbacks { Error = Remember, Failed = static _ => { } };
        using var configuration = new ClientConfiguration();
        configuration.Set("bootstrap.servers", bootstrapServers);
        configuration.Set("client.id", "frazil-reader");
        configuration.Set("reconnect.backoff.max.ms", "1000");
        configuration.Set("fetch.wait.max.ms", "20");
        configuration.Set("fetch.error.backoff.ms", "100");
        configuration.Set("fetch.queue.backoff.ms", "5");
        configuration.SetAll(properties ?? new Dictionary<string, string>(), static name => name switch
        {
            "bootstrap.servers" => "it is kafka.bootstrap_servers",
            "group.id" => "ranges are read outside of any group",
            _ => null,
        });
        // What exactness depends on is ours, whatever the properties say.
        configuration.Set("isolation.level", "read_committed");
        configuration.Set("enable.partition.eof", "true");
        configuration.Set("enable.auto.commit", "false");
        configuration.Set("enable.auto.offset.store", "false");
        configuration.Set("auto.offset.reset", "error");
        configuration.Set("allow.auto.create.topics", "false");
        configuration.Set("queued.min.messages", "10000000");
        configuration.Set("queued.max.messages.kbytes", QueueKilobytes.ToString(CultureInfo.InvariantCulture));
        _callbacks.Bind(configuration);
        _client = configuration.CreateClient(RdKafkaNative.Consumer);
        _callbacks.Client = _client;
    }

    /// <summary>Asks for what the partition holds; <see cref="Watermarks.High"/> is the end of what is committed. Blocks.</summary>
    /// <exception cref="KafkaException">No answer in time, no such partition, or no right to it.</exception>
    public unsafe Watermarks QueryWatermarks(TopicPartition partition)
    {
        ObjectDisposedException.ThrowIf(_client == 0, this);
        long low;
        long high;
        var code = RdKafkaNative.rd_kafka_query_watermark_offsets(
            _client, partition.Topic, partition.Partition, &low, &high, (int)_patience.TotalMilliseconds);
        _ = RdKafkaNative.rd_kafka_poll(_client, 0);
        if (code is KafkaErrorCodes.TimedOut or KafkaErrorCodes.Transport or KafkaErrorCodes.AllBrokersDown && _lastError is { } reason)
        {
            throw new KafkaException(reason);
        }
        KafkaException.ThrowIf(code, $"asking for the ends of {partition}");
        return new(low, high);
    }

    /// <summary>Delivers every committed record from <paramref name="from"/> up to, but without, <paramref name="end"/>, in order, on the
    /// caller's thread; stops earlier where the partition ends. Allocates nothing per record.</summary>
    /// <exception cref="KafkaException">The partition does not hold <paramref name="from"/> (kind <see
    /// cref="KafkaErrorKind.OffsetOutOfRange"/>), cannot be read, or nothing was heard of it for as long as the reader's
    /// patience.</exception>
    public PartitionRead Read(TopicPartition partition, long from, long end, Visit visit, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_client == 0, this);
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentNullException.ThrowIfNull(visit);
        if (end <= from)
        {
            return new(from, ReachedEnd: false);
        }
        var topic = HandleOf(partition.Topic);
        var queue = new MessageQueue(this, _client, BatchCapacity);
        try
        {
            if (RdKafkaNative.rd_kafka_consume_start_queue(topic, partition.Partition, from, queue.Handle) != 0)
            {
                KafkaException.ThrowIf(RdKafkaNative.rd_kafka_last_error(), $"reading {partition} from offset {from}");
            }
            try
            {
                return ReadQueue(queue, partition, from, end, visit, cancellationToken);
            }
            finally
            {
                _ = RdKafkaNative.rd_kafka_consume_stop(topic, partition.Partition);
            }
        }
        finally
        {
            queue.Close();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_client == 0)
        {
            return;
        }
        var client = _client;
        _client = 0;
        foreach (var (_, handle) in _topics)
        {
            RdKafkaNative.rd_kafka_topic_destroy(handle);
        }
        await Task.Run(() => RdKafkaNative.rd_kafka_destroy(client)).ConfigureAwait(false);
        _callbacks.Dispose();
    }

    int IMessageQueueOwner.TopicIndexOf(nint handle) => _topics.FindIndex(topic => topic.Handle == handle);

    string IMessageQueueOwner.TopicName(int index) => _topics[index].Name;

    private PartitionRead ReadQueue(
        MessageQueue queue, TopicPartition partition, long from, long end, Visit visit, CancellationToken cancellationToken)
    {
        var next = from;
        for (var heard = Stopwatch.GetTimestamp(); ;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _ = RdKafkaNative.rd_kafka_poll(_client, 0); // errors of the client, for the message of a time-out
            using var batch = queue.ConsumeBatch(PollInterval);
            foreach (var message in batch)
            {
                if (!message.IsRecord)
                {
                    if (message.Kind == KafkaMessageKind.PartitionEnd)
                    {
                        return new(Math.Max(next, message.Offset), ReachedEnd: message.Offset < end);
                    }
                    Refuse(message.ToError()!, partition, next);
                    continue;
                }
                heard = Stopwatch.GetTimestamp();
                if (message.Offset >= end)
                {
                    return new(end, ReachedEnd: false);
                }
                visit(in message);
                next = message.Offset + 1;
            }
            if (next >= end)
            {
                return new(next, ReachedEnd: false);
            }
            if (Stopwatch.GetElapsedTime(heard) > _patience)
            {
                throw new KafkaException(_lastError ?? KafkaError.Of(
                    KafkaErrorCodes.TimedOut, $"nothing was heard of {partition} from offset {next} on for {_patience.TotalSeconds:0} s",
                    partition.Topic, partition.Partition));
            }
        }
    }

    private void Refuse(KafkaError error, TopicPartition partition, long next)
    {
        if (error.Kind == KafkaErrorKind.OffsetOutOfRange)
        {
            throw new KafkaException(
                error with { Reason = $"offset {next} of {partition} is not in the log: {error.Reason}", Topic = null, Partition = null });
        }
        if (error.Kind is KafkaErrorKind.Retriable or KafkaErrorKind.Unreachable)
        {
            _lastError = error;
            return;
        }
        throw new KafkaException(error);
    }

    private nint HandleOf(string topic)
    {
        var index = _topics.FindIndex(known => known.Name == topic);
        if (index < 0)
        {
            index = _topics.Count;
            _topics.Add((topic, RdKafkaNative.rd_kafka_topic_new(_client, topic, 0)));
        }
        return _topics[index].Handle;
    }

    /// <summary>"All brokers are down" only repeats what the error before it explains.</summary>
    private void Remember(KafkaError error)
    {
        if (_lastError is null || error.Code != KafkaErrorCodes.AllBrokersDown)
        {
            _lastError = error;
        }
    }
}
