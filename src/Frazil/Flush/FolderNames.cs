using System.IO.Hashing;
using System.Text;

namespace Frazil.Flush;

/// <summary>Folder names that every file system takes: Iceberg reads partition values from manifests, never from paths, so a name may be
/// cut. What was cut is still told apart, by its hash.</summary>
internal static class FolderNames
{
    /// <summary>A name has 255 bytes on nearly every file system, and a path 4,096 in all.</summary>
    private const int LongestName = 200;
    private const int LongestPath = 1_000;
    private const int HashDigits = 16;

    /// <summary>The same folders, each name and the whole within bounds.</summary>
    /// <param name="folders">ASCII names, percent-encoded, with slashes between them.</param>
    public static string Bounded(string folders)
    {
        if (folders.Length <= LongestName)
        {
            return folders;
        }
        var names = folders.Split('/');
        var longest = Math.Clamp(LongestPath / names.Length, HashDigits + 1, LongestName);
        var bounded = string.Join('/', names.Select(name => Cut(name, longest)));
        return bounded.Length <= LongestPath ? bounded : Cut(folders.Replace('/', '-'), LongestName);
    }

    private static string Cut(string name, int longest)
    {
        if (name.Length <= longest)
        {
            return name;
        }
        var kept = longest - HashDigits - 1;
        // An escape stays whole: %2F is one character to whoever reads the path.
        var escape = kept >= 2 ? name.LastIndexOf('%', kept - 1, 2) : -1;
        var end = escape >= 0 ? escape : kept;
        return $"{name[..end]}-{XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(name)):x16}";
    }
}
