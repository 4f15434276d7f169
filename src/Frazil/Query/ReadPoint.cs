using System.Collections.Immutable;
using Frazil.Columnar;
using Frazil.Commit;
using Frazil.Hot;
using Frazil.Kafka;

namespace Frazil.Query;

/// <summary>
/// What one query sees of one table: pinned hot rows and an Iceberg snapshot that together hold every record exactly once. What it holds:
/// (1) the hot side is pinned before the snapshot is resolved (invariant 4): a batch that left the hot side before the pin was committed
/// before,
///     so the snapshot resolved after the pin has its rows;
/// (2) hot rows below the offsets that the snapshot's own metadata version records are left out: they are in its files;
/// (3) snapshot and progress come from one metadata version, never from two.
/// So a count under load never dips and never doubles. Dispose it when no part of the result is read any more: that lets the memory go.
/// </summary>
internal sealed class ReadPoint : IDisposable
{
    private readonly IReadOnlyList<HotBatch> pinned;
    private readonly SnapshotPin snapshot;
    private IDisposable? copies;

    private ReadPoint(QueryTable table, IReadOnlyList<HotBatch> pinned, TableVersion? version, SnapshotPin snapshot)
    {
        Table = table;
        this.pinned = pinned;
        this.snapshot = snapshot;
        Version = version;
        var next = new Dictionary<TopicPartition, long>(version?.Progress.NextOffsets ?? TableProgress.Empty.NextOffsets);
        var slices = ImmutableArray.CreateBuilder<BatchSlice>();
        foreach (var batch in pinned)
        {
            Take(batch, version?.Progress.NextOffset(batch.Partition) ?? 0, slices, next);
        }
        HotSlices = slices.ToImmutable();
        NextOffsets = next;
    }

    public QueryTable Table { get; }

    /// <summary>The metadata version read; null while the table does not exist yet.</summary>
    public TableVersion? Version { get; }

    /// <summary>Rows that the snapshot does not hold.</summary>
    public ImmutableArray<BatchSlice> HotSlices { get; }

    public long HotRows => HotSlices.Sum(static slice => slice.Count);

    /// <summary>Per partition, the first offset that the query does not see.</summary>
    public IReadOnlyDictionary<TopicPartition, long> NextOffsets { get; }

    /// <summary>Pins, then resolves.</summary>
    public static async Task<ReadPoint> TakeAsync(QueryTable table, CancellationToken cancellationToken)
    {
        var pinned = table.Hot?.PinAll() ?? [];
        var snapshot = table.State.Pins.Begin(table.State.Current?.Metadata); // no expiry of ours takes the files from now on
        try
        {
            var version = await table.State.RefreshAsync(cancellationToken);
            snapshot.Settle(version?.Metadata.CurrentSnapshotId);
            return new(table, pinned, version, snapshot);
        }
        catch
        {
            snapshot.Dispose();
            Unpin(pinned);
            throw;
        }
    }

    /// <summary>Holds copies of the snapshot's files too; disposes them with the rest.</summary>
    public void Keep(IDisposable? held) => copies = held;

    public void Dispose()
    {
        copies?.Dispose();
        snapshot.Dispose();
        Unpin(pinned);
    }

    private static void Unpin(IReadOnlyList<HotBatch> batches)
    {
        foreach (var batch in batches)
        {
            batch.Unpin();
        }
    }

    private void Take(HotBatch batch, long recorded, ImmutableArray<BatchSlice>.Builder slices, Dictionary<TopicPartition, long> next)
    {
        var nextOffset = batch.NextOffset;
        if (nextOffset <= recorded || batch.IsDropped)
        {
            return;
        }
        next[batch.Partition] = Math.Max(nextOffset, next.GetValueOrDefault(batch.Partition));
        foreach (var chunk in Table.ReadsDeadLetters ? batch.DeadLetters : batch.Rows)
        {
            var slice = FlushedSlice(chunk, batch.StartOffset, recorded);
            if (slice.Count > 0)
            {
                slices.Add(slice);
            }
        }
    }

    /// <summary>The chunk's rows at or after <paramref name="recorded"/>. Only a batch that another writer overtook begins below
    /// it.</summary>
    private static BatchSlice FlushedSlice(ColumnChunk chunk, long start, long recorded)
    {
        var views = chunk.TakeViews(out var rows);
        var slice = new BatchSlice { Schema = chunk.Schema, Columns = views, Count = rows };
        if (start >= recorded || rows == 0)
        {
            return slice;
        }
        var offsets = chunk.Schema.IndexOfName(KafkaColumns.Offset);
        return offsets < 0
            ? new() { Schema = chunk.Schema, Columns = views, Count = 0 }
            : SliceBounds.From(slice, offsets, recorded);
    }
}

/// <summary>A table that SQL can name.</summary>
/// <param name="State">Its catalog side.</param>
/// <param name="Hot">Its hot side; null for tables that this process does not ingest.</param>
/// <param name="ReadsDeadLetters">True for a dead-letter table: it shares its main table's hot batches.</param>
internal sealed record QueryTable(TableState State, HotBuffer? Hot, bool ReadsDeadLetters = false)
{
    /// <summary>The configured topics, where this process ingests the table.</summary>
    public Func<string, bool>? Reads { get; init; }

    /// <summary>Whether records of the topic come into this table: as configured, else as the table's progress says.</summary>
    public async Task<bool> IsFedByAsync(string topic, CancellationToken cancellationToken) => Reads?.Invoke(topic)
        ?? (await State.RefreshAsync(cancellationToken))?.Progress.NextOffsets.Keys.Any(partition => partition.Topic == topic) == true;

    /// <summary>Columns while neither catalog nor chunks say any.</summary>
    public ColumnFields EmptyColumns => ReadsDeadLetters ? DeadLetterColumns.Columns : ColumnFields.Empty;
}
