using System.Collections.Immutable;
using Frazil.Commit;
using Frazil.Faults;
using Frazil.Hot;
using Frazil.Log;

namespace Frazil.Flush;

/// <summary>Writes down each step of a flush, before and after it is taken (invariant 8). Four syncs a flush, however many files it
/// has.</summary>
internal sealed class FlushJournal(TransactionLog log, LakeTable lake)
{
    private const int MostOrdinaryGaps = 16;

    private int loggedSchema = -1;

    /// <summary>Sealed: files named after the flush may appear from now on.</summary>
    public async Task SealedAsync(SealedFlush flush, CancellationToken cancellationToken)
    {
        await log.AppendAsync(
            [.. NewSchema(), new BufferSnapshot(flush.Id, [.. flush.Batches.Select(ToBatch)])], sync: true, cancellationToken);
        FaultPoint.Reach("flush.sealed");
    }

    /// <summary>Every file of the flush is durable.</summary>
    public async Task WrittenAsync(SealedFlush flush, ImmutableArray<FlushedUnit> units, CancellationToken cancellationToken)
    {
        var table = lake.Current!.Metadata;
        var entries = units.SelectMany((unit, number) => unit.Files.Select(file => new ParquetWritten(
            flush.Id, table.TableUuid, number, unit.Files.Length, Steps([unit.ToCommitUnit()]),
            unit.Batches.Sum(static batch => batch.DeadLetterCount), LoggedFile.Of(file.File, table), file.Sha256)));
        await log.AppendAsync([.. NewSchema(), .. entries], sync: true, cancellationToken);
        FaultPoint.Reach("flush.logged");
    }

    /// <summary>The catalog is asked next.</summary>
    public async Task CommittingAsync(SealedFlush flush, ImmutableArray<FlushedUnit> units, CancellationToken cancellationToken)
    {
        await log.AppendAsync(
            [new OffsetCommit(flush.Id, Steps(units.Select(static unit => unit.ToCommitUnit())))], sync: true, cancellationToken);
        FaultPoint.Reach("commit.begin");
    }

    /// <summary>The snapshot is there.</summary>
    public async Task CommittedAsync(string flushId, long snapshotId, IEnumerable<CommitUnit> units, CancellationToken cancellationToken)
    {
        var sequence = lake.Current?.Metadata.SnapshotById(snapshotId)?.SequenceNumber ?? 0;
        var committed = units.ToList();
        await log.AppendAsync(
            [new IcebergSnapshotCreated(flushId, snapshotId, sequence, Steps(committed)), .. Gaps(committed)], sync: true,
            cancellationToken);
        FaultPoint.Reach("commit.logged");
    }

    /// <summary>Nothing is left to do. Not synced: a restart that misses this line finds the same out from the catalog.</summary>
    public async Task CompletedAsync(string flushId, string outcome, long rows, CancellationToken cancellationToken)
    {
        await log.AppendAsync([new FlushComplete(flushId, outcome, rows)], sync: false, cancellationToken);
        FaultPoint.Reach("flush.retired");
    }

    private IEnumerable<LogEntry> NewSchema()
    {
        var schema = lake.Current?.Metadata.CurrentSchema;
        if (schema is null || Interlocked.Exchange(ref loggedSchema, schema.SchemaId) == schema.SchemaId)
        {
            return [];
        }
        return [new SchemaVersion(schema.SchemaId, schema.ToString())];
    }

    private static LoggedBatch ToBatch(HotBatch batch) => new(
        batch.Partition.Topic, batch.Partition.Partition, batch.RecordedOffset, batch.StartOffset, batch.NextOffset, batch.RowCount,
        batch.DeadLetterCount);

    /// <summary>Every range that retention removed, and a few of the others: the steps count them all, and transactions make one
    /// each.</summary>
    private static IEnumerable<LogEntry> Gaps(IEnumerable<CommitUnit> units)
        => from step in units.SelectMany(static unit => unit.Steps)
           let ranges = step.Skipped?.Ranges ?? []
           from range in ranges.Where(static range => range.Kind == SkipKind.Retention)
               .Concat(ranges.Where(static range => range.Kind != SkipKind.Retention).Take(MostOrdinaryGaps))
           select new GapRecorded(
               step.Partition.Topic, step.Partition.Partition, range.Kind.ToString().ToLowerInvariant(), range.Offsets.First,
               range.Offsets.Last);

    private static List<LoggedStep> Steps(IEnumerable<CommitUnit> units)
        => [.. units.SelectMany(static unit => unit.Steps).Select(LoggedStep.Of)];
}
