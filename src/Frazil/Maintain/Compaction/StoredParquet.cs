using System.Buffers;
using Frazil.Iceberg.IO;
using Frazil.Parquet;

namespace Frazil.Maintain.Compaction;

/// <summary>A Parquet file in a table's store: small ones in one read, others by the ranges that are asked for. Dispose gives the memory
/// back.</summary>
internal sealed class StoredParquet : IParquetSource, IDisposable
{
    /// <summary>Files of no more bytes are read whole: a request costs a store more than the bytes.</summary>
    private const long MostWhole = 8L << 20;

    private readonly IFileIO store;
    private readonly string location;
    private byte[]? whole;

    private StoredParquet(IFileIO store, string location, long length, byte[]? whole)
        => (this.store, this.location, Length, this.whole) = (store, location, length, whole);

    public long Length { get; }

    /// <exception cref="FileNotFoundException">There is no such object.</exception>
    /// <exception cref="IOException">The store does not answer.</exception>
    public static async Task<StoredParquet> OpenAsync(IFileIO store, string location, CancellationToken cancellationToken)
    {
        var length = await store.LengthAsync(location, cancellationToken); // manifests of other engines have said it wrong
        if (length > MostWhole)
        {
            return new(store, location, length, null);
        }
        var bytes = ArrayPool<byte>.Shared.Rent((int)length);
        try
        {
            await ReadAsync(store, location, 0, bytes.AsMemory(0, (int)length), cancellationToken);
            return new(store, location, length, bytes);
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(bytes);
            throw;
        }
    }

    public ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        if (whole is null)
        {
            return new(ReadAsync(store, location, offset, target, cancellationToken));
        }
        if (offset < 0 || offset > Length - target.Length)
        {
            throw new EndOfStreamException($"{location} ends before byte {offset + target.Length}.");
        }
        whole.AsSpan((int)offset, target.Length).CopyTo(target.Span);
        return ValueTask.CompletedTask;
    }

    public void Dispose()
    {
        if (whole is { } bytes)
        {
            whole = null;
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static async Task ReadAsync(
        IFileIO store, string location, long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        await using var part = await store.OpenReadAsync(location, offset, target.Length, cancellationToken);
        await part.ReadExactlyAsync(target, cancellationToken);
    }
}
