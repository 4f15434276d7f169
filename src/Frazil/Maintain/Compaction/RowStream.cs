using System.Runtime.CompilerServices;
using Frazil.Columnar;
using Frazil.Flush;
using Frazil.Iceberg;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Parquet;

namespace Frazil.Maintain.Compaction;

/// <summary>Some rows of a data file that stay. Dispose frees them.</summary>
internal sealed record RowPiece(ParquetRows Rows, BatchSlice Slice, IReadOnlyDictionary<string, string> FileMetadata) : IDisposable
{
    /// <summary>About so many bytes the rows take in memory.</summary>
    public long Bytes { get; } = Math.Max(1, DataFileFormat.BytesPerRow(Rows.Columns)) * Rows.Count;

    public void Dispose() => Rows.Dispose();
}

/// <summary>Reads the rows of data files, one file after the other, in pieces of bounded memory, without those that were deleted.</summary>
/// <param name="store">Where the files are.</param>
/// <param name="metadata">The version of the table whose columns are read.</param>
/// <param name="deletes">What was deleted of the files.</param>
internal sealed class RowStream(IFileIO store, TableMetadata metadata, RowDeletes deletes)
{
    private const long PieceBytes = 64L << 20; // what a row group of ours takes: in one piece no page is decoded twice

    /// <summary>Bytes that one read may take, whatever a file claims.</summary>
    private const long MostReadBytes = 512L << 20;

    /// <summary>How many times its bytes a file takes in memory, until it is known of the file.</summary>
    private const long Expansion = 8;

    private static readonly ParquetReadOptions Options = new() { MaxBytes = MostReadBytes };

    /// <summary>Rows read of all files, deleted ones included.</summary>
    public long RowsRead { get; private set; }

    /// <summary>Those of them that were not deleted.</summary>
    public long RowsStaying { get; private set; }

    /// <summary>The rows of one file, in its order. Whoever takes a piece disposes it.</summary>
    /// <exception cref="UnfitFileException">Its rows cannot be read as the table's.</exception>
    public async IAsyncEnumerable<RowPiece> ReadAsync(ScanFile file, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var source = await GuardAsync(file.File, () => StoredParquet.OpenAsync(store, file.File.Path, cancellationToken));
        var reader = await GuardAsync(file.File, () => ParquetFileReader.OpenAsync(source, Options, cancellationToken).AsTask());
        CheckColumns(file.File, reader);
        var wanted = metadata.CurrentSchema.Fields.Select(static field => field.Id).Concat(deletes.FieldsOf(file)).ToHashSet();
        var pieceRows = RowsIn(PieceBytes, file.File.FileSizeBytes * Expansion / Math.Max(1, reader.RecordCount));
        for (var group = 0; group < reader.RowGroups.Count; group++)
        {
            for (var first = 0; first < reader.RowGroups[group].Rows;)
            {
                var (at, count) = (first, Math.Min(pieceRows, reader.RowGroups[group].Rows - first));
                var number = group;
                var rows = await GuardAsync(file.File, () => reader.ReadAsync(number, at, count, wanted, cancellationToken).AsTask());
                pieceRows = RowsIn(PieceBytes, DataFileFormat.BytesPerRow(rows.Columns));
                first += count;
                RowsRead += count;
                if (ToPiece(file.File, rows, reader.Metadata) is { } piece)
                {
                    yield return piece;
                }
            }
        }
        if (reader.RecordCount != file.File.RecordCount)
        {
            throw new UnfitFileException(file.File.Path, $"has {reader.RecordCount} rows, but was committed with {file.File.RecordCount}");
        }
    }

    private RowPiece? ToPiece(DataFile file, ParquetRows rows, IReadOnlyDictionary<string, string> fileMetadata)
    {
        try
        {
            var staying = deletes.StayingOf(file, rows);
            RowsStaying += staying?.Length ?? rows.Count;
            if (staying is not { Length: 0 })
            {
                var slice = staying is null
                    ? rows.ToSlice()
                    : new BatchSlice { Schema = rows.Schema, Columns = rows.Columns, Count = staying.Length, Selection = staying };
                return new(rows, slice, fileMetadata);
            }
        }
        catch (NotSupportedException error)
        {
            rows.Dispose();
            throw new UnfitFileException(file.Path, $"cannot be read: {error.Message}", error);
        }
        rows.Dispose();
        return null;
    }

    /// <summary>What a reader would have to take from elsewhere than the file is never taken for null.</summary>
    private void CheckColumns(DataFile file, ParquetFileReader reader)
    {
        if (!reader.HasFieldIds)
        {
            throw new UnfitFileException(file.Path, "has no field ids: another engine took it into the table as it was (add_files)");
        }
        var schema = metadata.CurrentSchema;
        var absent = metadata.SpecById(file.SpecId)?.Fields.FirstOrDefault(
            field => field.Transform.Kind == TransformKind.Identity && schema.FindField(field.SourceId) is not null
                && !Holds(reader.Schema, field.SourceId));
        if (absent is not null)
        {
            throw new UnfitFileException(file.Path, $"lacks the column of its partition field '{absent.Name}', whose value only its manifest has");
        }
        var defaulted = schema.FieldIds.FirstOrDefault(id => schema.FindField(id)!.InitialDefault is not null && !Holds(reader.Schema, id));
        if (defaulted > 0)
        {
            throw new UnfitFileException(file.Path, $"lacks the column '{schema.FindName(defaulted)}', which has a default");
        }
    }

    private static bool Holds(ColumnFields fields, int id) => fields.Any(field => field.FieldId == id || Holds(field.Type.Fields, id));

    private static int RowsIn(long bytes, long bytesPerRow) => (int)Math.Clamp(bytes / Math.Max(1, bytesPerRow), 1, int.MaxValue);

    private static async Task<T> GuardAsync<T>(DataFile file, Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (FileNotFoundException error)
        {
            throw new UnfitFileException(file.Path, "is not there", error);
        }
        catch (Exception error) when (error is InvalidDataException or NotSupportedException or EndOfStreamException)
        {
            throw new UnfitFileException(file.Path, $"cannot be read: {error.Message}", error);
        }
    }
}
