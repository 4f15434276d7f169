using System.Text.RegularExpressions;
using Frazil.Config;

namespace Frazil;

/// <summary>Table names with a place for the topic.</summary>
internal static partial class TableNames
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
            if (!HasTopicPlace(table.Name))
            {
                yield return table;
                continue;
            }
            foreach (var topic in table.Topics)
            {
                yield return For(table, topic);
            }
        }
    }

    public static bool HasTopicPlace(string name) => name.Contains(TopicPlace, StringComparison.Ordinal);

    /// <summary>The table of one topic. A point in the topic's name would start another namespace level.</summary>
    public static TableOptions For(TableOptions entry, string topic) => entry with
    {
        Name = entry.Name.Replace(TopicPlace, topic.Replace('.', '_'), StringComparison.Ordinal),
        Topics = [topic],
        TopicPattern = null,
    };

    /// <summary>Whether a name is <c>namespace.table</c> as tables may be called.</summary>
    public static bool IsSound(string name) => Sound().IsMatch(name);

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_-]*\\.[A-Za-z_][A-Za-z0-9_-]*$", RegexOptions.CultureInvariant)]
    private static partial Regex Sound();
}
