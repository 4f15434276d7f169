using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Frazil.Columnar;
using Frazil.Parquet;
using Frazil.Tests.DuckDb;

namespace Frazil.Tests.Parquet;

/// <summary>What a reader found, in the canonical text of <see cref="RandomColumns.Expected"/>.</summary>
internal static unsafe class ReadValues
{
    /// <summary>Every row of a file, each a text a column.</summary>
    public static List<string[]> All(byte[] file, ParquetReadOptions? options = null)
    {
        var rows = new List<string[]>();
        var reader = Wait(ParquetFileReader.OpenAsync(new ParquetMemorySource(file), options));
        for (var group = 0; group < reader.RowGroups.Count; group++)
        {
            using var read = Wait(reader.ReadAsync(group));
            rows.AddRange(Rows(read));
        }
        return rows;
    }

    public static IEnumerable<string[]> Rows(ParquetRows rows)
        => Enumerable.Range(0, rows.Count).Select(row => rows.Columns.Select(view => Text(view, row)).ToArray());

    /// <summary>Memory and files are never waited for.</summary>
#pragma warning disable VSTHRD002 // what is asked for first has ended
    public static T Wait<T>(ValueTask<T> task) => task.IsCompleted ? task.GetAwaiter().GetResult() : throw new InvalidOperationException("It should be done.");
#pragma warning restore VSTHRD002

    public static string Text(ColumnView view, int row) => view.IsNull(row) ? "null" : view.Type.Kind switch
    {
        ColumnKind.Boolean => (view.Values[row >> 3] & (1 << (row & 7))) != 0 ? "true" : "false",
        ColumnKind.Int32 => ((int*)view.Values)[row].ToString(CultureInfo.InvariantCulture),
        ColumnKind.Int64 => ((long*)view.Values)[row].ToString(CultureInfo.InvariantCulture),
        ColumnKind.Float32 => ((int*)view.Values)[row].ToString("x8", CultureInfo.InvariantCulture),
        ColumnKind.Float64 => ((long*)view.Values)[row].ToString("x16", CultureInfo.InvariantCulture),
        ColumnKind.Date32 => RandomColumns.Expected(view.Type, view.Type, ((int*)view.Values)[row]),
        ColumnKind.Time64 or ColumnKind.Timestamp or ColumnKind.TimestampTz => RandomColumns.Expected(view.Type, view.Type, ((long*)view.Values)[row]),
        ColumnKind.TimestampNs or ColumnKind.TimestampTzNs => NanosecondText(view, ((long*)view.Values)[row]),
        ColumnKind.Decimal128 => RandomColumns.Expected(
            view.Type, view.Type, (System.Numerics.BigInteger)MemoryMarshal.Read<Int128>(new ReadOnlySpan<byte>(view.Values + row * 16, 16))),
        ColumnKind.Utf8 => new UTF8Encoding(false, true).GetString(Bytes(view, row)),
        ColumnKind.Binary => Convert.ToHexString(Bytes(view, row)),
        ColumnKind.FixedBinary => Convert.ToHexString(new ReadOnlySpan<byte>(view.Values + row * view.Type.Width, view.Type.Width)),
        ColumnKind.Uuid => new Guid(new ReadOnlySpan<byte>(view.Values + row * 16, 16), bigEndian: true).ToString(),
        ColumnKind.Struct => $"{{{string.Join(",", view.Type.Fields.Select((field, index) => $"{field.Name}:{Text(view.Children[index], row)}"))}}}",
        ColumnKind.List => $"[{string.Join(",", Elements(view, row).Select(element => Text(view.Children[0], element)))}]",
        _ => $"<{string.Join(",", Elements(view, row).Select(element => $"{Text(view.Children[0], element)}:{Text(view.Children[1], element)}"))}>",
    };

    /// <summary>To the microsecond, as Python's times are, which foreign readers hand over; the rest of it behind, where there is one.</summary>
    private static string NanosecondText(ColumnView view, long nanos)
    {
        var (micros, rest) = (Math.DivRem(nanos, 1000).Quotient - (nanos % 1000 < 0 ? 1 : 0), ((nanos % 1000) + 1000) % 1000);
        var type = view.Type.Kind == ColumnKind.TimestampNs ? ColumnType.Timestamp : ColumnType.TimestampTz;
        return RandomColumns.Expected(type, type, micros) + (rest == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" {rest} ns"));
    }

    private static ReadOnlySpan<byte> Bytes(ColumnView view, int row) => new(view.Values + view.Offsets[row], view.Offsets[row + 1] - view.Offsets[row]);

    private static IEnumerable<int> Elements(ColumnView view, int row) => Enumerable.Range(view.Offsets[row], view.Offsets[row + 1] - view.Offsets[row]);
}
