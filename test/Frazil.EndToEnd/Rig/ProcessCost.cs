using System.Globalization;

namespace Frazil.Rig;

/// <summary>What a process has used so far, as Linux counts it.</summary>
/// <param name="CpuSeconds">User and system time of all its threads.</param>
/// <param name="ResidentBytes">Memory it holds now.</param>
/// <param name="PeakBytes">The most memory it ever held.</param>
public readonly record struct ProcessCost(double CpuSeconds, long ResidentBytes, long PeakBytes)
{
    private const double TicksPerSecond = 100; // USER_HZ, fixed on every Linux we run on

    /// <summary>Reads /proc.</summary>
    /// <exception cref="IOException">There is no such process.</exception>
    public static ProcessCost Of(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' '); // the name may hold spaces; fields[0] is the state
        var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
        var status = File.ReadAllLines($"/proc/{pid}/status");
        return new(ticks / TicksPerSecond, Kilobytes(status, "VmRSS:"), Kilobytes(status, "VmHWM:"));
    }

    private static long Kilobytes(string[] status, string key)
    {
        var line = status.FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal));
        return line is null
            ? 0
            : 1024 * long.Parse(line[key.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture);
    }
}
