using System.Security.Cryptography;

namespace Frazil.Parquet;

/// <summary>Where a file goes, front to back: counts and hashes what it writes to the stream below, which it does not own.</summary>
internal sealed class FileSink(Stream output) : IDisposable
{
    private const int BufferBytes = 256 * 1024;

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);
    private int buffered;

    /// <summary>Bytes written so far.</summary>
    public long Position { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        Position += bytes.Length;
        if (bytes.Length > BufferBytes - buffered)
        {
            Drain();
        }
        if (bytes.Length >= BufferBytes)
        {
            Write(bytes);
            return;
        }
        bytes.CopyTo(buffer.AsSpan(buffered));
        buffered += bytes.Length;
    }

    /// <summary>Appends a buffer of any size.</summary>
    public unsafe void Append(NativeBuffer bytes)
    {
        for (var done = 0L; done < bytes.Length; done += BufferBytes)
        {
            Append(new ReadOnlySpan<byte>(bytes.Data + done, (int)Math.Min(BufferBytes, bytes.Length - done)));
        }
    }

    /// <summary>Passes on what is buffered. Returns the SHA-256 of everything, 64 lower-case hexadecimal digits.</summary>
    public string Complete()
    {
        Drain();
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public void Dispose() => hash.Dispose();

    private void Drain()
    {
        Write(buffer.AsSpan(0, buffered));
        buffered = 0;
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        hash.AppendData(bytes);
        output.Write(bytes);
    }
}
