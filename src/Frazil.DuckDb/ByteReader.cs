using System.Buffers.Binary;
using System.Text;

namespace Frazil.DuckDb;

/// <summary>Reads what a <see cref="ByteWriter"/> wrote, or pretends to have written: no length or number that stands in it is believed before
/// it was compared with the bytes that are there.</summary>
public sealed class ByteReader(ReadOnlyMemory<byte> bytes)
{
    private int at;

    public int Left => bytes.Length - at;

    /// <exception cref="DuckDbException">It is damaged; so with all others.</exception>
    public int ReadInt() => BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int)));

    public long ReadLong() => BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));

    public bool ReadFlag() => ReadInt() != 0;

    /// <param name="leastBytes">That each of what is counted takes.</param>
    public int ReadCount(int leastBytes)
    {
        var count = ReadInt();
        return count >= 0 && (long)count * leastBytes <= Left ? count : throw Damaged("a number of things");
    }

    public string? ReadOptionalText()
    {
        var length = ReadInt();
        return length == -1 ? null : Encoding.UTF8.GetString(Take(length));
    }

    public string ReadText() => ReadOptionalText() ?? throw Damaged("a text");

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > Left)
        {
            throw Damaged("a length");
        }
        at += count;
        return bytes.Span.Slice(at - count, count);
    }

    internal static DuckDbException Damaged(string what) => new($"A message between processes is damaged: {what} cannot be.", "INTERNAL");
}
