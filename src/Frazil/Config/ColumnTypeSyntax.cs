using System.Globalization;

namespace Frazil.Config;

/// <summary>Checks a declared column type against Iceberg's notation. It says only whether the text is a type; the engine reads it.</summary>
internal sealed class ColumnTypeSyntax
{
    private static readonly string[] Primitives =
    [
        "boolean", "int", "long", "float", "double", "date", "time", "timestamp", "timestamptz", "string", "uuid", "binary",
    ];

    private const int MaxDepth = 32;

    private readonly string text;
    private int position;
    private int depth;

    private ColumnTypeSyntax(string text) => this.text = text;

    /// <summary>What is wrong with the type, or null.</summary>
    public static string? Problem(string text)
    {
        var syntax = new ColumnTypeSyntax(text);
        try
        {
            syntax.ReadType();
            syntax.SkipBlanks();
            return syntax.position == text.Length ? null : $"has \"{text[syntax.position..]}\" after the end of the type";
        }
        catch (FormatException exception)
        {
            return exception.Message;
        }
    }

    private void ReadType()
    {
        if (++depth > MaxDepth)
        {
            throw new FormatException($"is nested more than {MaxDepth} deep");
        }
        var word = ReadWord();
        switch (word)
        {
            case "decimal":
                ReadDecimal();
                break;
            case "fixed":
                ReadFixed();
                break;
            case "list":
                Expect('<');
                ReadType();
                Expect('>');
                break;
            case "map":
                Expect('<');
                ReadType();
                Expect(',');
                ReadType();
                Expect('>');
                break;
            case "struct":
                ReadStruct();
                break;
            default:
                CheckPrimitive(word);
                break;
        }
        depth--;
    }

    private static void CheckPrimitive(string word)
    {
        if (Primitives.Contains(word))
        {
            return;
        }
        if (word.Length == 0)
        {
            throw new FormatException("lacks a type");
        }
        var meant = word.ToLowerInvariant() switch
        {
            "bigint" or "int64" or "integer64" => "long",
            "integer" or "int32" or "smallint" => "int",
            "varchar" or "text" or "char" => "string",
            "bool" => "boolean",
            "datetime" => "timestamp",
            "bytes" or "blob" => "binary",
            "real" or "float32" => "float",
            "float64" or "number" => "double",
            "array" => "list",
            var lower => NearestName.Find(lower, [.. Primitives, "decimal", "fixed", "list", "map", "struct"]),
        };
        throw new FormatException($"holds the unknown type \"{word}\"" + (meant is null ? "" : $"; did you mean {meant}?"));
    }

    private void ReadDecimal()
    {
        Expect('(');
        var precision = ReadNumber();
        Expect(',');
        var scale = ReadNumber();
        Expect(')');
        if (precision is < 1 or > 38 || scale > precision)
        {
            throw new FormatException($"holds decimal({precision},{scale}); precision goes from 1 to 38 and scale from 0 to the precision");
        }
    }

    private void ReadFixed()
    {
        SkipBlanks();
        var bracket = position < text.Length && text[position] == '[';
        Expect(bracket ? '[' : '(');
        var width = ReadNumber();
        Expect(bracket ? ']' : ')');
        if (width < 1)
        {
            throw new FormatException("holds fixed of 0 bytes; the width is at least 1");
        }
    }

    private void ReadStruct()
    {
        Expect('<');
        var names = new HashSet<string>(StringComparer.Ordinal);
        do
        {
            var name = ReadWord();
            if (name.Length == 0)
            {
                throw new FormatException("holds a struct field without a name; write struct<name: type, …>");
            }
            if (!names.Add(name))
            {
                throw new FormatException($"holds the struct field {name} twice");
            }
            Expect(':');
            ReadType();
        }
        while (TryTake(','));
        Expect('>');
    }

    private string ReadWord()
    {
        SkipBlanks();
        var start = position;
        while (position < text.Length && (char.IsLetterOrDigit(text[position]) || text[position] is '_' or '-' or '$'))
        {
            position++;
        }
        return text[start..position];
    }

    private int ReadNumber()
    {
        var word = ReadWord();
        return int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"needs a number at character {position - word.Length + 1}");
    }

    private void Expect(char wanted)
    {
        if (!TryTake(wanted))
        {
            var found = position < text.Length ? $"'{text[position]}'" : "the end";
            throw new FormatException($"needs '{wanted}' at character {position + 1}, found {found}");
        }
    }

    private bool TryTake(char wanted)
    {
        SkipBlanks();
        if (position >= text.Length || text[position] != wanted)
        {
            return false;
        }
        position++;
        return true;
    }

    private void SkipBlanks()
    {
        while (position < text.Length && text[position] == ' ')
        {
            position++;
        }
    }
}
