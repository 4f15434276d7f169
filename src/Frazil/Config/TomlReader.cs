using System.Text;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace Frazil.Config;

/// <summary>
/// TOML 1.1 by Tomlyn, as a tree whose every value knows its line. The first error ends it, for what follows a broken line cannot be judged.
/// Nothing of a document is quoted in an error but the word that is wrong: a value may be a secret.
/// </summary>
internal static class TomlReader
{
    private const int MostParts = 64;

    public static TomlTable Read(ReadOnlySpan<byte> utf8)
    {
        if (utf8.StartsWith("\uFEFF"u8))
        {
            utf8 = utf8[3..];
        }
        try
        {
            return Read(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(utf8));
        }
        catch (DecoderFallbackException exception)
        {
            var line = 1 + utf8[..Math.Clamp(exception.Index, 0, utf8.Length)].Count((byte)'\n');
            throw new TomlException("the file is not UTF-8; save it as UTF-8", line, 1);
        }
    }

    public static TomlTable Read(string text)
    {
        var document = Parse(text);
        var root = new TomlTable(1, 1);
        AddAll(root, document.KeyValues, text);
        foreach (var section in document.Tables)
        {
            AddAll(Open(root, section), section.Items, text);
        }
        return root;
    }

    /// <summary>One value alone, as an environment variable gives it: an array, an inline table, a number.</summary>
    public static TomlNode ReadValue(string text)
    {
        var line = $"value = {text}";
        var document = Parse(line);
        return document is { KeyValues.ChildrenCount: 1, Tables.ChildrenCount: 0 } && document.KeyValues.GetChild(0) is { Key.DotKeys.ChildrenCount: 0, Value: { } value }
            ? Convert(value, line)
            : throw new TomlException("expected one value", 1, 1);
    }

    private static DocumentSyntax Parse(string text)
    {
        DocumentSyntax document;
        try
        {
            document = SyntaxParser.Parse(text, validate: true);
        }
        catch (Tomlyn.TomlException exception) // nested too deep
        {
            throw new TomlException(exception.Message, exception.Line ?? 1, exception.Column ?? 1);
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or IndexOutOfRangeException)
        {
            // Tomlyn 2.10 trips over some broken escapes, such as "\Users", instead of refusing them.
            throw new TomlException("a string has an escape that is none; text with backslashes needs '…' quotes", TrippingLine(text), 1);
        }
        foreach (var message in document.Diagnostics)
        {
            if (message.Kind == DiagnosticMessageKind.Error)
            {
                throw Refused(message, text);
            }
        }
        return document;
    }

    /// <summary>The first line up to which the text cannot be parsed without an accident.</summary>
    private static int TrippingLine(string text)
    {
        var line = 1;
        for (var end = text.IndexOf('\n'); end >= 0; end = text.IndexOf('\n', end + 1), line++)
        {
            try
            {
                SyntaxParser.Parse(text[..end], validate: false);
            }
            catch (Exception)
            {
                return line;
            }
        }
        return line;
    }

    private static TomlException Refused(DiagnosticMessage message, string text)
    {
        var (line, column) = (message.Span.Start.Line + 1, message.Span.Start.Column + 1);
        // Of what is defined twice Tomlyn shows the whole first definition.
        var quoted = message.Message.IndexOf(" with `", StringComparison.Ordinal);
        var problem = (quoted < 0 ? message.Message : message.Message[..quoted]).TrimEnd('.', '\n', '\r');
        var offset = message.Span.Start.Offset;
        var isBareWord = problem.EndsWith(" for a value", StringComparison.Ordinal) && offset < text.Length && char.IsLetter(text[offset]);
        return new(isBareWord ? $"{problem}; text needs quotes" : problem, line, column);
    }

    /// <summary>The table that a [header] or [[header]] begins, or goes on with.</summary>
    private static TomlTable Open(TomlTable root, TableSyntaxBase section)
    {
        var (line, column) = At(section.Name!);
        var path = Path(section.Name!);
        var parent = Walk(root, path.AsSpan()[..^1], line, column);
        if (section is not TableArraySyntax)
        {
            return Walk(parent, path.AsSpan()[^1..], line, column);
        }
        if (parent.Find(path[^1]) is not TomlArray array)
        {
            array = new(line, column) { IsTableArray = true };
            parent.Set(path[^1], array);
        }
        var table = new TomlTable(line, column);
        array.Items.Add(table);
        return table;
    }

    private static TomlTable Walk(TomlTable table, ReadOnlySpan<string> path, int line, int column)
    {
        foreach (var key in path)
        {
            switch (table.Find(key))
            {
                case null:
                    var made = new TomlTable(line, column);
                    table.Set(key, made);
                    table = made;
                    break;
                case TomlTable inner:
                    table = inner;
                    break;
                case TomlArray { IsTableArray: true } array:
                    table = (TomlTable)array.Items[^1];
                    break;
                case var other:
                    throw new TomlException($"{key} is already {other.KindName} (line {other.Line})", line, column);
            }
        }
        return table;
    }

    private static void AddAll(TomlTable table, IEnumerable<KeyValueSyntax> pairs, string text)
    {
        foreach (var pair in pairs)
        {
            Add(table, pair, text);
        }
    }

    private static void Add(TomlTable table, KeyValueSyntax pair, string text)
    {
        var (line, column) = At(pair);
        var path = Path(pair.Key!);
        Walk(table, path.AsSpan()[..^1], line, column).Set(path[^1], Convert(pair.Value!, text));
    }

    private static TomlNode Convert(ValueSyntax value, string text)
    {
        var (line, column) = At(value);
        switch (value)
        {
            case ArraySyntax array:
                var list = new TomlArray(line, column);
                list.Items.AddRange(array.Items.Select(item => Convert(item.Value!, text)));
                return list;
            case InlineTableSyntax inline:
                var table = new TomlTable(line, column);
                AddAll(table, inline.Items.Select(static item => item.KeyValue!), text);
                return table;
            default:
                var (kind, content) = Scalar(value);
                return new TomlScalar(kind, content, text.Substring(value.Span.Offset, value.Span.Length), line, column);
        }
    }

    private static (TomlKind Kind, object Value) Scalar(ValueSyntax value) => value switch
    {
        StringValueSyntax text => (TomlKind.String, text.Value!),
        IntegerValueSyntax number => (TomlKind.Integer, number.Value),
        FloatValueSyntax number => (TomlKind.Float, number.Value),
        BooleanValueSyntax flag => (TomlKind.Boolean, flag.Value),
        DateTimeValueSyntax time => (
            time.Value.Kind switch
            {
                Tomlyn.TomlDateTimeKind.LocalDateTime => TomlKind.LocalDateTime,
                Tomlyn.TomlDateTimeKind.LocalDate => TomlKind.LocalDate,
                Tomlyn.TomlDateTimeKind.LocalTime => TomlKind.LocalTime,
                _ => TomlKind.OffsetDateTime,
            },
            time.Value.DateTime),
        _ => throw new InvalidOperationException($"a value of the unknown kind {value.Kind}"),
    };

    /// <summary>The parts of a dotted key. Tomlyn limits how deep values nest, but not keys; whoever walks the tree recurses.</summary>
    private static string[] Path(KeySyntax key)
    {
        if (key.DotKeys.ChildrenCount >= MostParts)
        {
            var (line, column) = At(key);
            throw new TomlException($"a key of more than {MostParts} parts", line, column);
        }
        return [Name(key.Key!), .. key.DotKeys.Select(static dotted => Name(dotted.Key!))];
    }

    private static string Name(BareKeyOrStringValueSyntax part)
        => part is StringValueSyntax quoted ? quoted.Value! : ((BareKeySyntax)part).Key!.Text!;

    private static (int Line, int Column) At(SyntaxNode node) => (node.Span.Start.Line + 1, node.Span.Start.Column + 1);
}
