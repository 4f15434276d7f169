using Frazil.Kafka.Native;

namespace Frazil.Kafka;

/// <summary>What one call of <see cref="MessageQueue.ConsumeBatch"/> took: records and events, in the order of each partition.
/// Dispose it before the next call; it gives the memory of every message back to librdkafka.</summary>
public readonly unsafe ref struct MessageBatch
{
    private readonly MessageQueue? _queue;
    private readonly RdKafkaMessage** _messages;

    internal MessageBatch(MessageQueue queue, RdKafkaMessage** messages, int count)
    {
        _queue = queue;
        _messages = messages;
        Count = count;
    }

    /// <summary>Records and events; 0 when the time ran out.</summary>
    public int Count { get; }

    public KafkaMessage this[int index] => (uint)index < (uint)Count
        ? new(_messages[index], _queue!)
        : throw new ArgumentOutOfRangeException(nameof(index), index, $"the batch holds {Count} messages");

    public Enumerator GetEnumerator() => new(this);

    public void Dispose() => _queue?.Release(Count);

    /// <summary>Walks a batch without allocation.</summary>
    public ref struct Enumerator
    {
        private readonly MessageBatch _batch;
        private int _index;

        internal Enumerator(MessageBatch batch)
        {
            _batch = batch;
            _index = -1;
        }

        public readonly KafkaMessage Current => new(_batch._messages[_index], _batch._queue!);

        public bool MoveNext() => ++_index < _batch.Count;
    }
}
