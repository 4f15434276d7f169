using System.IO.Compression;
using K4os.Compression.LZ4;
using Snappier;
using ZstdSharp;

namespace Frazil.Parquet.Pages;

/// <summary>Compresses pages with one codec, keeping its state from page to page.</summary>
internal sealed unsafe class PageCompressor(ParquetCodec codec, int level) : IDisposable
{
    private readonly Compressor? zstd = codec == ParquetCodec.Zstd ? new Compressor(level) : null;

    public ParquetCodec Codec => codec;

    /// <summary>Sets <paramref name="target"/> to the compressed bytes.</summary>
    public void Compress(NativeBuffer raw, NativeBuffer target)
    {
        target.Clear();
        var source = raw.Span;
        if (codec == ParquetCodec.Gzip)
        {
            CompressGzip(raw, target);
            return;
        }
        var bound = codec switch
        {
            ParquetCodec.Zstd => Compressor.GetCompressBound(source.Length),
            ParquetCodec.Snappy => Snappy.GetMaxCompressedLength(source.Length),
            ParquetCodec.Lz4Raw => LZ4Codec.MaximumOutputSize(source.Length),
            _ => source.Length,
        };
        var room = new Span<byte>(target.Reserve(bound), bound);
        switch (codec)
        {
            case ParquetCodec.Zstd:
                target.Advance(zstd!.Wrap(source, room));
                break;
            case ParquetCodec.Snappy:
                target.Advance(Snappy.Compress(source, room));
                break;
            case ParquetCodec.Lz4Raw:
                target.Advance(LZ4Codec.Encode(source, room));
                break;
            default:
                source.CopyTo(room);
                target.Advance(source.Length);
                break;
        }
    }

    public void Dispose() => zstd?.Dispose();

    private void CompressGzip(NativeBuffer raw, NativeBuffer target)
    {
        using var output = new BufferStream(target);
        using var gzip = new GZipStream(output, new ZLibCompressionOptions { CompressionLevel = level });
        gzip.Write(raw.Span);
    }

    /// <summary>Appends to a buffer.</summary>
    private sealed class BufferStream(NativeBuffer target) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => target.Length;

        public override long Position
        {
            get => target.Length;
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer) => target.Append(buffer);

        public override void Write(byte[] buffer, int offset, int count) => target.Append(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
