using System.Text.RegularExpressions;
using Frazil.Kafka;

namespace Frazil.Config;

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

    /// <summary>The table of a name as its entry makes it; null where none does.</summary>
    /// <param name="entries">As configured.</param>
    /// <param name="name">Of the table.</param>
    /// <param name="fedFrom">Topics that the table has been fed from: a table that a pattern made is known by them.</param>
    public static TableOptions? Find(IReadOnlyList<TableOptions> entries, string name, IReadOnlyCollection<string> fedFrom)
        => Expand(entries).FirstOrDefault(table => table.Name == name)
            ?? entries.Where(MakesTables).SelectMany(entry => fedFrom.Where(TopicPattern.Parse(entry.TopicPattern!).Selects).Select(topic => For(entry, topic)))
                .FirstOrDefault(table => table.Name == name);

    /// <summary>Whether an entry makes a table of this name, or would for some topic.</summary>
    public static bool MayBeMade(IReadOnlyList<TableOptions> entries, string name)
        => Expand(entries).Any(table => table.Name == name) || entries.Where(MakesTables).Any(entry => IsOfForm(entry.Name, name));

    /// <summary>True where the entry's tables follow from the topics that its pattern finds.</summary>
    public static bool MakesTables(TableOptions entry) => entry.TopicPattern is not null && HasTopicPlace(entry.Name);

    private static bool IsOfForm(string form, string name)
    {
        var parts = form.Split(TopicPlace, 2);
        return name.Length > parts[0].Length + parts[1].Length
            && name.StartsWith(parts[0], StringComparison.Ordinal) && name.EndsWith(parts[1], StringComparison.Ordinal);
    }

    /// <summary>Whether a name is <c>namespace.table</c> as tables may be called.</summary>
    public static bool IsSound(string name) => Sound().IsMatch(name);

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_-]{0,127}\.[A-Za-z_][A-Za-z0-9_-]{0,127}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Sound();
}
