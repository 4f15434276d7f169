using Microsoft.Win32.SafeHandles;

namespace Frazil.Parquet;

/// <summary>Where a file's bytes come from, by ranges: a local file, an object store, memory.</summary>
public interface IParquetSource
{
    /// <summary>Bytes of the whole file.</summary>
    long Length { get; }

    /// <summary>Fills <paramref name="target"/> with the bytes from <paramref name="offset"/> on. Several reads may be under way.</summary>
    /// <exception cref="EndOfStreamException">There are not so many.</exception>
    /// <exception cref="IOException">They could not be read.</exception>
    ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken);
}

/// <summary>A local file, read where it is asked for.</summary>
public sealed class ParquetFileSource : IParquetSource, IDisposable
{
    private readonly SafeFileHandle file;

    public ParquetFileSource(string path)
    {
        file = File.OpenHandle(path, options: FileOptions.RandomAccess);
        Length = RandomAccess.GetLength(file);
    }

    public long Length { get; }

    public ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        // Pages that are in the system's cache come at once; a thread of the pool for each read would cost more.
        for (var done = 0; done < target.Length;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var read = RandomAccess.Read(file, target.Span[done..], offset + done);
            done += read > 0 ? read : throw new EndOfStreamException($"The file ends before byte {offset + target.Length}.");
        }
        return ValueTask.CompletedTask;
    }

    public void Dispose() => file.Dispose();
}

/// <summary>A file that is in memory.</summary>
public sealed class ParquetMemorySource(ReadOnlyMemory<byte> bytes) : IParquetSource
{
    public long Length => bytes.Length;

    public ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        if (offset < 0 || offset > bytes.Length - target.Length)
        {
            throw new EndOfStreamException($"The file ends before byte {offset + target.Length}.");
        }
        bytes.Slice((int)offset, target.Length).CopyTo(target);
        return ValueTask.CompletedTask;
    }
}
