using System.Buffers.Binary;
using Frazil.Parquet.Metadata;

namespace Frazil.Parquet.Reading;

/// <summary>What a footer says of one column chunk.</summary>
internal sealed record ChunkInfo
{
    public int Codec { get; private set; }

    /// <summary>Entries, nulls included.</summary>
    public long Entries { get; private set; }

    public long CompressedBytes { get; private set; }

    /// <summary>What the file claims; nothing was checked.</summary>
    public long UncompressedBytes { get; private set; }

    public long FirstDataPage { get; private set; } = -1;

    /// <summary>0 where there is none, or the file does not say so.</summary>
    public long DictionaryPage { get; private set; }

    /// <summary>-1 where there is none.</summary>
    public long BloomFilter { get; private set; } = -1;

    public long OffsetIndex { get; private set; } = -1;

    public int OffsetIndexBytes { get; private set; }

    public bool IsElsewhere { get; private set; }

    public bool IsEncrypted { get; private set; }

    /// <summary>The first byte of its pages.</summary>
    public long Start => DictionaryPage > 0 ? Math.Min(DictionaryPage, FirstDataPage) : FirstDataPage;

    public static ChunkInfo Read(ref ThriftReader reader)
    {
        var chunk = new ChunkInfo();
        for (var field = 0; reader.NextField(ref field, out var type);)
        {
            switch (field)
            {
                case 1:
                    chunk.IsElsewhere = reader.ReadBinary().Length > 0;
                    break;
                case 3 when type == ThriftType.Struct:
                    chunk.ReadMetadata(ref reader);
                    break;
                case 4:
                    chunk.OffsetIndex = reader.ReadInteger();
                    break;
                case 5:
                    chunk.OffsetIndexBytes = reader.ReadInt32();
                    break;
                case 8 or 9:
                    chunk.IsEncrypted = true;
                    reader.Skip(type);
                    break;
                default:
                    reader.Skip(type);
                    break;
            }
        }
        return chunk;
    }

    private void ReadMetadata(ref ThriftReader reader)
    {
        for (var field = 0; reader.NextField(ref field, out var type);)
        {
            switch (field)
            {
                case 4:
                    Codec = reader.ReadInt32();
                    break;
                case 5:
                    Entries = reader.ReadInteger();
                    break;
                case 6:
                    UncompressedBytes = reader.ReadInteger();
                    break;
                case 7:
                    CompressedBytes = reader.ReadInteger();
                    break;
                case 9:
                    FirstDataPage = reader.ReadInteger();
                    break;
                case 11:
                    DictionaryPage = reader.ReadInteger();
                    break;
                case 14:
                    BloomFilter = reader.ReadInteger();
                    break;
                default:
                    reader.Skip(type);
                    break;
            }
        }
    }
}

/// <summary>What a footer says of one row group.</summary>
internal sealed record GroupInfo(List<ChunkInfo> Chunks, long Rows)
{
    public static GroupInfo Read(ref ThriftReader reader)
    {
        var (chunks, rows) = (new List<ChunkInfo>(), -1L);
        for (var field = 0; reader.NextField(ref field, out var type);)
        {
            switch (field)
            {
                case 1:
                    for (var count = reader.ReadListHeader(out _); count > 0; count--)
                    {
                        chunks.Add(ChunkInfo.Read(ref reader));
                    }
                    break;
                case 3:
                    rows = reader.ReadInteger();
                    break;
                default:
                    reader.Skip(type);
                    break;
            }
        }
        return new(chunks, rows);
    }
}

/// <summary>A whole footer, checked against the file's length.</summary>
internal sealed record FileFooter
{
    public const int TrailerBytes = 8;

    // A schema deeper than this is made to break readers.
    private const int MaxDepth = 100;

    /// <summary>Depth first; the first one is the root.</summary>
    public List<SchemaElement> Elements { get; } = [];

    public List<GroupInfo> Groups { get; } = [];

    public Dictionary<string, string> Metadata { get; } = [];

    public string CreatedBy { get; private set; } = "";

    /// <summary>Bytes of the footer that this trailer, the last bytes of a file, tells of.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static int LengthOf(ReadOnlySpan<byte> trailer, long fileBytes, int maxBytes)
    {
        var length = BinaryPrimitives.ReadUInt32LittleEndian(trailer);
        if (trailer[4..].SequenceEqual("PARE"u8))
        {
            throw new NotSupportedException("The Parquet file is encrypted, which is not supported.");
        }
        if (!trailer[4..].SequenceEqual("PAR1"u8) || length > fileBytes - TrailerBytes - 4)
        {
            throw new InvalidDataException("The file does not end as a Parquet file does: it is cut off, or something else.");
        }
        return length <= maxBytes
            ? (int)length
            : throw new InvalidDataException($"The Parquet file's footer has {length} bytes, and {maxBytes} are the most allowed.");
    }

    /// <exception cref="InvalidDataException">It is broken, or does not fit the file.</exception>
    public static FileFooter Parse(ReadOnlySpan<byte> bytes, long fileBytes)
    {
        var reader = new ThriftReader(bytes);
        var footer = new FileFooter();
        for (var field = 0; reader.NextField(ref field, out var type);)
        {
            footer.ReadField(ref reader, field, type);
        }
        footer.Assemble();
        footer.Check(fileBytes);
        return footer;
    }

    private void ReadField(ref ThriftReader reader, int field, ThriftType type)
    {
        switch (field)
        {
            case 2:
                for (var count = reader.ReadListHeader(out _); count > 0; count--)
                {
                    Elements.Add(SchemaElement.Read(ref reader));
                }
                break;
            case 4:
                for (var count = reader.ReadListHeader(out _); count > 0; count--)
                {
                    Groups.Add(GroupInfo.Read(ref reader));
                }
                break;
            case 5:
                for (var count = reader.ReadListHeader(out _); count > 0; count--)
                {
                    ReadPair(ref reader);
                }
                break;
            case 6:
                CreatedBy = reader.ReadText();
                break;
            default:
                reader.Skip(type);
                break;
        }
    }

    private void ReadPair(ref ThriftReader reader)
    {
        string key = "", value = "";
        for (var field = 0; reader.NextField(ref field, out var type);)
        {
            switch (field)
            {
                case 1:
                    key = reader.ReadText();
                    break;
                case 2:
                    value = reader.ReadText();
                    break;
                default:
                    reader.Skip(type);
                    break;
            }
        }
        Metadata[key] = value;
    }

    /// <summary>Gives the elements, which the file lists depth first, their children.</summary>
    private void Assemble()
    {
        var open = new Stack<SchemaElement>();
        foreach (var element in Elements)
        {
            while (open.TryPeek(out var full) && full.Children.Count == full.ChildCount)
            {
                open.Pop();
            }
            if (open.TryPeek(out var parent))
            {
                parent.Children.Add(element);
            }
            else if (element != Elements[0])
            {
                throw new InvalidDataException("The Parquet footer's schema has more than one root.");
            }
            open.Push(element);
            if (open.Count > MaxDepth)
            {
                throw new InvalidDataException($"The Parquet footer's schema is more than {MaxDepth} levels deep.");
            }
        }
        if (Elements.Count == 0 || Elements.Exists(static element => element.Children.Count != element.ChildCount))
        {
            throw new InvalidDataException("The Parquet footer's schema ends early.");
        }
    }

    private void Check(long fileBytes)
    {
        var leaves = Elements.Count(static element => element.Physical >= 0 && element.Children.Count == 0);
        foreach (var group in Groups)
        {
            if (group.Rows is < 0 or > int.MaxValue || group.Chunks.Count != leaves)
            {
                throw new InvalidDataException(
                    $"A row group of the Parquet footer has {group.Rows} rows in {group.Chunks.Count} columns, and the schema has {leaves} leaves.");
            }
            foreach (var chunk in group.Chunks)
            {
                if (chunk.IsEncrypted || chunk.IsElsewhere)
                {
                    throw new NotSupportedException("Columns of the Parquet file are encrypted or in another file, which is not supported.");
                }
                if (chunk.FirstDataPage < 0 || chunk.DictionaryPage < 0 || chunk.CompressedBytes < 0 || chunk.Entries is < 0 or > int.MaxValue
                    || chunk.Start > fileBytes || chunk.CompressedBytes > fileBytes - chunk.Start)
                {
                    throw new InvalidDataException("A column chunk of the Parquet footer lies outside of the file.");
                }
            }
        }
    }
}
