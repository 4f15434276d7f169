using System.Buffers.Binary;
using System.Text;
using Frazil.Columnar;
using Frazil.Iceberg;

namespace Frazil.Flush;

/// <summary>Gives each distinct value of one partition field a small number, so that grouping rows compares ints.</summary>
/// <param name="field">The partition field.</param>
/// <param name="source">Type of the source column.</param>
/// <param name="path">Field ids from the top-level column down to the source.</param>
internal sealed class PartitionCoder(PartitionField field, PrimitiveType source, int[] path)
{
    private const long MicrosecondsPerDay = 86_400_000_000;

    private readonly Dictionary<IcebergValue, int> codes = [];
    private readonly List<IcebergValue> values = [];
    private readonly Dictionary<long, int> codeOfRaw = [];

    /// <summary>The partition value that a code stands for.</summary>
    public IcebergValue ValueOf(int code) => values[code];

    /// <summary>One code a row of the slice.</summary>
    public int[] CodeRows(BatchSlice slice)
    {
        var rows = new int[slice.Count];
        var (column, ancestors) = Find(slice);
        if (column is null || field.Transform.Kind == TransformKind.Void)
        {
            Array.Fill(rows, CodeOf(IcebergValue.Null));
            return rows;
        }
        if (column.Type.ValueSize == 8 && column.Type.Kind != ColumnKind.Float64)
        {
            CodeLongs(column, slice, rows);
        }
        else
        {
            CodeOthers(column, slice, rows);
        }
        CodeNulls(column, ancestors, slice, rows);
        return rows;
    }

    private (ColumnView? Column, List<ColumnView> Ancestors) Find(BatchSlice slice)
    {
        var fields = slice.Schema;
        var columns = slice.Columns;
        var ancestors = new List<ColumnView>();
        ColumnView? column = null;
        foreach (var id in path)
        {
            var position = fields.IndexOfId(id);
            if (position < 0)
            {
                return (null, ancestors);
            }
            if (column is not null)
            {
                ancestors.Add(column);
            }
            column = columns[position];
            fields = column.Type.Fields;
            columns = column.Children;
        }
        return (column, ancestors);
    }

    private unsafe void CodeLongs(ColumnView column, BatchSlice slice, int[] rows)
    {
        var raw = new ReadOnlySpan<long>((long*)column.Values + slice.Start, rows.Length);
        if (field.Transform.Kind is TransformKind.Identity or TransformKind.Truncate)
        {
            CodeRaw(raw, rows);
            return;
        }
        // Year, month, day, hour and bucket: transform the whole span, then number the few results.
        TransformFunctions.Apply(field.Transform, source, raw, rows);
        var (last, lastCode) = (0, -1);
        for (var i = 0; i < rows.Length; i++)
        {
            if (lastCode < 0 || rows[i] != last)
            {
                last = rows[i];
                if (!codeOfRaw.TryGetValue(last, out lastCode))
                {
                    lastCode = codeOfRaw[last] = CodeOf(last);
                }
            }
            rows[i] = lastCode;
        }
    }

    private void CodeRaw(ReadOnlySpan<long> raw, int[] rows)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            if (!codeOfRaw.TryGetValue(raw[i], out var code))
            {
                code = codeOfRaw[raw[i]] = CodeOf(field.Transform.Apply(source, IcebergValue.From(raw[i])));
            }
            rows[i] = code;
        }
    }

    private void CodeOthers(ColumnView column, BatchSlice slice, int[] rows)
    {
        // Neighbouring rows often share the value: the previous row's bytes are compared before anything is allocated.
        var previous = ReadOnlySpan<byte>.Empty;
        var previousCode = -1;
        for (var i = 0; i < rows.Length; i++)
        {
            var row = slice.Start + i;
            if (column.IsNull(row))
            {
                continue;
            }
            var bytes = Bytes(column, row);
            if (previousCode < 0 || !bytes.SequenceEqual(previous))
            {
                previousCode = CodeOf(field.Transform.Apply(source, Read(bytes, column.Type.Kind)));
                previous = bytes;
            }
            rows[i] = previousCode;
        }
    }

    private static unsafe ReadOnlySpan<byte> Bytes(ColumnView column, long row) => column.Type.Kind switch
    {
        ColumnKind.Utf8 or ColumnKind.Binary => new(column.Values + column.Offsets[row], column.Offsets[row + 1] - column.Offsets[row]),
        ColumnKind.Boolean => (column.Values[row >> 3] & (1 << (int)(row & 7))) != 0 ? [1] : [0],
        _ => new(column.Values + (row * column.Type.ValueSize), column.Type.ValueSize),
    };

    /// <param name="kind">What the row was read as: the column may have been promoted to the field's source type since.</param>
    private IcebergValue Read(ReadOnlySpan<byte> bytes, ColumnKind kind) => source.Id switch
    {
        TypeId.Boolean => IcebergValue.From(bytes[0] != 0),
        TypeId.Int or TypeId.Date => IcebergValue.From(BinaryPrimitives.ReadInt32LittleEndian(bytes)),
        TypeId.Long => IcebergValue.From((long)BinaryPrimitives.ReadInt32LittleEndian(bytes)), // written before int became long
        TypeId.Float => IcebergValue.From(BinaryPrimitives.ReadSingleLittleEndian(bytes)),
        TypeId.Double when kind == ColumnKind.Float32 => IcebergValue.From((double)BinaryPrimitives.ReadSingleLittleEndian(bytes)),
        TypeId.Double => IcebergValue.From(BinaryPrimitives.ReadDoubleLittleEndian(bytes)),
        TypeId.Timestamp when kind == ColumnKind.Date32 => IcebergValue.From(BinaryPrimitives.ReadInt32LittleEndian(bytes) * MicrosecondsPerDay),
        TypeId.Decimal => IcebergValue.FromDecimal(BinaryPrimitives.ReadInt128LittleEndian(bytes), source.Scale),
        TypeId.String => IcebergValue.From(Encoding.UTF8.GetString(bytes)),
        TypeId.Uuid => IcebergValue.FromUuid(bytes),
        TypeId.Binary or TypeId.Fixed => IcebergValue.From(bytes.ToArray()),
        _ => throw new ValidationException($"cannot partition by {field.Name}: {source} columns are not supported as a partition source"),
    };

    private void CodeNulls(ColumnView column, List<ColumnView> ancestors, BatchSlice slice, int[] rows)
    {
        ancestors.Add(column);
        foreach (var nullable in ancestors)
        {
            unsafe
            {
                if (nullable.Validity == null)
                {
                    continue;
                }
            }
            var code = CodeOf(IcebergValue.Null);
            for (var i = 0; i < rows.Length; i++)
            {
                if (nullable.IsNull(slice.Start + i))
                {
                    rows[i] = code;
                }
            }
        }
    }

    private int CodeOf(IcebergValue value)
    {
        if (!codes.TryGetValue(value, out var code))
        {
            code = values.Count;
            codes.Add(value, code);
            values.Add(value);
        }
        return code;
    }
}
