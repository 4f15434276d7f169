using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Frazil.Kafka.Native;

namespace Frazil.Kafka;

/// <summary>
/// A queue of one worker: partitions are bound to it with their assignment, and from then on their records and events come here and
/// nowhere else. One thread reads it. Not reading it is back-pressure: librdkafka stops fetching at
/// <see cref="KafkaConsumerOptions.QueuedMaxKilobytes"/>, per queue, and nothing is dropped. Owned by its consumer.
/// </summary>
public sealed unsafe class MessageQueue
{
    private readonly IMessageQueueOwner _owner;
    private readonly int _capacity;
    private RdKafkaMessage** _messages;
    private nint _lastTopic;
    private int _lastTopicIndex;
    private int _state;

    private const int Idle = 0;
    private const int InUse = 1;
    private const int Closed = 2;

    internal MessageQueue(IMessageQueueOwner owner, nint client, int capacity)
    {
        _owner = owner;
        _capacity = capacity;
        _messages = (RdKafkaMessage**)NativeMemory.Alloc((nuint)capacity, (nuint)sizeof(nint));
        Handle = RdKafkaNative.rd_kafka_queue_new(client);
    }

    internal nint Handle { get; private set; }

    /// <summary>Messages waiting to be read.</summary>
    public int Length => _state == Closed ? 0 : (int)RdKafkaNative.rd_kafka_queue_length(Handle);

    /// <summary>Waits until there is something or the time is over, then takes what is there, up to the queue's batch size, without
    /// waiting for more. Dispose the batch before the next call.</summary>
    /// <exception cref="InvalidOperationException">The last batch is not disposed, or two threads read one queue.</exception>
    /// <exception cref="ObjectDisposedException">The consumer is disposed.</exception>
    public MessageBatch ConsumeBatch(TimeSpan timeout)
    {
        var state = Interlocked.CompareExchange(ref _state, InUse, Idle);
        if (state != Idle)
        {
            ObjectDisposedException.ThrowIf(state == Closed, this);
            throw new InvalidOperationException(
                "A message queue is read by one thread, which disposes each batch before it takes the next.");
        }
        // librdkafka waits for a full array or the whole timeout, which would hold a trickle back: wait for one message, then take the
        // rest.
        var count = RdKafkaNative.rd_kafka_consume_batch_queue(Handle, Milliseconds(timeout), _messages, 1);
        if (count > 0 && _capacity > 1)
        {
            var more = RdKafkaNative.rd_kafka_consume_batch_queue(Handle, 0, _messages + 1, (nuint)(_capacity - 1));
            count += Math.Max(more, 0);
        }
        return new(this, _messages, (int)Math.Max(count, 0));
    }

    /// <summary>Ends a waiting <see cref="ConsumeBatch"/> early, from any thread.</summary>
    public void Wake()
    {
        if (_state != Closed)
        {
            RdKafkaNative.rd_kafka_queue_yield(Handle);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int TopicIndexOf(nint topic) => topic == _lastTopic ? _lastTopicIndex : FindTopicIndex(topic);

    internal string TopicName(int index) => _owner.TopicName(index);

    internal void Release(int count)
    {
        for (var i = 0; i < count; i++)
        {
            RdKafkaNative.rd_kafka_message_destroy(_messages[i]);
        }
        Volatile.Write(ref _state, Idle);
    }

    /// <summary>Gives the native queue back. The reading thread must have ended.</summary>
    internal void Close()
    {
        var state = Interlocked.CompareExchange(ref _state, Closed, Idle);
        if (state == Closed)
        {
            return;
        }
        if (state == InUse)
        {
            throw new InvalidOperationException("A Kafka consumer is disposed only after the threads that read its queues have ended.");
        }
        RdKafkaNative.rd_kafka_queue_destroy(Handle);
        Handle = 0;
        NativeMemory.Free(_messages);
        _messages = null;
    }

    private int FindTopicIndex(nint topic)
    {
        _lastTopicIndex = _owner.TopicIndexOf(topic);
        _lastTopic = topic;
        return _lastTopicIndex;
    }

    private static int Milliseconds(TimeSpan timeout) => (int)Math.Clamp(Math.Ceiling(timeout.TotalMilliseconds), 0, int.MaxValue);
}

/// <summary>Who made a queue: a member of a group, or a reader of single partitions.</summary>
internal interface IMessageQueueOwner
{
    /// <summary>A number for a topic's native handle, the same for the owner's life.</summary>
    int TopicIndexOf(nint handle);

    string TopicName(int index);
}
