using System.Runtime.InteropServices;
using Frazil.Kafka.Native;

namespace Frazil.Kafka;

/// <summary>The headers of a record, in their order, names possibly repeated; in librdkafka's memory, valid until the batch is
/// disposed.</summary>
public readonly unsafe ref struct KafkaHeaders
{
    private readonly nint _handle;

    internal KafkaHeaders(nint handle) => _handle = handle;

    public int Count => _handle == 0 ? 0 : (int)RdKafkaNative.rd_kafka_header_cnt(_handle);

    public KafkaHeader this[int index]
    {
        get
        {
            byte* name;
            byte* value;
            nuint size;
            return _handle != 0 && index >= 0 && RdKafkaNative.rd_kafka_header_get_all(_handle, (nuint)index, &name, &value, &size) == 0
                ? new(name, value, (int)size)
                : throw new ArgumentOutOfRangeException(nameof(index), index, $"the record has {Count} headers");
        }
    }
}

/// <summary>One header of a record.</summary>
public readonly unsafe ref struct KafkaHeader
{
    private readonly byte* _value;

    internal KafkaHeader(byte* name, byte* value, int size)
    {
        Name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
        _value = value;
        Value = new(value, size);
    }

    /// <summary>UTF-8.</summary>
    public ReadOnlySpan<byte> Name { get; }

    public bool IsValueNull => _value is null;

    /// <summary>Empty for a null value; see <see cref="IsValueNull"/>.</summary>
    public ReadOnlySpan<byte> Value { get; }
}
