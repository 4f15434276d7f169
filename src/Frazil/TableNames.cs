using Frazil.Config;

namespace Frazil;

/// <summary>Table names with a place for the topic.</summary>
internal static class TableNames
{
    private const string TopicPlace = "{topic}";

    /// <summary>DuckDB's own catalogs and schemas: a table in a namespace of this name could be written, and never be named in SQL.</summary>
    public static IReadOnlyList<string> NamespacesOfSql { get; } = ["information_schema", "memory", "pg_catalog", "system", "temp"];

    /// <summary>Whether <c>namespace.table</c> is in one of them; SQL does not tell cases apart.</summary>
    public static bool IsOfSql(string name)
        => NamespacesOfSql.Contains(name.Split('.')[0], StringComparer.OrdinalIgnoreCase);

    /// <summary>One table an explicit topic where the name says <c>{topic}</c>; others as they are.</summary>
    public static IEnumerable<TableOptions> Expand(IReadOnlyList<TableOptions> tables)
    {
        foreach (var table in tables)
        {
            if (!table.Name.Contains(TopicPlace, StringComparison.Ordinal))
            {
                yield return table;
                continue;
            }
            foreach (var topic in table.Topics)
            {
                // A point would start another namespace level.
                yield return table with
                {
                    Name = table.Name.Replace(TopicPlace, topic.Replace('.', '_'), StringComparison.Ordinal),
                    Topics = [topic],
                };
            }
        }
    }
}
