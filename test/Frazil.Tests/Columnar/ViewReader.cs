using System.Runtime.InteropServices;
using System.Text;
using Frazil.Columnar;
using Xunit;

namespace Frazil.Tests.Columnar;

/// <summary>Values of views as plain objects: the layout read once more, independently of what wrote it.</summary>
internal static unsafe class ViewReader
{
    /// <summary>Null; bool, int, long, float, double, Int128; string; byte[] as hex with 0x; a struct as name → value; a list as array; a
    /// map as pairs.</summary>
    public static object? Read(ColumnView view, long row)
    {
        Assert.InRange(row, 0, view.Length - 1);
        if (view.IsNull(row))
        {
            return null;
        }
        return view.Type.Kind switch
        {
            ColumnKind.Boolean => (view.Values[row >> 3] & (1 << (int)(row & 7))) != 0,
            ColumnKind.Int32 or ColumnKind.Date32 => ((int*)view.Values)[row],
            ColumnKind.Int64 or ColumnKind.Time64 or ColumnKind.Timestamp or ColumnKind.TimestampTz => ((long*)view.Values)[row],
            ColumnKind.Float32 => ((float*)view.Values)[row],
            ColumnKind.Float64 => ((double*)view.Values)[row],
            ColumnKind.Decimal128 => MemoryMarshal.Read<Int128>(new ReadOnlySpan<byte>(view.Values + (row * 16), 16)),
            ColumnKind.Utf8 => new UTF8Encoding(false, true).GetString(Bytes(view, row)),
            ColumnKind.Binary => Hex(Bytes(view, row)),
            ColumnKind.FixedBinary or ColumnKind.Uuid => Hex(new(view.Values + (row * view.Type.ValueSize), view.Type.ValueSize)),
            ColumnKind.Struct => view.Type.Fields.Select((field, index) => (field.Name, Read(view.Children[index], row))).ToArray(),
            ColumnKind.List => Elements(view, row).Select(element => Read(view.Children[0], element)).ToArray(),
            ColumnKind.Map => Elements(view, row)
                .Select(element => ((string)Read(view.Children[0], element)!, Read(view.Children[1], element))).ToArray(),
            _ => throw new NotSupportedException(),
        };
    }

    /// <summary>The same as one text, for comparisons: doubles by their bits.</summary>
    public static string Show(object? value) => value switch
    {
        null => "null",
        double number => $"d{BitConverter.DoubleToInt64Bits(number):x16}",
        float number => $"f{BitConverter.SingleToInt32Bits(number):x8}",
        string text => text.StartsWith("0x", StringComparison.Ordinal) ? text : $"\"{text}\"",
        (string Name, object? Value)[] fields => $"{{{string.Join(", ", fields.Select(field => $"{field.Name}: {Show(field.Value)}"))}}}",
        object?[] elements => $"[{string.Join(", ", elements.Select(Show))}]",
        _ => value.ToString()!,
    };

    public static string ShowRow(IReadOnlyList<ColumnView> views, long row)
        => string.Join(" | ", views.Select(view => Show(Read(view, row))));

    public static string Hex(ReadOnlySpan<byte> bytes) => "0x" + Convert.ToHexStringLower(bytes);

    private static ReadOnlySpan<byte> Bytes(ColumnView view, long row)
        => new(view.Values + view.Offsets[row], view.Offsets[row + 1] - view.Offsets[row]);

    private static IEnumerable<long> Elements(ColumnView view, long row)
    {
        var elements = new List<long>();
        for (var element = view.Offsets[row]; element < view.Offsets[row + 1]; element++)
        {
            elements.Add(element);
        }
        return elements;
    }
}
