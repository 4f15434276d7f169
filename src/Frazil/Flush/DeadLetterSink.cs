using System.Collections.Immutable;
using Frazil.Columnar;
using Frazil.Commit;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;

namespace Frazil.Flush;

/// <summary>
/// Commits a flush's dead letters to the table's dead-letter table, before the table's own progress moves past them (invariant 5). The
/// dead-letter table records progress of its own, so that letters committed just before a crash are not committed again after it.
/// </summary>
internal sealed class DeadLetterSink(
    ICatalog catalog, TableState state, TableCommitter committer, DataFileWriter writer, IFileIO files)
{
    /// <summary>The dead-letter table, as far as it exists.</summary>
    public TableState State => state;

    /// <summary>Returns how many letters of the flush are in the dead-letter table now because of this call.</summary>
    public async Task<long> CommitAsync(SealedFlush flush, CancellationToken cancellationToken)
    {
        var batches = flush.Batches.Where(static batch => batch.DeadLetterCount > 0 && !batch.IsDropped).ToList();
        for (var attempt = 0; batches.Count > 0; attempt++)
        {
            var version = await OpenAsync(cancellationToken);
            var fresh = batches.Select(batch => Letters.After(batch, version.Progress.NextOffset(batch.Partition)))
                .Where(static letters => letters.Count > 0).ToList();
            if (fresh.Count == 0)
            {
                return 0;
            }
            var unit = await WriteAsync(flush, fresh, version, cancellationToken);
            var outcome = await committer.CommitAsync(new($"{flush.Id}-dlq{attempt}", [unit]), cancellationToken);
            if (outcome.Fenced.IsEmpty)
            {
                return fresh.Sum(static letters => letters.Count);
            }
            // Another writer recorded letters of the same partitions meanwhile: see which of ours it covered.
            if (outcome.FencedFilesAreOurs)
            {
                await files.DeleteAsync(unit.Files[0].Path, cancellationToken);
            }
        }
        return 0;
    }

    private async Task<TableVersion> OpenAsync(CancellationToken cancellationToken)
    {
        if (await state.RefreshAsync(cancellationToken) is { } version)
        {
            return version;
        }
        try
        {
            return state.Set(
                await catalog.CreateTableAsync(state.Identifier, DeadLetterColumns.Schema, cancellationToken: cancellationToken));
        }
        catch (TableAlreadyExistsException)
        {
            return (await state.RefreshAsync(cancellationToken))!;
        }
    }

    private async Task<CommitUnit> WriteAsync(
        SealedFlush flush, List<Letters> letters, TableVersion version, CancellationToken cancellationToken)
    {
        var location = $"{version.Metadata.DataLocation}/{flush.Id}-{flush.NextFileNumber()}.parquet";
        var file = await writer.WriteAsync(
            new()
            {
                Path = files.LocalPathFor(location)
                    ?? throw new PipelineFailedException($"{location} is not on a local disk, and no other warehouse is supported yet"),
                Schema = DeadLetterColumns.Columns,
                Slices = [.. letters.SelectMany(static one => one.Slices)],
            },
            cancellationToken);
        var dataFile = DataFileMetrics.ToDataFile(
            file, location, version.Metadata.DefaultSpecId, PartitionTuple.Empty, version.Metadata.CurrentSchema, new(version.Metadata));
        return new([.. letters.Select(static one => one.Step)], [dataFile]);
    }

    /// <summary>The letters of one batch that the dead-letter table does not hold yet.</summary>
    private sealed record Letters(ImmutableArray<BatchSlice> Slices, ProgressStep Step)
    {
        public long Count => Slices.Sum(static slice => slice.Count);

        public static Letters After(HotBatch batch, long? recorded) => new(
            [.. batch.DeadLetters.Select(FlushWriter.ToSlice).Select(slice => SliceBounds.From(slice, DeadLetterColumns.OffsetPosition, recorded ?? 0))
                .Where(static slice => slice.Count > 0)],
            new(batch.Partition, recorded, Math.Max(batch.NextOffset, recorded ?? 0)));
    }
}
