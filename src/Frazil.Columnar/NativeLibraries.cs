using System.Reflection;
using System.Runtime.InteropServices;

namespace Frazil.Columnar;

/// <summary>
/// Finds the native libraries that the bindings name logically (<c>duckdb</c>, <c>rdkafka</c>). Looks, in this order, in the folder that
/// the environment variable <c>FRAZIL_NATIVE_DIR</c> names, in the program's folder, in <c>runtimes/&lt;rid&gt;/native</c> below it, in a
/// <c>.native/&lt;rid&gt;</c> folder beside it or any folder above (where <c>./run setup</c> puts them), and then where the system looks.
/// </summary>
public static class NativeLibraries
{
    /// <summary>The logical name of libduckdb.</summary>
    public const string DuckDb = "duckdb";

    /// <summary>The logical name of librdkafka.</summary>
    public const string RdKafka = "rdkafka";

    /// <summary>The environment variable that names a folder to look in first.</summary>
    public const string DirectoryVariable = "FRAZIL_NATIVE_DIR";

    private static readonly HashSet<Assembly> Registered = [];
    private static readonly Dictionary<string, nint> Loaded = [];
    private static readonly Lock Gate = new();

    /// <summary>Makes the <c>LibraryImport</c>s of an assembly resolve through this class. Call it before the first native call;
    /// calling it again does nothing.</summary>
    public static void Register(Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        lock (Gate)
        {
            if (Registered.Add(assembly))
            {
                NativeLibrary.SetDllImportResolver(assembly, Resolve);
            }
        }
    }

    /// <summary>Loads a library by its logical name, or returns the handle it was loaded with before. It is never unloaded.</summary>
    /// <exception cref="DllNotFoundException">It is in none of the places; the message lists them and says what to do.</exception>
    public static nint Load(string logicalName)
    {
        lock (Gate)
        {
            if (!Loaded.TryGetValue(logicalName, out var handle))
            {
                handle = Find(logicalName, FileNames(logicalName));
                Loaded.Add(logicalName, handle);
            }
            return handle;
        }
    }

    private static nint Resolve(string libraryName, Assembly assembly, DllImportSearchPath? searchPath) =>
        libraryName is DuckDb or RdKafka ? Load(libraryName) : nint.Zero;

    private static string[] FileNames(string logicalName)
    {
        if (OperatingSystem.IsWindows())
        {
            return logicalName == RdKafka ? ["librdkafka.dll", "rdkafka.dll"] : [$"{logicalName}.dll"];
        }
        if (OperatingSystem.IsMacOS())
        {
            return logicalName == RdKafka ? ["librdkafka.1.dylib", "librdkafka.dylib"] : [$"lib{logicalName}.dylib"];
        }
        return logicalName == RdKafka ? ["librdkafka.so.1", "librdkafka.so"] : [$"lib{logicalName}.so"];
    }

    private static nint Find(string logicalName, string[] fileNames)
    {
        var tried = new List<string>();
        var failures = new List<string>();
        foreach (var folder in Folders())
        {
            tried.Add(folder);
            foreach (var path in fileNames.Select(name => Path.Combine(folder, name)).Where(File.Exists))
            {
                try
                {
                    return NativeLibrary.Load(path);
                }
                catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
                {
                    failures.Add(failure.Message);
                }
            }
        }
        foreach (var name in fileNames)
        {
            if (NativeLibrary.TryLoad(name, out var handle))
            {
                return handle;
            }
        }
        var broken = failures.Count == 0 ? "" : $" Found but not loadable: {string.Join("; ", failures)}.";
        throw new DllNotFoundException(
            $"The native library '{logicalName}' ({string.Join(" or ", fileNames)}) was not found in {string.Join(", ", tried)}, nor by the system.{broken} " +
            $"Run `./run setup` in the repository, or put the file into a folder and name that in the environment variable {DirectoryVariable}.");
    }

    private static IEnumerable<string> Folders()
    {
        if (Environment.GetEnvironmentVariable(DirectoryVariable) is { Length: > 0 } chosen)
        {
            yield return chosen;
        }
        var rid = RuntimeInformation.RuntimeIdentifier;
        yield return AppContext.BaseDirectory;
        yield return Path.Combine(AppContext.BaseDirectory, "runtimes", rid, "native");
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, ".native", rid);
            if (Directory.Exists(candidate))
            {
                yield return candidate;
            }
        }
    }
}
