using Frazil.Parquet.Metadata;

namespace Frazil.Parquet.Reading;

/// <summary>Bytes of the file that one leaf needs: its chunk, or its dictionary and the pages of the wanted rows.</summary>
/// <param name="Leaf">The leaf.</param>
/// <param name="Chunk">Its chunk.</param>
/// <param name="Dictionary">Of length 0 where it is in the pages' range, or there is none.</param>
/// <param name="Pages">Pages that stand one behind the other.</param>
/// <param name="FirstRow">The row of the row group that the first of these pages begins with.</param>
internal sealed record ChunkPlan(ReadLeaf Leaf, ChunkInfo Chunk, FileRange Dictionary, FileRange Pages, long FirstRow)
{
    /// <exception cref="InvalidDataException">The chunk is too large for one read.</exception>
    public static ChunkPlan Whole(ReadLeaf leaf, ChunkInfo chunk)
        => new(leaf, chunk, default, new(chunk.Start, LengthOf(chunk.CompressedBytes)), 0);

    /// <summary>The pages of some rows, by the chunk's offset index.</summary>
    /// <exception cref="InvalidDataException">The index is broken, or does not fit the chunk.</exception>
    public static ChunkPlan Of(ReadLeaf leaf, ChunkInfo chunk, ReadOnlySpan<byte> offsetIndex, long firstRow, long rows)
    {
        var pages = ReadPages(offsetIndex);
        var end = chunk.Start + chunk.CompressedBytes;
        var (first, last) = (-1, -1);
        for (var page = 0; page < pages.Count; page++)
        {
            var isBehind = page == 0 ? pages[0].FirstRow == 0 : pages[page].FirstRow > pages[page - 1].FirstRow
                && pages[page].Offset >= pages[page - 1].Offset + pages[page - 1].Length;
            if (!isBehind || pages[page].Offset < chunk.Start || pages[page].Length < 0 || pages[page].Length > end - pages[page].Offset)
            {
                throw new InvalidDataException($"The offset index of column {leaf} names pages that are not in its chunk, or not in order.");
            }
            first = pages[page].FirstRow <= firstRow ? page : first;
            last = pages[page].FirstRow < firstRow + rows ? page : last;
        }
        if (first < 0 || last < first)
        {
            return Whole(leaf, chunk);
        }
        var range = new FileRange(pages[first].Offset, LengthOf(pages[last].Offset + pages[last].Length - pages[first].Offset));
        var dictionary = new FileRange(chunk.Start, LengthOf(pages[0].Offset - chunk.Start));
        return first == 0
            ? new(leaf, chunk, default, new(chunk.Start, LengthOf(range.Offset + range.Length - chunk.Start)), 0)
            : new(leaf, chunk, dictionary, range, pages[first].FirstRow);
    }

    private static List<(long Offset, int Length, long FirstRow)> ReadPages(ReadOnlySpan<byte> bytes)
    {
        var reader = new ThriftReader(bytes);
        var pages = new List<(long Offset, int Length, long FirstRow)>();
        for (var field = 0; reader.NextField(ref field, out var type);)
        {
            if (field != 1 || type != ThriftType.List)
            {
                reader.Skip(type);
                continue;
            }
            for (var count = reader.ReadListHeader(out _); count > 0; count--)
            {
                pages.Add(ReadPage(ref reader));
            }
        }
        return pages;
    }

    private static (long Offset, int Length, long FirstRow) ReadPage(ref ThriftReader reader)
    {
        var (offset, length, row) = (-1L, -1, -1L);
        for (var field = 0; reader.NextField(ref field, out var type);)
        {
            switch (field)
            {
                case 1:
                    offset = reader.ReadInteger();
                    break;
                case 2:
                    length = reader.ReadInt32();
                    break;
                case 3:
                    row = reader.ReadInteger();
                    break;
                default:
                    reader.Skip(type);
                    break;
            }
        }
        return (offset, length, row);
    }

    private static int LengthOf(long bytes) => bytes <= Array.MaxLength
        ? (int)bytes
        : throw new InvalidDataException($"A column chunk of {bytes} bytes is too large to be read at once: read fewer rows.");
}
