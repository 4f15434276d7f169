namespace Frazil.Iceberg.Avro;

/// <summary>Decompresses raw Snappy, which other writers may use for manifests.</summary>
internal static class Snappy
{
    private const int MaxBytes = 1 << 30;

    public static byte[] Decompress(ReadOnlySpan<byte> source)
    {
        var position = 0;
        long length = 0;
        for (var shift = 0; ; shift += 7)
        {
            if (position == source.Length || shift > 28)
                throw Damaged();
            var next = source[position++];
            length |= (long)(next & 0x7F) << shift;
            if (next < 0x80)
                break;
        }
        if (length > MaxBytes)
            throw Damaged();
        var target = new byte[length];
        var written = 0;
        while (position < source.Length)
        {
            var tag = source[position++];
            if ((tag & 3) == 0)
                CopyLiteral(source, ref position, tag >> 2, target, ref written);
            else
                CopyBack(source, ref position, tag, target, ref written);
        }
        return written == length ? target : throw Damaged();
    }

    private static void CopyLiteral(ReadOnlySpan<byte> source, ref int position, int code, byte[] target, ref int written)
    {
        long length = code + 1;
        if (code >= 60)
        {
            length = ReadLittleEndian(source, ref position, code - 59) + 1;
        }
        if (length > source.Length - position || length > target.Length - written)
            throw Damaged();
        source.Slice(position, (int)length).CopyTo(target.AsSpan(written));
        position += (int)length;
        written += (int)length;
    }

    private static void CopyBack(ReadOnlySpan<byte> source, ref int position, byte tag, byte[] target, ref int written)
    {
        int length;
        long offset;
        if ((tag & 3) == 1)
        {
            length = ((tag >> 2) & 7) + 4;
            offset = ((long)(tag >> 5) << 8) + ReadLittleEndian(source, ref position, 1);
        }
        else
        {
            length = (tag >> 2) + 1;
            offset = ReadLittleEndian(source, ref position, (tag & 3) == 2 ? 2 : 4);
        }
        if (offset == 0 || offset > written || length > target.Length - written)
            throw Damaged();
        // Source and target may overlap on purpose: a short offset repeats its bytes.
        for (var i = 0; i < length; i++, written++)
            target[written] = target[written - (int)offset];
    }

    private static long ReadLittleEndian(ReadOnlySpan<byte> source, ref int position, int count)
    {
        if (count > source.Length - position)
            throw Damaged();
        long value = 0;
        for (var i = 0; i < count; i++)
            value |= (long)source[position++] << (8 * i);
        return value;
    }

    private static InvalidFormatException Damaged() => new("A Snappy block is damaged.");
}
