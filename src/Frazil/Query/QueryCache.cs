using Frazil.Cold;
using Frazil.Config;

namespace Frazil.Query;

/// <summary>Copies of data files for the queries of one session: in the data folder where an engine owns that, else in a folder that goes
/// with the session. Nothing is made where the warehouse is on a local disk.</summary>
internal sealed class QueryCache : IDisposable
{
    private const long Mebibyte = 1 << 20;

    private readonly bool goes;

    public QueryCache(FrazilOptions options, bool isShared)
    {
        goes = !isShared;
        Folder = isShared ? Path.Combine(options.DataDir, "cache") : Path.Combine(Path.GetTempPath(), $"frazil-cache-{Guid.NewGuid():N}");
        Files = new FileCache(Folder, options.CacheMaxMb * Mebibyte);
        if (WarehouseCatalog.LocalFolderOf(options.Catalog) is null)
        {
            CacheFolder.Make(Folder); // what may be read is settled before the first copy comes
        }
    }

    public string Folder { get; }

    public FileCache Files { get; }

    /// <summary>Brings what a query reads and has no path; null where all have one. A table's files are in one store.</summary>
    /// <exception cref="SqlException">A file cannot be brought; says which.</exception>
    public async Task<IDisposable?> HoldAsync(IReadOnlyList<DataFileInput> files, CancellationToken cancellationToken)
    {
        if (files is [] or [{ Remote: null }, ..])
        {
            return null;
        }
        try
        {
            return await Files.HoldAsync([.. files.Select(static file => file.Remote!)], cancellationToken);
        }
        catch (Exception error) when (error is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new SqlException($"a data file of the table cannot be read: {error.Message}", null, error);
        }
    }

    public void Dispose()
    {
        if (goes && Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }
    }
}
