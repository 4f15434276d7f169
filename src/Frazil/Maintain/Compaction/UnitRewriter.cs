using System.Collections.Immutable;
using System.Globalization;
using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Faults;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Frazil.Iceberg.Metrics;
using Frazil.Parquet;

namespace Frazil.Maintain.Compaction;

/// <summary>A unit and the files that hold its rows now: durable, in no table yet.</summary>
internal sealed record RewrittenUnit(CompactionUnit Unit, ImmutableArray<DataFile> Files)
{
    public long RowsDeleted => Unit.Rows - Files.Sum(static file => file.RecordCount);
}

/// <summary>
/// Writes the rows of units anew, as they stand less what was deleted: under the table's schema of one version, in the same spec, partition
/// and order. One thread reads and another writes; between them a few pieces of rows. Dispose gives the writer's memory back.
/// </summary>
/// <param name="table">The version that is compacted.</param>
/// <param name="id">What new names begin with; no other file's may.</param>
/// <param name="targetBytes">Files of about so many bytes are made of larger units.</param>
internal sealed class UnitRewriter(LoadedTable table, string id, long targetBytes) : IDisposable
{

    /// <summary>A unit that is larger by less than this share stays one file.</summary>
    private const double MostOver = 1.5;

    private readonly ParquetBuffers buffers = new();
    private readonly ColumnFields schema = SqlNames.Apply(ColumnSchemas.FromIceberg(table.Metadata.CurrentSchema.Fields));
    private readonly MetricsConfig metrics = new(table.Metadata);
    private readonly DataFileOptions options = DataFileFormat.OptionsOf(table.Metadata);
    private int nextNumber;

    private TableMetadata Metadata => table.Metadata;

    public void Dispose() => buffers.Dispose();

    /// <summary>Rewrites one unit. Where it fails, nothing is left.</summary>
    /// <param name="unit">Of the version.</param>
    /// <param name="onFile">Called when a file was read whole.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="UnfitFileException">One of its files cannot be rewritten.</exception>
    /// <exception cref="IOException">The store failed.</exception>
    public async Task<RewrittenUnit> RewriteAsync(CompactionUnit unit, Action onFile, CancellationToken cancellationToken)
    {
        var written = new List<DataFile>();
        try
        {
            var deletes = unit.Files.Any(static file => file.Deletes.Count > 0)
                ? await RowDeletes.LoadAsync(table.FileIO, unit.Files, cancellationToken) : RowDeletes.None;
            await PumpAsync(unit, new(table.FileIO, Metadata, deletes), written, onFile, cancellationToken);
            return new(unit, [.. written]);
        }
        catch (Exception error)
        {
            foreach (var file in written)
            {
                await DropAsync(file); // certainly in no table: nobody was told of it
            }
            if (error is ParquetRowsException)
            {
                throw new UnfitFileException(
                    [.. unit.Files.Select(static file => file.File.Path)],
                    $"or one that it would be packed with does not fit the table: {error.Message}", error);
            }
            throw;
        }
    }

    private async Task PumpAsync(
        CompactionUnit unit, RowStream stream, List<DataFile> written, Action onFile, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var pieces = new PieceQueue();
        var reading = Task.Run(() => ReadAsync(unit, stream, pieces, onFile, stop.Token), CancellationToken.None);
        try
        {
            await Task.Run(() => WriteAsync(unit, pieces, written, stop.Token), CancellationToken.None);
        }
        finally
        {
            await stop.CancelAsync();
            await reading; // never fails: what it meets, the writer is told
        }
        var rows = written.Sum(static file => file.RecordCount);
        if (stream.RowsRead != unit.Rows || rows != stream.RowsStaying)
        {
            throw new InvalidOperationException(
                $"{rows} rows were written of {stream.RowsStaying} that stay of {stream.RowsRead}; manifests count {unit.Rows}");
        }
    }

    private static async Task ReadAsync(
        CompactionUnit unit, RowStream stream, PieceQueue pieces, Action onFile, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var file in unit.Files)
            {
                await foreach (var piece in stream.ReadAsync(file, cancellationToken))
                {
                    await pieces.PutAsync(piece, cancellationToken);
                }
                onFile();
            }
            pieces.Complete(null);
        }
        catch (Exception error)
        {
            pieces.Complete(error);
        }
    }

    private async Task WriteAsync(CompactionUnit unit, PieceQueue pieces, List<DataFile> written, CancellationToken cancellationToken)
    {
        var rowsPerFile = RowsPerFile(unit);
        CompactedFile? file = null;
        try
        {
            await foreach (var piece in pieces.TakeAllAsync(cancellationToken))
            {
                if (file is null || file.Rows >= rowsPerFile)
                {
                    var full = file;
                    file = null;
                    await CompleteAsync(unit, full, written, cancellationToken);
                    file = await CompactedFile.BeginAsync(table.FileIO, NewLocation(unit), schema, buffers, options, cancellationToken);
                }
                file.Take(piece, cancellationToken);
                pieces.Release(piece);
            }
            var last = file;
            file = null;
            await CompleteAsync(unit, last, written, cancellationToken);
        }
        finally
        {
            if (file is not null)
            {
                await file.DisposeAsync();
            }
        }
    }

    private async Task CompleteAsync(CompactionUnit unit, CompactedFile? file, List<DataFile> written, CancellationToken cancellationToken)
    {
        if (file is null)
        {
            return;
        }
        await using (file)
        {
            var summary = await file.CompleteAsync(cancellationToken);
            var first = unit.Files[0].File;
            var made = DataFileMetrics.ToDataFile(summary, file.Location, first.SpecId, first.Partition, Metadata.CurrentSchema, metrics);
            written.Add(made with { SortOrderId = unit.Files.Length == 1 ? first.SortOrderId : null });
        }
        FaultPoint.ReachFile("compact.file-written", table.FileIO, file.Location);
    }

    private async Task DropAsync(DataFile file)
    {
        try
        {
            await table.FileIO.DeleteAsync(file.Path, CancellationToken.None);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The store fails either way; a file that nothing names is left for the sweep.
        }
    }

    private long RowsPerFile(CompactionUnit unit)
    {
        var files = unit.Bytes > targetBytes * MostOver ? (unit.Bytes + targetBytes - 1) / targetBytes : 1;
        return Math.Max(1, (unit.Rows + files - 1) / files);
    }

    /// <summary>Where ingest puts such files.</summary>
    private string NewLocation(CompactionUnit unit)
    {
        var folders = new List<string>();
        if (Metadata.SpecById(unit.Group.SpecId) is { Fields.Count: > 0 } spec)
        {
            folders.Add(FolderNames.Bounded(PartitionPath.Of(spec, Metadata.CurrentSchema, unit.Group.Partition)));
        }
        if (unit.Group.Place is { } place)
        {
            folders.Add(string.Create(CultureInfo.InvariantCulture, $"{KafkaColumns.Partition}={place.Partition}"));
        }
        return DataFileLocations.Of(
            Metadata, string.Join('/', folders), string.Create(CultureInfo.InvariantCulture, $"{id}-{nextNumber++}.parquet"));
    }
}
