using System.Globalization;
using System.Numerics;
using Frazil.Columnar;

namespace Frazil.Tests.DuckDb;

/// <summary>Random column types and values from one seed.</summary>
internal sealed class RandomColumns(int seed)
{
    private int lastFieldId;

    public Random Random { get; } = new(seed);

    public ColumnFields Fields(int count) => new(Enumerable.Range(0, count).Select(index => Field($"c{index}", 3)));

    public ColumnField Field(string name, int depth)
    {
        var id = ++lastFieldId;
        return new ColumnField(name, Type(depth), id);
    }

    private ColumnType Type(int depth) => Random.Next(depth > 0 ? 19 : 15) switch
    {
        0 => ColumnType.Boolean,
        1 => ColumnType.Int32,
        2 => ColumnType.Int64,
        3 => ColumnType.Float32,
        4 => ColumnType.Float64,
        5 => Decimal(),
        6 => Decimal(),
        7 => ColumnType.Date32,
        8 => ColumnType.Time64,
        9 => ColumnType.Timestamp,
        10 => ColumnType.TimestampTz,
        11 => ColumnType.Utf8,
        12 => ColumnType.Binary,
        13 => ColumnType.FixedBinary(Random.Next(1, 30)),
        14 => ColumnType.Uuid,
        15 or 16 => ColumnType.Struct([.. Enumerable.Range(0, Random.Next(1, 4)).Select(index => Field($"f{index}", depth - 1))]),
        17 => ColumnType.List(Field("element", depth - 1)),
        _ => ColumnType.Map(new ColumnField("key", ColumnType.Utf8, ++lastFieldId, Nullable: false), Field("value", depth - 1)),
    };

    private ColumnType Decimal()
    {
        var precision = Random.Next(1, 39);
        return ColumnType.Decimal128(precision, Random.Next(0, precision + 1));
    }

    public List<object?> Values(ColumnType type, int count)
    {
        var nulls = Random.Next(3) * 0.3;
        return [.. Enumerable.Range(0, count).Select(_ => Value(type, nulls))];
    }

    private object? Value(ColumnType type, double nulls)
    {
        if (Random.NextDouble() < nulls)
        {
            return type.Kind == ColumnKind.Struct && Random.Next(2) == 0
                ? new NullStruct([.. type.Fields.Select(field => Value(field.Type, 0))])
                : null;
        }
        return type.Kind switch
        {
            ColumnKind.Boolean => Random.Next(2) == 1,
            ColumnKind.Int32 => Random.Next(5) switch { 0 => int.MinValue, 1 => int.MaxValue, _ => Random.Next(-1000, 1000) },
            ColumnKind.Int64 => Random.Next(5) switch { 0 => long.MinValue, 1 => long.MaxValue, _ => Random.NextInt64(-1_000_000, 1_000_000) },
            ColumnKind.Float32 => Random.Next(5) switch { 0 => float.NaN, 1 => -0f, 2 => float.NegativeInfinity, _ => Random.NextSingle() },
            ColumnKind.Float64 => Random.Next(5) switch { 0 => double.NaN, 1 => -0d, 2 => double.PositiveInfinity, _ => Random.NextDouble() },
            ColumnKind.Decimal128 => Unscaled(type.Precision),
            ColumnKind.Date32 => Random.Next(-719_162, 2_932_896),
            ColumnKind.Time64 => Random.NextInt64(86_400_000_000),
            ColumnKind.Timestamp or ColumnKind.TimestampTz => Random.NextInt64(-62_135_596_800_000_000, 253_402_300_799_999_999),
            ColumnKind.Utf8 => Text(),
            ColumnKind.Binary => Bytes(Random.Next(20)),
            ColumnKind.FixedBinary => Bytes(type.Width),
            ColumnKind.Uuid => new Guid(Bytes(16), bigEndian: true),
            ColumnKind.Struct => type.Fields.Select(field => Value(field.Type, nulls)).ToArray(),
            ColumnKind.List => Enumerable.Range(0, Random.Next(5)).Select(_ => Value(type.Fields[0].Type, nulls)).ToArray(),
            _ => Enumerable.Range(0, Random.Next(4))
                .Select(
                    index => new KeyValuePair<object,
                    object?>(index.ToString(CultureInfo.InvariantCulture) + Text(), Value(type.Fields[1].Type, nulls))).ToArray(),
        };
    }

    private BigInteger Unscaled(int precision)
    {
        var limit = BigInteger.Pow(10, precision) - 1;
        var value = Random.Next(4) == 0 ? limit : new BigInteger(Bytes(16)) % (limit + 1);
        return Random.Next(2) == 0 ? value : -value;
    }

    private byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        Random.NextBytes(bytes);
        return bytes;
    }

    private string Text() => Random.Next(4) switch
    {
        0 => "",
        1 => new string('x', Random.Next(11, 15)),
        2 => string.Concat(Enumerable.Repeat("añ漢😀", Random.Next(1, 9))),
        _ => Random.Next().ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>What SQL must read where <paramref name="value"/> of <paramref name="source"/> was stored and <paramref name="target"/> was
    /// asked for; in a canonical text, so that nested values compare.</summary>
    public static string Expected(ColumnType target, ColumnType source, object? value) => (target.Kind, value) switch
    {
        (_, null or NullStruct) => "null",
        (ColumnKind.Int64, int number) => Canonical((long)number),
        (ColumnKind.Float64, float number) => Canonical((double)number),
        (ColumnKind.Date32, int days) => Canonical(DateOnly.FromDayNumber(days + DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber)),
        (ColumnKind.Time64, long micros) => Canonical(new TimeOnly(micros * 10)),
        (ColumnKind.Timestamp, long micros) => Canonical(DateTime.UnixEpoch.AddTicks(micros * 10)),
        (ColumnKind.TimestampTz, long micros) => Canonical(new DateTimeOffset(DateTime.UnixEpoch).AddTicks(micros * 10)),
        (ColumnKind.Decimal128, BigInteger unscaled) => DecimalText(unscaled, target.Scale),
        (ColumnKind.Struct, object?[] members) => $"{{{string.Join(",", target.Fields.Select(field => $"{field.Name}:{ExpectedMember(field, source, members)}"))}}}",
        (ColumnKind.List, object?[] elements) => $"[{string.Join(",", elements.Select(element => Expected(target.Fields[0].Type, source.Fields[0].Type, element)))}]",
        (ColumnKind.Map, KeyValuePair<object, object?>[] pairs) =>
            $"<{string.Join(",", pairs.Select(pair => $"{pair.Key}:{Expected(target.Fields[1].Type, source.Fields[1].Type, pair.Value)}"))}>",
        _ => Canonical(value),
    };

    private static string ExpectedMember(ColumnField field, ColumnType source, object?[] members)
    {
        var at = source.Fields.IndexOfId(field.FieldId);
        return at < 0 ? "null" : Expected(field.Type, source.Fields[at].Type, members[at]);
    }

    private static string DecimalText(BigInteger unscaled, int scale)
    {
        var digits = BigInteger.Abs(unscaled).ToString(CultureInfo.InvariantCulture).PadLeft(scale + 1, '0');
        var text = scale == 0 ? digits : $"{digits[..^scale]}.{digits[^scale..]}";
        return unscaled.Sign < 0 ? $"-{text}" : text;
    }

    /// <summary>A value as SQL returned it, in the same canonical text.</summary>
    public static string Canonical(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        byte[] bytes => Convert.ToHexString(bytes),
        double number => BitConverter.DoubleToInt64Bits(number).ToString("x16", CultureInfo.InvariantCulture),
        float number => BitConverter.SingleToInt32Bits(number).ToString("x8", CultureInfo.InvariantCulture),
        DateTime time => time.ToString("yyyy-MM-ddTHH:mm:ss.ffffff", CultureInfo.InvariantCulture),
        DateTimeOffset time => time.ToString("yyyy-MM-ddTHH:mm:ss.ffffffzzz", CultureInfo.InvariantCulture),
        TimeOnly time => time.ToString("HH:mm:ss.ffffff", CultureInfo.InvariantCulture),
        IReadOnlyDictionary<string,
        object?> members => $"{{{string.Join(",", members.Select(member => $"{member.Key}:{Canonical(member.Value)}"))}}}",
        object?[] elements => $"[{string.Join(",", elements.Select(Canonical))}]",
        KeyValuePair<object, object?>[] pairs => $"<{string.Join(",", pairs.Select(pair => $"{pair.Key}:{Canonical(pair.Value)}"))}>",
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };
}
