using System.Buffers.Binary;
using System.Text;

namespace Frazil.Iceberg.Avro;

/// <summary>Reads Avro's binary encoding from one decompressed block.</summary>
internal ref struct AvroDecoder(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> data = data;
    private int position;

    public readonly bool AtEnd => position == data.Length;

    public long ReadLong()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (position == data.Length)
                throw Damaged();
            var next = data[position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return (long)(value >> 1) ^ -(long)(value & 1);
        }
        throw Damaged();
    }

    public int ReadInt()
    {
        var value = ReadLong();
        return value is >= int.MinValue and <= int.MaxValue ? (int)value : throw Damaged();
    }

    public bool ReadBoolean() => Take(1)[0] != 0;

    public float ReadFloat() => BinaryPrimitives.ReadSingleLittleEndian(Take(4));

    public double ReadDouble() => BinaryPrimitives.ReadDoubleLittleEndian(Take(8));

    public ReadOnlySpan<byte> ReadBytes() => Take(ReadLong());

    public string ReadString() => Encoding.UTF8.GetString(ReadBytes());

    public ReadOnlySpan<byte> Take(long count)
    {
        if (count < 0 || count > data.Length - position)
            throw Damaged();
        var taken = data.Slice(position, (int)count);
        position += (int)count;
        return taken;
    }

    /// <summary>Resolves a union to the branch that follows; other types resolve to themselves. A null branch gives the null
    /// schema.</summary>
    public AvroSchema Resolve(AvroSchema schema)
    {
        if (schema.Kind != AvroKind.Union)
            return schema;
        var index = ReadLong();
        return index >= 0 && index < schema.Branches.Length ? schema.Branches[(int)index] : throw Damaged();
    }

    /// <summary>Starts the next block of an array or map: how many items follow, 0 at the end.</summary>
    public long ReadBlockCount()
    {
        var count = ReadLong();
        if (count >= 0)
            return count;
        ReadLong();
        return -count;
    }

    public void Skip(AvroSchema schema)
    {
        switch (schema.Kind)
        {
            case AvroKind.Null:
                break;
            case AvroKind.Boolean:
                Take(1);
                break;
            case AvroKind.Int or AvroKind.Long or AvroKind.Enum:
                ReadLong();
                break;
            case AvroKind.Float:
                Take(4);
                break;
            case AvroKind.Double:
                Take(8);
                break;
            case AvroKind.Bytes or AvroKind.String:
                ReadBytes();
                break;
            case AvroKind.Fixed:
                Take(schema.Size);
                break;
            case AvroKind.Union:
                Skip(Resolve(schema));
                break;
            case AvroKind.Record:
                foreach (var field in schema.Fields)
                    Skip(field.Type);
                break;
            default:
                SkipItems(schema);
                break;
        }
    }

    private void SkipItems(AvroSchema schema)
    {
        for (var count = ReadLong(); count != 0; count = ReadLong())
        {
            if (count < 0)
            {
                Take(ReadLong());
                continue;
            }
            for (; count > 0; count--)
            {
                if (schema.Kind == AvroKind.Map)
                    ReadBytes();
                Skip(schema.Branches[0]);
            }
        }
    }

    private readonly InvalidFormatException Damaged()
        => new($"The Avro data is damaged or cut short near byte {position} of a block of {data.Length}.");
}
