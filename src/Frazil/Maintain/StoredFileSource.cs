using Frazil.Iceberg.IO;
using Frazil.Parquet;

namespace Frazil.Maintain;

/// <summary>A data file in its table's store, wherever that is, for a reader of Parquet.</summary>
internal sealed class StoredFileSource(IFileIO store, string location, long length) : IParquetSource
{
    public long Length => length;

    public async ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        var part = await store.OpenReadAsync(location, offset, target.Length, cancellationToken).ConfigureAwait(false);
        await using (part.ConfigureAwait(false))
        {
            await part.ReadExactlyAsync(target, cancellationToken).ConfigureAwait(false);
        }
    }
}
