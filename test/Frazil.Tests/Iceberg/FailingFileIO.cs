using Frazil.Iceberg.IO;

namespace Frazil.Tests.Iceberg;

/// <summary>Local files that stop answering when a test says so.</summary>
internal sealed class FailingFileIO : IFileIO
{
    private readonly LocalFileIO inner = new();
    private bool readsFail;

    public bool FailReadsAfterNextCreate { get; set; }

    /// <summary>Reads begin and wait for this.</summary>
    public Task ReadsWaitFor { get; set; } = Task.CompletedTask;

    /// <summary>Creations succeed, and their answer is lost so.</summary>
    public Func<string, Exception?> AfterCreate { get; set; } = static _ => null;

    /// <summary>Locations that were created, in order.</summary>
    public List<string> Created { get; } = [];

    public string LocationFor(string pathOrUri) => inner.LocationFor(pathOrUri);

    public string? LocalPathFor(string location) => inner.LocalPathFor(location);

    public async Task<byte[]> ReadAsync(string location, CancellationToken cancellationToken = default)
    {
        await ReadsWaitFor.WaitAsync(cancellationToken);
        return readsFail ? throw new IOException("the store does not answer") : await inner.ReadAsync(location, cancellationToken);
    }

    public Task<Stream> OpenReadAsync(
        string location, long offset = 0, long? length = null, CancellationToken cancellationToken = default) =>
        inner.OpenReadAsync(location, offset, length, cancellationToken);

    public async Task CreateAsync(string location, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        await inner.CreateAsync(location, content, cancellationToken);
        lock (Created)
            Created.Add(location);
        readsFail |= FailReadsAfterNextCreate;
        if (AfterCreate(location) is { } lost)
            throw lost;
    }

    public Task<UploadStream> BeginUploadAsync(string location, CancellationToken cancellationToken = default)
        => inner.BeginUploadAsync(location, cancellationToken);

    public Task<bool> ExistsAsync(string location, CancellationToken cancellationToken = default)
        => inner.ExistsAsync(location, cancellationToken);

    public Task<long> LengthAsync(string location, CancellationToken cancellationToken = default)
        => inner.LengthAsync(location, cancellationToken);

    public Task DeleteAsync(string location, CancellationToken cancellationToken = default)
        => inner.DeleteAsync(location, cancellationToken);

    public IAsyncEnumerable<StoredObject> ListAsync(string folder, CancellationToken cancellationToken = default)
        => inner.ListAsync(folder, cancellationToken);
}
