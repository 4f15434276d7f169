using Frazil.Parquet.Encodings;
using Frazil.Parquet.Metadata;
using Frazil.Parquet.Schema;
using Frazil.Parquet.Values;

namespace Frazil.Parquet.Pages;

/// <summary>Finds how the values of a column chunk are best written, from the values alone.</summary>
internal sealed unsafe class EncodingChoice : IDisposable
{
    /// <summary>A dictionary must save a quarter: what repeats less is left to the codec.</summary>
    private const double DictionaryGain = 0.75;

    /// <summary>Differences must save a fifth: they leave the codec nothing to find.</summary>
    private const double DeltaGain = 0.8;

    /// <summary>Differences so small that no dictionary is tried.</summary>
    private const double DeltaCertain = 1 / 12.0;

    /// <summary>How much longer than differences a dictionary's codes may be, as the codec shortens only those.</summary>
    private const double CodesShorten = 1.25;

    private readonly NativeBuffer codes = new();
    private readonly HashedDictionary<BytesKey> bytes = new();
    private readonly HashedDictionary<FourByteKey> fourBytes = new();
    private readonly HashedDictionary<EightByteKey> eightBytes = new();
    private readonly NarrowDictionary narrowInts = new(sizeof(int));
    private readonly NarrowDictionary narrowLongs = new(sizeof(long));

    /// <summary>The values' numbers, where the choice was a dictionary.</summary>
    public int* Codes => (int*)codes.Data;

    /// <summary>Null where the choice was none.</summary>
    public ColumnDictionary? Dictionary { get; private set; }

    public PageEncoding Choose(LeafColumn leaf, ColumnValues values, ParquetOptions options)
    {
        Dictionary = null;
        var isInteger = leaf.Physical is PhysicalType.Int32 or PhysicalType.Int64;
        var isBytes = leaf.Physical == PhysicalType.ByteArray;
        if (values.Count == 0 || leaf.Physical is PhysicalType.Boolean or PhysicalType.FixedBytes)
        {
            // Fixed-width bytes are mostly ids, and old vectorised readers know no dictionary of uuids.
            return PageEncoding.Plain;
        }
        var plain = isBytes
            ? ValueEncoders.SumLengths(values.Refs, values.Count) + (long)sizeof(int) * values.Count
            : (long)values.Stride * values.Count;
        var delta = isInteger && options.Encodings >= ParquetEncodings.Delta
            ? DeltaEncoder.Estimate(values.Data, values.Stride, values.Count)
            : long.MaxValue;
        var worthBytes = (long)Math.Min(plain * DictionaryGain, delta * CodesShorten);
        if (delta > plain * DeltaCertain && TryDictionary(leaf, values, options, worthBytes))
        {
            return PageEncoding.RleDictionary;
        }
        return delta < plain * DeltaGain ? PageEncoding.DeltaBinaryPacked
            : options.Encodings < ParquetEncodings.All || isInteger ? PageEncoding.Plain
            : isBytes ? PageEncoding.DeltaLengthByteArray
            : PageEncoding.ByteStreamSplit;
    }

    public void Trim(long keptBytes)
    {
        codes.Trim(keptBytes);
        bytes.Trim(keptBytes);
        fourBytes.Trim(keptBytes);
        eightBytes.Trim(keptBytes);
        narrowInts.Trim(keptBytes);
        narrowLongs.Trim(keptBytes);
    }

    public void Dispose()
    {
        codes.Dispose();
        bytes.Dispose();
        fourBytes.Dispose();
        eightBytes.Dispose();
        narrowInts.Dispose();
        narrowLongs.Dispose();
    }

    private bool TryDictionary(LeafColumn leaf, ColumnValues values, ParquetOptions options, long worthBytes)
    {
        codes.Clear();
        codes.Reserve((long)values.Count * sizeof(int));
        ColumnDictionary dictionary = leaf.Physical switch
        {
            PhysicalType.ByteArray => bytes,
            PhysicalType.Int32 when narrowInts.Suits(values.Data, values.Count) => narrowInts,
            PhysicalType.Int64 when narrowLongs.Suits(values.Data, values.Count) => narrowLongs,
            PhysicalType.Int32 or PhysicalType.Float => fourBytes,
            _ => eightBytes,
        };
        if (!dictionary.TryBuild(values.Data, values.Count, Codes, options.DictionaryBytes))
        {
            return false;
        }
        var codeBytes = (long)values.Count * RunLengthEncoder.WidthOf(dictionary.Count - 1) / 8;
        if (dictionary.PlainBytes + codeBytes > worthBytes)
        {
            return false;
        }
        Dictionary = dictionary;
        return true;
    }
}
