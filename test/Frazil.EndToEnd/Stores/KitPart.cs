namespace Frazil.Rig;

/// <summary>What the kit's start scripts print.</summary>
internal static class KitPart
{
    /// <summary>Lines <c>key=value</c>.</summary>
    public static Dictionary<string, string> Said(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(static line => line.Split('=', 2)).Where(static parts => parts.Length == 2)
        .DistinctBy(static parts => parts[0]).ToDictionary(static parts => parts[0], static parts => parts[1].Trim());
}
