using System.Buffers.Binary;
using System.Text;

namespace Frazil.Tests.Parquet;

/// <summary>Any Thrift struct of a file as numbers to values, read plainly: structs as dictionaries, lists as lists, integers as long, the
/// rest as bytes.</summary>
internal sealed class CompactThrift(byte[] bytes, int start)
{
    /// <summary>Behind what was read.</summary>
    public int At { get; private set; } = start;

    public static Dictionary<int, object> Footer(byte[] file)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(file.Length - 8));
        return new CompactThrift(file, file.Length - 8 - length).Struct();
    }

    public Dictionary<int, object> Struct()
    {
        var fields = new Dictionary<int, object>();
        for (var field = 0; bytes[At] != 0;)
        {
            var header = bytes[At++];
            field = header >> 4 != 0 ? field + (header >> 4) : (int)Integer();
            fields[field] = Value(header & 15, isElement: false);
        }
        At++;
        return fields;
    }

    private object Value(int type, bool isElement) => type switch
    {
        1 or 2 => isElement ? bytes[At++] == 1 : type == 1,
        3 => (long)bytes[At++],
        4 or 5 or 6 => Integer(),
        8 => Binary(),
        9 => List(),
        12 => Struct(),
        _ => throw new InvalidDataException($"type {type} at {At}"),
    };

    private List<object> List()
    {
        var header = bytes[At++];
        var count = header >> 4 == 15 ? (int)Varint() : header >> 4;
        return [.. Enumerable.Range(0, count).Select(_ => Value(header & 15, isElement: true))];
    }

    private byte[] Binary()
    {
        var length = (int)Varint();
        At += length;
        return bytes[(At - length)..At];
    }

    private long Integer()
    {
        var value = Varint();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            value |= (ulong)(bytes[At] & 0x7F) << shift;
            if (bytes[At++] < 0x80)
            {
                return value;
            }
        }
    }

    public static string Text(object value) => Encoding.UTF8.GetString((byte[])value);
}
