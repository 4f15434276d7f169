using System.Text;

namespace Frazil.Config;

/// <summary>
/// TOML 1.0, strictly: a document that the specification calls invalid is refused with its line and column. The first error ends the parse,
/// for what follows a broken line cannot be judged.
/// </summary>
internal sealed class TomlParser
{
    private const int MaxDepth = 128;

    private readonly TomlCursor cursor;
    private readonly TomlTable root = new(1, 1) { Origin = TomlTableOrigin.Header };
    private TomlTable section;
    private int depth;

    private TomlParser(string text)
    {
        cursor = new TomlCursor(text);
        section = root;
    }

    public static TomlTable Parse(ReadOnlySpan<byte> utf8)
    {
        if (utf8.StartsWith("\uFEFF"u8))
        {
            utf8 = utf8[3..];
        }
        try
        {
            return Parse(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(utf8));
        }
        catch (DecoderFallbackException exception)
        {
            var line = 1 + utf8[..Math.Clamp(exception.Index, 0, utf8.Length)].Count((byte)'\n');
            throw new TomlException("the file is not UTF-8; save it as UTF-8", line, 1);
        }
    }

    public static TomlTable Parse(string text) => new TomlParser(text).ParseDocument();

    /// <summary>One value alone, as an environment variable gives it: an array or an inline table.</summary>
    public static TomlNode ParseValue(string text)
    {
        var parser = new TomlParser(text);
        var value = parser.ParseValue();
        parser.cursor.SkipBlankLines();
        return parser.cursor.AtEnd ? value : throw parser.cursor.Error($"expected the end, found {parser.cursor.Shown}");
    }

    private TomlTable ParseDocument()
    {
        cursor.SkipBlankLines();
        while (!cursor.AtEnd)
        {
            if (cursor.Current == '[')
            {
                ParseHeader();
            }
            else
            {
                ParseKeyValue(section);
            }
            cursor.ExpectLineEnd();
            cursor.SkipBlankLines();
        }
        return root;
    }

    private void ParseHeader()
    {
        var isArray = cursor.StartsWith("[[");
        cursor.Position += isArray ? 2 : 1;
        cursor.SkipBlanks();
        var start = cursor.Position;
        var path = ParseKeyPath();
        if (!(isArray ? cursor.StartsWith("]]") : cursor.Current == ']'))
        {
            throw cursor.Error($"expected {(isArray ? "]]" : "]")} after the table's name, found {cursor.Shown}");
        }
        cursor.Position += isArray ? 2 : 1;
        var parent = WalkHeader(path, start);
        section = isArray ? AppendTable(parent, path, start) : DefineTable(parent, path, start);
    }

    private TomlTable WalkHeader(List<string> path, int start)
    {
        var table = root;
        foreach (var key in path[..^1])
        {
            table = table.Find(key) switch
            {
                null => AddTable(table, key, TomlTableOrigin.Implicit, start),
                TomlTable { Origin: not TomlTableOrigin.Inline } inner => inner,
                TomlArray { IsTableArray: true } array => (TomlTable)array.Items[^1],
                var other => throw cursor.Error($"{Shown(path)}: {key} is already {Described(other)}", start),
            };
        }
        return table;
    }

    private TomlTable DefineTable(TomlTable parent, List<string> path, int start)
    {
        switch (parent.Find(path[^1]))
        {
            case null:
                return AddTable(parent, path[^1], TomlTableOrigin.Header, start);
            case TomlTable { Origin: TomlTableOrigin.Implicit } table:
                table.Origin = TomlTableOrigin.Header;
                return table;
            case var other:
                throw cursor.Error($"[{Shown(path)}] is already {Described(other)}", start);
        }
    }

    private TomlTable AppendTable(TomlTable parent, List<string> path, int start)
    {
        var (line, column) = cursor.LineAndColumn(start);
        if (parent.Find(path[^1]) is not { } existing)
        {
            existing = new TomlArray(line, column) { IsTableArray = true };
            parent.Set(path[^1], existing);
        }
        if (existing is not TomlArray { IsTableArray: true } array)
        {
            throw cursor.Error($"[[{Shown(path)}]] is already {Described(existing)}", start);
        }
        var table = new TomlTable(line, column) { Origin = TomlTableOrigin.Header };
        array.Items.Add(table);
        return table;
    }

    private TomlTable AddTable(TomlTable parent, string key, TomlTableOrigin origin, int start)
    {
        var (line, column) = cursor.LineAndColumn(start);
        var table = new TomlTable(line, column) { Origin = origin };
        parent.Set(key, table);
        return table;
    }

    private void ParseKeyValue(TomlTable table)
    {
        var start = cursor.Position;
        var path = ParseKeyPath();
        if (!cursor.TryTake('='))
        {
            throw cursor.Error($"expected = after the key {Shown(path)}, found {cursor.Shown}");
        }
        cursor.SkipBlanks();
        foreach (var key in path[..^1])
        {
            table = WalkDotted(table, key, path, start);
        }
        if (table.Find(path[^1]) is { } existing)
        {
            throw cursor.Error($"{Shown(path)} is already {Described(existing)}", start);
        }
        table.Set(path[^1], ParseValue());
    }

    private TomlTable WalkDotted(TomlTable table, string key, List<string> path, int start)
    {
        switch (table.Find(key))
        {
            case null:
                return AddTable(table, key, TomlTableOrigin.Dotted, start);
            case TomlTable { Origin: TomlTableOrigin.Dotted or TomlTableOrigin.Implicit } inner:
                inner.Origin = TomlTableOrigin.Dotted;
                return inner;
            case var other:
                throw cursor.Error($"{Shown(path)}: {key} is already {Described(other)}", start);
        }
    }

    /// <summary>One or more keys with dots between; takes the blanks around them.</summary>
    private List<string> ParseKeyPath()
    {
        var path = new List<string>();
        do
        {
            cursor.SkipBlanks();
            path.Add(ParseKey());
            cursor.SkipBlanks();
        }
        while (cursor.TryTake('.'));
        return path;
    }

    private string ParseKey()
    {
        if (cursor.Current is '"' or '\'')
        {
            return TomlStrings.ReadSingleLine(cursor);
        }
        var start = cursor.Position;
        while (char.IsAsciiLetterOrDigit(cursor.Current) || cursor.Current is '_' or '-')
        {
            cursor.Position++;
        }
        if (cursor.Position == start)
        {
            throw cursor.Error($"expected a key, found {cursor.Shown}; keys of other characters than A-Z a-z 0-9 _ - need quotes");
        }
        return cursor.Text[start..cursor.Position];
    }

    private TomlNode ParseValue()
    {
        var start = cursor.Position;
        switch (cursor.Current)
        {
            case '"' or '\'':
                var text = TomlStrings.Read(cursor);
                var (line, column) = cursor.LineAndColumn(start);
                return new TomlScalar(TomlKind.String, text, cursor.Text[start..cursor.Position], line, column);
            case '[':
                return Nested(start, ParseArray);
            case '{':
                return Nested(start, ParseInlineTable);
            default:
                return TomlScalars.Read(cursor);
        }
    }

    private TomlNode Nested(int start, Func<int, TomlNode> parse)
    {
        if (++depth > MaxDepth)
        {
            throw cursor.Error($"values are nested more than {MaxDepth} deep");
        }
        var value = parse(start);
        depth--;
        return value;
    }

    private TomlArray ParseArray(int start)
    {
        var (line, column) = cursor.LineAndColumn(start);
        var array = new TomlArray(line, column);
        cursor.Position++;
        cursor.SkipBlankLines();
        while (!cursor.TryTake(']'))
        {
            array.Items.Add(ParseValue());
            cursor.SkipBlankLines();
            if (!cursor.TryTake(',') && cursor.Current != ']')
            {
                throw cursor.Error($"expected , or ] in the array that begins on line {line}, found {cursor.Shown}");
            }
            cursor.SkipBlankLines();
        }
        return array;
    }

    private TomlTable ParseInlineTable(int start)
    {
        var (line, column) = cursor.LineAndColumn(start);
        var table = new TomlTable(line, column) { Origin = TomlTableOrigin.Header };
        cursor.Position++;
        cursor.SkipBlanks();
        if (!cursor.TryTake('}'))
        {
            do
            {
                cursor.SkipBlanks();
                ParseKeyValue(table);
                cursor.SkipBlanks();
            }
            while (cursor.TryTake(','));
            if (!cursor.TryTake('}'))
            {
                throw cursor.Error($"expected , or }} in the inline table (which stays on one line), found {cursor.Shown}");
            }
        }
        Seal(table);
        return table;
    }

    private static void Seal(TomlTable table)
    {
        table.Origin = TomlTableOrigin.Inline;
        foreach (var (_, value) in table.Entries)
        {
            if (value is TomlTable { Origin: TomlTableOrigin.Dotted } inner)
            {
                Seal(inner);
            }
        }
    }

    private static string Described(TomlNode node)
    {
        var kind = node switch
        {
            TomlTable { Origin: TomlTableOrigin.Inline } => "an inline table, complete as written",
            TomlTable => "a table",
            TomlArray { IsTableArray: true } => "an array of tables",
            _ => "set",
        };
        return $"{kind} (line {node.Line})";
    }

    private static string Shown(List<string> path) => string.Join('.', path);
}
