using Frazil.Columnar;
using Frazil.Iceberg;

namespace Frazil.Flush;

/// <summary>How a table's properties want its data files. Values that another engine set and that cannot be written count as not set; our
/// own users are told at the start (<see cref="Config.TablePropertyValidator"/>).</summary>
internal static class DataFileFormat
{
    /// <summary>Values of <c>write.parquet.compression-codec</c> that are written.</summary>
    public static IReadOnlyDictionary<string, DataFileCodec> Codecs { get; } = new Dictionary<string, DataFileCodec>
    {
        ["zstd"] = DataFileCodec.Zstd,
        ["snappy"] = DataFileCodec.Snappy,
        ["gzip"] = DataFileCodec.Gzip,
        ["lz4"] = DataFileCodec.Lz4,
        ["uncompressed"] = DataFileCodec.Uncompressed,
    };

    public const int LeastZstdLevel = 1;
    public const int MostZstdLevel = 22;

    /// <summary>Rows in memory take about so many times the bytes of their file.</summary>
    private const int MemoryToFile = 2;

    /// <summary>What a string or list counts beside its content, so that many small ones are not taken for nothing.</summary>
    private const int ReferenceBytes = 16;

    public static DataFileOptions OptionsOf(TableMetadata table)
    {
        var properties = table.TableProperties;
        var options = new DataFileOptions { Codec = Codecs.GetValueOrDefault(properties.ParquetCodec, DataFileCodec.Zstd) };
        return properties.ParquetLevel is { } level ? options with { ZstdLevel = Math.Clamp(level, LeastZstdLevel, MostZstdLevel) } : options;
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

/// <summary>How the pages of a data file are compressed.</summary>
public enum DataFileCodec
{
    Zstd,
    Snappy,
    Gzip,
    /// <summary>LZ4 blocks without a frame (LZ4_RAW).</summary>
    Lz4,
    Uncompressed,
}
