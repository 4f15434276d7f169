using System.Text;
using Frazil.Columnar;

namespace Frazil.Tests.Columnar;

/// <summary>A schema with every kind and random rows for it, with what they should read back as.</summary>
internal static class RandomRows
{
    public static ColumnFields EveryKind { get; } = new(
    [
        new("b", ColumnType.Boolean, 1),
        new("i", ColumnType.Int32, 2),
        new("l", ColumnType.Int64, 3),
        new("f", ColumnType.Float32, 4),
        new("d", ColumnType.Float64, 5),
        new("dec", ColumnType.Decimal128(38, 9), 6),
        new("date", ColumnType.Date32, 7),
        new("time", ColumnType.Time64, 8),
        new("ts", ColumnType.Timestamp, 9),
        new("tstz", ColumnType.TimestampTz, 10),
        new("s", ColumnType.Utf8, 11),
        new("bin", ColumnType.Binary, 12),
        new("fix", ColumnType.FixedBinary(5), 13),
        new("uuid", ColumnType.Uuid, 14),
        new(
            "st",
            ColumnType.Struct(
                new("x", ColumnType.Int32, 20), new("y", ColumnType.Utf8, 21),
                new("z", ColumnType.Struct(new ColumnField("w", ColumnType.Boolean, 22)), 23)),
            15),
        new("li", ColumnType.List(new("element", ColumnType.List(new("element", ColumnType.Int64, 25)), 24)), 16),
        new(
            "m",
            ColumnType.Map(
                new("key", ColumnType.Utf8, 26, Nullable: false),
                new("value", ColumnType.Struct(new ColumnField("v", ColumnType.Float64, 28)), 27)),
            17),
    ]);

    /// <summary>Appends a random value and returns it in the form of <see cref="ViewReader.Read"/>.</summary>
    public static object? Append(ColumnWriter writer, Random random, double nullShare)
    {
        if (writer.Field.Nullable && random.NextDouble() < nullShare)
        {
            writer.AppendNull();
            return null;
        }
        switch (writer)
        {
            case BooleanWriter bits:
                return Appended(random.Next(2) == 0, bits.Append);
            case FixedWriter<int> ints:
                return Appended(random.Next(int.MinValue, int.MaxValue), ints.Append);
            case FixedWriter<long> longs:
                return Appended(random.NextInt64(long.MinValue, long.MaxValue), longs.Append);
            case FixedWriter<float> floats:
                return Appended(random.NextSingle(), floats.Append);
            case FixedWriter<double> doubles:
                return Appended(random.NextDouble(), doubles.Append);
            case FixedWriter<Int128> decimals:
                return Appended(new Int128((ulong)random.NextInt64(), (ulong)random.NextInt64()), decimals.Append);
            case FixedBytesWriter fixedBytes:
                var value = new byte[fixedBytes.Width];
                random.NextBytes(value);
                fixedBytes.Append(value);
                return ViewReader.Hex(value);
            case BytesWriter bytes:
                var text = new string(
                    (char)('a' + random.Next(26)), random.Next(random.Next(8) == 0 ? 400 : 20)) + (random.Next(2) == 0 ? "é" : "");
                bytes.Append(Encoding.UTF8.GetBytes(text));
                return bytes.Field.Type.Kind == ColumnKind.Utf8 ? text : ViewReader.Hex(Encoding.UTF8.GetBytes(text));
            default:
                return AppendNested(writer, random, nullShare);
        }
    }

    private static object AppendNested(ColumnWriter writer, Random random, double nullShare)
    {
        if (writer is StructWriter structs)
        {
            var fields = structs.Children.Select(child => (child.Field.Name, Append(child, random, nullShare))).ToArray();
            structs.EndStruct();
            return fields;
        }
        var lists = (ListWriter)writer;
        var count = random.Next(4);
        if (lists.Field.Type.Kind == ColumnKind.Map)
        {
            var entries = Enumerable.Range(0, count)
                .Select(_ => ((string)Append(lists.Children[0], random, 0)!, Append(lists.Children[1], random, nullShare))).ToArray();
            lists.EndList();
            return entries;
        }
        var elements = Enumerable.Range(0, count).Select(_ => Append(lists.First, random, nullShare)).ToArray();
        lists.EndList();
        return elements;
    }

    private static object Appended<T>(T value, Action<T> append)
        where T : unmanaged
    {
        append(value);
        return value;
    }
}
