using System.Globalization;

namespace Frazil.Iceberg;

/// <summary>Reads type and transform notations token by token; every error shows the text and the position.</summary>
internal ref struct NotationReader(string text, string what)
{
    private int position;

    public bool AtEnd
    {
        get
        {
            SkipSpace();
            return position == text.Length;
        }
    }

    public bool TryTake(char symbol)
    {
        SkipSpace();
        if (position == text.Length || text[position] != symbol)
            return false;
        position++;
        return true;
    }

    public void Take(char symbol)
    {
        if (!TryTake(symbol))
            throw Error($"'{symbol}' is expected");
    }

    public bool TryTakeWord(string word)
    {
        SkipSpace();
        var end = position + word.Length;
        if (string.Compare(text, position, word, 0, word.Length, StringComparison.OrdinalIgnoreCase) != 0
            || (end < text.Length && (char.IsLetterOrDigit(text[end]) || text[end] == '_')))
            return false;
        position = end;
        return true;
    }

    public readonly char Peek() => position < text.Length ? text[position] : '\0';

    /// <summary>A bare word (letters, digits, <c>_ $ - @</c> and, where allowed, dots) or a name in quotes or backticks.</summary>
    public string TakeName(bool dotted)
    {
        SkipSpace();
        var start = position;
        if (position < text.Length && text[position] is '"' or '`')
            return TakeQuoted(text[position]);
        while (position < text.Length
            && (char.IsLetterOrDigit(text[position]) || text[position] is '_' or '$' or '-' or '@' || (dotted && text[position] == '.')))
            position++;
        return position > start ? text[start..position] : throw Error("a name is expected");
    }

    public int TakeNumber()
    {
        SkipSpace();
        var start = position;
        while (position < text.Length && char.IsAsciiDigit(text[position]))
            position++;
        return int.TryParse(text.AsSpan(start, position - start), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Error("a number is expected");
    }

    public string TakeUntil(char symbol)
    {
        var end = text.IndexOf(symbol, position);
        if (end < 0)
            throw Error($"'{symbol}' is expected");
        var taken = text[position..end].Trim();
        position = end + 1;
        return taken;
    }

    public readonly ValidationException Error(string problem) =>
        new($"The {what} '{text}' cannot be read: {problem} at position {position + 1}.");

    private string TakeQuoted(char quote)
    {
        var name = new System.Text.StringBuilder();
        for (position++; position < text.Length; position++)
        {
            if (text[position] != quote)
            {
                name.Append(text[position]);
                continue;
            }
            if (position + 1 == text.Length || text[position + 1] != quote)
            {
                position++;
                return name.Length > 0 ? name.ToString() : throw Error("a name must not be empty");
            }
            name.Append(quote);
            position++;
        }
        throw Error($"a closing {quote} is expected");
    }

    private void SkipSpace()
    {
        while (position < text.Length && char.IsWhiteSpace(text[position]))
            position++;
    }
}
