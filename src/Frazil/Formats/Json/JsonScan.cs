using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Text.Unicode;

namespace Frazil.Formats.Json;

/// <summary>The parts of the JSON grammar that need no column. See <see cref="JsonCursor"/> for what may be read behind the end.</summary>
internal static unsafe class JsonScan
{
    /// <summary>The first byte at or after <paramref name="p"/> that is not white space. At most <paramref name="end"/> when p
    /// was.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* SkipSpace(byte* p, byte* end)
    {
        if (*p > ' ')
        {
            return p;
        }
        if (*p == ' ' && p[1] > ' ' && p < end)
        {
            return p + 1; // what most pretty printers write
        }
        return SkipSpaces(p, end);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte* SkipSpaces(byte* p, byte* end)
    {
        while (p < end && *p is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            p++;
        }
        return p;
    }

    /// <summary>One bit a byte that a string cannot simply hold: quote, backslash, control characters; and bytes above 0x7F, which need a
    /// second look.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint SpecialBits(Vector256<byte> bytes)
    {
        // As signed bytes everything above 0x7F is negative, so one comparison finds it together with the control characters.
        var special = Vector256.LessThan(bytes.AsSByte(), Vector256.Create((sbyte)0x20)).AsByte()
            | Vector256.Equals(bytes, Vector256.Create((byte)'"'))
            | Vector256.Equals(bytes, Vector256.Create((byte)'\\'));
        return special.ExtractMostSignificantBits();
    }

    /// <summary>Finds the quote that closes a string, and refuses control characters and, unless escapes are involved, invalid
    /// UTF-8.</summary>
    /// <param name="p">The byte after the opening quote.</param>
    /// <param name="escaped">Whether <see cref="JsonEscapes.Unescape"/> must do the rest.</param>
    /// <returns>The closing quote; null after a failure.</returns>
    public static byte* FindStringEnd(byte* p, JsonCursor cursor, out bool escaped)
    {
        var start = p;
        var end = cursor.End;
        var nonAscii = 0u;
        escaped = false;
        while (p < end)
        {
            var bytes = Vector256.Load(p);
            var above = bytes.ExtractMostSignificantBits();
            var stops = SpecialBits(bytes) & ~above;
            if (stops == 0)
            {
                nonAscii |= above;
                p += 32;
                continue;
            }
            var stop = BitOperations.TrailingZeroCount(stops);
            nonAscii |= above & ((1u << stop) - 1);
            p += stop;
            if (p >= end)
            {
                break;
            }
            if (*p == '"')
            {
                return nonAscii == 0 || Utf8.IsValid(new ReadOnlySpan<byte>(start, (int)(p - start)))
                    ? p
                    : cursor.Fail(DecodeReason.InvalidUtf8, start, "bytes that are not UTF-8");
            }
            if (*p != '\\')
            {
                return cursor.Fail(DecodeReason.Syntax, p, "a control character in a string; it must be escaped");
            }
            escaped = true;
            p += 2;
        }
        return cursor.Fail(DecodeReason.Syntax, end, "a string is not closed");
    }

    /// <summary>The text of a string whose closing quote is at <paramref name="close"/>: in place, or unescaped into the cursor's scratch.
    /// Null after a failure. Padded like the record itself.</summary>
    public static byte* Text(byte* start, byte* close, bool escaped, JsonCursor cursor, out int length)
    {
        length = (int)(close - start);
        if (!escaped)
        {
            return start;
        }
        var target = cursor.Scratch(length);
        length = JsonEscapes.Unescape(start, close, target, cursor);
        return length < 0 ? null : target;
    }

    /// <summary>Checks a value and passes over it. <paramref name="holdsValue"/> becomes true when there is anything but nulls and empty
    /// objects and arrays in it.</summary>
    public static byte* SkipValue(byte* p, JsonCursor cursor, ref bool holdsValue)
    {
        if (p >= cursor.End)
        {
            return cursor.Fail(DecodeReason.Syntax, cursor.End, "a value is missing");
        }
        switch (*p)
        {
            case (byte)'{':
                return SkipObject(p, cursor, ref holdsValue);
            case (byte)'[':
                return SkipArray(p, cursor, ref holdsValue);
            case (byte)'n':
                return SkipLiteral(p, "null"u8, cursor);
            case (byte)'"':
                holdsValue = true;
                var close = FindStringEnd(p + 1, cursor, out var escaped);
                return close == null || Text(p + 1, close, escaped, cursor, out _) == null ? null : close + 1;
            case (byte)'t':
                holdsValue = true;
                return SkipLiteral(p, "true"u8, cursor);
            case (byte)'f':
                holdsValue = true;
                return SkipLiteral(p, "false"u8, cursor);
            default:
                holdsValue = true;
                return JsonNumber.Scan(p, cursor, out _);
        }
    }

    public static byte* SkipLiteral(byte* p, ReadOnlySpan<byte> literal, JsonCursor cursor)
        => cursor.End - p >= literal.Length && new ReadOnlySpan<byte>(p, literal.Length).SequenceEqual(literal)
            ? p + literal.Length
            : cursor.Fail(DecodeReason.Syntax, p, "not a JSON value");

    private static byte* SkipArray(byte* p, JsonCursor cursor, ref bool holdsValue)
    {
        if (++cursor.Depth > JsonCursor.MaxDepth)
        {
            return FailTooDeep(p, cursor);
        }
        p = SkipSpace(p + 1, cursor.End);
        if (p >= cursor.End || *p != ']')
        {
            do
            {
                p = SkipValue(p, cursor, ref holdsValue);
                if (p == null)
                {
                    return null;
                }
            }
            while (NextItem(ref p, ']', cursor));
            if (p == null)
            {
                return null;
            }
        }
        cursor.Depth--;
        return p + 1;
    }

    private static byte* SkipObject(byte* p, JsonCursor cursor, ref bool holdsValue)
    {
        if (++cursor.Depth > JsonCursor.MaxDepth)
        {
            return FailTooDeep(p, cursor);
        }
        var frame = cursor.Keys.OpenFrame();
        p = SkipSpace(p + 1, cursor.End);
        if (p >= cursor.End || *p != '}')
        {
            do
            {
                p = SkipKey(p, cursor, frame);
                if (p == null)
                {
                    return null;
                }
                p = SkipValue(p, cursor, ref holdsValue);
                if (p == null)
                {
                    return null;
                }
            }
            while (NextItem(ref p, '}', cursor));
            if (p == null)
            {
                return null;
            }
        }
        cursor.Depth--;
        return p + 1;
    }

    /// <summary>After an item: true with <paramref name="p"/> at the next item; false with it at the closing byte, or null after a
    /// failure.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool NextItem(ref byte* p, char close, JsonCursor cursor)
    {
        var end = cursor.End;
        var at = SkipSpace(p, end);
        if (at < end)
        {
            if (*at == ',')
            {
                p = SkipSpace(at + 1, end);
                return true;
            }
            if (*at == close)
            {
                p = at;
                return false;
            }
        }
        p = cursor.Fail(DecodeReason.Syntax, at, close == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
        return false;
    }

    /// <summary>From the byte after a key's closing quote to its value.</summary>
    public static byte* SkipColon(byte* p, JsonCursor cursor)
    {
        p = SkipSpace(p, cursor.End);
        return p < cursor.End && *p == ':'
            ? SkipSpace(p + 1, cursor.End)
            : cursor.Fail(DecodeReason.Syntax, p, "expected ':' after a name");
    }

    public static byte* FailTooDeep(byte* p, JsonCursor cursor)
        => cursor.Fail(DecodeReason.TooDeep, p, $"nested deeper than {JsonCursor.MaxDepth} levels");

    private static byte* SkipKey(byte* p, JsonCursor cursor, int frame)
    {
        if (p >= cursor.End || *p != '"')
        {
            return cursor.Fail(DecodeReason.Syntax, p, "expected a name in quotes");
        }
        var close = FindStringEnd(p + 1, cursor, out var escaped);
        if (close == null)
        {
            return null;
        }
        var name = Text(p + 1, close, escaped, cursor, out var length);
        if (name == null)
        {
            return null;
        }
        return cursor.Keys.Add(frame, new(name, length))
            ? SkipColon(close + 1, cursor)
            : cursor.Fail(DecodeReason.DuplicateField, p, "a name that stands twice in its object");
    }
}
