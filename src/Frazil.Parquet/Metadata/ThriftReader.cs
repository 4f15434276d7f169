using System.Text;

namespace Frazil.Parquet.Metadata;

/// <summary>Wire types of Thrift's compact protocol.</summary>
internal enum ThriftType : byte
{
    Stop = 0, True = 1, False = 2, Byte = 3, I16 = 4, I32 = 5, I64 = 6, Double = 7, Binary = 8, List = 9, Set = 10, Map = 11, Struct = 12,
}

/// <summary>Reads Thrift's compact protocol, as Parquet footers are written in it.</summary>
/// <exception cref="InvalidDataException">By every method: the bytes end early or are not Thrift.</exception>
internal ref struct ThriftReader(ReadOnlySpan<byte> bytes)
{
    private const int MaxDepth = 64;
    private readonly ReadOnlySpan<byte> bytes = bytes;
    private int at;

    /// <summary>Bytes read so far.</summary>
    public readonly int Position => at;

    /// <summary>The next field of a struct; false at its end.</summary>
    public bool NextField(ref int fieldId, out ThriftType type)
    {
        var header = ReadByte();
        type = (ThriftType)(header & 0x0F);
        if (type == ThriftType.Stop)
        {
            return false;
        }
        var delta = header >> 4;
        fieldId = delta != 0 ? fieldId + delta : (int)ReadInteger();
        return true;
    }

    /// <summary>The header of a list; its elements follow.</summary>
    public int ReadListHeader(out ThriftType elementType)
    {
        var header = ReadByte();
        elementType = (ThriftType)(header & 0x0F);
        var count = header >> 4;
        if (count == 15)
        {
            var longer = ReadVarint();
            count = longer <= int.MaxValue ? (int)longer : throw Broken();
        }
        // Every element takes a byte at least, so a count beyond the rest is nonsense, and must not become an allocation.
        return count <= bytes.Length - at ? count : throw Broken();
    }

    /// <summary>A zigzag integer of any width.</summary>
    public long ReadInteger()
    {
        var value = ReadVarint();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    /// <summary>A zigzag integer of 32 bits.</summary>
    public int ReadInt32()
    {
        var value = ReadInteger();
        return value is >= int.MinValue and <= int.MaxValue ? (int)value : throw Broken();
    }

    public string ReadText()
    {
        return Encoding.UTF8.GetString(ReadBinary());
    }

    /// <summary>Where a binary value lies, without its length.</summary>
    public ReadOnlySpan<byte> ReadBinary()
    {
        var length = ReadVarint();
        var start = at;
        Advance(length);
        return bytes[start..at];
    }

    /// <summary>Passes over a value of the given type.</summary>
    public void Skip(ThriftType type, int depth = 0)
    {
        if (depth > MaxDepth)
        {
            throw Broken();
        }
        switch (type)
        {
            case ThriftType.True or ThriftType.False:
                break;
            case ThriftType.Byte:
                ReadByte();
                break;
            case ThriftType.I16 or ThriftType.I32 or ThriftType.I64:
                ReadVarint();
                break;
            case ThriftType.Double:
                Advance(8);
                break;
            case ThriftType.Binary:
                Advance(ReadVarint());
                break;
            case ThriftType.List or ThriftType.Set:
                for (var count = ReadListHeader(out var element); count > 0; count--)
                {
                    SkipElement(element, depth);
                }
                break;
            case ThriftType.Map:
                SkipMap(depth);
                break;
            case ThriftType.Struct:
                for (var fieldId = 0; NextField(ref fieldId, out var field);)
                {
                    Skip(field, depth + 1);
                }
                break;
            default:
                throw Broken();
        }
    }

    private void SkipMap(int depth)
    {
        var count = ReadVarint();
        if (count == 0)
        {
            return;
        }
        var types = ReadByte();
        for (; count > 0; count--)
        {
            SkipElement((ThriftType)(types >> 4), depth);
            SkipElement((ThriftType)(types & 0x0F), depth);
        }
    }

    // Inside a list a boolean is a byte of its own; as a field it is in the header.
    private void SkipElement(ThriftType element, int depth)
    {
        if (element is ThriftType.True or ThriftType.False)
        {
            ReadByte();
            return;
        }
        Skip(element, depth + 1);
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var part = ReadByte();
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
        throw Broken();
    }

    public byte ReadByte() => at < bytes.Length ? bytes[at++] : throw Broken();

    private void Advance(ulong count)
    {
        if (count > (ulong)(bytes.Length - at))
        {
            throw Broken();
        }
        at += (int)count;
    }

    private readonly InvalidDataException Broken() => new($"Broken Thrift data at byte {at} of {bytes.Length}.");
}
