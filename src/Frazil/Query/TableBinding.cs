namespace Frazil.Query;

/// <summary>A table of a query, and whether its bare name stands for it.</summary>
internal sealed record TableBinding(TableInput Table, bool HasBareName)
{
    /// <exception cref="SqlException">A name of the statement is no table's, or more than one's.</exception>
    public static IReadOnlyList<TableBinding> Bind(GatedSql sql, IReadOnlyList<TableInput> tables)
    {
        var bound = new List<TableBinding>();
        foreach (var name in sql.Tables)
        {
            var table = Find(name, tables);
            var at = bound.FindIndex(known => known.Table == table);
            if (at < 0)
            {
                bound.Add(new TableBinding(table, name.Namespace is null));
            }
            else
            {
                bound[at] = bound[at] with { HasBareName = bound[at].HasBareName || name.Namespace is null };
            }
        }
        return bound;
    }

    private static TableInput Find(SqlTableName name, IReadOnlyList<TableInput> tables)
    {
        var matches = tables.Where(table => name.Matches(table.Namespace, table.Name)).ToList();
        return matches.Count switch
        {
            1 => matches[0],
            0 => throw new SqlException(
                $"There is no table {name}. " + (tables.Count == 0 ? "There are no tables yet." : $"There is: {string.Join(", ", tables.Take(20))}."), name.Position),
            _ => throw new SqlException(
                $"{name} could be any of {string.Join(", ", matches)}; write the one that is meant.", name.Position),
        };
    }
}

/// <summary>The pins of a query's tables. Those that no scan has taken over are released when the query is done.</summary>
internal sealed class TablePins(IReadOnlyList<TableInput> tables) : IDisposable
{
    private readonly HashSet<IDisposable> left = [.. tables.Select(table => table.HotPin).OfType<IDisposable>()];

    /// <summary>The table's pin, which from now on is the caller's to dispose; null where there is none.</summary>
    public IDisposable? Take(TableInput table) => table.HotPin is { } pin && left.Remove(pin) ? pin : null;

    public void Dispose()
    {
        foreach (var pin in left)
        {
            pin.Dispose();
        }
        left.Clear();
    }
}
