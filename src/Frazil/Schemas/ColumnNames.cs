namespace Frazil.Schemas;

/// <summary>
/// The names that are taken in a table: full dotted ones of its columns of all levels (an element, key or value of a list or map counts),
/// and those of its partition fields. SQL does not tell case apart, and Java and PyIceberg refuse to load a table in which two columns have
/// one dotted name, or a partition field has another column's; so no new column may take such a name. Immutable.
/// </summary>
internal sealed class ColumnNames
{
    private readonly Dictionary<string, string> columns = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> partitionFields = new(StringComparer.Ordinal);

    /// <param name="columns">Full names of the columns that are there; what is wrong among them is not judged.</param>
    /// <param name="partitionFields">Names of partition fields, each with the column that it is made of and whose name it may have.</param>
    public ColumnNames(IEnumerable<string> columns, IEnumerable<(string Name, string Column)> partitionFields)
    {
        foreach (var name in columns)
        {
            this.columns.TryAdd(name, name);
        }
        foreach (var (name, column) in partitionFields)
        {
            this.partitionFields.TryAdd(name, column);
        }
    }

    /// <summary>The first of the added names that is taken, by the table or by one before it, and by what; null where none is.</summary>
    public (string Name, string Why)? FindClash(IEnumerable<string> added)
    {
        var seen = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var name in added)
        {
            if (columns.TryGetValue(name, out var other) || !seen.TryAdd(name, name))
            {
                return (name, Describe(name, other ?? seen[name]));
            }
            if (partitionFields.TryGetValue(name, out var source) && source != name)
            {
                return (name, $"is the name of a partition field of the table (of {source}), and other engines refuse to load a table with "
                    + "another column of this name; rename the field, or the partition field by \"… as name\" in partition_by");
            }
        }
        return null;
    }

    private static string Describe(string name, string other) => name == other
        ? $"has the dotted name of another column, {other}, which other engines do not tell apart; rename one"
        : $"differs from column {other} only in case, which SQL does not tell apart; rename one";
}
