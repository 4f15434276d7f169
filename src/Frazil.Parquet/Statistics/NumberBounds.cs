using System.Buffers.Binary;
using System.Numerics;

namespace Frazil.Parquet.Statistics;

/// <summary>32- and 64-bit integers, dates, times and short decimals.</summary>
internal sealed unsafe class IntegerBounds(int width, bool isDecimal) : ValueBounds
{
    private long least = long.MaxValue;
    private long greatest = long.MinValue;

    public override bool IsEmpty => least > greatest;

    public override void Clear() => (least, greatest) = (long.MaxValue, long.MinValue);

    public override void Add(byte* values, int first, int count)
    {
        if (count == 0)
        {
            return;
        }
        if (width == sizeof(int))
        {
            var (low, high) = MinMax.Of((int*)values + first, count);
            (least, greatest) = (Math.Min(least, low), Math.Max(greatest, high));
        }
        else
        {
            var (low, high) = MinMax.Of((long*)values + first, count);
            (least, greatest) = (Math.Min(least, low), Math.Max(greatest, high));
        }
    }

    public override void Merge(ValueBounds other)
    {
        var bounds = (IntegerBounds)other;
        (least, greatest) = (Math.Min(least, bounds.least), Math.Max(greatest, bounds.greatest));
    }

    public override int Compare(ValueBounds other, bool isUpper) => isUpper
        ? greatest.CompareTo(((IntegerBounds)other).greatest)
        : least.CompareTo(((IntegerBounds)other).least);

    public override bool Append(NativeBuffer output, bool isUpper)
    {
        var value = isUpper ? greatest : least;
        output.Append(new ReadOnlySpan<byte>(&value, width));
        return true;
    }

    protected override byte[] Serialize(bool isUpper)
    {
        var value = isUpper ? greatest : least;
        if (!isDecimal)
        {
            return new ReadOnlySpan<byte>(&value, width).ToArray();
        }
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return TwosComplement.Shorten(bytes);
    }
}

/// <summary>-0.0 is below +0.0; NaN has no place and is counted.</summary>
internal sealed unsafe class FloatBounds(int width) : ValueBounds
{
    private const long Infinity = 0x7FF0000000000000;

    // Doubles as integers that sort as the doubles do.
    private long least = long.MaxValue;
    private long greatest = long.MinValue;
    private long nans;

    public override bool IsEmpty => least > greatest;

    public override long? NanCount => nans;

    public override void Clear() => (least, greatest, nans) = (long.MaxValue, long.MinValue, 0);

    public override void Add(byte* values, int first, int count)
    {
        if (width == sizeof(float))
        {
            AddFloats((float*)values + first, count);
        }
        else
        {
            AddDoubles((long*)values + first, count);
        }
    }

    public override void AddNans(long count) => nans += count;

    public override void Merge(ValueBounds other)
    {
        var bounds = (FloatBounds)other;
        (least, greatest, nans) = (Math.Min(least, bounds.least), Math.Max(greatest, bounds.greatest), nans + bounds.nans);
    }

    public override int Compare(ValueBounds other, bool isUpper) => isUpper
        ? greatest.CompareTo(((FloatBounds)other).greatest)
        : least.CompareTo(((FloatBounds)other).least);

    /// <summary>Parquet's readers may take the zeros for equal: a lower bound of zero is the negative one, an upper bound the
    /// positive.</summary>
    public override bool Append(NativeBuffer output, bool isUpper)
    {
        var value = Value(isUpper);
        if (value == 0)
        {
            value = isUpper ? 0.0 : -0.0;
        }
        output.Append(Bytes(value));
        return true;
    }

    protected override byte[] Serialize(bool isUpper) => Bytes(Value(isUpper));

    private byte[] Bytes(double value) => width == sizeof(float) ? BitConverter.GetBytes((float)value) : BitConverter.GetBytes(value);

    private double Value(bool isUpper) => BitConverter.Int64BitsToDouble(Flip(isUpper ? greatest : least));

    private void AddFloats(float* values, int count)
    {
        for (var index = 0; index < count; index++)
        {
            if (float.IsNaN(values[index]))
            {
                nans++;
                continue;
            }
            var sortable = Flip(BitConverter.DoubleToInt64Bits(values[index]));
            least = Math.Min(least, sortable);
            greatest = Math.Max(greatest, sortable);
        }
    }

    private void AddDoubles(long* values, int count)
    {
        var (leasts, greatests, isNumber) = (new Vector<long>(long.MaxValue), new Vector<long>(long.MinValue), Vector<long>.Zero);
        var index = 0;
        for (; index <= count - Vector<long>.Count; index += Vector<long>.Count)
        {
            var bits = Vector.Load(values + index);
            var magnitude = bits & new Vector<long>(long.MaxValue);
            var number = Vector.LessThanOrEqual(magnitude, new Vector<long>(Infinity));
            var sortable = bits ^ (Vector.ShiftRightArithmetic(bits, 63) & new Vector<long>(long.MaxValue));
            leasts = Vector.Min(leasts, Vector.ConditionalSelect(number, sortable, leasts));
            greatests = Vector.Max(greatests, Vector.ConditionalSelect(number, sortable, greatests));
            isNumber -= number;
        }
        nans += index - Vector.Sum(isNumber);
        for (var lane = 0; lane < Vector<long>.Count; lane++)
        {
            (least, greatest) = (Math.Min(least, leasts[lane]), Math.Max(greatest, greatests[lane]));
        }
        for (; index < count; index++)
        {
            if ((values[index] & long.MaxValue) > Infinity)
            {
                nans++;
                continue;
            }
            (least, greatest) = (Math.Min(least, Flip(values[index])), Math.Max(greatest, Flip(values[index])));
        }
    }

    private static long Flip(long bits) => bits ^ ((bits >> 63) & long.MaxValue);
}

/// <summary>False is below true. Values come as bytes.</summary>
internal sealed unsafe class BooleanBounds : ValueBounds
{
    private bool hasFalse;
    private bool hasTrue;

    public override bool IsEmpty => !hasFalse && !hasTrue;

    public override void Clear() => hasFalse = hasTrue = false;

    public override void Add(byte* values, int first, int count)
    {
        var span = new ReadOnlySpan<byte>(values + first, count);
        hasFalse |= span.Contains((byte)0);
        hasTrue |= span.Contains((byte)1);
    }

    public override void Merge(ValueBounds other)
    {
        hasFalse |= ((BooleanBounds)other).hasFalse;
        hasTrue |= ((BooleanBounds)other).hasTrue;
    }

    public override int Compare(ValueBounds other, bool isUpper) => Value(isUpper) - ((BooleanBounds)other).Value(isUpper);

    public override bool Append(NativeBuffer output, bool isUpper)
    {
        output.Append(Value(isUpper));
        return true;
    }

    protected override byte[] Serialize(bool isUpper) => [Value(isUpper)];

    private byte Value(bool isUpper) => (isUpper ? hasTrue : !hasFalse) ? (byte)1 : (byte)0;
}

/// <summary>Big-endian two's complement as Iceberg writes it.</summary>
internal static class TwosComplement
{
    /// <summary>The same number in as few bytes as hold its sign.</summary>
    public static byte[] Shorten(byte[] bytes)
    {
        var sign = (bytes[0] & 0x80) != 0 ? (byte)0xFF : (byte)0;
        var start = 0;
        while (start < bytes.Length - 1 && bytes[start] == sign && (bytes[start + 1] & 0x80) == (sign & 0x80))
        {
            start++;
        }
        return bytes[start..];
    }
}
