namespace Frazil.Maintain.Compaction;

/// <summary>Files that cannot be rewritten here, for what they are: they are left, others go on.</summary>
/// <param name="locations">The files.</param>
/// <param name="reason">Why, as the end of a sentence about each.</param>
/// <param name="inner">What was found.</param>
internal sealed class UnfitFileException(IReadOnlyList<string> locations, string reason, Exception? inner = null)
    : Exception($"{locations[0]} {reason}", inner)
{
    public UnfitFileException(string location, string reason, Exception? inner = null) : this([location], reason, inner)
    {
    }

    public IReadOnlyList<string> Locations => locations;

    public string Reason => reason;
}
