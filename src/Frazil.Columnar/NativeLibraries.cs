using System.Collections.Frozen;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Frazil.Columnar;

/// <summary>
/// Finds the native libraries that the bindings name logically (<c>duckdb</c>, <c>rdkafka</c>). They come with Frazil's packages, so
/// they are looked for where the host puts packages' native files: beside the program, in <c>runtimes/&lt;rid&gt;/native</c> below it, or
/// inside it (<see cref="PackedLibraries"/>).
/// The system's are never taken by chance: another library is used only where the environment names its file (<c>FRAZIL_LIBRDKAFKA</c>,
/// <c>FRAZIL_LIBDUCKDB</c>), and then no other is tried.
/// </summary>
public static class NativeLibraries
{
    /// <summary>The logical name of libduckdb.</summary>
    public const string DuckDb = "duckdb";

    /// <summary>The logical name of librdkafka.</summary>
    public const string RdKafka = "rdkafka";

    private static readonly FrozenDictionary<string, string> Variables = new Dictionary<string, string>
    {
        [DuckDb] = "FRAZIL_LIBDUCKDB",
        [RdKafka] = "FRAZIL_LIBRDKAFKA",
    }.ToFrozenDictionary();

    private static readonly HashSet<Assembly> Registered = [];
    private static readonly Dictionary<string, nint> Loaded = [];
    private static readonly Lock Gate = new();

    /// <summary>The environment variable that names another file for a library.</summary>
    public static string VariableOf(string logicalName) => Variables[logicalName];

    /// <summary>Makes the <c>LibraryImport</c>s of an assembly resolve through this class. Each assembly that has some calls it when it is
    /// loaded, so that no call can come first; calling it again does nothing.</summary>
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
                handle = Find(logicalName, Environment.GetEnvironmentVariable(VariableOf(logicalName)), Folders());
                Loaded.Add(logicalName, handle);
            }
            return handle;
        }
    }

    /// <summary>Loads the file that was chosen, and no other; without one, the first of the library's files that loads.</summary>
    internal static nint Find(string logicalName, string? chosen, IReadOnlyCollection<string> folders)
    {
        if (!string.IsNullOrEmpty(chosen))
        {
            return LoadChosen(logicalName, chosen);
        }
        var names = FileNames(logicalName);
        var failures = new List<string>();
        foreach (var path in folders.SelectMany(folder => names.Select(name => Path.Combine(folder, name))).Where(File.Exists))
        {
            try
            {
                return NativeLibrary.Load(path);
            }
            catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
            {
                failures.Add($"{path}: {failure.Message.ReplaceLineEndings(" ").Trim()}");
            }
        }
        var found = failures.Count == 0
            ? $"None of {string.Join(", ", names)} is in {string.Join(", ", folders)}"
            : $"What was found does not load: {string.Join("; ", failures)}";
        throw new DllNotFoundException(
            $"The native library '{logicalName}' cannot be loaded on {RuntimeInformation.RuntimeIdentifier}. {found}. It comes with Frazil's packages for Linux, "
            + $"macOS and Windows on x64 and arm64; elsewhere name a file of your own in the environment variable {VariableOf(logicalName)}.");
    }

    private static nint LoadChosen(string logicalName, string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
        {
            throw new DllNotFoundException(
                $"The native library that {VariableOf(logicalName)} names, '{path}', cannot be loaded: {failure.Message.ReplaceLineEndings(" ").Trim()} "
                + "Name another file, or remove the variable to use the one that comes with Frazil.", failure);
        }
    }

    private static nint Resolve(string libraryName, Assembly assembly, DllImportSearchPath? searchPath)
        => Variables.ContainsKey(libraryName) ? Load(libraryName) : nint.Zero;

    /// <summary>In the order in which they are tried. librdkafka's package has three files for Linux: the first has Kerberos and wants
    /// libsasl2.so.3, which Debian and Ubuntu lack; the second wants glibc only; the third is for musl.</summary>
    private static string[] FileNames(string logicalName)
    {
        if (OperatingSystem.IsWindows())
        {
            return [logicalName == RdKafka ? "librdkafka.dll" : $"{logicalName}.dll"];
        }
        if (OperatingSystem.IsMacOS())
        {
            return [$"lib{logicalName}.dylib"];
        }
        if (logicalName != RdKafka)
        {
            return [$"lib{logicalName}.so"];
        }
        return RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal)
            ? ["alpine-librdkafka.so"]
            : ["librdkafka.so", "centos8-librdkafka.so"];
    }

    /// <summary>Where the program has unpacked its own, where the host looks for the native files of packages, and the folders of a program
    /// that was published without it.</summary>
    private static List<string> Folders()
    {
        var told = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        var platform = RuntimeInformation.RuntimeIdentifier;
        List<string> folders =
        [
            .. PackedLibraries.Folder is { } packed ? (string[])[packed] : [],
            .. told.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(Path.TrimEndingDirectorySeparator),
            Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory),
            Path.Combine(AppContext.BaseDirectory, "runtimes", platform, "native"),
        ];
        return [.. folders.Distinct(StringComparer.Ordinal)];
    }
}
