using System.Buffers.Binary;
using System.IO.Compression;
using K4os.Compression.LZ4;
using Snappier;
using ZstdSharp;

namespace Frazil.Parquet.Reading;

/// <summary>Undoes every codec that writers use; the numbers are the format's own. Keeps its state from page to page.</summary>
internal sealed unsafe class PageDecompressor : IDisposable
{
    private const int Uncompressed = 0, SnappyCodec = 1, Gzip = 2, Brotli = 4, HadoopLz4 = 5, Zstd = 6, Lz4Raw = 7;

    private Decompressor? zstd;

    /// <summary>Fills the target with exactly what it has room for.</summary>
    /// <exception cref="InvalidDataException">The bytes are broken, or are more or fewer.</exception>
    /// <exception cref="NotSupportedException">The codec is none of these (LZO).</exception>
    public void Decompress(int codec, ReadOnlySpan<byte> source, Span<byte> target)
    {
        if (target.Length == 0 && (source.Length == 0 || codec is not Uncompressed))
        {
            return;
        }
        int written;
        try
        {
            written = codec switch
            {
                Uncompressed => Copy(source, target),
                SnappyCodec => Snappy.GetUncompressedLength(source) == target.Length ? Snappy.Decompress(source, target) : -1,
                Gzip => Inflate(source, target),
                Brotli => BrotliDecoder.TryDecompress(source, target, out var length) ? length : -1,
                HadoopLz4 => DecodeHadoopLz4(source, target),
                Zstd => (zstd ??= new()).Unwrap(source, target),
                Lz4Raw => LZ4Codec.Decode(source, target),
                _ => throw new NotSupportedException($"A Parquet page is compressed by codec {codec}, which cannot be read."),
            };
        }
        catch (Exception broken) when (broken is ZstdException or ArgumentException or IOException or IndexOutOfRangeException or OverflowException)
        {
            throw new InvalidDataException($"A Parquet page cannot be decompressed (codec {codec}): {broken.Message}", broken);
        }
        if (written != target.Length)
        {
            throw new InvalidDataException($"A Parquet page decompresses to {written} bytes (codec {codec}), not to {target.Length}.");
        }
    }

    public void Dispose() => zstd?.Dispose();

    private static int Copy(ReadOnlySpan<byte> source, Span<byte> target)
    {
        if (source.Length > target.Length)
        {
            return source.Length;
        }
        source.CopyTo(target);
        return source.Length;
    }

    private static int Inflate(ReadOnlySpan<byte> source, Span<byte> target)
    {
        fixed (byte* start = source)
        {
            using var input = new UnmanagedMemoryStream(start, source.Length);
            using var gzip = new GZipStream(input, CompressionMode.Decompress);
            var written = gzip.ReadAtLeast(target, target.Length, throwOnEndOfStream: false);
            return written == target.Length && gzip.ReadByte() >= 0 ? written + 1 : written;
        }
    }

    /// <summary>Blocks with their two lengths before them, big endian, as Hadoop has it; a bare block, as others took that codec to
    /// mean.</summary>
    private static int DecodeHadoopLz4(ReadOnlySpan<byte> source, Span<byte> target)
    {
        var rest = source;
        var written = 0;
        while (rest.Length >= 8)
        {
            var raw = BinaryPrimitives.ReadUInt32BigEndian(rest);
            var stored = BinaryPrimitives.ReadUInt32BigEndian(rest[4..]);
            if (stored > rest.Length - 8 || raw > target.Length - written
                || LZ4Codec.Decode(rest.Slice(8, (int)stored), target.Slice(written, (int)raw)) != (int)raw)
            {
                break;
            }
            rest = rest[(8 + (int)stored)..];
            written += (int)raw;
        }
        return rest.Length == 0 && written == target.Length ? written : LZ4Codec.Decode(source, target);
    }
}
