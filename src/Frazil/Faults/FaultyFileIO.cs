using Frazil.Iceberg.IO;

namespace Frazil.Faults;

/// <summary>
/// A store whose writes, reads and deletes pass fault points, so that metadata and manifests fail, dawdle, tear, or are written without an
/// answer. Only made where faults are armed (<see cref="FaultPoint.IsArmed"/>). Points: <c>store.create.before</c>,
/// <c>store.create.after</c> (an error there is an object that exists although its writer was told no), <c>store.read</c>,
/// <c>store.delete</c>.
/// </summary>
internal sealed class FaultyFileIO(IFileIO inner) : IFileIO
{
    public string LocationFor(string pathOrUri) => inner.LocationFor(pathOrUri);

    public string? LocalPathFor(string location) => inner.LocalPathFor(location);

    public Task<byte[]> ReadAsync(string location, CancellationToken cancellationToken = default)
    {
        FaultPoint.Reach("store.read");
        return inner.ReadAsync(location, cancellationToken);
    }

    public Task<Stream> OpenReadAsync(string location, long offset = 0, long? length = null, CancellationToken cancellationToken = default)
    {
        FaultPoint.Reach("store.read");
        return inner.OpenReadAsync(location, offset, length, cancellationToken);
    }

    public async Task CreateAsync(string location, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        FaultPoint.Reach("store.create.before");
        await inner.CreateAsync(location, content, cancellationToken);
        FaultPoint.ReachFile("store.create.after", inner, location);
    }

    /// <summary>Data files have points of their own, where they are written.</summary>
    public Task<UploadStream> BeginUploadAsync(string location, CancellationToken cancellationToken = default)
        => inner.BeginUploadAsync(location, cancellationToken);

    public Task<bool> ExistsAsync(string location, CancellationToken cancellationToken = default)
        => inner.ExistsAsync(location, cancellationToken);

    public Task<long> LengthAsync(string location, CancellationToken cancellationToken = default)
        => inner.LengthAsync(location, cancellationToken);

    public Task DeleteAsync(string location, CancellationToken cancellationToken = default)
    {
        FaultPoint.Reach("store.delete");
        return inner.DeleteAsync(location, cancellationToken);
    }

    public Task<bool> CreatesExclusivelyAsync(string folder, CancellationToken cancellationToken = default)
        => inner.CreatesExclusivelyAsync(folder, cancellationToken);

    public IAsyncEnumerable<StoredObject> ListAsync(string folder, CancellationToken cancellationToken = default)
        => inner.ListAsync(folder, cancellationToken);
}
