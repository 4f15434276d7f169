using Frazil.Server.CommandLine;

namespace Frazil.Server.Demo;

/// <summary>
/// The folder that a demo keeps everything in. Each run begins with an empty one, for the mock broker's offsets begin at 0 and an older
/// table's progress would be beyond them. Only a folder that a demo made is ever emptied; one demo at a time uses it.
/// </summary>
internal sealed class DemoFolder : IDisposable
{
    private const string Marker = ".frazil-demo";

    private readonly FileStream ownership;

    private DemoFolder(string path, FileStream ownership) => (Path, this.ownership) = (path, ownership);

    /// <summary>Absolute.</summary>
    public string Path { get; }

    public string ConfigFile => System.IO.Path.Combine(Path, "frazil.toml");

    public string LogFile => System.IO.Path.Combine(Path, "frazil.log");

    public string CatalogFile => System.IO.Path.Combine(Path, "catalog.db");

    /// <exception cref="VerbException">The folder holds something else, is in use, or cannot be written.</exception>
    public static DemoFolder Prepare(string folder)
    {
        var path = System.IO.Path.GetFullPath(folder);
        var marker = System.IO.Path.Combine(path, Marker);
        try
        {
            if (Directory.Exists(path) && !File.Exists(marker) && Directory.EnumerateFileSystemEntries(path).Any())
            {
                throw new VerbException($"{path} is not empty and no demo made it. Choose another folder with --dir");
            }
            Directory.CreateDirectory(path);
            var ownership = Own(path, marker);
            Clear(path);
            return new DemoFolder(path, ownership);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new VerbException(
                $"{path} cannot be used for the demo: {exception.Message}. Choose another folder with --dir", inner: exception);
        }
    }

    public void Dispose() => ownership.Dispose();

    private static FileStream Own(string path, string marker)
    {
        try
        {
            return new FileStream(marker, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new VerbException($"another demo is running in {path}. Stop it, or choose another folder with --dir");
        }
    }

    private static void Clear(string path)
    {
        foreach (var entry in new DirectoryInfo(path).EnumerateFileSystemInfos())
        {
            if (entry is DirectoryInfo { LinkTarget: null } folder)
            {
                folder.Delete(recursive: true);
            }
            else if (entry.Name != Marker)
            {
                entry.Delete();
            }
        }
    }
}
