namespace Frazil.Iceberg.IO;

/// <summary>What makes local files and folders appear whole, durable, and in nobody else's place.</summary>
internal static class LocalFiles
{
    /// <summary>Makes a folder, and those above it, where they are missing.</summary>
    public static void PrepareFolder(string folder)
    {
        if (Directory.Exists(folder))
            return;
        var missing = new Stack<string>();
        for (var next = folder; !Directory.Exists(next); next = Path.GetDirectoryName(next)!)
            missing.Push(next);
        Directory.CreateDirectory(folder);
        // A file is durable only when every new folder above it is.
        foreach (var created in missing)
            DirectorySync.Flush(Path.GetDirectoryName(created)!);
    }

    /// <summary>Gives a finished file its name too, or, where the file system has no links, instead of the one it has.</summary>
    /// <exception cref="ObjectExistsException">The name is taken.</exception>
    public static void LinkIntoPlace(string temporary, string path, string location)
    {
        if (HardLink.TryCreate(temporary, path, out var error))
            return;
        if (error == HardLink.Exists || File.Exists(path))
            throw new ObjectExistsException(location);
        try
        {
            File.Move(temporary, path, overwrite: false);
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new ObjectExistsException(location, e);
        }
    }
}
