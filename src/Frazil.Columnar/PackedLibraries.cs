using System.IO.Compression;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Frazil.Columnar;

/// <summary>
/// The native libraries of a program that is one file: a zip archive among its resources. They are unpacked when the first of them is
/// wanted, into a folder of the user that carries the archive's digest, and found there by every later start of the same build. That is
/// where, and by the variable of which, .NET unpacks single-file programs of its own: <c>~/.net</c>, <c>DOTNET_BUNDLE_EXTRACT_BASE_DIR</c>.
/// </summary>
public static class PackedLibraries
{
    private const string FolderVariable = "DOTNET_BUNDLE_EXTRACT_BASE_DIR";
    private const string ResourcePrefix = "natives-";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly Lazy<string?> Unpacked = new(UnpackOwn);

    /// <summary>Where they are; null for a program that has none inside.</summary>
    /// <exception cref="DllNotFoundException">They cannot be unpacked; the message says where and why.</exception>
    public static string? Folder => Unpacked.Value;

    /// <summary>Makes the native calls of an assembly that is not ours, and so looks for libraries in its own way, find them here first.
    /// Does nothing, and loads no assembly, in a program that has none inside.</summary>
    public static void ServeTo(Func<Assembly> assembly)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        if (Resource() is not null)
        {
            NativeLibrary.SetDllImportResolver(
                assembly(),
                static (name, _, _) => Folder is { } folder && NativeLibrary.TryLoad(Path.Combine(folder, FileName(name)), out var handle) ? handle : 0);
        }
    }

    /// <summary>Brings the archive's files into a folder. What is there in full length stays; what a crash has left cut short is written
    /// anew. Several processes may do so at once: a file appears whole, by a rename.</summary>
    internal static void Unpack(Stream archive, string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, OwnerOnly);
        }
        using var zip = new ZipArchive(archive, ZipArchiveMode.Read);
        foreach (var entry in zip.Entries)
        {
            var path = Path.Combine(folder, entry.Name);
            if (new FileInfo(path) is not { Exists: true } there || there.Length != entry.Length)
            {
                Unpack(entry, path);
            }
        }
    }

    private static void Unpack(ZipArchiveEntry entry, string path)
    {
        var begun = $"{path}.{Environment.ProcessId}";
        using (var from = entry.Open())
        using (var to = new FileStream(begun, FileMode.Create, FileAccess.Write))
        {
            from.CopyTo(to);
            to.Flush(flushToDisk: true);
        }
        File.Move(begun, path, overwrite: true);
    }

    private static string? UnpackOwn()
    {
        if (Resource() is not var (program, name))
        {
            return null;
        }
        var chosen = Environment.GetEnvironmentVariable(FolderVariable);
        var parent = string.IsNullOrEmpty(chosen) ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".net") : chosen;
        var folder = Path.Combine(parent, "frazil", Path.GetFileNameWithoutExtension(name)[ResourcePrefix.Length..]);
        try
        {
            using var archive = program.GetManifestResourceStream(name)!;
            Unpack(archive, folder);
            return folder;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new DllNotFoundException(
                $"The native libraries inside the program cannot be unpacked into '{folder}': {failure.Message} Name a folder that can be written to in {FolderVariable}.", failure);
        }
    }

    private static (Assembly Program, string Name)? Resource()
        => Assembly.GetEntryAssembly() is { } program
            && program.GetManifestResourceNames().FirstOrDefault(static name => name.StartsWith(ResourcePrefix, StringComparison.Ordinal)) is { } name
            ? (program, name)
            : null;

    private static string FileName(string name)
        => OperatingSystem.IsWindows() ? $"{name}.dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";
}
