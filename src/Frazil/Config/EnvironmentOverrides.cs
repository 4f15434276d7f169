using System.Globalization;

namespace Frazil.Config;

/// <summary>
/// Lays environment variables over a document. <c>FRAZIL_KAFKA__BOOTSTRAP_SERVERS</c> is <c>kafka.bootstrap_servers</c>: two underscores
/// part the levels. A variable with two underscores that names no key is an error, as an unknown key in the file is; other <c>FRAZIL_…</c>
/// variables are none of ours.
/// </summary>
internal sealed class EnvironmentOverrides(TomlTable document, ConfigErrors errors)
{
    private const string Prefix = "FRAZIL_";

    /// <summary>The only librdkafka properties whose names hold underscores.</summary>
    private static readonly string[] NamesWithUnderscores = ["ssl_key", "ssl_certificate", "ssl_ca", "ssl_engine_callback_data"];

    public void Apply(IReadOnlyDictionary<string, string> environment)
    {
        foreach (var (variable, text) in environment.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (variable.StartsWith(Prefix, StringComparison.Ordinal))
            {
                Apply(variable, text, variable[Prefix.Length..].Split("__"));
            }
        }
    }

    private void Apply(string variable, string text, string[] segments)
    {
        var levels = Array.ConvertAll(segments, segment => segment.ToLowerInvariant());
        if (levels[0] == "tables" && levels.Length >= 3 && int.TryParse(levels[1], CultureInfo.InvariantCulture, out var index))
        {
            ApplyToTable(variable, text, index, segments[2..], levels[2..]);
            return;
        }
        var path = string.Join('.', levels);
        if (ConfigKeys.All.FirstOrDefault(key => key.Path == path) is { } known)
        {
            Set(document, levels, ToNode(known.Kind, variable, text));
        }
        else if (levels.Length == 3
            && ConfigKeys.All.Any(key => key.Kind == ConfigKind.Properties && key.Path == $"{levels[0]}.{levels[1]}"))
        {
            SetProperty(document, levels[..2], segments[2], ToNode(ConfigKind.Text, variable, text));
        }
        else if (levels.Length > 1)
        {
            AddUnknown(variable, ConfigKeys.All.Select(key => NameOf(key.Path)));
        }
    }

    private void ApplyToTable(string variable, string text, int index, string[] segments, string[] levels)
    {
        if (TableAt(variable, index) is not { } table)
        {
            return;
        }
        if (levels.Length == 1 && TableKeys.All.FirstOrDefault(key => key.Path == levels[0]) is { } known)
        {
            Set(table, levels, ToNode(known.Kind, variable, text));
        }
        else if (levels.Length == 2 && levels[0] == "properties")
        {
            SetProperty(table, levels[..1], segments[1], ToNode(ConfigKind.Text, variable, text));
        }
        else
        {
            AddUnknown(variable, TableKeys.All.Select(key => $"{Prefix}TABLES__{index}__{key.Path.ToUpperInvariant()}"));
        }
    }

    private TomlTable? TableAt(string variable, int index)
    {
        if (document.Find("tables") is not { } tables)
        {
            tables = new TomlArray(0, 0) { IsTableArray = true };
            document.Set("tables", tables);
        }
        // Anything else than an array of tables is the file's error, which the binder tells.
        if (tables is not TomlArray array || array.Items.Any(item => item is not TomlTable))
        {
            return null;
        }
        if (index > array.Items.Count || index < 0)
        {
            errors.AddShown(
                variable, null, $"names table {index}, but there are {array.Items.Count}",
                $"Use FRAZIL_TABLES__{array.Items.Count}__… for a further table");
            return null;
        }
        if (index == array.Items.Count)
        {
            array.Items.Add(new TomlTable(0, 0) { Source = $"environment {variable}" });
        }
        return (TomlTable)array.Items[index];
    }

    private static void Set(TomlTable table, string[] path, TomlNode value)
    {
        if (Walk(table, path.AsSpan()[..^1]) is { } parent)
        {
            parent.Set(path[^1], value);
        }
    }

    private static void SetProperty(TomlTable table, string[] path, string segment, TomlNode value)
    {
        if (Walk(table, path) is { } properties)
        {
            properties.Set(PropertyName(segment, properties), value);
        }
    }

    private static TomlTable? Walk(TomlTable table, ReadOnlySpan<string> path)
    {
        foreach (var key in path)
        {
            if (table.Find(key) is not { } inner)
            {
                inner = new TomlTable(0, 0);
                table.Set(key, inner);
            }
            if (inner is not TomlTable next)
            {
                return null;
            }
            table = next;
        }
        return table;
    }

    /// <summary>SASL_PASSWORD → sasl.password. A property that the file sets already is met whatever its punctuation; a name given with
    /// dots or hyphens is taken as it is.</summary>
    private static string PropertyName(string segment, TomlTable properties)
    {
        if (segment.Contains('.') || segment.Contains('-'))
        {
            return segment;
        }
        var known = ConfigValues.Flatten(properties, "").Select(entry => entry.Name).Concat(NamesWithUnderscores);
        var folded = Fold(segment);
        return known.FirstOrDefault(name => Fold(name) == folded) ?? segment.ToLowerInvariant().Replace('_', '.');

        static string Fold(string name) => name.ToLowerInvariant().Replace('.', '_').Replace('-', '_');
    }

    private static TomlNode ToNode(ConfigKind kind, string variable, string text)
    {
        var source = $"environment {variable}";
        var isList = kind == ConfigKind.TextList;
        if (isList && !text.TrimStart().StartsWith('['))
        {
            var list = new TomlArray(0, 0) { Source = source };
            list.Items.AddRange(SplitList(text).Select(item => TextNode(item, source)));
            return list;
        }
        if (kind == ConfigKind.Text)
        {
            return TextNode(text, source);
        }
        try
        {
            return WithSource(TomlReader.ReadValue(text.Trim()), source);
        }
        catch (TomlException)
        {
            // Left as text: the binder then says which type was wanted and shows what was given.
            return TextNode(text, source);
        }
    }

    private static TomlScalar TextNode(string text, string source) => new(TomlKind.String, text, text, 0, 0) { Source = source };

    private static TomlNode WithSource(TomlNode node, string source)
    {
        switch (node)
        {
            case TomlScalar scalar:
                return new TomlScalar(scalar.Kind, scalar.Value, scalar.Text, 0, 0) { Source = source };
            case TomlArray array:
                var list = new TomlArray(0, 0) { Source = source };
                list.Items.AddRange(array.Items.Select(item => WithSource(item, source)));
                return list;
            default:
                var table = new TomlTable(0, 0) { Source = source };
                foreach (var (name, value) in ((TomlTable)node).Entries)
                {
                    table.Set(name, WithSource(value, source));
                }
                return table;
        }
    }

    /// <summary>Parts at commas outside parentheses: <c>bucket(16, user_id), day(ts)</c> is two.</summary>
    private static List<string> SplitList(string text)
    {
        var items = new List<string>();
        var (start, depth) = (0, 0);
        for (var index = 0; index <= text.Length; index++)
        {
            var letter = index < text.Length ? text[index] : ',';
            depth += letter is '(' or '<' ? 1 : letter is ')' or '>' ? -1 : 0;
            if (letter == ',' && (depth <= 0 || index == text.Length))
            {
                items.Add(text[start..index].Trim());
                start = index + 1;
            }
        }
        return items.FindAll(item => item.Length > 0);
    }

    private void AddUnknown(string variable, IEnumerable<string> candidates)
    {
        var suggestion = NearestName.Find(variable, candidates);
        var fix = suggestion is null ? "See docs/configuration.md for every key" : $"Did you mean {suggestion}?";
        errors.AddShown(variable, null, "is an environment variable that names no key Frazil knows", fix);
    }

    private static string NameOf(string path) => Prefix + path.ToUpperInvariant().Replace(".", "__", StringComparison.Ordinal);
}
