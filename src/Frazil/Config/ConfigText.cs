using System.Globalization;
using System.Text;

namespace Frazil.Config;

/// <summary>Values as frazil.toml writes them, for error messages, <c>config print</c> and the documentation.</summary>
internal static class ConfigText
{
    public const string Mask = "********";

    public static string Format(object? value) => value switch
    {
        null => "",
        string text => Quote(text),
        bool flag => flag ? "true" : "false",
        double number => number.ToString("0.################", CultureInfo.InvariantCulture),
        IReadOnlyList<string> list => $"[{string.Join(", ", list.Select(Quote))}]",
        IReadOnlyDictionary<string, string> { Count: 0 } => "{}",
        IReadOnlyDictionary<string,
        string> map => $"{{ {string.Join(", ", map.Select(pair => $"{Key(pair.Key)} = {Quote(pair.Value)}"))} }}",
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    public static string Format(TomlNode node) => node switch
    {
        TomlScalar scalar => scalar.Kind == TomlKind.String ? Quote((string)scalar.Value) : scalar.Text,
        TomlArray array => $"[{string.Join(", ", array.Items.Select(Format))}]",
        TomlTable table => $"{{ {string.Join(", ", table.Entries.Select(pair => $"{Key(pair.Key)} = {Format(pair.Value)}"))} }}",
        _ => "",
    };

    /// <summary>A key, quoted where TOML needs it.</summary>
    public static string Key(string key)
        => key.Length > 0 && key.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-') ? key : Quote(key);

    public static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var letter in text)
        {
            quoted.Append(letter switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                < ' ' or '\u007f' => $"\\u{(int)letter:X4}",
                _ => letter.ToString(),
            });
        }
        return quoted.Append('"').ToString();
    }
}
