using System.Runtime.InteropServices;

namespace Frazil.Log;

/// <summary>Makes files and folders survive a power cut. .NET syncs files but not folders.</summary>
internal static partial class DurableFiles
{
    private const int ReadOnlyFlag = 0;

    /// <summary>Makes the folder and those above it that are missing, and syncs the folders that got a new entry.</summary>
    public static void CreateDirectory(string path)
    {
        var missing = new Stack<string>();
        for (var folder = Path.GetFullPath(path); folder is not null && !Directory.Exists(folder); folder = Path.GetDirectoryName(folder))
        {
            missing.Push(folder);
        }
        foreach (var folder in missing)
        {
            Directory.CreateDirectory(folder);
            SyncDirectory(Path.GetDirectoryName(folder)!);
        }
    }

    /// <summary>Syncs a folder's entries. Does nothing on Windows, which has no such call.</summary>
    public static void SyncDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        var descriptor = Open(path, ReadOnlyFlag);
        if (descriptor < 0)
        {
            throw new IOException($"The folder {path} cannot be opened to be synced: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
        try
        {
            if (Sync(descriptor) != 0)
            {
                throw new IOException($"The folder {path} cannot be synced: {Marshal.GetLastPInvokeErrorMessage()}.");
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
