using System.Buffers;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Frazil.Iceberg.Avro;

/// <summary>An Avro object container file in memory: its header, and its blocks one by one.</summary>
internal sealed class AvroFileReader
{
    private static ReadOnlySpan<byte> Magic => "Obj\u0001"u8;

    private readonly ReadOnlyMemory<byte> file;
    private readonly string name;
    private readonly string codec;
    private readonly ReadOnlyMemory<byte> sync;
    private int position;

    /// <param name="file">The whole file.</param>
    /// <param name="name">Its location, for messages.</param>
    /// <exception cref="InvalidFormatException">Not an Avro file, or one with a codec that is not null, deflate or snappy.</exception>
    public AvroFileReader(ReadOnlyMemory<byte> file, string name)
    {
        (this.file, this.name) = (file, name);
        if (!file.Span.StartsWith(Magic))
            throw new InvalidFormatException($"'{name}' is not an Avro file.");
        Metadata = ReadHeader(out position);
        sync = file.Slice(position, 16);
        position += 16;
        codec = Metadata.TryGetValue("avro.codec", out var named) ? Encoding.UTF8.GetString(named.Span) : "null";
        if (codec is not ("null" or "deflate" or "snappy"))
            throw new InvalidFormatException($"'{name}' is compressed by the Avro codec '{codec}'; null, deflate and snappy can be read.");
        Schema = AvroSchema.Parse(Metadata["avro.schema"]);
    }

    public Dictionary<string, ReadOnlyMemory<byte>> Metadata { get; }

    public AvroSchema Schema { get; }

    /// <summary>A header entry as text, or null.</summary>
    public string? Text(string key) => Metadata.TryGetValue(key, out var value) ? Encoding.UTF8.GetString(value.Span) : null;

    /// <summary>Opens a file, reads it, and turns every way it can be damaged into one error that names it.</summary>
    public static T Read<T>(ReadOnlyMemory<byte> file, string name, Func<AvroFileReader, T> read)
    {
        try
        {
            return read(new AvroFileReader(file, name));
        }
        catch (Exception e) when (e is InvalidDataException or OverflowException or ArgumentException or OutOfMemoryException
            || (e is InvalidFormatException && !e.Message.Contains(name, StringComparison.Ordinal)))
        {
            throw new InvalidFormatException($"'{name}' is damaged: {e.Message}", e);
        }
    }

    /// <summary>The next block, decompressed; false after the last.</summary>
    public bool TryReadBlock(out ReadOnlyMemory<byte> block, out long count)
    {
        (block, count) = (default, 0);
        if (position == file.Length)
            return false;
        var span = file.Span[position..];
        var header = new AvroDecoder(span);
        count = header.ReadLong();
        var compressed = header.ReadBytes();
        if (!header.Take(16).SequenceEqual(sync.Span))
            throw new InvalidFormatException(
                $"'{name}' is damaged: a block near byte {position} does not end with the file's sync marker.");
        span.Overlaps(compressed, out var start);
        block = Decompress(file.Slice(position + start, compressed.Length));
        position += start + compressed.Length + 16;
        return true;
    }

    private Dictionary<string, ReadOnlyMemory<byte>> ReadHeader(out int end)
    {
        var metadata = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        var span = file.Span[4..];
        var decoder = new AvroDecoder(span);
        for (var count = decoder.ReadBlockCount(); count != 0; count = decoder.ReadBlockCount())
        {
            for (; count > 0; count--)
            {
                var key = decoder.ReadString();
                metadata[key] = decoder.ReadBytes().ToArray();
            }
        }
        span.Overlaps(decoder.Take(16), out var syncAt);
        end = 4 + syncAt;
        return metadata.ContainsKey("avro.schema")
            ? metadata
            : throw new InvalidFormatException($"'{name}' has no Avro schema in its header.");
    }

    private ReadOnlyMemory<byte> Decompress(ReadOnlyMemory<byte> block)
    {
        switch (codec)
        {
            case "null":
                return block;
            case "snappy":
                return Snappy.Decompress(block.Span[..^4]);     // the last four bytes are a CRC of the content
            default:
                using (var source = new MemoryStream(block.ToArray(), writable: false))
                using (var inflate = new DeflateStream(source, CompressionMode.Decompress))
                using (var target = new MemoryStream(block.Length * 4))
                {
                    inflate.CopyTo(target);
                    return target.GetBuffer().AsMemory(0, (int)target.Length);
                }
        }
    }
}

/// <summary>Builds an Avro object container file in memory, deflated.</summary>
internal sealed class AvroFileWriter
{
    private const int BlockBytes = 64 * 1024;

    private readonly AvroEncoder header = new();
    private readonly ArrayBufferWriter<byte> file = new(4096);
    private readonly byte[] sync = RandomNumberGenerator.GetBytes(16);
    private long blockCount;

    public AvroFileWriter(ReadOnlyMemory<byte> schemaJson, IReadOnlyList<KeyValuePair<string, string>> metadata)
    {
        header.WriteRaw("Obj\u0001"u8);
        header.WriteLong(metadata.Count + 2);
        header.WriteString("avro.schema");
        header.WriteBytes(schemaJson.Span);
        header.WriteString("avro.codec");
        header.WriteString("deflate");
        foreach (var (key, value) in metadata)
        {
            header.WriteString(key);
            header.WriteString(value);
        }
        header.WriteLong(0);
        header.WriteRaw(sync);
        file.Write(header.Written);
        header.Clear();
    }

    /// <summary>Takes the fields of the next record.</summary>
    public AvroEncoder Encoder { get; } = new();

    /// <summary>Bytes of the file so far; the records since the last full block count uncompressed.</summary>
    public long ApproximateBytes => file.WrittenCount + Encoder.Length;

    public void EndRecord()
    {
        blockCount++;
        if (Encoder.Length >= BlockBytes)
            FlushBlock();
    }

    /// <summary>The finished file.</summary>
    public byte[] Finish()
    {
        if (blockCount > 0)
            FlushBlock();
        return file.WrittenSpan.ToArray();
    }

    private void FlushBlock()
    {
        using var compressed = new MemoryStream(Encoder.Length / 2);
        using (var deflate = new DeflateStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
            deflate.Write(Encoder.Written);
        header.WriteLong(blockCount);
        header.WriteLong(compressed.Length);
        file.Write(header.Written);
        file.Write(compressed.GetBuffer().AsSpan(0, (int)compressed.Length));
        file.Write(sync);
        header.Clear();
        Encoder.Clear();
        blockCount = 0;
    }
}
