namespace Frazil.EndToEnd.Hostile;

/// <summary>Something does not hold that must hold whatever others do.</summary>
/// <param name="kind">A word for the kind of failure: <c>missing</c>, <c>twice</c>, <c>stuck</c>, <c>answers</c>, …</param>
/// <param name="message">What was seen.</param>
internal sealed class HostileFailedException(string kind, string message) : Exception($"{kind}: {message}")
{
    public string Kind { get; } = kind;
}

/// <summary>A round that was not sound.</summary>
/// <param name="Deeds">What the round's hands did.</param>
internal sealed record HostileFailure(HostileRound Round, Exception Error, IReadOnlyList<string> Deeds)
{
    public string Kind => Error is HostileFailedException failed ? failed.Kind : Error.GetType().Name;

    public string Text => Error is HostileFailedException ? Error.Message : Error.ToString();
}
