namespace Frazil.EndToEnd;

/// <summary>Where the sources are that these tests were built from.</summary>
internal static class Repository
{
    /// <summary>The folder that holds <c>run</c>, found upwards from the test assembly.</summary>
    public static string Root { get; } = FindRoot(AppContext.BaseDirectory);

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Frazil.slnx")))
            {
                return folder.FullName;
            }
        }
        throw new InvalidOperationException($"no Frazil.slnx in {start} or above it; run the tests from the repository's artifacts folder");
    }
}
