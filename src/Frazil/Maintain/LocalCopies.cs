using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;

namespace Frazil.Maintain;

/// <summary>Data files as local ones, all at once: themselves where they are local, else copies that go when this is disposed.</summary>
internal sealed class LocalCopies : IDisposable
{
    private readonly Dictionary<string, LocalCopy> byLocation = new(StringComparer.Ordinal);

    private LocalCopies()
    {
    }

    /// <exception cref="FileNotFoundException">One of them is not there.</exception>
    /// <exception cref="IOException">The store does not answer, or the folder for temporary files is full.</exception>
    public static async Task<LocalCopies> OfAsync(IFileIO store, IEnumerable<DataFile> files, CancellationToken cancellationToken)
    {
        var copies = new LocalCopies();
        try
        {
            foreach (var location in files.Select(static file => file.Path).Distinct(StringComparer.Ordinal))
            {
                copies.byLocation.Add(location, await LocalCopy.OfAsync(store, location, cancellationToken));
            }
            return copies;
        }
        catch
        {
            copies.Dispose();
            throw;
        }
    }

    public string PathOf(DataFile file) => byLocation[file.Path].Path;

    public void Dispose()
    {
        foreach (var copy in byLocation.Values)
        {
            copy.Dispose();
        }
    }
}
