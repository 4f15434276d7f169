using System.Globalization;

namespace Frazil.DuckDb;

/// <summary>A DECIMAL of more than 96 bits, which <see cref="decimal"/> cannot hold. A number, never to be mistaken for text.</summary>
/// <param name="Unscaled">The value times 10 to the power of <paramref name="Scale"/>.</param>
/// <param name="Scale">Digits after the point, 0 to 38.</param>
public readonly record struct WideDecimal(Int128 Unscaled, int Scale) : IFormattable
{
    /// <summary>All its digits, without an exponent: <c>1000000000000000000000000000.0000000000</c>.</summary>
    public override string ToString()
    {
        // The magnitude of the least Int128 has no Int128.
        var magnitude = Unscaled < 0 ? UInt128.Zero - (UInt128)Unscaled : (UInt128)Unscaled;
        var digits = magnitude.ToString(CultureInfo.InvariantCulture).PadLeft(Scale + 1, '0');
        var text = Scale == 0 ? digits : $"{digits[..^Scale]}.{digits[^Scale..]}";
        return Unscaled < 0 ? $"-{text}" : text;
    }

    /// <summary>The same whatever the format and the culture: it is read by programs.</summary>
    public string ToString(string? format, IFormatProvider? formatProvider) => ToString();
}
