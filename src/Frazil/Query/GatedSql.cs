using Frazil.Schemas;

namespace Frazil.Query;

/// <summary>One statement that the gate has let through. Only <see cref="SqlGate"/> makes them, and only they are run.</summary>
public sealed class GatedSql
{
    internal GatedSql(string sql, IReadOnlyList<SqlTableName> tables) => (Sql, Tables) = (sql, tables);

    /// <summary>The text as it came in.</summary>
    public string Sql { get; }

    /// <summary>Tables that it reads, each once; names of common table expressions are not among them.</summary>
    public IReadOnlyList<SqlTableName> Tables { get; }

    /// <summary>It is <c>SHOW TABLES</c>, which whoever knows the tables answers; it is not run.</summary>
    public bool IsShowTables { get; internal init; }

    /// <summary>The column's name where the statement is nothing but <c>SELECT count(*) FROM table</c>; otherwise null.</summary>
    internal string? CountColumn { get; init; }
}

/// <summary>A table as a statement names it.</summary>
/// <param name="Namespace">What stands before the point; null for a bare name.</param>
/// <param name="Name">The table's name. SQL does not tell cases apart: compare with <see cref="Matches"/>.</param>
/// <param name="Position">Zero-based character of the statement where it first stands; null where unknown.</param>
public sealed record SqlTableName(string? Namespace, string Name, int? Position)
{
    /// <summary>The table with these names is meant, as SQL compares names: ASCII letters without case.</summary>
    public bool Matches(string tableNamespace, string tableName) =>
        (Namespace is null || SqlNameComparer.Instance.Equals(Namespace, tableNamespace))
            && SqlNameComparer.Instance.Equals(Name, tableName);

    public override string ToString() => Namespace is null ? Name : $"{Namespace}.{Name}";
}
