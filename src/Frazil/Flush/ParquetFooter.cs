using System.Buffers.Binary;
using Frazil.Iceberg.IO;
using Frazil.Parquet.Metadata;

namespace Frazil.Flush;

/// <summary>What a Parquet file says about itself, as far as a manifest or a check after a restart needs it.</summary>
internal sealed record ParquetFooter
{
    private const int TrailerBytes = 8;
    private const int MagicBytes = 4;

    /// <summary>Holds most footers whole, and costs a store no more than a small read.</summary>
    private const int UsualTailBytes = 64 * 1024;

    public required long RecordCount { get; init; }

    /// <summary>Where row groups begin, ascending.</summary>
    public required IReadOnlyList<long> SplitOffsets { get; init; }

    /// <summary>Compressed bytes by field id of each leaf that has one.</summary>
    public required IReadOnlyDictionary<int, long> ColumnSizes { get; init; }

    public required IReadOnlyDictionary<string, string> KeyValueMetadata { get; init; }

    /// <summary>The top-level columns, in file order.</summary>
    public required IReadOnlyList<ParquetNode> Columns { get; init; }

    /// <summary>Reads the end of an object: one ranged read, or two where the footer is long. Where the object does not end at the length that
    /// is given, the store is asked for the true one.</summary>
    /// <param name="store">Where it is.</param>
    /// <param name="location">The object.</param>
    /// <param name="length">Its length in bytes, as its manifest says; other engines' manifests have said it wrong.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="InvalidDataException">Not a whole Parquet file, whichever length counts; says which file.</exception>
    public static async Task<ParquetFooter> ReadAsync(IFileIO store, string location, long length, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadFromEndAsync(store, location, length, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidDataException failure)
        {
            var found = await store.LengthAsync(location, cancellationToken).ConfigureAwait(false);
            if (found == length)
            {
                throw new InvalidDataException($"{location} cannot be read: {failure.Message}", failure);
            }
            return await ReadOtherLengthAsync(store, location, found, length, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <exception cref="InvalidDataException">Not a whole Parquet file.</exception>
    public static ParquetFooter Read(Stream file)
    {
        RefuseTooShort(file.Length);
        var tail = new byte[TrailerBytes];
        file.Position = file.Length - tail.Length;
        file.ReadExactly(tail);
        var footer = new byte[FooterBytes(tail, file.Length)];
        file.Position = file.Length - TrailerBytes - footer.Length;
        file.ReadExactly(footer);
        return Parse(footer);
    }

    private static async Task<ParquetFooter> ReadOtherLengthAsync(
        IFileIO store, string location, long found, long expected, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadFromEndAsync(store, location, found, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidDataException failure)
        {
            throw new InvalidDataException(
                $"{location} cannot be read (it has {found} bytes, its manifest says {expected}): {failure.Message}", failure);
        }
    }

    private static async Task<ParquetFooter> ReadFromEndAsync(IFileIO store, string location, long length, CancellationToken cancellationToken)
    {
        RefuseTooShort(length);
        var tail = await ReadTailAsync(store, location, length, Math.Min(length, UsualTailBytes), cancellationToken).ConfigureAwait(false);
        var needed = FooterBytes(tail, length) + TrailerBytes;
        if (needed > tail.Length)
        {
            tail = await ReadTailAsync(store, location, length, needed, cancellationToken).ConfigureAwait(false);
        }
        return Parse(tail.AsSpan((int)(tail.Length - needed)..^TrailerBytes));
    }

    private static async Task<byte[]> ReadTailAsync(IFileIO store, string location, long length, long count, CancellationToken cancellationToken)
    {
        var tail = new byte[count];
        var part = await store.OpenReadAsync(location, length - count, count, cancellationToken).ConfigureAwait(false);
        await using (part.ConfigureAwait(false))
        {
            return await part.ReadAtLeastAsync(tail, tail.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) == tail.Length
                ? tail
                : throw new InvalidDataException($"It ends before {length} bytes.");
        }
    }

    private static void RefuseTooShort(long length)
    {
        if (length < TrailerBytes + MagicBytes)
        {
            throw new InvalidDataException($"{length} bytes are too few for a Parquet file.");
        }
    }

    /// <summary>The length of the footer, which the last bytes of the file say.</summary>
    private static long FooterBytes(ReadOnlySpan<byte> tail, long fileLength)
    {
        var trailer = tail[^TrailerBytes..];
        var length = BinaryPrimitives.ReadUInt32LittleEndian(trailer);
        return trailer[4..].SequenceEqual("PAR1"u8) && length <= fileLength - TrailerBytes - MagicBytes
            ? length
            : throw new InvalidDataException("The file does not end as a Parquet file does: it is cut off, or something else.");
    }

    private static ParquetFooter Parse(ReadOnlySpan<byte> footer)
    {
        var reader = new ThriftReader(footer);
        var elements = new List<ParquetNode>();
        var groups = new List<RowGroup>();
        var metadata = new Dictionary<string, string>();
        var rows = -1L;
        for (var field = 0; reader.NextField(ref field, out var type);)
        {
            switch (field)
            {
                case 2:
                    elements = ReadElements(ref reader);
                    break;
                case 3:
                    rows = reader.ReadInteger();
                    break;
                case 4:
                    for (var count = reader.ReadListHeader(out _); count > 0; count--)
                    {
                        groups.Add(RowGroup.Read(ref reader));
                    }
                    break;
                case 5:
                    for (var count = reader.ReadListHeader(out _); count > 0; count--)
                    {
                        ReadPair(ref reader, metadata);
                    }
                    break;
                default:
                    reader.Skip(type);
                    break;
            }
        }
        var root = elements.Count > 0 ? Assemble(elements) : throw new InvalidDataException("The Parquet footer has no schema.");
        var leaves = elements.Where(element => element.Children.Count == 0).ToList();
        if (rows < 0 || groups.Any(group => group.Columns.Count != leaves.Count))
        {
            throw new InvalidDataException(
                "The Parquet footer contradicts itself: row count missing, or row groups with other columns than the schema.");
        }
        for (var leaf = 0; leaf < leaves.Count; leaf++)
        {
            leaves[leaf].HasBloomFilter = groups.Exists(group => group.Columns[leaf].HasBloomFilter);
        }
        return new ParquetFooter
        {
            RecordCount = rows,
            SplitOffsets = [.. groups.Select(group => group.Columns.Min(column => column.Start)).Order()],
            ColumnSizes = SumSizes(leaves, groups),
            KeyValueMetadata = metadata,
            Columns = root.Children,
        };
    }

    private static Dictionary<int, long> SumSizes(List<ParquetNode> leaves, List<RowGroup> groups)
    {
        var sizes = new Dictionary<int, long>();
        for (var leaf = 0; leaf < leaves.Count; leaf++)
        {
            if (leaves[leaf].FieldId >= 0)
            {
                sizes[leaves[leaf].FieldId] = groups.Sum(group => group.Columns[leaf].CompressedSize);
            }
        }
        return sizes;
    }

    /// <summary>Gives the nodes, which the file lists depth first, their children. Returns the root.</summary>
    private static ParquetNode Assemble(List<ParquetNode> elements)
    {
        var open = new Stack<ParquetNode>();
        foreach (var element in elements)
        {
            while (open.TryPeek(out var full) && full.Children.Count == full.ChildCount)
            {
                open.Pop();
            }
            if (open.TryPeek(out var parent))
            {
                parent.Children.Add(element);
            }
            else if (element != elements[0])
            {
                throw new InvalidDataException("The Parquet footer's schema has more than one root.");
            }
            open.Push(element);
        }
        return elements.All(element => element.Children.Count == element.ChildCount)
            ? elements[0]
            : throw new InvalidDataException("The Parquet footer's schema ends early.");
    }

    private static List<ParquetNode> ReadElements(ref ThriftReader reader)
    {
        var elements = new List<ParquetNode>();
        for (var count = reader.ReadListHeader(out _); count > 0; count--)
        {
            elements.Add(ParquetNode.Read(ref reader));
        }
        return elements;
    }

    private static void ReadPair(ref ThriftReader reader, Dictionary<string, string> metadata)
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
        metadata[key] = value;
    }

    /// <param name="Start">The first byte of its first page.</param>
    /// <param name="CompressedSize">Bytes of its pages.</param>
    /// <param name="HasBloomFilter">There is a Bloom filter of its values.</param>
    private readonly record struct Column(long Start, long CompressedSize, bool HasBloomFilter)
    {
        public static Column Read(ref ThriftReader reader)
        {
            long compressed = 0, data = 0, dictionary = 0;
            var hasBloomFilter = false;
            for (var field = 0; reader.NextField(ref field, out var type);)
            {
                switch (field)
                {
                    case 7:
                        compressed = reader.ReadInteger();
                        break;
                    case 9:
                        data = reader.ReadInteger();
                        break;
                    case 11:
                        dictionary = reader.ReadInteger();
                        break;
                    case 14:
                        hasBloomFilter = reader.ReadInteger() >= 0;
                        break;
                    default:
                        reader.Skip(type);
                        break;
                }
            }
            return new Column(dictionary > 0 ? Math.Min(dictionary, data) : data, compressed, hasBloomFilter);
        }
    }

    private readonly record struct RowGroup(List<Column> Columns)
    {
        public static RowGroup Read(ref ThriftReader reader)
        {
            var columns = new List<Column>();
            for (var field = 0; reader.NextField(ref field, out var type);)
            {
                if (field != 1)
                {
                    reader.Skip(type);
                    continue;
                }
                for (var count = reader.ReadListHeader(out _); count > 0; count--)
                {
                    for (var chunkField = 0; reader.NextField(ref chunkField, out var chunkType);)
                    {
                        if (chunkField == 3)
                        {
                            columns.Add(Column.Read(ref reader));
                        }
                        else
                        {
                            reader.Skip(chunkType);
                        }
                    }
                }
            }
            return new RowGroup(columns);
        }
    }
}
