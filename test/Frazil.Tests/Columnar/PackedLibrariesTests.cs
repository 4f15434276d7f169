using System.IO.Compression;
using System.Text;
using Frazil.Columnar;
using Xunit;

namespace Frazil.Tests.Columnar;

public sealed class PackedLibrariesTests : IDisposable
{
    private readonly string parent = Directory.CreateTempSubdirectory("frazil-packed-").FullName;

    private string Folder => Path.Combine(parent, "frazil", "digest");

    [Fact]
    public void Libraries_are_unpacked_once_whole_and_for_their_user_alone()
    {
        PackedLibraries.Unpack(Archive(), Folder);
        Assert.Equal(["liba.so", "libb.so"], Names());
        Assert.Equal("first library", File.ReadAllText(Path.Combine(Folder, "liba.so")));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Folder));
        }

        File.WriteAllText(Path.Combine(Folder, "liba.so"), "FIRST LIBRARY"); // of the same length: it is not written again
        PackedLibraries.Unpack(Archive(), Folder);
        Assert.Equal("FIRST LIBRARY", File.ReadAllText(Path.Combine(Folder, "liba.so")));
    }

    [Fact]
    public void What_a_crash_left_cut_short_is_written_anew()
    {
        PackedLibraries.Unpack(Archive(), Folder);
        File.WriteAllText(Path.Combine(Folder, "liba.so"), "first");
        File.Delete(Path.Combine(Folder, "libb.so"));

        PackedLibraries.Unpack(Archive(), Folder);

        Assert.Equal(["liba.so", "libb.so"], Names());
        Assert.Equal("first library", File.ReadAllText(Path.Combine(Folder, "liba.so")));
        Assert.Equal("second library", File.ReadAllText(Path.Combine(Folder, "libb.so")));
    }

    [Fact]
    public void A_program_with_no_libraries_inside_has_no_folder_of_them() => Assert.Null(PackedLibraries.Folder);

    public void Dispose() => Directory.Delete(parent, recursive: true);

    private string?[] Names() => [.. Directory.GetFiles(Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal)];

    private static MemoryStream Archive()
    {
        var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, text) in new[] { ("liba.so", "first library"), ("libb.so", "second library") })
            {
                using var entry = zip.CreateEntry(name).Open();
                entry.Write(Encoding.UTF8.GetBytes(text));
            }
        }
        bytes.Position = 0;
        return bytes;
    }
}
