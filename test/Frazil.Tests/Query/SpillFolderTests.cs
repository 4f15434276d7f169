using Frazil.Query;
using Xunit;

namespace Frazil.Tests.Query;

public sealed class SpillFolderTests : IDisposable
{
    private const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string folder = Directory.CreateTempSubdirectory("frazil-spill-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Each_instance_has_a_folder_of_its_own_that_only_its_user_may_read_and_that_goes_with_it()
    {
        var parent = Path.Combine(folder, "query-spill");
        var one = SpillFolder.TryCreate(parent)!;
        var two = SpillFolder.TryCreate(parent)!;
        Assert.NotEqual(one.Path, two.Path);
        if (!OperatingSystem.IsWindows())
        {
            foreach (var path in new[] { parent, one.Path, two.Path })
            {
                Assert.Equal(Own, File.GetUnixFileMode(path));
            }
        }
        File.WriteAllText(Path.Combine(one.Path, "rows"), "x");
        one.Dispose();
        Assert.Equal([two.Path], Directory.EnumerateDirectories(parent));
        two.Dispose();
        Assert.Empty(Directory.EnumerateDirectories(parent));
    }

    [Fact]
    public void Where_there_is_no_data_folder_none_is_made()
    {
        Assert.Null(SpillFolder.TryCreate(Path.Combine(folder, "nothing", "query-spill")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
    }

    [Fact]
    public void What_a_killed_process_left_is_removed_and_nothing_else_is()
    {
        using var ended = System.Diagnostics.Process.Start("true");
        ended.WaitForExit();
        var left = Directory.CreateDirectory(Path.Combine(folder, $"{ended.Id}-{Guid.NewGuid():N}")).FullName;
        var other = Directory.CreateDirectory(Path.Combine(folder, "notes")).FullName;
        File.WriteAllText(Path.Combine(left, "rows"), "x");
        using var mine = SpillFolder.TryCreate(folder)!;
        Assert.Equal(new[] { mine.Path, other }.Order(StringComparer.Ordinal), Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal));
    }
}
