namespace Frazil.Config;

/// <summary>Finds what a misspelt name was probably meant to be.</summary>
public static class NearestName
{
    /// <summary>The candidate that differs least from <paramref name="name"/>, or null when none is close.</summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        string? best = null;
        var bestDistance = Math.Max(1, name.Length / 3) + 1;
        foreach (var candidate in candidates)
        {
            var distance = Distance(Fold(name), Fold(candidate));
            if (distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }
        return best;
    }

    private static string Fold(string name) => name.ToLowerInvariant().Replace('-', '_');

    /// <summary>Edits between two names, a swap of neighbours counted as one.</summary>
    private static int Distance(string one, string two)
    {
        var distances = new int[one.Length + 1, two.Length + 1];
        for (var row = 0; row <= one.Length; row++)
        {
            for (var column = 0; column <= two.Length; column++)
            {
                distances[row, column] = row == 0 ? column : column == 0 ? row : Step(distances, one, two, row, column);
            }
        }
        return distances[one.Length, two.Length];
    }

    private static int Step(int[,] distances, string one, string two, int row, int column)
    {
        var substitution = distances[row - 1, column - 1] + (one[row - 1] == two[column - 1] ? 0 : 1);
        var best = Math.Min(substitution, Math.Min(distances[row - 1, column], distances[row, column - 1]) + 1);
        var swapped = row > 1 && column > 1 && one[row - 1] == two[column - 2] && one[row - 2] == two[column - 1];
        return swapped ? Math.Min(best, distances[row - 2, column - 2] + 1) : best;
    }
}
