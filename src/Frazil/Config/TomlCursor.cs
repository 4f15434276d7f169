namespace Frazil.Config;

/// <summary>A position in the text of a TOML document, with the small steps that every part of the grammar shares.</summary>
internal sealed class TomlCursor
{
    public const char End = '\0';

    private readonly int[] lineStarts;

    public TomlCursor(string text)
    {
        Text = text;
        var starts = new List<int> { 0 };
        for (var index = 0; index < text.Length; index++)
        {
            if (text[index] == '\n')
            {
                starts.Add(index + 1);
            }
        }
        lineStarts = [.. starts];
    }

    public string Text { get; }
    public int Position { get; set; }
    public bool AtEnd => Position >= Text.Length;

    /// <summary>The character here, or <see cref="End"/>. A NUL in the document is refused wherever it could stand, so the two never
    /// mix.</summary>
    public char Current => PeekAt(0);

    public char PeekAt(int ahead) => Position + ahead < Text.Length ? Text[Position + ahead] : End;

    public bool StartsWith(string token) => string.CompareOrdinal(Text, Position, token, 0, token.Length) == 0;

    public bool TryTake(char expected)
    {
        if (AtEnd || Text[Position] != expected)
        {
            return false;
        }
        Position++;
        return true;
    }

    public (int Line, int Column) LineAndColumn(int position)
    {
        var index = Array.BinarySearch(lineStarts, position);
        var line = index >= 0 ? index : ~index - 1;
        return (line + 1, position - lineStarts[line] + 1);
    }

    public TomlException Error(string problem) => Error(problem, Position);

    public TomlException Error(string problem, int position)
    {
        var (line, column) = LineAndColumn(Math.Min(position, Text.Length));
        return new TomlException(problem, line, column);
    }

    /// <summary>The character here, as an error message shows it.</summary>
    public string Shown => AtEnd ? "the end of the file" : Current switch
    {
        '\n' or '\r' => "the end of the line",
        < ' ' or '\u007f' => $"the control character U+{(int)Current:X4}",
        _ => $"'{Current}'",
    };

    public void SkipBlanks()
    {
        while (Current is ' ' or '\t')
        {
            Position++;
        }
    }

    public bool TryTakeNewline()
    {
        if (Current == '\n')
        {
            Position++;
            return true;
        }
        if (Current == '\r' && PeekAt(1) == '\n')
        {
            Position += 2;
            return true;
        }
        return false;
    }

    /// <summary>Takes a comment up to, not including, the end of its line.</summary>
    public void SkipComment()
    {
        if (Current != '#')
        {
            return;
        }
        while (!AtEnd && Current != '\n' && !(Current == '\r' && PeekAt(1) == '\n'))
        {
            if (IsForbiddenControl(Current))
            {
                throw Error($"a comment may not hold {Shown}");
            }
            Position++;
        }
    }

    /// <summary>Blanks, comments and line ends, as may stand between the elements of an array and between expressions.</summary>
    public void SkipBlankLines()
    {
        do
        {
            SkipBlanks();
            SkipComment();
        }
        while (TryTakeNewline());
    }

    /// <summary>After an expression: nothing but blanks and a comment may follow on its line.</summary>
    public void ExpectLineEnd()
    {
        SkipBlanks();
        SkipComment();
        if (!AtEnd && !TryTakeNewline())
        {
            throw Error($"expected the end of the line, found {Shown}");
        }
    }

    public static bool IsForbiddenControl(char value) => value is (< ' ' and not '\t') or '\u007f';
}
