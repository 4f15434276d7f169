using System.Runtime.InteropServices;
using Frazil.Columnar;

namespace Frazil.Query.Workers;

/// <summary>Files that a worker cannot do without.</summary>
internal static class WorkerFiles
{
    /// <summary>The folder of <c>dotnet</c>; null where the program brings its own.</summary>
    public static string? RuntimeRoot { get; } = FindRoot();

    /// <summary>The C library asks /proc where a thread's stack ends. Of other processes nothing is seen there but what every user may see: Landlock
    /// keeps what belongs to them (memory, environment, open files) from one that it holds.</summary>
    private static readonly string[] OfTheSystem =
    [
        "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/localtime", "/usr/share/zoneinfo", "/proc", "/sys/fs/cgroup",
        "/sys/devices/system/cpu",
    ];

    /// <summary>To be read: the program, the runtime, the C library and what it reads, and what says how large the machine is.</summary>
    public static IEnumerable<string> ToRead(IReadOnlyList<string> command)
    {
        yield return AppContext.BaseDirectory;
        foreach (var part in command.Where(Path.IsPathFullyQualified))
        {
            yield return Path.GetDirectoryName(part)!;
        }
        if (RuntimeRoot is { } root)
        {
            yield return root;
        }
        if (Environment.GetEnvironmentVariable(NativeLibraries.VariableOf(NativeLibraries.DuckDb)) is { Length: > 0 } chosen)
        {
            yield return Path.GetDirectoryName(Path.GetFullPath(chosen))!;
        }
        // A program that is one file unpacks its libraries somewhere else.
        if (PackedLibraries.Folder is { } unpacked)
        {
            yield return unpacked;
        }
        foreach (var path in (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            yield return path;
        }
        foreach (var path in OfTheSystem)
        {
            yield return path;
        }
    }

    /// <summary>…/dotnet/shared/Microsoft.NETCore.App/VERSION/ is where the runtime runs from.</summary>
    private static string? FindRoot()
    {
        var folder = Path.TrimEndingDirectorySeparator(RuntimeEnvironment.GetRuntimeDirectory());
        var shared = Path.GetDirectoryName(Path.GetDirectoryName(folder));
        return Path.GetFileName(shared) == "shared" ? Path.GetDirectoryName(shared) : null;
    }
}
