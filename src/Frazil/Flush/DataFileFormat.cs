using Frazil.Columnar;
using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Parquet;

namespace Frazil.Flush;

/// <summary>How a table's properties want its data files. Values that another engine set and that cannot be written count as not set; our
/// own users are told at the start (<see cref="TablePropertyValidator"/>).</summary>
internal static class DataFileFormat
{
    /// <summary>Rows in memory take about so many times the bytes of their file.</summary>
    private const int MemoryToFile = 2;

    /// <summary>Larger row groups would need more memory than writing a file may take.</summary>
    private const long MostRowGroupBytes = 128L << 20;

    private const int MostRowGroupRows = 1 << 20;

    /// <summary>What a string or list counts beside its content, so that many small ones are not taken for nothing.</summary>
    private const int ReferenceBytes = 16;

    public static DataFileOptions OptionsOf(TableMetadata table)
    {
        var properties = table.TableProperties;
        var usual = new DataFileOptions();
        return new()
        {
            Codec = ParquetProperties.Codecs.GetValueOrDefault(properties.ParquetCodec, ParquetCodec.Zstd),
            ZstdLevel = properties.ParquetLevel is { } level ? Math.Clamp(level, ParquetProperties.LeastZstdLevel, ParquetProperties.MostZstdLevel) : usual.ZstdLevel,
            Encodings = ParquetProperties.Encodings.GetValueOrDefault(properties.Text(ParquetProperties.EncodingsProperty, "basic").ToLowerInvariant(), usual.Encodings),
            RowGroupRows = properties.ParquetRowGroupBytes is null ? usual.RowGroupRows : MostRowGroupRows,
            RowGroupBytes = properties.ParquetRowGroupBytes is { } bytes ? Math.Min(bytes, MostRowGroupBytes) * MemoryToFile : usual.RowGroupBytes,
            PageRows = properties.ParquetPageRows ?? usual.PageRows,
            PageBytes = properties.ParquetPageBytes ?? usual.PageBytes,
            DictionaryBytes = properties.ParquetDictionaryBytes ?? usual.DictionaryBytes,
            BloomFilters = BloomFiltersOf(table),
            BloomFilterBytes = properties.ParquetBloomFilterBytes,
        };
    }

    /// <summary>Bloom filters where the table wants them, and over what identifies its rows unless it does not. Names of columns that are not
    /// there count as not set: they may have been dropped, or come yet.</summary>
    private static Dictionary<int, double> BloomFiltersOf(TableMetadata table)
    {
        var (properties, schema) = (table.TableProperties, table.CurrentSchema);
        var named = properties.ParquetBloomFilterColumns.Select(schema.FindField).OfType<NestedField>().Select(static field => field.Id);
        return schema.IdentifierFieldIds.Concat(named).Distinct()
            .Select(id => (Id: id, Name: schema.FindName(id)!, IsKey: schema.IdentifierFieldIds.Contains(id)))
            .Where(column => schema.FindField(column.Id)!.Type.IsPrimitive && properties.ParquetBloomFilter(column.Name, column.IsKey))
            .ToDictionary(static column => column.Id, column => properties.ParquetBloomFilterShare(column.Name));
    }

    /// <summary>Cuts rows into pieces of which each becomes a file of about <c>write.target-file-size-bytes</c>. The same rows always make
    /// the same pieces.</summary>
    public static IEnumerable<IReadOnlyList<BatchSlice>> PiecesOf(IReadOnlyList<BatchSlice> rows, TableMetadata table)
    {
        var total = rows.Sum(static slice => slice.Count);
        var bytes = rows.Sum(static slice => BytesPerRow(slice.Columns) * slice.Count);
        var files = Math.Clamp(bytes / MemoryToFile / table.TableProperties.TargetFileBytes, 1, Math.Max(1, total));
        var piece = new List<BatchSlice>();
        var (perFile, room) = ((total + files - 1) / files, (total + files - 1) / files);
        foreach (var slice in rows)
        {
            for (var start = 0L; start < slice.Count;)
            {
                var taken = Math.Min(room, slice.Count - start);
                piece.Add(PartOf(slice, start, taken));
                (start, room) = (start + taken, room - taken);
                if (room == 0)
                {
                    yield return piece;
                    (piece, room) = ([], perFile);
                }
            }
        }
        if (piece.Count > 0)
        {
            yield return piece;
        }
    }

    /// <summary>About so many bytes a row takes in memory.</summary>
    internal static unsafe long BytesPerRow(IReadOnlyList<ColumnView> columns)
    {
        var bytes = 0L;
        foreach (var view in columns.Where(view => view.Length > 0))
        {
            // Bytes of a string, or children of a list; a struct has one of each child.
            var spread = view.Offsets == null ? 1 : (double)view.Offsets[view.Length] / view.Length;
            var inner = view.Type.Fields.Count > 0 ? BytesPerRow(view.Children) : view.Offsets == null ? view.Type.ValueSize : 1;
            bytes += (long)(spread * inner) + (view.Offsets == null ? 0 : ReferenceBytes);
        }
        return bytes;
    }

    private static BatchSlice PartOf(BatchSlice slice, long start, long count)
        => count == slice.Count ? slice : slice.Selection is { } selection
            ? new() { Schema = slice.Schema, Columns = slice.Columns, Count = count, Selection = selection[(int)start..(int)(start + count)] }
            : new() { Schema = slice.Schema, Columns = slice.Columns, Start = slice.Start + start, Count = count };
}
