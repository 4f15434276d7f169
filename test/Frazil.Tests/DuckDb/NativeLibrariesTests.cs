using Frazil.Columnar;
using Xunit;

namespace Frazil.Tests.DuckDb;

public sealed class NativeLibrariesTests
{
    [Fact]
    public void A_missing_library_is_an_error_that_names_the_fix()
    {
        var failure = Assert.Throws<DllNotFoundException>(() => NativeLibraries.Load("no-such-library"));
        Assert.Contains("./run setup", failure.Message, StringComparison.Ordinal);
        Assert.Contains(NativeLibraries.DirectoryVariable, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Registering_an_assembly_twice_is_harmless()
    {
        NativeLibraries.Register(typeof(NativeLibrariesTests).Assembly);
        NativeLibraries.Register(typeof(NativeLibrariesTests).Assembly);
    }
}
