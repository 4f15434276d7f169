using System.Buffers;
using System.Buffers.Text;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Frazil.Columnar;

namespace Frazil.Formats.Json;

internal sealed unsafe class JsonBooleanReader(BooleanWriter column) : JsonColumnReader<BooleanWriter>(column, "expected true or false")
{
    public override byte* Read(byte* p, JsonCursor cursor)
    {
        if (*p is not ((byte)'t' or (byte)'f'))
        {
            return ReadNull(p, cursor);
        }
        var value = *p == 't';
        var after = JsonScan.SkipLiteral(p, value ? "true"u8 : "false"u8, cursor);
        if (after != null)
        {
            Column.Append(value);
        }
        return after;
    }
}

/// <summary>Strings. Short plain ones are copied by the same vectors that look for their end.</summary>
internal sealed unsafe class JsonUtf8Reader(BytesWriter column) : JsonColumnReader<BytesWriter>(column, "expected a string")
{
    public override byte* Read(byte* p, JsonCursor cursor)
    {
        if (*p != '"')
        {
            return ReadNull(p, cursor);
        }
        p++;
        var target = Column.Reserve(64);
        var bytes = Vector256.Load(p);
        bytes.Store(target);
        var special = JsonScan.SpecialBits(bytes);
        var length = BitOperations.TrailingZeroCount(special);
        if (special == 0)
        {
            bytes = Vector256.Load(p + 32);
            bytes.Store(target + 32);
            special = JsonScan.SpecialBits(bytes);
            length = BitOperations.TrailingZeroCount(special) + 32;
        }
        // 32 bytes without a special one may stand behind the record's end, but never 64: the padding is as long.
        if (special == 0 || p[length] != '"' || p + length >= cursor.End)
        {
            return ReadLong(p, cursor);
        }
        Column.Commit(length);
        return p + length + 1;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte* ReadLong(byte* p, JsonCursor cursor)
    {
        var close = JsonScan.FindStringEnd(p, cursor, out var escaped);
        if (close == null)
        {
            return null;
        }
        var length = (int)(close - p);
        var target = Column.Reserve(length);
        if (escaped)
        {
            length = JsonEscapes.Unescape(p, close, target, cursor);
            if (length < 0)
            {
                return null;
            }
        }
        else
        {
            Unsafe.CopyBlockUnaligned(target, p, (uint)length);
        }
        Column.Commit(length);
        return close + 1;
    }
}

/// <summary>Base64 (RFC 4648 §4, padded, no white space) into bytes.</summary>
internal sealed unsafe class JsonBinaryReader(BytesWriter column) : JsonColumnReader<BytesWriter>(column, "expected a base64 string")
{
    public override byte* Read(byte* p, JsonCursor cursor)
    {
        if (*p != '"')
        {
            return ReadNull(p, cursor);
        }
        var close = JsonScan.FindStringEnd(p + 1, cursor, out var escaped);
        if (close == null)
        {
            return null;
        }
        var text = JsonScan.Text(p + 1, close, escaped, cursor, out var length);
        if (text == null)
        {
            return null;
        }
        var room = Base64Text.MaxBytes(length);
        var written = Base64Text.Decode(new(text, length), new(Column.Reserve(room), room));
        if (written < 0)
        {
            return cursor.Fail(DecodeReason.BadText, p, "expected base64 (A-Z a-z 0-9 + /, padded with =)");
        }
        Column.Commit(written);
        return close + 1;
    }
}

/// <summary>Base64 of exactly the column's width.</summary>
internal sealed unsafe class JsonFixedReader(FixedBytesWriter column) : JsonColumnReader<FixedBytesWriter>(
    column, "expected a base64 string")
{
    private readonly byte[] bytes = new byte[column.Width + 3];

    public override byte* Read(byte* p, JsonCursor cursor)
    {
        if (*p != '"')
        {
            return ReadNull(p, cursor);
        }
        var close = JsonScan.FindStringEnd(p + 1, cursor, out var escaped);
        if (close == null)
        {
            return null;
        }
        var text = JsonScan.Text(p + 1, close, escaped, cursor, out var length);
        if (text == null)
        {
            return null;
        }
        var written = length > Base64.GetMaxEncodedToUtf8Length(bytes.Length) ? -1 : Base64Text.Decode(new(text, length), bytes);
        if (written != Column.Width)
        {
            return cursor.Fail(DecodeReason.BadText, p, $"expected base64 of exactly {Column.Width} bytes");
        }
        Column.Append(bytes.AsSpan(0, written));
        return close + 1;
    }
}

/// <summary>The 36 characters of RFC 9562, upper or lower case.</summary>
internal sealed unsafe class JsonUuidReader(FixedBytesWriter column) : JsonColumnReader<FixedBytesWriter>(
    column, "expected a UUID in a string")
{
    private const int TextLength = 36;

    public override byte* Read(byte* p, JsonCursor cursor)
    {
        if (*p != '"')
        {
            return ReadNull(p, cursor);
        }
        var close = JsonScan.FindStringEnd(p + 1, cursor, out var escaped);
        if (close == null)
        {
            return null;
        }
        var text = JsonScan.Text(p + 1, close, escaped, cursor, out var length);
        if (text == null)
        {
            return null;
        }
        if (length != TextLength || !TryParse(text, Column.AppendSlot()))
        {
            return cursor.Fail(DecodeReason.BadText, p, "expected a UUID such as 123e4567-e89b-12d3-a456-426614174000");
        }
        return close + 1;
    }

    private static bool TryParse(byte* text, Span<byte> uuid)
    {
        if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-')
        {
            return false;
        }
        var hex = stackalloc byte[32];
        Unsafe.CopyBlockUnaligned(hex, text, 8);
        Unsafe.CopyBlockUnaligned(hex + 8, text + 9, 4);
        Unsafe.CopyBlockUnaligned(hex + 12, text + 14, 4);
        Unsafe.CopyBlockUnaligned(hex + 16, text + 19, 4);
        Unsafe.CopyBlockUnaligned(hex + 20, text + 24, 12);
        return Convert.FromHexString(new ReadOnlySpan<byte>(hex, 32), uuid, out _, out _) == OperationStatus.Done;
    }
}

/// <summary>Strict base64: nothing is passed over and nothing dropped.</summary>
internal static class Base64Text
{
    private static readonly SearchValues<byte> Alphabet = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="u8);

    public static int MaxBytes(int textLength) => (textLength / 4 * 3) + 3;

    /// <summary>The bytes written, or -1 when the text is not canonical base64.</summary>
    public static int Decode(ReadOnlySpan<byte> text, Span<byte> target)
    {
        if (text.Length % 4 != 0 || text.ContainsAnyExcept(Alphabet)
            || Base64.DecodeFromUtf8(text, target, out _, out var written) != OperationStatus.Done)
        {
            return -1;
        }
        return HasStrayBits(text) ? -1 : written;
    }

    /// <summary>Whether the last group has bits set that no byte takes: two texts would mean the same bytes.</summary>
    private static bool HasStrayBits(ReadOnlySpan<byte> text)
    {
        if (!text.EndsWith("="u8))
        {
            return false;
        }
        var last = text.TrimEnd((byte)'=');
        var sextet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"u8.IndexOf(last[^1]);
        return (sextet & (text.Length - last.Length == 1 ? 0b11 : 0b1111)) != 0;
    }
}
