using System.Globalization;

namespace Frazil.Server.Http;

/// <summary>How many connections are taken at a time. Each is an open file, and files are what commits are made of: clients get a quarter of
/// those that the process may open.</summary>
internal static class ConnectionLimit
{
    private const int Least = 8, Most = 1024;

    public static int Of(long openFiles) => (int)Math.Clamp(openFiles / 4, Least, Most);

    /// <summary>Files that the process may have open, as Linux says; elsewhere a usual number.</summary>
    public static long OpenFiles()
    {
        try
        {
            var line = File.ReadLines("/proc/self/limits").FirstOrDefault(static line => line.StartsWith("Max open files", StringComparison.Ordinal));
            var soft = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
            return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : Most * 4;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Most * 4;
        }
    }
}
