using System.Collections.Concurrent;
using Frazil.Kafka.Native;

namespace Frazil.Kafka;

/// <summary>
/// A member of a consumer group that never guesses a position. Every partition is assigned together with the offset that its owner
/// names; group offsets are never read, an offset that the log does not hold is reported and not replaced, only committed records
/// are delivered, and rebalancing is cooperative: partitions that stay go on where their owner says.
/// <para>One thread of its own polls the group and calls <see cref="KafkaConsumerEvents"/>; records flow through <see
/// cref="MessageQueue"/>s, each read by one worker thread. Stop the workers, then dispose.</para>
/// </summary>
public sealed partial class KafkaConsumer : IAsyncDisposable, IMessageQueueOwner
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    private readonly KafkaConsumerOptions _options;
    private readonly KafkaConsumerEvents _events;
    private readonly ClientCallbacks _callbacks;
    private readonly Lock _gate = new();
    private readonly ClientUse _use = new("Kafka consumer");
    private readonly List<MessageQueue> _queues = [];
    private readonly ConcurrentQueue<PostedWork> _posted = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private readonly nint _consumerQueue;
    private nint _client;
    private Thread? _thread;
    private Exception? _failure;
    private TopicTable _topics = TopicTable.Empty;

    /// <summary>The group gave us partitions, or none of them, at least once.</summary>
    private bool _wasAssigned;

    /// <summary>Between the first assignment of a name that the group may know and the rebalance that follows it: see <see
    /// cref="Subscribe"/>.</summary>
    private volatile bool _isRejoining;

    /// <summary>Makes the client; nothing is asked of a broker yet.</summary>
    /// <exception cref="KafkaException">A property is unknown, refused or reserved; the text names it.</exception>
    /// <exception cref="DllNotFoundException">librdkafka is not installed.</exception>
    public KafkaConsumer(KafkaConsumerOptions options, KafkaConsumerEvents events)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(events);
        _options = options;
        _events = events;
        _callbacks = new ClientCallbacks
        {
            Error = ServeError,
            Statistics = events.Statistics,
            Log = events.Log,
            Rebalance = ServeRebalance,
            OffsetCommit = ServeOffsetCommit,
            Failed = Fail,
        };
        using var configuration = Configure(options, _callbacks);
        _client = configuration.CreateClient(RdKafkaNative.Consumer);
        _callbacks.Client = _client;
        _ = RdKafkaNative.rd_kafka_poll_set_consumer(_client);
        _consumerQueue = RdKafkaNative.rd_kafka_queue_get_consumer(_client);
    }

    /// <summary>Topics by <see cref="KafkaMessage.TopicIndex"/>: those that were ever assigned. Only grows.</summary>
    public IReadOnlyList<string> Topics => _topics.Names;

    /// <summary>Completes when the consumer has left its group; faults when an event threw or the client met a fatal error.</summary>
    public Task Completion => _completion.Task;

    /// <summary>The version of the librdkafka in use.</summary>
    public static string LibraryVersion => RdKafkaLibrary.Version;

    /// <summary>Whether the client has met an error after which it can only end.</summary>
    internal unsafe bool HasFatalError
    {
        get
        {
            using var visit = _use.Enter();
            return RdKafkaNative.rd_kafka_fatal_error(_client, null, 0) != 0;
        }
    }

    /// <summary>Calls that are inside the client.</summary>
    internal int Asking => _use.Inside;

    /// <summary>Events that wait for the consumer's thread.</summary>
    internal int Waiting
    {
        get
        {
            using var visit = _use.Enter();
            return (int)RdKafkaNative.rd_kafka_queue_length(_consumerQueue);
        }
    }

    /// <summary>Makes a queue for one worker.</summary>
    /// <param name="batchCapacity">The most messages a batch holds.</param>
    public MessageQueue CreateWorkerQueue(int batchCapacity = 4096)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchCapacity, 1);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_client == 0, this);
            var queue = new MessageQueue(this, _client, batchCapacity);
            _queues.Add(queue);
            return queue;
        }
    }

    /// <summary>Subscribes and begins to serve events. Does not wait for a broker: when none answers, it goes on trying and says
    /// so.</summary>
    public unsafe void Start()
    {
        if (_thread is not null)
        {
            throw new InvalidOperationException("The consumer was started already.");
        }
        SubscribeFirst();
        _thread = new Thread(Run) { IsBackground = true, Name = $"kafka {_options.GroupId}" };
        _thread.Start();
    }

    /// <summary>Leaves the group: <see cref="KafkaConsumerEvents.Revoked"/> is called for what is held. Idempotent.</summary>
    public Task StopAsync(CancellationToken cancellationToken = default)
    {
        if (_thread is null)
        {
            _completion.TrySetResult();
        }
        RequestStop();
        return Completion.WaitAsync(cancellationToken);
    }

    /// <summary>Stops, and frees the client and its queues, once the last question to it is answered or given up. The workers must have
    /// ended.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_client == 0)
        {
            return;
        }
        await StopAsync(CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _listing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _use.CloseAsync().ConfigureAwait(false);
        await Task.Run(Free).ConfigureAwait(false);
        _callbacks.Dispose();
        _stopping.Dispose();
    }

    string IMessageQueueOwner.TopicName(int index) => _topics.Names[index];

    unsafe int IMessageQueueOwner.TopicIndexOf(nint handle)
    {
        var index = _topics.IndexOf(handle);
        return index >= 0 ? index : RegisterTopic(RdKafkaLibrary.Text(RdKafkaNative.rd_kafka_topic_name(handle)));
    }

    /// <summary>Holds the topic's native handle from now on, so that its address means this topic for the consumer's life.</summary>
    private int RegisterTopic(string name)
    {
        lock (_gate)
        {
            var index = _topics.IndexOf(name);
            if (index < 0)
            {
                _topics = _topics.With(name, RdKafkaNative.rd_kafka_topic_new(_client, name, 0));
                index = _topics.Names.Length - 1;
            }
            return index;
        }
    }

    private unsafe void Run()
    {
        try
        {
            while (!_stopping.IsCancellationRequested)
            {
                ServeMessage(RdKafkaNative.rd_kafka_consumer_poll(_client, (int)PollInterval.TotalMilliseconds));
                RunPosted();
            }
        }
        catch (Exception failure)
        {
            Fail(failure);
        }
        finally
        {
            Close();
        }
    }

    /// <summary>What reaches the group's own queue is an error, as every assigned partition has a queue of its own.</summary>
    private unsafe void ServeMessage(RdKafkaMessage* message)
    {
        if (message is null)
        {
            return;
        }
        try
        {
            if (message->Error == 0)
            {
                throw new InvalidOperationException(
                    $"A record of {RdKafkaLibrary.Text(RdKafkaNative.rd_kafka_topic_name(message->Topic))}[{message->Partition}] came outside its worker's queue.");
            }
            if (message->Error == KafkaErrorCodes.FatalLocal)
            {
                ServeError(KafkaError.FatalOf(_client));
                return;
            }
            var topic = message->Topic == 0 ? null : RdKafkaLibrary.Text(RdKafkaNative.rd_kafka_topic_name(message->Topic));
            var text = System.Text.Encoding.UTF8.GetString(message->Payload, (int)message->Length).TrimEnd('\0');
            ServeError(
                KafkaError.Of(message->Error, text, topic, message->Partition >= 0 && topic is not null ? message->Partition : null));
        }
        finally
        {
            RdKafkaNative.rd_kafka_message_destroy(message);
        }
    }

    private void ServeError(KafkaError error)
    {
        _events.Error?.Invoke(error);
        if (error.Kind == KafkaErrorKind.Fatal)
        {
            Fail(new KafkaException(error));
        }
    }

    private void Fail(Exception failure)
    {
        _failure ??= failure;
        RequestStop();
    }

    private void RequestStop()
    {
        lock (_gate)
        {
            if (_client == 0)
            {
                return;
            }
            _stopping.Cancel();
            RdKafkaNative.rd_kafka_queue_yield(_consumerQueue);
        }
    }

    /// <summary>Leaves the group.</summary>
    private void Close()
    {
        // Revokes what is held, through the rebalance event, and leaves the group.
        if (RdKafkaNative.rd_kafka_consumer_close(_client) == KafkaErrorCodes.FatalLocal)
        {
            // Nothing was closed, and after a fatal error an assignment cannot be answered any more.
            LoseEverything();
            _failure = _failure is KafkaException ? new KafkaException(KafkaError.FatalOf(_client)) : _failure; // others follow from it
        }
        while (_posted.TryDequeue(out var work))
        {
            work.Done.TrySetCanceled();
        }
        if (_failure is null)
        {
            _completion.TrySetResult();
        }
        else
        {
            _completion.TrySetException(_failure);
        }
    }

    private void Free()
    {
        nint client;
        lock (_gate)
        {
            client = _client;
            if (client == 0)
            {
                return;
            }
            foreach (var queue in _queues)
            {
                queue.Close();
            }
            foreach (var topic in _topics.Handles)
            {
                RdKafkaNative.rd_kafka_topic_destroy(topic);
            }
            RdKafkaNative.rd_kafka_queue_destroy(_consumerQueue);
            _client = 0;
        }
        RdKafkaNative.rd_kafka_destroy_flags(client, RdKafkaNative.DestroyWithoutClose); // the group was left before
    }

    /// <summary>For the consumer's thread: something to do, or partitions to read from elsewhere.</summary>
    private sealed class PostedWork
    {
        public Action? Run { get; init; }

        public Func<IReadOnlyCollection<PartitionStart>>? Starts { get; init; }

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Immutable: read by workers without a lock.</summary>
    private sealed record TopicTable(string[] Names, nint[] Handles)
    {
        public static TopicTable Empty { get; } = new([], []);

        public int IndexOf(nint handle) => Array.IndexOf(Handles, handle);

        public int IndexOf(string name) => Array.IndexOf(Names, name);

        public TopicTable With(string name, nint handle) => new([.. Names, name], [.. Handles, handle]);
    }
}
