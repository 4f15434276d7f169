using Frazil.Iceberg.IO;

namespace Frazil.Maintain;

/// <summary>A data file as a local one, which is all that DuckDB reads: itself where it is local, else a copy that goes when this is
/// disposed.</summary>
internal sealed class LocalCopy : IDisposable
{
    private readonly bool isCopy;

    private LocalCopy(string path, bool isCopy) => (Path, this.isCopy) = (path, isCopy);

    public string Path { get; }

    /// <exception cref="FileNotFoundException">There is no such object.</exception>
    /// <exception cref="IOException">The store does not answer, or the folder for temporary files is full.</exception>
    public static async Task<LocalCopy> OfAsync(IFileIO store, string location, CancellationToken cancellationToken)
    {
        if (store.LocalPathFor(location) is { } path)
        {
            return new(path, isCopy: false);
        }
        var copy = new LocalCopy(System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"frazil-{Guid.NewGuid():N}.parquet"), isCopy: true);
        try
        {
            await using var content = await store.OpenReadAsync(location, 0, null, cancellationToken);
            await using var file = new FileStream(copy.Path, FileMode.CreateNew, FileAccess.Write);
            await content.CopyToAsync(file, cancellationToken);
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (isCopy)
        {
            File.Delete(Path);
        }
    }
}
