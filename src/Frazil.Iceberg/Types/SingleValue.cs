using System.Buffers.Binary;
using System.Text;

namespace Frazil.Iceberg;

/// <summary>The binary single-value serialization of the specification's Appendix D: bounds in manifests and manifest lists.</summary>
public static class SingleValue
{
    /// <summary>The bytes of a value that is not null.</summary>
    /// <exception cref="ValidationException">The value's kind is not that of the type.</exception>
    public static byte[] Serialize(PrimitiveType type, IcebergValue value)
    {
        switch (type.Id)
        {
            case TypeId.Boolean:
                return [value.AsBoolean() ? (byte)1 : (byte)0];
            case TypeId.Int or TypeId.Date:
                return LittleEndian(value.AsInt());
            case TypeId.Long or TypeId.Time or TypeId.Timestamp or TypeId.TimestampTz or TypeId.TimestampNs or TypeId.TimestampTzNs:
                return LittleEndian(value.AsLong());
            case TypeId.Float:
                return LittleEndian(BitConverter.SingleToInt32Bits(value.AsFloat()));
            case TypeId.Double:
                return LittleEndian(BitConverter.DoubleToInt64Bits(value.AsDouble()));
            case TypeId.String:
                return Encoding.UTF8.GetBytes(value.AsString());
            case TypeId.Uuid:
                var uuid = new byte[16];
                value.CopyUuidTo(uuid);
                return uuid;
            case TypeId.Decimal:
                return MinimalBigEndian(value.AsUnscaledDecimal(), stackalloc byte[16]).ToArray();
            case TypeId.Unknown or TypeId.Variant:
                throw new ValidationException($"A value of type {type} has no binary form.");
            default:
                return value.AsBinary();
        }
    }

    /// <summary>
    /// Reads a value. Bounds written before a promotion are read too: 4 bytes for a long, a float for a double.
    /// </summary>
    /// <exception cref="InvalidFormatException">The length is not that of the type.</exception>
    public static IcebergValue Deserialize(PrimitiveType type, ReadOnlySpan<byte> bytes)
    {
        switch (type.Id)
        {
            case TypeId.Boolean when bytes.Length == 1:
                return bytes[0] != 0;
            case TypeId.Int or TypeId.Date when bytes.Length == 4:
                return BinaryPrimitives.ReadInt32LittleEndian(bytes);
            case TypeId.Long or TypeId.Time or TypeId.Timestamp or TypeId.TimestampTz or TypeId.TimestampNs
                or TypeId.TimestampTzNs when bytes.Length == 8:
                return BinaryPrimitives.ReadInt64LittleEndian(bytes);
            case TypeId.Long when bytes.Length == 4:
                return (long)BinaryPrimitives.ReadInt32LittleEndian(bytes);
            case TypeId.Float when bytes.Length == 4:
                return BinaryPrimitives.ReadSingleLittleEndian(bytes);
            case TypeId.Double when bytes.Length == 8:
                return BinaryPrimitives.ReadDoubleLittleEndian(bytes);
            case TypeId.Double when bytes.Length == 4:
                return (double)BinaryPrimitives.ReadSingleLittleEndian(bytes);
            case TypeId.Timestamp or TypeId.TimestampTz when bytes.Length == 4:
                return BinaryPrimitives.ReadInt32LittleEndian(bytes) * CalendarOrdinals.MicrosPerDay;
            case TypeId.String:
                return Encoding.UTF8.GetString(bytes);
            case TypeId.Uuid when bytes.Length == 16:
                return IcebergValue.FromUuid(bytes);
            case TypeId.Decimal when bytes.Length is >= 1 and <= 16:
                return IcebergValue.FromDecimal(ReadBigEndian(bytes), type.Scale);
            case TypeId.Fixed or TypeId.Binary or TypeId.Geometry or TypeId.Geography or TypeId.Variant:
                return IcebergValue.From(bytes.ToArray());
            default:
                throw new InvalidFormatException($"{bytes.Length} bytes ({Convert.ToHexStringLower(bytes)}) are no value of type {type}.");
        }
    }

    /// <summary>The shortest big-endian two's complement of a number, in the end of the buffer.</summary>
    /// <param name="value">The number.</param>
    /// <param name="buffer">16 bytes of working space; the result is a part of it.</param>
    internal static ReadOnlySpan<byte> MinimalBigEndian(Int128 value, Span<byte> buffer)
    {
        BinaryPrimitives.WriteInt128BigEndian(buffer, value);
        var start = 0;
        var sign = (byte)(value < 0 ? 0xFF : 0);
        while (start < 15 && buffer[start] == sign && (buffer[start + 1] & 0x80) == (sign & 0x80))
            start++;
        return buffer[start..];
    }

    internal static Int128 ReadBigEndian(ReadOnlySpan<byte> bytes)
    {
        Int128 value = (sbyte)bytes[0];
        foreach (var next in bytes[1..])
            value = (value << 8) | next;
        return value;
    }

    private static byte[] LittleEndian(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] LittleEndian(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes;
    }
}
