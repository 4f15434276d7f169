namespace Frazil.Config;

/// <summary>Turns a parsed document into options, noting every error and where every value came from.</summary>
internal sealed class ConfigBinder(string fileName, ConfigErrors errors)
{
    private static readonly Dictionary<string, ConfigKey<FrazilOptions>> RootKeys = ConfigKeys.All.ToDictionary(key => key.Path);
    private static readonly Dictionary<string, ConfigKey<TableOptions>> TableKeysByName = TableKeys.All.ToDictionary(key => key.Path);

    public FrazilOptions Bind(TomlTable document) => BindSection(new FrazilOptions(), document, "");

    private FrazilOptions BindSection(FrazilOptions options, TomlTable section, string prefix)
    {
        foreach (var (name, node) in section.Entries)
        {
            var path = prefix + name;
            errors.Origins[path] = OriginOf(node);
            if (path == "tables")
            {
                options = options with { Tables = BindTables(node) };
            }
            else if (RootKeys.TryGetValue(path, out var key))
            {
                options = BindValue(options, key, path, node);
            }
            else if (!RootKeys.Keys.Any(known => known.StartsWith($"{path}.", StringComparison.Ordinal)))
            {
                AddUnknown(path, node, RootKeys.Keys.Append("tables"));
            }
            else if (node is TomlTable inner)
            {
                options = BindSection(options, inner, $"{path}.");
            }
            else
            {
                errors.AddShown(
                    path, ConfigText.Format(node), $"is {node.KindName} but must be a table",
                    $"Write [{path}] on its own line and its keys below");
            }
        }
        return options;
    }

    private List<TableOptions> BindTables(TomlNode node)
    {
        var tables = new List<TableOptions>();
        if (node is not TomlArray array || array.Items.Any(item => item is not TomlTable))
        {
            errors.AddShown(
                "tables", null, $"is {node.KindName} but must be an array of tables", "Write [[tables]] before each table's keys");
            return tables;
        }
        foreach (var item in array.Items)
        {
            tables.Add(BindTable((TomlTable)item, $"tables[{tables.Count}]"));
        }
        return tables;
    }

    private TableOptions BindTable(TomlTable entry, string prefix)
    {
        var table = new TableOptions { Name = "" };
        errors.Origins[prefix] = OriginOf(entry);
        errors.Origins[$"{prefix}.name"] = OriginOf(entry);
        foreach (var (name, node) in entry.Entries)
        {
            var path = $"{prefix}.{name}";
            errors.Origins[path] = OriginOf(node);
            if (TableKeysByName.TryGetValue(name, out var key))
            {
                table = BindValue(table, key, path, node);
            }
            else
            {
                AddUnknown(path, node, TableKeysByName.Keys.Select(known => $"{prefix}.{known}"));
            }
        }
        return table;
    }

    private TOwner BindValue<TOwner>(TOwner owner, ConfigKey<TOwner> key, string path, TomlNode node)
    {
        if (ConfigValues.Convert(node, key.Kind, key.AcceptsTimestamp) is not { } value)
        {
            var wanted = ConfigValues.Wanted(key.Kind);
            errors.AddShown(
                path, Shown(path, key.IsSecret, node), $"is {node.KindName} but must be {wanted}",
                ConfigValues.Example(key.Kind, path, node));
            return owner;
        }
        if (node is TomlTable map)
        {
            NoteEntries(path, map);
        }
        if (OptionsValidator.RangeProblem(key, value) is { } problem)
        {
            errors.AddShown(path, ConfigText.Format(node), problem, $"Allowed: {key.Allowed}");
            return owner;
        }
        try
        {
            return key.Apply(owner, value);
        }
        catch (FormatException exception)
        {
            errors.AddShown(path, Shown(path, key.IsSecret, node), exception.Message, "");
            return owner;
        }
    }

    private void NoteEntries(string path, TomlTable map)
    {
        foreach (var (name, node) in ConfigValues.Flatten(map, ""))
        {
            var entry = $"{path}.{name}";
            if (errors.Origins.TryGetValue(entry, out var earlier) && node.Source is null)
            {
                errors.AddShown(entry, Shown(entry, false, node), $"is set twice, first at {earlier}", "Keep one of them");
            }
            errors.Origins[entry] = OriginOf(node);
        }
    }

    private void AddUnknown(string path, TomlNode node, IEnumerable<string> candidates)
    {
        var known = candidates.ToList();
        var suggestion = NearestName.Find(path, known) ?? SameLeaf(path, known);
        var fix = suggestion is null ? "See docs/configuration.md for every key" : $"Did you mean {suggestion}?";
        errors.AddShown(
            path, node is TomlTable or TomlArray { IsTableArray: true } ? null : Shown(path, false, node), "is not a key that Frazil knows",
            fix);
    }

    /// <summary>A known key of the same name in another section, as when it was written above its [section].</summary>
    private static string? SameLeaf(string path, List<string> known)
    {
        var leaf = path[(path.LastIndexOf('.') + 1)..];
        var leaves = known.Select(key => key[(key.LastIndexOf('.') + 1)..]).ToList();
        var index = NearestName.Find(leaf, leaves) is { } nearest ? leaves.IndexOf(nearest) : -1;
        return index >= 0 ? known[index] : null;
    }

    private static string Shown(string path, bool isSecret, TomlNode node)
        => isSecret || Secrets.IsSecretProperty(path) ? ConfigText.Mask : node is TomlTable ? "{ … }" : ConfigText.Format(node);

    private string OriginOf(TomlNode node) => node.Source ?? $"{fileName}:{node.Line}";
}
