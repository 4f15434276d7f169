using System.IO.Compression;
using Apache.Arrow.C;
using Frazil.Columnar;
using Frazil.Columnar.Arrow;
using Parquet;
using Parquet.Schema;
using ParquetSharp;
using ArrowArray = Frazil.Columnar.Arrow.ArrowArray;
using Encoding = System.Text.Encoding;
using RecordBatch = Apache.Arrow.RecordBatch;

namespace Frazil.Bench;

/// <summary>The same columns through the Parquet libraries of .NET, as their users would write them: zstd at its fastest, row groups of the
/// same size, a durable file.</summary>
internal static class ParquetPeers
{
    private const int RowGroupRows = 122_880;

    /// <summary>Our columns as Arrow's own, copied once and outside of what is measured.</summary>
    public static unsafe RecordBatch ToArrow(ParquetSet set)
    {
        var cSchema = CArrowSchema.Create();
        var cArray = CArrowArray.Create();
        ArrowExport.ExportSchema(set.Schema, (ArrowSchema*)cSchema);
        ArrowExport.ExportChunk(set.Chunk, (ArrowArray*)cArray);
        var schema = CArrowSchemaImporter.ImportSchema(cSchema);
        using var batch = CArrowArrayImporter.ImportRecordBatch(cArray, schema);
        return batch.Clone();
    }

    /// <summary>Arrow's C++ writer.</summary>
    public static void WriteParquetSharp(RecordBatch batch, string path)
    {
        using var builder = new WriterPropertiesBuilder();
        using var properties = builder.Compression(Compression.Zstd).CompressionLevel(1).EnableWritePageIndex().Build();
        using (var writer = new ParquetSharp.Arrow.FileWriter(path, batch.Schema, properties))
        {
            writer.WriteRecordBatch(batch, RowGroupRows);
            writer.Close();
        }
        Sync(path);
    }

    /// <summary>Flat columns, structs and lists of text only: what the library's column interface takes without more conversion than text
    /// to strings. Times and decimals go as plain integers, which is kind to it.</summary>
    public static async Task WriteParquetNetAsync(ParquetSet set, string path)
    {
        var fields = set.Schema.Select(ToField).ToArray();
        var schema = new ParquetSchema(fields);
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.Zstd, CompressionLevel = CompressionLevel.Fastest };
        var views = set.Chunk.TakeViews(out var rows);
        await using (var file = File.Create(path))
        {
            await using var writer = await ParquetWriter.CreateAsync(schema, file, options);
            for (var first = 0; first < rows; first += RowGroupRows)
            {
                using var group = writer.CreateRowGroup();
                var end = Math.Min(rows, first + RowGroupRows);
                for (var column = 0; column < fields.Length; column++)
                {
                    await WriteAsync(group, fields[column], views[column], first, end);
                }
            }
        }
        Sync(path);
    }

    public static bool CanWriteParquetNet(ParquetSet set) => set.Name != "nested";

    private static Field ToField(ColumnField field) => field.Type.Kind switch
    {
        ColumnKind.Struct => new StructField(field.Name, [.. field.Type.Fields.Select(ToField)]),
        ColumnKind.List => new ListField(field.Name, new DataField<string>("element")),
        ColumnKind.Utf8 => new DataField<string>(field.Name),
        ColumnKind.Int32 => new DataField<int?>(field.Name),
        ColumnKind.Float64 => new DataField<double?>(field.Name),
        ColumnKind.Boolean => new DataField<bool?>(field.Name),
        _ => new DataField<long?>(field.Name),
    };

    private static async Task WriteAsync(ParquetRowGroupWriter group, Field field, ColumnView view, int first, int end)
    {
        switch (field)
        {
            case StructField parent:
                for (var child = 0; child < parent.Fields.Count; child++)
                {
                    await WriteAsync(group, parent.Fields[child], view.Children[child], first, end);
                }
                break;
            case ListField list:
                var (values, levels) = Elements(view, first, end);
                await group.WriteAsync((DataField)list.Item, values, levels);
                break;
            case DataField leaf when view.Type.Kind == ColumnKind.Utf8:
                await group.WriteAsync(leaf, Strings(view, first, end), null);
                break;
            case DataField leaf when view.Type.Kind == ColumnKind.Int32:
                await group.WriteAsync<int>(leaf, Numbers<int>(view, first, end));
                break;
            case DataField leaf when view.Type.Kind == ColumnKind.Float64:
                await group.WriteAsync<double>(leaf, Numbers<double>(view, first, end));
                break;
            case DataField leaf when view.Type.Kind == ColumnKind.Boolean:
                await group.WriteAsync<bool>(leaf, Flags(view, first, end));
                break;
            case DataField leaf:
                await group.WriteAsync<long>(leaf, Numbers<long>(view, first, end));
                break;
        }
    }

    private static unsafe ReadOnlyMemory<T?> Numbers<T>(ColumnView view, int first, int end)
        where T : unmanaged
    {
        var values = new T?[end - first];
        for (var row = first; row < end; row++)
        {
            values[row - first] = view.IsNull(row) ? null : *(T*)(view.Values + (long)row * view.Type.ValueSize);
        }
        return values;
    }

    private static unsafe ReadOnlyMemory<bool?> Flags(ColumnView view, int first, int end)
    {
        var values = new bool?[end - first];
        for (var row = first; row < end; row++)
        {
            values[row - first] = view.IsNull(row) ? null : (view.Values[row >> 3] & (1 << (row & 7))) != 0;
        }
        return values;
    }

    private static unsafe string[] Strings(ColumnView view, int first, int end)
    {
        var values = new string[end - first];
        for (var row = first; row < end; row++)
        {
            values[row - first] = view.IsNull(row) ? null! : Encoding.UTF8.GetString(
                view.Values + view.Offsets[row], view.Offsets[row + 1] - view.Offsets[row]);
        }
        return values;
    }

    /// <summary>An empty list becomes one of a null: this interface cannot say it.</summary>
    private static unsafe (List<string> Values, ReadOnlyMemory<int> Levels) Elements(ColumnView view, int first, int end)
    {
        var elements = Strings(view.Children[0], view.Offsets[first], view.Offsets[end]);
        var (values, levels) = (new List<string>(elements.Length), new List<int>(elements.Length));
        for (var row = first; row < end; row++)
        {
            for (var element = view.Offsets[row]; element < view.Offsets[row + 1]; element++)
            {
                values.Add(elements[element - view.Offsets[first]]);
                levels.Add(element == view.Offsets[row] ? 0 : 1);
            }
            if (view.Offsets[row] == view.Offsets[row + 1])
            {
                values.Add(null!);
                levels.Add(0);
            }
        }
        return (values, levels.ToArray());
    }

    private static void Sync(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Flush(flushToDisk: true);
    }
}
