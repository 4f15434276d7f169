using System.Diagnostics;
using System.Globalization;

namespace Frazil.Query;

/// <summary>Where one DuckDB instance puts what does not fit in memory: a folder of its own that only this user may read, gone when it is
/// disposed. What a process that was killed left behind goes with the next one.</summary>
internal sealed class SpillFolder : IDisposable
{
    private SpillFolder(string path) => Path = path;

    public string Path { get; }

    /// <summary>Null where none can be made: queries then have their memory and no more. The folder above is not made; whoever only asks
    /// questions leaves nothing behind.</summary>
    public static SpillFolder? TryCreate(string parent)
    {
        parent = System.IO.Path.GetFullPath(parent);
        if (!Directory.Exists(System.IO.Path.GetDirectoryName(parent)))
        {
            return null;
        }
        try
        {
            MakeOwn(parent);
            foreach (var left in Directory.EnumerateDirectories(parent).Where(static folder => !HasOwner(folder)))
            {
                Remove(left);
            }
            var name = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{Guid.NewGuid():N}");
            var folder = new SpillFolder(System.IO.Path.Combine(parent, name));
            MakeOwn(folder.Path);
            return folder;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public void Dispose() => Remove(Path);

    private static void MakeOwn(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Folders that are not ours, by their name, are left alone.</summary>
    private static bool HasOwner(string folder)
    {
        var name = System.IO.Path.GetFileName(folder).Split('-');
        if (name.Length != 2 || name[1].Length != 32 || !int.TryParse(name[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return true;
        }
        try
        {
            using var owner = Process.GetProcessById(number);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Another process removes it too, or the next one will.
        }
    }
}
