using System.Collections.Immutable;
using Frazil.Columnar;
using Frazil.Commit;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Manifests;
using Frazil.Kafka;
using Frazil.Maintain;

namespace Frazil.DeadLetters;

/// <summary>
/// Commits a flush's dead letters to the table's dead-letter table, before the table's own progress moves past them (invariant 5). The
/// dead-letter table records progress of its own, so that letters committed just before a crash are not committed again after it. Where
/// that progress is ahead of the table's, its rows tell which letters are there (<see cref="KeptLetters"/>): a record that is read again
/// stays the letter that it was, or it would be a row as well where the schema has changed. Where that progress is of a topic that was
/// recreated since, it counts for nothing, and neither do the letters that are there: the same offsets mean other records.
/// </summary>
/// <param name="table">The dead-letter table, which need not exist yet; its topics are those of the main table.</param>
/// <param name="writer">Writes its files.</param>
internal sealed class DeadLetterSink(LakeTable table, DataFileWriter writer)
{
    private readonly KeptLetters kept = new(table);
    private readonly SemaphoreSlim turn = new(1);

    /// <summary>The dead-letter table.</summary>
    public LakeTable Table => table;

    /// <summary>The records behind the table's progress that are letters already: of a flush whose rows were not committed, or are not in the
    /// table any more. Waits for a commit of letters that is under way.</summary>
    /// <param name="topics">Whose.</param>
    /// <param name="progress">The table's; null where it has none.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<IReadOnlyDictionary<TopicPartition, SeenOffsets>> LettersBeyondAsync(
        IReadOnlyCollection<string> topics, TableProgress? progress, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            var found = new Dictionary<TopicPartition, SeenOffsets>();
            if (await table.RefreshAsync(cancellationToken) is not { } version)
            {
                return found;
            }
            var told = topics.Except(table.Identities?.Replaced(topics, version) ?? []).ToHashSet();
            foreach (var (partition, next) in version.Progress.NextOffsets)
            {
                var first = progress?.NextOffset(partition) ?? 0;
                if (next > first && told.Contains(partition.Topic)
                    && await kept.ReadAsync(version, partition, first, next - 1, cancellationToken) is { IsEmpty: false } letters)
                {
                    found[partition] = letters;
                }
            }
            return found;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Returns how many letters of the flush are in the dead-letter table now because of this call.</summary>
    public async Task<long> CommitAsync(SealedFlush flush, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            return await CommitInTurnAsync(flush, cancellationToken);
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task<long> CommitInTurnAsync(SealedFlush flush, CancellationToken cancellationToken)
    {
        var batches = flush.Batches.Where(static batch => batch.DeadLetterCount > 0 && !batch.IsDropped).ToList();
        for (var attempt = 0; batches.Count > 0; attempt++)
        {
            var version = await OpenAsync(batches, cancellationToken);
            var fresh = new List<Letters>();
            foreach (var batch in batches)
            {
                fresh.Add(await FreshAsync(batch, version, cancellationToken));
            }
            fresh.RemoveAll(static letters => letters.Count == 0);
            if (fresh.Count == 0)
            {
                return 0;
            }
            var unit = await WriteAsync(flush, fresh, version, cancellationToken);
            var madeFrom = fresh.Any(static letters => letters.WereCompared) ? version : null;
            var outcome = await table.Committer.CommitAsync(new($"{flush.Id}-dlq{attempt}", [unit]) { MadeFrom = madeFrom }, cancellationToken);
            if (outcome.Fenced.IsEmpty)
            {
                return fresh.Sum(static letters => letters.Count);
            }
            // Another writer recorded letters of the same partitions meanwhile: see which of ours it covered.
            if (outcome.FencedFilesAreOurs)
            {
                await table.Committer.DeleteUnusedAsync(unit.Files);
            }
        }
        return 0;
    }

    private async Task<TableVersion> OpenAsync(List<HotBatch> batches, CancellationToken cancellationToken)
    {
        var version = await table.OpenAsync(DeadLetterColumns.Schema, cancellationToken);
        var topics = batches.Select(static batch => batch.Partition.Topic);
        return table.Identities?.Replaced(topics, version).Any() == true ? await ForgetReplacedAsync([.. topics], cancellationToken) : version;
    }

    /// <summary>The table itself takes the new topic from its beginning: somebody said so. The old one's letters stay.</summary>
    private Task<TableVersion> ForgetReplacedAsync(IReadOnlyList<string> topics, CancellationToken cancellationToken)
        => table.Committer.ChangeAsync(
            latest => table.Identities!.Replaced(topics, latest).ToList() is { Count: > 0 } replaced
                ? ([new TableRequirement.AssertTableUuid(latest.Metadata.TableUuid)],
                    [KeptLetters.DisownUntil(latest.Metadata.LastSequenceNumber, replaced),
                    new TableUpdate.RemoveProperties([
                        .. replaced.Select(static topic => TopicIdentities.PropertyPrefix + topic),
                        .. replaced.Select(static topic => TableProgress.PropertyPrefix + topic)])])
                : null,
            cancellationToken);

    /// <summary>The letters of one batch that the dead-letter table does not hold yet.</summary>
    private async Task<Letters> FreshAsync(HotBatch batch, TableVersion version, CancellationToken cancellationToken)
    {
        var recorded = version.Progress.NextOffset(batch.Partition);
        var step = new ProgressStep(batch.Partition, recorded, Math.Max(batch.NextOffset, recorded ?? 0));
        var slices = batch.DeadLetters.Select(FlushWriter.ToSlice).Where(static slice => slice.Count > 0);
        if (recorded is null || recorded <= (batch.RecordedOffset ?? batch.StartOffset))
        {
            return new([.. slices], step);
        }
        var known = await kept.ReadAsync(version, batch.Partition, batch.StartOffset, batch.NextOffset - 1, cancellationToken);
        return new(
            [.. slices.Select(slice => SliceBounds.Without(slice, DeadLetterColumns.OffsetPosition, known.Contains))
                .Where(static slice => slice.Count > 0)],
            step, WereCompared: true);
    }

    private async Task<CommitUnit> WriteAsync(
        SealedFlush flush, List<Letters> letters, TableVersion version, CancellationToken cancellationToken)
    {
        var files = await RowPieces.WriteAsync(
            [.. letters.SelectMany(static one => one.Slices)], rows => WriteFileAsync(flush, rows, version, cancellationToken),
            file => version.Table.FileIO.DeleteAsync(file.Path, CancellationToken.None));
        return new([.. letters.Select(static one => one.Step)], [.. files]);
    }

    private async Task<DataFile> WriteFileAsync(
        SealedFlush flush, IReadOnlyList<BatchSlice> rows, TableVersion version, CancellationToken cancellationToken)
    {
        var location = DataFileLocations.Of(version.Metadata, "", $"{flush.Id}-{flush.NextFileNumber()}.parquet");
        var file = await writer.WriteAsync(
            new()
            {
                Store = version.Table.FileIO,
                Location = location,
                Schema = DeadLetterColumns.Columns,
                Slices = rows,
                Options = DataFileFormat.OptionsOf(version.Metadata),
            },
            cancellationToken);
        return DataFileMetrics.ToDataFile(
            file, location, DeadLetterColumns.SpecIdOf(version.Metadata), PartitionTuple.Empty, version.Metadata.CurrentSchema,
            new(version.Metadata));
    }

    /// <param name="Slices">What the dead-letter table lacks of one batch.</param>
    /// <param name="Step">Moves its progress, or leaves it where it is.</param>
    /// <param name="WereCompared">With the rows of the dead-letter table, not only with its progress.</param>
    private sealed record Letters(ImmutableArray<BatchSlice> Slices, ProgressStep Step, bool WereCompared = false)
    {
        public long Count => Slices.Sum(static slice => slice.Count);
    }
}
