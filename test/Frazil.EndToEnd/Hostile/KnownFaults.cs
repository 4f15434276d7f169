namespace Frazil.EndToEnd.Hostile;

/// <summary>Faults that are known and not mended yet: a round that meets one is counted under its name, and its scene ends. Empty when the
/// suite is what it should be.</summary>
internal static class KnownFaults
{
    private static readonly (string Name, Func<HostileFailedException, string, bool> Is)[] All =
    [
        ("arrays too deep for other engines and for our SQL (27)", static (failure, journal)
            => journal.Contains("deep-arrays: ", StringComparison.Ordinal) && failure.Kind is "engines" or "sql" or "no-stop"),
        ("a field takes the name of a Kafka column that another hand dropped", static (failure, _) => failure.Kind == "stopped"
            && failure.Message.Contains("is written by", StringComparison.Ordinal)),
        ("another hand's fixed(L) column stops commits", static (failure, _) => failure.Kind is "stuck" or "stopped"
            && failure.Message.Contains("is fixed(", StringComparison.Ordinal)),
        ("a field __duckdb_field_id stops commits (26)", static (failure, _) => failure.Kind is "stuck" or "stopped"
            && failure.Message.Contains("__duckdb_field_id", StringComparison.Ordinal)),
        ("names that differ by case inside lists (30)", static (failure, _) => failure.Kind is "sql" or "engines"
            && failure.Message.Contains("Duplicate STRUCT type", StringComparison.Ordinal)),
    ];

    /// <summary>The fault's name; null for a new one.</summary>
    /// <param name="failure">What was seen.</param>
    /// <param name="journal">All that was done and said in the scene.</param>
    public static string? NameOf(HostileFailedException failure, string journal)
        => All.Where(fault => fault.Is(failure, journal)).Select(static fault => fault.Name).FirstOrDefault();
}
