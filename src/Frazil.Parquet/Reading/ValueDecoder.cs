using System.Numerics;
using Frazil.Parquet.Metadata;

namespace Frazil.Parquet.Reading;

/// <summary>Decodes the values of one page after the other, in whichever encoding it has them.</summary>
internal sealed unsafe class ValueDecoder(ReadLeaf leaf, StoredValues values, ReadBudget budget) : IDisposable
{
    private const int PlainDictionary = 2, DeltaByteArray = 7;

    private readonly NativeBuffer numbers = new();
    private readonly NativeBuffer suffixes = new();
    private StoredValues? dictionary;

    private StoredType Stored => leaf.Form.Stored;

    private int Stride => values.Stride;

    public void ReadDictionary(ByteCursor bytes, PageHeader header)
    {
        if (dictionary is not null || header.Encoding is not ((int)PageEncoding.Plain or PlainDictionary) || header.Entries < 0)
        {
            throw new InvalidDataException($"Column {leaf} has two dictionaries, or one in an encoding that is none ({header.Encoding}).");
        }
        dictionary = new(values.Stride, budget);
        DecodePlain(ref bytes, header.Entries, dictionary);
    }

    /// <summary>Appends the values of one data page.</summary>
    public void Decode(ByteCursor bytes, int encoding, int count)
    {
        switch (encoding)
        {
            case (int)PageEncoding.Plain:
                DecodePlain(ref bytes, count, values);
                break;
            case PlainDictionary or (int)PageEncoding.RleDictionary:
                DecodeCodes(ref bytes, count);
                break;
            case (int)PageEncoding.RunLength when Stored == StoredType.Boolean:
                var runs = bytes.Split(bytes.ReadInt32());
                HybridDecoder.DecodeBytes(ref runs, 1, values.Append(count), count);
                break;
            case (int)PageEncoding.DeltaBinaryPacked when Stored is StoredType.Int32 or StoredType.Int64:
                DeltaDecoder.Decode(ref bytes, values.Append(count), Stride, count);
                break;
            case (int)PageEncoding.DeltaLengthByteArray when Stored == StoredType.Bytes:
                DecodeDeltaLength(ref bytes, count, values);
                break;
            case DeltaByteArray when Stored is StoredType.Bytes or StoredType.FixedBytes:
                DecodeDeltaBytes(ref bytes, count);
                break;
            case (int)PageEncoding.ByteStreamSplit when Stored is not (StoredType.Bytes or StoredType.Boolean or StoredType.Int96):
                Join(bytes.Take((long)count * Stride), values.Append(count), count);
                break;
            default:
                throw new NotSupportedException($"Column {leaf} ({Stored}) has a page in encoding {encoding}, which cannot be read.");
        }
    }

    public void Dispose()
    {
        dictionary?.Dispose();
        numbers.Dispose();
        suffixes.Dispose();
    }

    private void DecodePlain(ref ByteCursor bytes, int count, StoredValues target)
    {
        switch (Stored)
        {
            case StoredType.Boolean:
                HybridDecoder.UnpackBits(bytes.Take((count + 7L) / 8), target.Append(count), count);
                break;
            case StoredType.Bytes:
                target.AppendPrefixed(ref bytes, count);
                break;
            default:
                var size = (long)count * Stride;
                var source = bytes.Take(size);
                Buffer.MemoryCopy(source, target.Append(count), size, size);
                break;
        }
    }

    private void DecodeCodes(ref ByteCursor bytes, int count)
    {
        if (count == 0)
        {
            return;
        }
        var width = bytes.ReadByte();
        var known = dictionary?.Count ?? 0;
        if (width > 32)
        {
            throw new InvalidDataException($"Column {leaf} has dictionary codes of {width} bits.");
        }
        var codes = Numbers(count);
        HybridDecoder.Decode(ref bytes, width, codes, count);
        CheckCodes(codes, count, known);
        if (Stride == 0)
        {
            values.AppendCoded(dictionary!, codes, count);
            return;
        }
        Gather(dictionary!.Data, codes, values.Append(count), count);
    }

    /// <summary>Codes are looked at together: the largest of them tells.</summary>
    private void CheckCodes(int* codes, int count, int known)
    {
        var (greatest, index) = (Vector<uint>.Zero, 0);
        for (; index <= count - Vector<uint>.Count; index += Vector<uint>.Count)
        {
            greatest = Vector.Max(greatest, Vector.Load((uint*)codes + index));
        }
        var most = 0U;
        for (var lane = 0; lane < Vector<uint>.Count; lane++)
        {
            most = Math.Max(most, greatest[lane]);
        }
        for (; index < count; index++)
        {
            most = Math.Max(most, (uint)codes[index]);
        }
        if (most >= (uint)known)
        {
            throw new InvalidDataException($"Column {leaf} has the dictionary code {most}, and its dictionary {known} values.");
        }
    }

    private void Gather(byte* source, int* codes, byte* target, int count)
    {
        switch (Stride)
        {
            case 4:
                for (var index = 0; index < count; index++)
                {
                    ((int*)target)[index] = ((int*)source)[codes[index]];
                }
                break;
            case 8:
                for (var index = 0; index < count; index++)
                {
                    ((long*)target)[index] = ((long*)source)[codes[index]];
                }
                break;
            default:
                for (var index = 0; index < count; index++)
                {
                    Buffer.MemoryCopy(source + (long)codes[index] * Stride, target + (long)index * Stride, Stride, Stride);
                }
                break;
        }
    }

    private void DecodeDeltaLength(ref ByteCursor bytes, int count, StoredValues target)
    {
        var lengths = Numbers(count);
        var size = DeltaDecoder.DecodeLengths(ref bytes, lengths, count);
        target.AppendJoined(bytes.Take(size), lengths, count, size);
    }

    /// <summary>Each value is the beginning of the one before and an end of its own.</summary>
    private void DecodeDeltaBytes(ref ByteCursor bytes, int count)
    {
        var prefixes = Numbers(count);
        DeltaDecoder.DecodeLengths(ref bytes, prefixes, count);
        var lengthRoom = (int*)Room(suffixes, count);
        var size = DeltaDecoder.DecodeLengths(ref bytes, lengthRoom, count);
        var at = bytes.Take(size);
        using var previous = new NativeBuffer();
        for (var index = 0; index < count; index++)
        {
            var (prefix, suffix) = (prefixes[index], lengthRoom[index]);
            if (prefix > previous.Length || (Stride > 0 && prefix + (long)suffix != Stride))
            {
                throw new InvalidDataException($"Column {leaf} has a value that begins like {prefix} bytes of one that has {previous.Length}.");
            }
            previous.Truncate(prefix);
            previous.Append(new ReadOnlySpan<byte>(at, suffix));
            at += suffix;
            if (Stride > 0)
            {
                previous.Span.CopyTo(new Span<byte>(values.Append(1), Stride));
                continue;
            }
            values.ReserveBytes(1, previous.Length);
            values.AppendReserved(previous.Data, (int)previous.Length);
        }
    }

    /// <summary>First bytes of all values, then second ones, and so on.</summary>
    private void Join(byte* streams, byte* target, int count)
    {
        for (var part = 0; part < Stride; part++)
        {
            var stream = streams + (long)part * count;
            var at = target + part;
            for (var index = 0; index < count; index++, at += Stride)
            {
                *at = stream[index];
            }
        }
    }

    private int* Numbers(int count) => (int*)Room(numbers, count);

    private static byte* Room(NativeBuffer buffer, int count)
    {
        // Bounded by the entries of a page, which were counted.
        buffer.Clear();
        return buffer.Reserve((long)count * sizeof(int));
    }
}
