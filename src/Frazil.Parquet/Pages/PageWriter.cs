using System.IO.Hashing;
using Frazil.Parquet.Metadata;

namespace Frazil.Parquet.Pages;

/// <summary>Puts pages with their headers into the file.</summary>
internal sealed class PageWriter(FileSink sink, bool hasChecksums) : IDisposable
{
    private const int DataPage = 0, DictionaryPage = 2;

    private readonly ThriftWriter header = new(new NativeBuffer());

    /// <summary>Bytes of pages and headers since <see cref="Begin"/>, before compression.</summary>
    public long UncompressedBytes { get; private set; }

    /// <summary>Bytes of pages and headers since <see cref="Begin"/>, as they are in the file.</summary>
    public long CompressedBytes { get; private set; }

    /// <summary>A new column chunk.</summary>
    public void Begin() => UncompressedBytes = CompressedBytes = 0;

    public void WriteDictionary(int values, long rawBytes, NativeBuffer content)
    {
        BeginHeader(DictionaryPage, rawBytes, content);
        header.BeginStruct(7);
        header.WriteInt32(1, values);
        header.WriteInt32(2, (int)PageEncoding.Plain);
        header.EndStruct();
        Write(rawBytes, content);
    }

    /// <summary>Returns where the page is, its header included.</summary>
    public FileRange WriteData(int entries, PageEncoding encoding, long rawBytes, NativeBuffer content)
    {
        var start = sink.Position;
        BeginHeader(DataPage, rawBytes, content);
        header.BeginStruct(5);
        header.WriteInt32(1, entries);
        header.WriteInt32(2, (int)encoding);
        header.WriteInt32(3, (int)PageEncoding.RunLength);
        header.WriteInt32(4, (int)PageEncoding.RunLength);
        header.EndStruct();
        Write(rawBytes, content);
        return new(start, (int)(sink.Position - start));
    }

    public void Dispose() => header.Output.Dispose();

    private void BeginHeader(int type, long rawBytes, NativeBuffer content)
    {
        header.Output.Clear();
        header.BeginStruct();
        header.WriteInt32(1, type);
        header.WriteInt32(2, checked((int)rawBytes));
        header.WriteInt32(3, checked((int)content.Length));
        if (hasChecksums)
        {
            header.WriteInt32(4, (int)Crc32.HashToUInt32(content.Span));
        }
    }

    private void Write(long rawBytes, NativeBuffer content)
    {
        header.EndStruct();
        sink.Append(header.Output);
        sink.Append(content);
        UncompressedBytes += header.Output.Length + rawBytes;
        CompressedBytes += header.Output.Length + content.Length;
    }
}
