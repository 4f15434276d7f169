using System.Globalization;
using System.Text;

namespace Frazil.Config;

/// <summary>The four kinds of TOML string.</summary>
internal static class TomlStrings
{
    public static string Read(TomlCursor cursor)
    {
        if (cursor.StartsWith("\"\"\""))
        {
            return ReadMultiLine(cursor, '"');
        }
        if (cursor.StartsWith("'''"))
        {
            return ReadMultiLine(cursor, '\'');
        }
        return ReadSingleLine(cursor);
    }

    /// <summary>A basic or literal string on one line; the only kinds a quoted key may use.</summary>
    public static string ReadSingleLine(TomlCursor cursor)
    {
        var start = cursor.Position;
        var quote = cursor.Current;
        cursor.Position++;
        var text = new StringBuilder();
        while (!cursor.TryTake(quote))
        {
            if (cursor.AtEnd || cursor.Current is '\n' or '\r')
            {
                throw cursor.Error($"this string has no closing {quote}", start);
            }
            if (quote == '"' && cursor.Current == '\\')
            {
                ReadEscape(cursor, text);
                continue;
            }
            TakeCharacter(cursor, text);
        }
        return text.ToString();
    }

    private static string ReadMultiLine(TomlCursor cursor, char quote)
    {
        var start = cursor.Position;
        cursor.Position += 3;
        cursor.TryTakeNewline();
        var text = new StringBuilder();
        while (true)
        {
            if (cursor.AtEnd)
            {
                throw cursor.Error($"this string has no closing {new string(quote, 3)}", start);
            }
            if (cursor.Current == quote)
            {
                if (TakeQuotes(cursor, quote, text))
                {
                    return text.ToString();
                }
                continue;
            }
            if (quote == '"' && cursor.Current == '\\')
            {
                if (!TrySkipLineContinuation(cursor))
                {
                    ReadEscape(cursor, text);
                }
                continue;
            }
            var before = cursor.Position;
            if (cursor.TryTakeNewline())
            {
                text.Append(cursor.Text, before, cursor.Position - before);
                continue;
            }
            TakeCharacter(cursor, text);
        }
    }

    /// <summary>Up to two quotes may stand directly before the closing three, so a run of five ends the string with two of them in
    /// it.</summary>
    private static bool TakeQuotes(TomlCursor cursor, char quote, StringBuilder text)
    {
        var start = cursor.Position;
        var run = 0;
        while (cursor.TryTake(quote))
        {
            run++;
        }
        if (run > 5)
        {
            throw cursor.Error($"{run} {quote} in a row; at most two may stand before the closing three", start);
        }
        text.Append(quote, run >= 3 ? run - 3 : run);
        return run >= 3;
    }

    private static bool TrySkipLineContinuation(TomlCursor cursor)
    {
        var start = cursor.Position;
        cursor.Position++;
        cursor.SkipBlanks();
        if (!cursor.TryTakeNewline())
        {
            cursor.Position = start;
            return false;
        }
        do
        {
            cursor.SkipBlanks();
        }
        while (cursor.TryTakeNewline());
        return true;
    }

    private static void TakeCharacter(TomlCursor cursor, StringBuilder text)
    {
        if (TomlCursor.IsForbiddenControl(cursor.Current))
        {
            throw cursor.Error($"a string may not hold {cursor.Shown}; write it as an escape such as \\u{(int)cursor.Current:X4}");
        }
        text.Append(cursor.Current);
        cursor.Position++;
    }

    private static void ReadEscape(TomlCursor cursor, StringBuilder text)
    {
        var letter = cursor.PeekAt(1);
        if (letter is 'u' or 'U')
        {
            ReadUnicodeEscape(cursor, letter == 'u' ? 4 : 8, text);
            return;
        }
        var plain = letter switch
        {
            'b' => '\b',
            't' => '\t',
            'n' => '\n',
            'f' => '\f',
            'r' => '\r',
            '"' => '"',
            '\\' => '\\',
            _ => throw cursor.Error("unknown escape; allowed are \\b \\t \\n \\f \\r \\\" \\\\ \\uXXXX \\UXXXXXXXX (or use a '…' string)"),
        };
        text.Append(plain);
        cursor.Position += 2;
    }

    private static void ReadUnicodeEscape(TomlCursor cursor, int digits, StringBuilder text)
    {
        var first = cursor.Position + 2;
        if (first + digits > cursor.Text.Length
            || !uint.TryParse(cursor.Text.AsSpan(first, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out var code))
        {
            throw cursor.Error($"this escape needs {digits} hexadecimal digits");
        }
        if (!Rune.IsValid(code))
        {
            throw cursor.Error($"U+{code:X4} is not a Unicode character");
        }
        text.Append(new Rune(code).ToString());
        cursor.Position = first + digits;
    }
}
