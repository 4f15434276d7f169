using System.IO.Hashing;
using Frazil.Parquet.Encodings;
using Frazil.Parquet.Metadata;

namespace Frazil.Parquet.Reading;

/// <summary>Reads the pages of one column chunk, or of a part of it.</summary>
internal sealed unsafe class LeafReader(LeafData target, ChunkInfo chunk, ReadBudget budget, ParquetReadOptions options) : IDisposable
{
    private readonly NativeBuffer page = new();
    private readonly PageDecompressor decompressor = new();
    private readonly ValueDecoder values = new(target.Leaf, target.Values, budget);

    private ReadLeaf Leaf => target.Leaf;

    /// <summary>Makes room for what these bytes of the chunk's pages hold.</summary>
    public void Expect(long storedBytes)
    {
        var part = chunk.CompressedBytes > 0 ? Math.Min(1, storedBytes / (double)chunk.CompressedBytes) : 0;
        target.Values.Expect((long)(chunk.Entries * part), (long)(chunk.UncompressedBytes * part), storedBytes);
    }

    /// <summary>Reads all pages that stand in these bytes, one behind the other.</summary>
    /// <exception cref="InvalidDataException">They are broken.</exception>
    public void Read(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0 && target.Entries < chunk.Entries)
        {
            var header = PageHeader.Read(bytes, out var headerBytes);
            var content = bytes.Slice(headerBytes, header.StoredBytes);
            ReadPage(header, content);
            bytes = bytes[(headerBytes + header.StoredBytes)..];
        }
        if (target.Entries > 0 && Leaf.MaxRepetition > 0 && target.Repetitions[0] != 0)
        {
            throw new InvalidDataException($"Column {Leaf} begins in the middle of a row.");
        }
    }

    public void Dispose()
    {
        page.Dispose();
        decompressor.Dispose();
        values.Dispose();
    }

    private void ReadPage(PageHeader header, ReadOnlySpan<byte> content)
    {
        if (options.VerifyChecksums && header.Checksum is { } expected && (int)Crc32.HashToUInt32(content) != expected)
        {
            throw new InvalidDataException($"A page of column {Leaf} has another checksum than its header says: its bytes were changed.");
        }
        switch (header.Kind)
        {
            case PageHeader.DictionaryPage:
                values.ReadDictionary(Unpack(content, header.RawBytes, isCompressed: true), header);
                budget.Return(header.RawBytes);
                break;
            case PageHeader.DataPage:
                CheckEntries(header);
                var bytes = Unpack(content, header.RawBytes, isCompressed: true);
                ReadData(header, bytes);
                budget.Return(header.RawBytes);
                break;
            case PageHeader.DataPageV2:
                CheckEntries(header);
                ReadSecondVersion(header, content);
                break;
            default:
                // Index pages, and what may come: there is nothing of the values in it.
                break;
        }
    }

    private void ReadData(PageHeader header, ByteCursor bytes)
    {
        target.Append(header.Entries, out var definitions, out var repetitions);
        if (Leaf.MaxRepetition > 0)
        {
            ReadLevels(ref bytes, header.RepetitionEncoding, Leaf.MaxRepetition, repetitions, header.Entries);
        }
        if (Leaf.MaxDefinition > 0)
        {
            ReadLevels(ref bytes, header.DefinitionEncoding, Leaf.MaxDefinition, definitions, header.Entries);
        }
        ReadValues(header, bytes, definitions);
    }

    private void ReadSecondVersion(PageHeader header, ReadOnlySpan<byte> content)
    {
        var levelBytes = header.RepetitionBytes + (long)header.DefinitionBytes;
        if (header.RepetitionBytes < 0 || header.DefinitionBytes < 0 || levelBytes > content.Length || levelBytes > header.RawBytes)
        {
            throw new InvalidDataException($"A page of column {Leaf} claims {levelBytes} bytes of levels in {content.Length}.");
        }
        target.Append(header.Entries, out var definitions, out var repetitions);
        var levels = Unpack(content[..(int)levelBytes], (int)levelBytes, isCompressed: false);
        var repetitionBytes = levels.Split(header.RepetitionBytes);
        if (Leaf.MaxRepetition > 0)
        {
            DecodeLevels(ref repetitionBytes, Leaf.MaxRepetition, repetitions, header.Entries);
        }
        if (Leaf.MaxDefinition > 0)
        {
            DecodeLevels(ref levels, Leaf.MaxDefinition, definitions, header.Entries);
        }
        var rawBytes = header.RawBytes - (int)levelBytes;
        ReadValues(header, Unpack(content[(int)levelBytes..], rawBytes, header.IsCompressed), definitions);
        budget.Return(header.RawBytes);
    }

    private void ReadLevels(ref ByteCursor bytes, int encoding, int most, byte* levels, int count)
    {
        const int OldBitPacked = 4;
        if (encoding == OldBitPacked)
        {
            HybridDecoder.DecodeOldPacked(ref bytes, RunLengthEncoder.WidthOf(most), levels, count);
            CheckLevels(levels, count, most);
            return;
        }
        if (encoding != (int)PageEncoding.RunLength)
        {
            throw new NotSupportedException($"A page of column {Leaf} has levels in encoding {encoding}, which cannot be read.");
        }
        var runs = bytes.Split(bytes.ReadInt32());
        DecodeLevels(ref runs, most, levels, count);
    }

    private void DecodeLevels(ref ByteCursor bytes, int most, byte* levels, int count)
    {
        HybridDecoder.DecodeBytes(ref bytes, RunLengthEncoder.WidthOf(most), levels, count);
        CheckLevels(levels, count, most);
    }

    private void CheckLevels(byte* levels, int count, int most)
    {
        if (most < byte.MaxValue && new ReadOnlySpan<byte>(levels, count).IndexOfAnyInRange((byte)(most + 1), byte.MaxValue) >= 0)
        {
            throw new InvalidDataException($"A page of column {Leaf} has levels above {most}.");
        }
    }

    private void ReadValues(PageHeader header, ByteCursor bytes, byte* definitions)
    {
        var present = Leaf.MaxDefinition == 0
            ? header.Entries
            : new ReadOnlySpan<byte>(definitions, header.Entries).Count((byte)Leaf.MaxDefinition);
        if (present > 0)
        {
            values.Decode(bytes, header.Encoding, present);
        }
    }

    private void CheckEntries(PageHeader header)
    {
        if (header.Entries < 0 || header.Entries > chunk.Entries - target.Entries)
        {
            throw new InvalidDataException(
                $"A page of column {Leaf} claims {header.Entries} entries, and {chunk.Entries - target.Entries} are left in its chunk.");
        }
    }

    /// <summary>The page's bytes where <see cref="NativeBuffer.Slack"/> bytes behind them may be read.</summary>
    private ByteCursor Unpack(ReadOnlySpan<byte> content, int rawBytes, bool isCompressed)
    {
        budget.Take(rawBytes);
        page.Clear();
        var room = page.Reserve(rawBytes);
        decompressor.Decompress(isCompressed ? chunk.Codec : 0, content, new Span<byte>(room, rawBytes));
        return new(room, rawBytes);
    }
}
