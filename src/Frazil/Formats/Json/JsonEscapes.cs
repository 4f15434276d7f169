using System.Runtime.CompilerServices;

namespace Frazil.Formats.Json;

/// <summary>Backslash escapes in JSON strings.</summary>
internal static unsafe class JsonEscapes
{
    /// <summary>Writes the text between <paramref name="p"/> and <paramref name="close"/> unescaped; never longer than it was.</summary>
    /// <returns>The bytes written; negative after a failure (an unknown escape, a lone surrogate).</returns>
    public static int Unescape(byte* p, byte* close, byte* target, JsonCursor cursor)
    {
        var start = target;
        while (p < close)
        {
            var run = new ReadOnlySpan<byte>(p, (int)(close - p)).IndexOf((byte)'\\');
            if (run < 0)
            {
                run = (int)(close - p);
            }
            Unsafe.CopyBlockUnaligned(target, p, (uint)run);
            p += run;
            target += run;
            if (p < close)
            {
                p = UnescapeOne(p, close, ref target, cursor);
                if (p == null)
                {
                    return -1;
                }
            }
        }
        return (int)(target - start);
    }

    private static byte* UnescapeOne(byte* p, byte* close, ref byte* target, JsonCursor cursor)
    {
        // The byte after a backslash is inside the string: the closing quote was found past it.
        var plain = p[1] switch
        {
            (byte)'"' => '"',
            (byte)'\\' => '\\',
            (byte)'/' => '/',
            (byte)'b' => '\b',
            (byte)'f' => '\f',
            (byte)'n' => '\n',
            (byte)'r' => '\r',
            (byte)'t' => '\t',
            _ => '\0',
        };
        if (plain != '\0')
        {
            *target++ = (byte)plain;
            return p + 2;
        }
        if (p[1] != 'u')
        {
            return cursor.Fail(DecodeReason.Syntax, p, "an escape that JSON does not have");
        }
        return UnescapeUnicode(p, close, ref target, cursor);
    }

    private static byte* UnescapeUnicode(byte* p, byte* close, ref byte* target, JsonCursor cursor)
    {
        var unit = HexUnit(p + 2, close);
        if (unit < 0)
        {
            return cursor.Fail(DecodeReason.Syntax, p, "\\u needs four hexadecimal digits");
        }
        var next = p + 6;
        if (unit is >= 0xD800 and < 0xE000)
        {
            var low = unit < 0xDC00 && close - next >= 6 && next[0] == '\\' && next[1] == 'u' ? HexUnit(next + 2, close) : -1;
            if (low is < 0xDC00 or >= 0xE000)
            {
                return cursor.Fail(DecodeReason.InvalidUtf8, p, "a lone surrogate");
            }
            unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            next += 6;
        }
        WriteUtf8(unit, ref target);
        return next;
    }

    private static void WriteUtf8(int rune, ref byte* target)
    {
        if (rune < 0x80)
        {
            *target++ = (byte)rune;
            return;
        }
        if (rune < 0x800)
        {
            *target++ = (byte)(0xC0 | (rune >> 6));
        }
        else
        {
            if (rune < 0x10000)
            {
                *target++ = (byte)(0xE0 | (rune >> 12));
            }
            else
            {
                *target++ = (byte)(0xF0 | (rune >> 18));
                *target++ = (byte)(0x80 | ((rune >> 12) & 0x3F));
            }
            *target++ = (byte)(0x80 | ((rune >> 6) & 0x3F));
        }
        *target++ = (byte)(0x80 | (rune & 0x3F));
    }

    private static int HexUnit(byte* p, byte* close)
    {
        if (close - p < 4)
        {
            return -1;
        }
        var unit = 0;
        for (var index = 0; index < 4; index++)
        {
            unit = (unit << 4) | HexDigit(p[index]);
            if (unit < 0)
            {
                return -1;
            }
        }
        return unit;
    }

    /// <summary>The value of a hexadecimal digit, -1 for any other byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int HexDigit(byte digit)
    {
        var value = digit - '0';
        if ((uint)value <= 9)
        {
            return value;
        }
        value = (digit | 0x20) - 'a';
        return (uint)value <= 5 ? value + 10 : -1;
    }
}
