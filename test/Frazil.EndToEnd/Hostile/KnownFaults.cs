namespace Frazil.EndToEnd.Hostile;

/// <summary>Faults that are known and not mended yet: a round that meets one is counted under its name, and its scene ends. Empty when the
/// suite is what it should be.</summary>
internal static class KnownFaults
{
    private static readonly (string Name, Func<HostileFailedException, string, bool> Is)[] All = [];

    /// <summary>The fault's name; null for a new one.</summary>
    /// <param name="failure">What was seen.</param>
    /// <param name="journal">All that was done and said in the scene.</param>
    public static string? NameOf(HostileFailedException failure, string journal)
        => All.Where(fault => fault.Is(failure, journal)).Select(static fault => fault.Name).FirstOrDefault();
}
