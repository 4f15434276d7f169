using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Frazil.Iceberg;

/// <summary>The physical form of an <see cref="IcebergValue"/>; the Iceberg type beside it gives the meaning.</summary>
public enum ValueKind : byte
{
    Null,
    Boolean,
    /// <summary>int, date (days since 1970-01-01), and the results of year, month, day, hour and bucket.</summary>
    Int32,
    /// <summary>long, time (microseconds), and the timestamps (micro- or nanoseconds since 1970-01-01T00:00:00).</summary>
    Int64,
    Float32,
    Float64,
    /// <summary>An unscaled 128-bit integer and its scale.</summary>
    Decimal,
    String,
    /// <summary>binary and fixed.</summary>
    Binary,
    Uuid,
}

/// <summary>
/// One primitive Iceberg value: a partition value, a bound, a default, a literal of a filter. 32 bytes; allocates nothing itself.
/// Equality and order are Iceberg's: floats as Java compares them (-0 below +0, NaN above all and equal to itself), strings by
/// code point, binary and uuid by unsigned bytes, null first. Values of different kinds are unequal; comparing them orders by kind.
/// </summary>
public readonly struct IcebergValue : IEquatable<IcebergValue>, IComparable<IcebergValue>
{
    private readonly ulong low;
    private readonly ulong high;
    private readonly object? reference;
    private readonly byte scale;

    private IcebergValue(ValueKind kind, ulong low, ulong high = 0, object? reference = null, byte scale = 0)
    {
        Kind = kind;
        this.low = low;
        this.high = high;
        this.reference = reference;
        this.scale = scale;
    }

    public static IcebergValue Null => default;

    public ValueKind Kind { get; }

    public bool IsNull => Kind == ValueKind.Null;

    /// <summary>True for a float or double that is not a number.</summary>
    public bool IsNaN => (Kind == ValueKind.Float32 && float.IsNaN(AsFloat())) || (Kind == ValueKind.Float64 && double.IsNaN(AsDouble()));

    public static IcebergValue From(bool value) => new(ValueKind.Boolean, value ? 1UL : 0UL);
    public static IcebergValue From(int value) => new(ValueKind.Int32, (ulong)(long)value);
    public static IcebergValue From(long value) => new(ValueKind.Int64, (ulong)value);
    public static IcebergValue From(float value) => new(ValueKind.Float32, BitConverter.SingleToUInt32Bits(value));
    public static IcebergValue From(double value) => new(ValueKind.Float64, BitConverter.DoubleToUInt64Bits(value));
    public static IcebergValue From(string value) => new(ValueKind.String, 0, 0, value ?? throw new ArgumentNullException(nameof(value)));

    /// <summary>Wraps the array without a copy; the caller must not change it afterwards.</summary>
    public static IcebergValue From(byte[] value) => new(ValueKind.Binary, 0, 0, value ?? throw new ArgumentNullException(nameof(value)));

    public static IcebergValue From(Guid value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes, bigEndian: true, out _);
        return FromUuid(bytes);
    }

    /// <param name="bytes">16 bytes, big endian as RFC 9562 prints a uuid.</param>
    public static IcebergValue FromUuid(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes.Length, 16);
        return new(ValueKind.Uuid, BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]), BinaryPrimitives.ReadUInt64BigEndian(bytes));
    }

    /// <param name="unscaled">The digits without the point.</param>
    /// <param name="scale">Digits after the point.</param>
    public static IcebergValue FromDecimal(Int128 unscaled, int scale)
    {
        var bits = (UInt128)unscaled;
        return new(ValueKind.Decimal, (ulong)bits, (ulong)(bits >> 64), null, checked((byte)scale));
    }

    public static IcebergValue From(decimal value)
    {
        Span<int> parts = stackalloc int[4];
        decimal.GetBits(value, parts);
        var magnitude = new UInt128((uint)parts[2], ((ulong)(uint)parts[1] << 32) | (uint)parts[0]);
        var unscaled = parts[3] < 0 ? -(Int128)magnitude : (Int128)magnitude;
        return FromDecimal(unscaled, (parts[3] >> 16) & 0x7F);
    }

    public static implicit operator IcebergValue(bool value) => From(value);
    public static implicit operator IcebergValue(int value) => From(value);
    public static implicit operator IcebergValue(long value) => From(value);
    public static implicit operator IcebergValue(float value) => From(value);
    public static implicit operator IcebergValue(double value) => From(value);
    public static implicit operator IcebergValue(string value) => From(value);

    public bool AsBoolean() => Expect(ValueKind.Boolean).low != 0;
    public int AsInt() => (int)Expect(ValueKind.Int32).low;
    /// <summary>The value of an Int64 or, widened, of an Int32.</summary>
    public long AsLong() => Kind == ValueKind.Int32 ? (int)low : (long)Expect(ValueKind.Int64).low;
    public float AsFloat() => BitConverter.UInt32BitsToSingle((uint)Expect(ValueKind.Float32).low);
    /// <summary>The value of a Float64 or, widened, of a Float32.</summary>
    public double AsDouble() => Kind == ValueKind.Float32 ? AsFloat() : BitConverter.UInt64BitsToDouble(Expect(ValueKind.Float64).low);
    public string AsString() => (string)Expect(ValueKind.String).reference!;
    /// <summary>The bytes, not a copy: do not change them.</summary>
    public byte[] AsBinary() => (byte[])Expect(ValueKind.Binary).reference!;
    public Int128 AsUnscaledDecimal() => (Int128)new UInt128(Expect(ValueKind.Decimal).high, low);
    /// <summary>Digits after the point of a decimal.</summary>
    public int DecimalScale => Expect(ValueKind.Decimal).scale;

    public Guid AsUuid()
    {
        Span<byte> bytes = stackalloc byte[16];
        CopyUuidTo(bytes);
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>Writes the 16 big-endian bytes of a uuid.</summary>
    public void CopyUuidTo(Span<byte> bytes)
    {
        var self = Expect(ValueKind.Uuid);
        BinaryPrimitives.WriteUInt64BigEndian(bytes, self.high);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], self.low);
    }

    private IcebergValue Expect(ValueKind kind) =>
        Kind == kind ? this : throw new InvalidOperationException($"The value {this} is of kind {Kind}, not {kind}.");

    public bool Equals(IcebergValue other)
    {
        if (Kind != other.Kind)
            return false;
        return Kind switch
        {
            ValueKind.String => (string)reference! == (string)other.reference!,
            ValueKind.Binary => ((byte[])reference!).AsSpan().SequenceEqual((byte[])other.reference!),
            ValueKind.Float32 or ValueKind.Float64 => (low == other.low) || (IsNaN && other.IsNaN),
            ValueKind.Decimal => low == other.low && high == other.high && scale == other.scale,
            _ => low == other.low && high == other.high,
        };
    }

    public override bool Equals(object? obj) => obj is IcebergValue other && Equals(other);

    public override int GetHashCode()
    {
        switch (Kind)
        {
            case ValueKind.String:
                return ((string)reference!).GetHashCode(StringComparison.Ordinal);
            case ValueKind.Binary:
                var hash = default(HashCode);
                hash.AddBytes((byte[])reference!);
                return hash.ToHashCode();
            case ValueKind.Float32 or ValueKind.Float64 when IsNaN:
                return HashCode.Combine(Kind, 0x7FC0);
            default:
                return HashCode.Combine(Kind, low, high);
        }
    }

    public int CompareTo(IcebergValue other)
    {
        if (Kind != other.Kind)
            return Kind.CompareTo(other.Kind);
        return Kind switch
        {
            ValueKind.Null => 0,
            ValueKind.Boolean => low.CompareTo(other.low),
            ValueKind.Int32 or ValueKind.Int64 => ((long)low).CompareTo((long)other.low),
            ValueKind.Float32 => CompareFloats(AsFloat(), other.AsFloat()),
            ValueKind.Float64 => CompareFloats(AsDouble(), other.AsDouble()),
            ValueKind.Decimal => CompareDecimals(this, other),
            ValueKind.String => CodePointOrder.Compare((string)reference!, (string)other.reference!),
            ValueKind.Binary => ((byte[])reference!).AsSpan().SequenceCompareTo((byte[])other.reference!),
            _ => high != other.high ? high.CompareTo(other.high) : low.CompareTo(other.low),
        };
    }

    private static int CompareFloats(double left, double right)
    {
        if (double.IsNaN(left) || double.IsNaN(right))
            return double.IsNaN(left).CompareTo(double.IsNaN(right));
        if (left == 0 && right == 0)
            return double.IsNegative(right).CompareTo(double.IsNegative(left));
        return left.CompareTo(right);
    }

    private static int CompareDecimals(IcebergValue left, IcebergValue right)
    {
        var (a, b) = (left.AsUnscaledDecimal(), right.AsUnscaledDecimal());
        if (left.scale == right.scale)
            return a.CompareTo(b);
        var difference = left.scale - right.scale;
        var power = System.Numerics.BigInteger.Pow(10, Math.Abs(difference));
        return difference < 0 ? (a * power).CompareTo(b) : ((System.Numerics.BigInteger)a).CompareTo(b * power);
    }

    public static bool operator ==(IcebergValue left, IcebergValue right) => left.Equals(right);
    public static bool operator !=(IcebergValue left, IcebergValue right) => !left.Equals(right);
    public static bool operator <(IcebergValue left, IcebergValue right) => left.CompareTo(right) < 0;
    public static bool operator >(IcebergValue left, IcebergValue right) => left.CompareTo(right) > 0;
    public static bool operator <=(IcebergValue left, IcebergValue right) => left.CompareTo(right) <= 0;
    public static bool operator >=(IcebergValue left, IcebergValue right) => left.CompareTo(right) >= 0;

    /// <summary>The physical value as text, for messages; see <see cref="PartitionPath.HumanText"/> for the logical one.</summary>
    public override string ToString() => Kind switch
    {
        ValueKind.Null => "null",
        ValueKind.Boolean => low != 0 ? "true" : "false",
        ValueKind.Int32 => AsInt().ToString(CultureInfo.InvariantCulture),
        ValueKind.Int64 => AsLong().ToString(CultureInfo.InvariantCulture),
        ValueKind.Float32 => AsFloat().ToString("R", CultureInfo.InvariantCulture),
        ValueKind.Float64 => AsDouble().ToString("R", CultureInfo.InvariantCulture),
        ValueKind.Decimal => DecimalText.Format(AsUnscaledDecimal(), scale),
        ValueKind.String => AsString(),
        ValueKind.Binary => Convert.ToHexStringLower(AsBinary()),
        _ => AsUuid().ToString(),
    };
}

/// <summary>Compares UTF-16 strings as their UTF-8 bytes (equally: their code points) compare.</summary>
internal static class CodePointOrder
{
    public static int Compare(string left, string right)
    {
        var common = left.AsSpan().CommonPrefixLength(right);
        if (common == left.Length || common == right.Length)
            return left.Length.CompareTo(right.Length);
        var (a, b) = (left[common], right[common]);
        // Surrogates stand for code points above U+FFFF, so they sort after the BMP characters U+E000..U+FFFF.
        return char.IsSurrogate(a) == char.IsSurrogate(b) ? a.CompareTo(b) : char.IsSurrogate(a) ? 1 : -1;
    }
}

/// <summary>Decimals as text with every digit of their scale.</summary>
internal static class DecimalText
{
    public static string Format(Int128 unscaled, int scale)
    {
        var digits = Int128.Abs(unscaled).ToString(CultureInfo.InvariantCulture);
        if (scale == 0)
            return unscaled < 0 ? "-" + digits : digits;
        var padded = digits.PadLeft(scale + 1, '0');
        var text = new StringBuilder(padded.Length + 2);
        if (unscaled < 0)
            text.Append('-');
        return text.Append(padded, 0, padded.Length - scale).Append('.').Append(padded, padded.Length - scale, scale).ToString();
    }

    /// <summary>Parses <c>-12.340</c> and <c>1.2E-7</c>; false where the text is no number or does not fit 38 digits.</summary>
    public static bool TryParse(string text, out Int128 unscaled, out int scale)
    {
        (unscaled, scale) = (0, 0);
        var exponentAt = text.AsSpan().IndexOfAny('e', 'E');
        var exponent = 0;
        if (exponentAt >= 0
            && !int.TryParse(text.AsSpan(exponentAt + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent))
            return false;
        var mantissa = exponentAt >= 0 ? text[..exponentAt] : text;
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        scale = point < 0 ? 0 : mantissa.Length - point - 1;
        var digits = point < 0 ? mantissa : mantissa.Remove(point, 1);
        if (!Int128.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out unscaled))
            return false;
        scale -= exponent;
        for (; scale < 0; scale++)
        {
            if (Int128.Abs(unscaled) > Int128.MaxValue / 10)
                return false;
            unscaled *= 10;
        }
        return scale <= 38;
    }
}
