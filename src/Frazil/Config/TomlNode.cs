namespace Frazil.Config;

internal enum TomlKind
{
    String,
    Integer,
    Float,
    Boolean,
    OffsetDateTime,
    LocalDateTime,
    LocalDate,
    LocalTime,
    Array,
    Table,
}

/// <summary>One value of a TOML document and where it stands. <see cref="Source"/> is set only for values that came from elsewhere
/// (an environment variable).</summary>
internal abstract class TomlNode(TomlKind kind, int line, int column)
{
    public TomlKind Kind { get; } = kind;
    public int Line { get; } = line;
    public int Column { get; } = column;
    public string? Source { get; init; }

    /// <summary>The kind as users call it in error messages.</summary>
    public string KindName => Kind switch
    {
        TomlKind.String => "a string",
        TomlKind.Integer => "an integer",
        TomlKind.Float => "a float",
        TomlKind.Boolean => "a boolean",
        TomlKind.OffsetDateTime or TomlKind.LocalDateTime => "a date-time",
        TomlKind.LocalDate => "a date",
        TomlKind.LocalTime => "a time",
        TomlKind.Array => "an array",
        _ => "a table",
    };
}

/// <summary>A value that is neither array nor table. <see cref="Value"/> is string, long, double, bool, or DateTimeOffset for every kind of
/// date and time; <see cref="Text"/> is what the document says.</summary>
internal sealed class TomlScalar(TomlKind kind, object value, string text, int line, int column) : TomlNode(kind, line, column)
{
    public object Value { get; } = value;
    public string Text { get; } = text;
}

internal sealed class TomlArray(int line, int column) : TomlNode(TomlKind.Array, line, column)
{
    public List<TomlNode> Items { get; } = [];

    /// <summary>Made by [[header]]: further headers may append. An array written as a value may not be appended to.</summary>
    public bool IsTableArray { get; init; }
}

internal sealed class TomlTable(int line, int column) : TomlNode(TomlKind.Table, line, column)
{
    private readonly OrderedDictionary<string, TomlNode> entries = new(StringComparer.Ordinal);

    public IEnumerable<KeyValuePair<string, TomlNode>> Entries => entries;

    public TomlNode? Find(string key) => entries.GetValueOrDefault(key);

    public void Set(string key, TomlNode value) => entries[key] = value;
}

/// <summary>The document is not TOML 1.1.</summary>
internal sealed class TomlException(string problem, int line, int column) : Exception($"line {line}, column {column}: {problem}")
{
    public string Problem { get; } = problem;
    public int Line { get; } = line;
    public int Column { get; } = column;
}
