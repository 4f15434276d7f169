namespace Frazil.Iceberg.Catalogs;

/// <summary>The name of a namespace: levels, outermost first. Equality is by levels; case counts.</summary>
public sealed class NamespaceName : IEquatable<NamespaceName>
{
    private readonly string[] levels;

    /// <exception cref="ValidationException">A level is empty or holds a control character.</exception>
    public NamespaceName(params IReadOnlyList<string> levels)
    {
        this.levels = [.. levels];
        foreach (var level in this.levels)
            if (level.Length == 0 || level.Any(char.IsControl))
                throw new ValidationException(
                    $"'{string.Join('.', this.levels)}' is not a namespace: a level is empty or holds a control character.");
    }

    public static NamespaceName Empty { get; } = new();

    public IReadOnlyList<string> Levels => levels;

    /// <summary>Reads <c>a.b.c</c>.</summary>
    public static NamespaceName Parse(string dotted) => dotted.Length == 0 ? Empty : new(dotted.Split('.'));

    public bool Equals(NamespaceName? other) => other is not null && levels.AsSpan().SequenceEqual(other.levels);

    public override bool Equals(object? obj) => Equals(obj as NamespaceName);

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    public override string ToString() => string.Join('.', levels);
}

/// <summary>The name of a table in its namespace.</summary>
/// <param name="Namespace">The namespace.</param>
/// <param name="Name">The table's own name.</param>
public sealed record TableIdentifier(NamespaceName Namespace, string Name)
{
    /// <summary>Reads <c>namespace.table</c>; the namespace may have several levels.</summary>
    /// <exception cref="ValidationException">There is no namespace, or a part is empty.</exception>
    public static TableIdentifier Parse(string dotted)
    {
        var split = dotted.LastIndexOf('.');
        if (split <= 0 || split == dotted.Length - 1)
            throw new ValidationException($"'{dotted}' is not a table name: namespace.table is expected, as in shop.user_events.");
        return new TableIdentifier(NamespaceName.Parse(dotted[..split]), dotted[(split + 1)..]);
    }

    public override string ToString() => Namespace.Levels.Count == 0 ? Name : $"{Namespace}.{Name}";
}
