namespace Frazil.Schemas;

/// <summary>Compares names as DuckDB does: ASCII letters without case, everything else exactly.</summary>
internal sealed class SqlNameComparer : IEqualityComparer<string>
{
    public static SqlNameComparer Instance { get; } = new();

    public bool Equals(string? x, string? y)
    {
        if (x is null || y is null || x.Length != y.Length)
        {
            return x is null && y is null;
        }
        for (var index = 0; index < x.Length; index++)
        {
            if (Lower(x[index]) != Lower(y[index]))
            {
                return false;
            }
        }
        return true;
    }

    public int GetHashCode(string obj)
    {
        var hash = new HashCode();
        foreach (var letter in obj)
        {
            hash.Add(Lower(letter));
        }
        return hash.ToHashCode();
    }

    private static char Lower(char letter) => letter is >= 'A' and <= 'Z' ? (char)(letter | 0x20) : letter;
}
