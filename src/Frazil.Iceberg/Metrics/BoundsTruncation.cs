using System.Text;

namespace Frazil.Iceberg.Metrics;

/// <summary>
/// Shortens the bounds of strings and binaries so that they still bound: a lower bound is cut, an upper bound is cut and its last
/// possible code point (or byte) incremented.
/// </summary>
public static class BoundsTruncation
{
    /// <summary>At most <paramref name="width"/> code points; never above the value.</summary>
    public static string LowerString(string value, int width) => TransformFunctions.TruncateString(value, width);

    /// <summary>At most <paramref name="width"/> code points and not below any string that starts so; null where there is no such
    /// string.</summary>
    public static string? UpperString(string value, int width)
    {
        var cut = TransformFunctions.TruncateString(value, width);
        if (cut.Length == value.Length)
            return value;
        var runes = cut.EnumerateRunes().ToArray();
        for (var i = runes.Length - 1; i >= 0; i--)
        {
            if (Next(runes[i]) is not { } next)
                continue;
            var bound = new StringBuilder(cut.Length + 1);
            foreach (var rune in runes.AsSpan(0, i))
                bound.Append(rune.ToString());
            return bound.Append(next.ToString()).ToString();
        }
        return null;
    }

    /// <summary>At most <paramref name="width"/> bytes; never above the value.</summary>
    public static byte[] LowerBinary(byte[] value, int width) => value.Length <= width ? value : value[..width];

    /// <summary>At most <paramref name="width"/> bytes and not below any value that starts so; null where there is no such value.</summary>
    public static byte[]? UpperBinary(byte[] value, int width)
    {
        if (value.Length <= width)
            return value;
        for (var i = width - 1; i >= 0; i--)
        {
            if (value[i] == 0xFF)
                continue;
            var bound = value[..(i + 1)];
            bound[i]++;
            return bound;
        }
        return null;
    }

    /// <summary>
    /// The same for strings held as UTF-8; <paramref name="isUpper"/> chooses which bound. A bound of invalid UTF-8 is treated as binary.
    /// </summary>
    public static byte[]? Utf8(ReadOnlySpan<byte> value, int width, bool isUpper)
    {
        if (value.Length <= width)
            return value.ToArray();
        var text = Encoding.UTF8.GetString(value);
        var bound = isUpper ? UpperString(text, width) : LowerString(text, width);
        return bound is null ? null : Encoding.UTF8.GetBytes(bound);
    }

    /// <summary>Applies a metrics mode to one bound of a column.</summary>
    /// <param name="mode">The column's mode.</param>
    /// <param name="type">The column's type.</param>
    /// <param name="value">The exact bound.</param>
    /// <param name="isUpper">True for an upper bound.</param>
    /// <returns>The binary single-value form; null where no bound is to be stored.</returns>
    public static byte[]? Apply(MetricsMode mode, PrimitiveType type, IcebergValue value, bool isUpper)
    {
        if (!mode.HasBounds || value.IsNull || value.IsNaN)
            return null;
        if (mode.Width is { } width)
        {
            if (value.Kind == ValueKind.String)
                return (isUpper ? UpperString(value.AsString(), width) : LowerString(value.AsString(), width)) is { } text
                    ? Encoding.UTF8.GetBytes(text)
                    : null;
            if (type.Id == TypeId.Binary)
                return isUpper ? UpperBinary(value.AsBinary(), width) : LowerBinary(value.AsBinary(), width);
        }
        return SingleValue.Serialize(type, value);
    }

    private static Rune? Next(Rune rune) => rune.Value switch
    {
        0x10FFFF => null,
        0xD7FF => new Rune(0xE000),     // the surrogates in between are no characters
        var value => new Rune(value + 1),
    };
}
