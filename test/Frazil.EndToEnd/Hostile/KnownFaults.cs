namespace Frazil.EndToEnd.Hostile;

/// <summary>Faults that are known and not mended yet: a round that meets one is counted under its name, and its scene ends. Empty when the
/// suite is what it should be.</summary>
internal static class KnownFaults
{
    private static readonly (string Name, Func<HostileFailedException, string, bool> Is)[] All =
    [
        ("a property of others stops commits (1, 28)", static (failure, _) => failure.Kind == "stuck" && failure.Message.Contains("table property", StringComparison.Ordinal)),
        ("a property of others makes us delete committed files (1)", static (failure, journal)
            => failure.Kind is "missing" or "proof" or "engines" or "sql" && journal.Contains("set {", StringComparison.Ordinal)
                && journal.Contains("CommitFenced", StringComparison.Ordinal) | journal.Contains("is fenced", StringComparison.Ordinal)),
        ("equality on blobs misses cold rows (23)", static (failure, _) => failure.Kind == "answers" && failure.Message.Contains("::blob", StringComparison.Ordinal)),
        ("too deep for other engines (27)", static (failure, _) => failure.Kind == "engines" && failure.Message.Contains("too deeply nested", StringComparison.Ordinal)),
    ];

    /// <summary>The fault's name; null for a new one.</summary>
    /// <param name="failure">What was seen.</param>
    /// <param name="journal">All that was done and said in the scene.</param>
    public static string? NameOf(HostileFailedException failure, string journal)
        => All.Where(fault => fault.Is(failure, journal)).Select(static fault => fault.Name).FirstOrDefault();
}
