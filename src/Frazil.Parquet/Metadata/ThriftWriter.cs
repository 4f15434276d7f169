using System.Text;

namespace Frazil.Parquet.Metadata;

/// <summary>Writes Thrift's compact protocol, in which Parquet keeps its page headers and footer. Fields of a struct in ascending
/// order.</summary>
internal sealed class ThriftWriter(NativeBuffer output)
{
    private const byte TypeTrue = 1, TypeFalse = 2, TypeByte = 3, TypeI16 = 4, TypeI32 = 5, TypeI64 = 6;
    private const byte TypeBinary = 8, TypeList = 9, TypeStruct = 12;
    private const int LongestDelta = 15;
    private const int DeepestNesting = 16;

    private readonly short[] enclosing = new short[DeepestNesting];
    private int depth;
    private short lastField;

    public NativeBuffer Output => output;

    /// <summary>Opens a struct that is an element of a list, or the outermost one.</summary>
    public void BeginStruct()
    {
        enclosing[depth++] = lastField;
        lastField = 0;
    }

    public void BeginStruct(short field)
    {
        WriteHeader(field, TypeStruct);
        BeginStruct();
    }

    public void EndStruct()
    {
        output.Append(0);
        lastField = enclosing[--depth];
    }

    /// <summary>A struct without fields: the chosen member of a union.</summary>
    public void WriteEmptyStruct(short field)
    {
        BeginStruct(field);
        EndStruct();
    }

    /// <summary>A struct that was written before, its end included.</summary>
    public void WriteSerializedStruct(short field, ReadOnlySpan<byte> bytes)
    {
        WriteHeader(field, TypeStruct);
        output.Append(bytes);
    }

    public void WriteBoolean(short field, bool value) => WriteHeader(field, value ? TypeTrue : TypeFalse);

    public void WriteByte(short field, byte value)
    {
        WriteHeader(field, TypeByte);
        output.Append(value);
    }

    public void WriteInt16(short field, short value)
    {
        WriteHeader(field, TypeI16);
        WriteZigZag(value);
    }

    public void WriteInt32(short field, int value)
    {
        WriteHeader(field, TypeI32);
        WriteZigZag(value);
    }

    public void WriteInt64(short field, long value)
    {
        WriteHeader(field, TypeI64);
        WriteZigZag(value);
    }

    public void WriteBinary(short field, ReadOnlySpan<byte> value)
    {
        WriteHeader(field, TypeBinary);
        WriteBinaryElement(value);
    }

    public void WriteText(short field, string value)
    {
        WriteHeader(field, TypeBinary);
        WriteTextElement(value);
    }

    public void BeginStructList(short field, int count) => BeginList(field, count, TypeStruct);

    public void BeginBinaryList(short field, int count) => BeginList(field, count, TypeBinary);

    public void BeginInt32List(short field, int count) => BeginList(field, count, TypeI32);

    public void BeginInt64List(short field, int count) => BeginList(field, count, TypeI64);

    public void BeginBooleanList(short field, int count) => BeginList(field, count, TypeTrue);

    public void WriteIntegerElement(long value) => WriteZigZag(value);

    public void WriteBooleanElement(bool value) => output.Append(value ? TypeTrue : TypeFalse);

    public void WriteBinaryElement(ReadOnlySpan<byte> value)
    {
        output.AppendVarint((uint)value.Length);
        output.Append(value);
    }

    public void WriteTextElement(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        output.AppendVarint((uint)length);
        unsafe
        {
            Encoding.UTF8.GetBytes(value, new Span<byte>(output.Reserve(length), length));
        }
        output.Advance(length);
    }

    private void BeginList(short field, int count, byte elementType)
    {
        WriteHeader(field, TypeList);
        if (count < LongestDelta)
        {
            output.Append((byte)((count << 4) | elementType));
            return;
        }
        output.Append((byte)(0xF0 | elementType));
        output.AppendVarint((uint)count);
    }

    private void WriteHeader(short field, byte type)
    {
        var delta = field - lastField;
        if (delta is > 0 and <= LongestDelta)
        {
            output.Append((byte)((delta << 4) | type));
        }
        else
        {
            output.Append(type);
            WriteZigZag(field);
        }
        lastField = field;
    }

    private void WriteZigZag(long value) => output.AppendVarint((ulong)((value << 1) ^ (value >> 63)));
}
