using System.Globalization;

namespace Frazil.Config;

/// <summary>Checked conversions from TOML values to the types that <see cref="ConfigKey{TOwner}"/> takes. Nothing is coerced but property
/// values, which librdkafka and Iceberg take as text anyway.</summary>
internal static class ConfigValues
{
    /// <summary>The value, or null when the node is of another type.</summary>
    public static object? Convert(TomlNode node, ConfigKind kind, bool acceptsTimestamp) => kind switch
    {
        ConfigKind.Text when node.Kind == TomlKind.OffsetDateTime && acceptsTimestamp => ((TomlScalar)node).Text,
        ConfigKind.Text => ConvertText(node),
        ConfigKind.Integer => node.Kind == TomlKind.Integer ? ((TomlScalar)node).Value : null,
        ConfigKind.Number => ConvertNumber(node),
        ConfigKind.Flag => node.Kind == TomlKind.Boolean ? ((TomlScalar)node).Value : null,
        ConfigKind.TextList => ConvertList(node),
        ConfigKind.TextMap => ConvertMap(node),
        _ => ConvertProperties(node),
    };

    public static string Wanted(ConfigKind kind) => kind switch
    {
        ConfigKind.Text => "a string",
        ConfigKind.Integer => "an integer",
        ConfigKind.Number => "a number",
        ConfigKind.Flag => "true or false",
        ConfigKind.TextList => "an array of strings",
        ConfigKind.TextMap => "a table of strings",
        _ => "a table of properties (strings, numbers or booleans)",
    };

    /// <summary>How to write what was probably meant.</summary>
    public static string Example(ConfigKind kind, string path, TomlNode node)
    {
        var name = path[(path.LastIndexOf('.') + 1)..];
        var isText = node.Kind == TomlKind.String;
        var text = isText ? (string)((TomlScalar)node).Value : ConfigText.Format(node);
        return kind switch
        {
            ConfigKind.Text when node is TomlScalar => $"Write {name} = {ConfigText.Quote(text)}",
            ConfigKind.TextList when node is TomlScalar => $"Write {name} = [{ConfigText.Quote(text)}]",
            ConfigKind.TextMap => $"Write {name} = {{ column = \"type\" }}; a nested column is declared whole, as struct<…>",
            ConfigKind.Integer or ConfigKind.Number when isText => "Write it without quotes",
            ConfigKind.Flag => $"Write {name} = true or {name} = false",
            _ => "",
        };
    }

    /// <summary>Every entry under its full dotted name: TOML reads <c>a.b = 1</c> as a table in a table, properties mean one
    /// name.</summary>
    public static IEnumerable<(string Name, TomlNode Node)> Flatten(TomlTable table, string prefix)
    {
        foreach (var (name, node) in table.Entries)
        {
            if (node is not TomlTable inner)
            {
                yield return (prefix + name, node);
                continue;
            }
            foreach (var entry in Flatten(inner, $"{prefix}{name}."))
            {
                yield return entry;
            }
        }
    }

    private static string? ConvertText(TomlNode node) => node.Kind == TomlKind.String ? (string)((TomlScalar)node).Value : null;

    private static object? ConvertNumber(TomlNode node) => node.Kind switch
    {
        TomlKind.Integer => (double)(long)((TomlScalar)node).Value,
        TomlKind.Float => ((TomlScalar)node).Value,
        _ => null,
    };

    private static List<string>? ConvertList(TomlNode node)
    {
        if (node is not TomlArray array || array.Items.Any(item => item.Kind != TomlKind.String))
        {
            return null;
        }
        return array.Items.ConvertAll(item => ConvertText(item)!);
    }

    private static Dictionary<string, string>? ConvertMap(TomlNode node)
    {
        if (node is not TomlTable table || table.Entries.Any(entry => entry.Value.Kind != TomlKind.String))
        {
            return null;
        }
        return table.Entries.ToDictionary(entry => entry.Key, entry => ConvertText(entry.Value)!, StringComparer.Ordinal);
    }

    private static Dictionary<string, string>? ConvertProperties(TomlNode node)
    {
        if (node is not TomlTable table)
        {
            return null;
        }
        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in Flatten(table, ""))
        {
            if (ConvertProperty(value) is not { } text)
            {
                return null;
            }
            properties[name] = text;
        }
        return properties;
    }

    private static string? ConvertProperty(TomlNode node) => node.Kind switch
    {
        TomlKind.String => ConvertText(node),
        TomlKind.Boolean => ((TomlScalar)node).Text,
        TomlKind.Integer => ((long)((TomlScalar)node).Value).ToString(CultureInfo.InvariantCulture),
        TomlKind.Float => ConfigText.Format(((TomlScalar)node).Value),
        _ => null,
    };
}
