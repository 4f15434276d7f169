using System.Diagnostics;
using System.Runtime.InteropServices;
using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Kafka;
using Xunit;

namespace Frazil.Tests.DuckDb;

public sealed class NativeLibrariesTests
{
    private static readonly string Folder = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);

    [Fact]
    public void A_library_that_is_nowhere_is_an_error_that_names_the_places_and_the_variable()
    {
        var failure = Assert.Throws<DllNotFoundException>(() => NativeLibraries.Find(NativeLibraries.RdKafka, null, ["/nowhere", "/else"]));
        Assert.Contains("/nowhere, /else", failure.Message, StringComparison.Ordinal);
        Assert.Contains("FRAZIL_LIBRDKAFKA", failure.Message, StringComparison.Ordinal);
        Assert.Contains("FRAZIL_LIBDUCKDB",
            Assert.Throws<DllNotFoundException>(() => NativeLibraries.Find(NativeLibraries.DuckDb, null, ["/nowhere"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_does_not_load_is_named_with_the_reason_and_the_next_one_is_taken()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "librdkafka's package has several files for Linux only");
        var folder = Directory.CreateTempSubdirectory("frazil-natives-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "librdkafka.so"), "not a library");
            var failure = Assert.Throws<DllNotFoundException>(() => NativeLibraries.Find(NativeLibraries.RdKafka, null, [folder]));
            Assert.Contains(Path.Combine(folder, "librdkafka.so") + ": ", failure.Message, StringComparison.Ordinal);

            Assert.NotEqual(0, NativeLibraries.Find(NativeLibraries.RdKafka, null, [folder, Folder]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_file_that_was_chosen_is_the_only_one_that_is_tried()
    {
        var failure = Assert.Throws<DllNotFoundException>(() => NativeLibraries.Find(NativeLibraries.RdKafka, "/nowhere/librdkafka.so.1", [Folder]));
        Assert.Contains("FRAZIL_LIBRDKAFKA names, '/nowhere/librdkafka.so.1'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_libraries_in_use_are_those_that_came_with_the_packages()
    {
        Assert.SkipWhen(
            Environment.GetEnvironmentVariable("FRAZIL_LIBRDKAFKA") is not null || Environment.GetEnvironmentVariable("FRAZIL_LIBDUCKDB") is not null,
            "another library was chosen");
        Assert.Equal("2.16.0", KafkaConsumer.LibraryVersion);
        Assert.Equal("v1.5.6", DuckDbInstance.LibraryVersion);
        using var process = Process.GetCurrentProcess();
        var loaded = process.Modules.Cast<ProcessModule>().Select(static module => module.FileName)
            .Where(static file => Path.GetFileName(file) is { } name && (name.Contains("rdkafka", StringComparison.Ordinal) || name.Contains("duckdb", StringComparison.Ordinal)))
            .ToList();
        Assert.Equal(2, loaded.Count(static file => !file.EndsWith("Bindings.dll", StringComparison.Ordinal)));
        Assert.All(loaded, static file => Assert.StartsWith(Folder, file, StringComparison.Ordinal));
    }

    /// <summary>Whoever comes first: an error's text needs the library as much as a client does.</summary>
    [Fact]
    public void Every_assembly_with_native_calls_has_its_resolver_before_its_first_call()
    {
        foreach (var assembly in new[] { typeof(KafkaConsumer).Assembly, typeof(DuckDbInstance).Assembly })
        {
            // A resolver can be set once: a second one is refused, which is how one sees that there is one.
            System.Runtime.CompilerServices.RuntimeHelpers.RunModuleConstructor(assembly.ManifestModule.ModuleHandle);
            Assert.Throws<InvalidOperationException>(() => NativeLibrary.SetDllImportResolver(assembly, static (_, _, _) => 0));
        }
    }

    [Fact]
    public void Registering_an_assembly_twice_is_harmless()
    {
        NativeLibraries.Register(typeof(NativeLibrariesTests).Assembly);
        NativeLibraries.Register(typeof(NativeLibrariesTests).Assembly);
    }
}
