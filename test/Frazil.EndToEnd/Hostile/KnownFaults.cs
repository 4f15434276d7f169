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
        ("equality on blobs and on -0.0 misses cold rows (23)", static (failure, _) => failure.Kind == "answers"
            && failure.Message.Split("; ").All(static one => one.Contains("::blob", StringComparison.Ordinal) || one.Contains("price = ", StringComparison.Ordinal))),
        ("arrays too deep for other engines and for our SQL (27)", static (failure, journal)
            => journal.Contains("deep-arrays: ", StringComparison.Ordinal) && failure.Kind is "engines" or "sql" or "no-stop"),
        ("progress that was removed is read from the beginning again (15, lesson 40)", static (failure, journal) => failure.Kind == "twice"
            && (journal.Contains("no properties at all", StringComparison.Ordinal) || journal.Contains("removed ['frazil.offsets", StringComparison.Ordinal))),
        ("rows that a rollback or replace took away are not said to be missing (15)", static (failure, journal) => failure.Kind == "missing"
            && (journal.Contains("rolled back from", StringComparison.Ordinal) || journal.Contains("replaced in place", StringComparison.Ordinal))),
        ("a field takes the name of a Kafka column that another hand dropped", static (failure, _) => failure.Kind == "stopped"
            && failure.Message.Contains("is written by", StringComparison.Ordinal)),
        ("another hand's fixed(L) column stops commits", static (failure, _) => failure.Kind == "stuck"
            && failure.Message.Contains("is fixed(", StringComparison.Ordinal)),
        ("a field __duckdb_field_id stops commits (26)", static (failure, _) => failure.Kind == "stuck"
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
