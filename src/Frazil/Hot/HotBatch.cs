using System.Collections.Immutable;
using Frazil.Columnar;
using Frazil.Kafka;

namespace Frazil.Hot;

/// <summary>
/// Rows of one Kafka partition with a contiguous offset range, in native memory: visible to SQL as soon as they are published, durable only
/// once committed. Rows that did not fit the table ride along as dead letters, so that both reach Iceberg before progress moves past them.
/// One writer (under the partition's lock); any number of readers, who pin it and never block.
/// </summary>
public sealed class HotBatch
{
    private readonly Lock gate = new();
    private ImmutableArray<ColumnChunk> rows = [];
    private ImmutableArray<ColumnChunk> deadLetters = [];
    private readonly bool pinsStart;
    private long nextOffset;
    private long finishedBytes;
    private long usedBytes;
    private int pins = 1;

    internal HotBatch(TopicPartition partition, long? recordedOffset, long startOffset, long createdAt, bool pinsStart = false)
    {
        Partition = partition;
        RecordedOffset = recordedOffset;
        StartOffset = startOffset;
        nextOffset = startOffset;
        PendingSince = createdAt;
        this.pinsStart = pinsStart;
    }

    public TopicPartition Partition { get; }

    /// <summary>What the table must record as the partition's next offset for this batch to be committed (invariant 2); null: nothing
    /// yet.</summary>
    public long? RecordedOffset { get; }

    /// <summary>First offset covered. Offsets that Kafka itself leaves out (compaction, transactions) count as covered.</summary>
    public long StartOffset { get; }

    /// <summary>First offset not covered. Everything before it is visible; durable only when the batch is committed.</summary>
    public long NextOffset => Volatile.Read(ref nextOffset);

    /// <summary><see cref="TimeProvider.GetTimestamp"/> when the batch became worth a commit; before, when it began. Its age counts from
    /// then: an open end may wait for its first record for hours.</summary>
    public long PendingSince { get; internal set; }

    /// <summary><see cref="TimeProvider.GetTimestamp"/> of the commit; 0 before.</summary>
    public long CommittedAt { get; private set; }

    /// <summary>The snapshot whose commit covers the batch, or null while it is not durable.</summary>
    public long? SnapshotId { get; private set; }

    /// <summary>True once nothing is appended any more.</summary>
    public bool IsSealed { get; internal set; }

    /// <summary>True once its partition moved on without us: the batch must never be committed, and no query sees it.</summary>
    public bool IsDropped { get; private set; }

    /// <summary>Chunks of table rows in offset order; each may have an older schema than the next.</summary>
    public ImmutableArray<ColumnChunk> Rows => rows;

    /// <summary>Chunks of dead letters, in offset order; empty for nearly every batch.</summary>
    public ImmutableArray<ColumnChunk> DeadLetters => deadLetters;

    /// <summary>Bytes of published content: what flush sizes are compared with.</summary>
    public long UsedBytes => Volatile.Read(ref usedBytes);

    /// <summary>Native bytes held.</summary>
    public long Bytes => rows.Sum(static chunk => chunk.Bytes) + deadLetters.Sum(static chunk => chunk.Bytes);

    /// <summary>Published table rows.</summary>
    public long RowCount => rows.Sum(static chunk => chunk.PublishedRows);

    /// <summary>Published dead letters.</summary>
    public long DeadLetterCount => deadLetters.Sum(static chunk => chunk.PublishedRows);

    /// <summary>True when committing this batch would change the table or its progress. Where reading began is worth it without a record
    /// when it would be another place after a restart: "latest" moves.</summary>
    public bool IsWorthCommitting => NextOffset > StartOffset || HoldsUnrecordedStart;

    /// <summary>True while the table does not say where reading began, and a restart would begin elsewhere.</summary>
    public bool HoldsUnrecordedStart => RecordedOffset is null && pinsStart;

    /// <summary>Offsets of the range that hold neither a row nor a dead letter; null where there are none. Final once the batch is
    /// sealed.</summary>
    public SkippedOffsets? Skipped { get; private set; }

    internal void Skip(OffsetRange offsets, SkipKind kind) => (Skipped ??= new()).Add(offsets, kind);

    internal ColumnChunk? LastRowChunk => rows.IsEmpty ? null : rows[^1];

    internal ColumnChunk? LastDeadLetterChunk => deadLetters.IsEmpty ? null : deadLetters[^1];

    internal void AddRowChunk(ColumnChunk chunk)
    {
        finishedBytes += LastRowChunk?.UsedBytes ?? 0;
        rows = rows.Add(chunk);
    }

    internal void AddDeadLetterChunk(ColumnChunk chunk)
    {
        finishedBytes += LastDeadLetterChunk?.UsedBytes ?? 0;
        deadLetters = deadLetters.Add(chunk);
    }

    /// <summary>Makes everything appended so far visible. Rows first, the offset after: a reader never sees an offset without its
    /// row.</summary>
    /// <returns>Bytes of content that were published.</returns>
    internal long Publish(long newNextOffset)
    {
        LastRowChunk?.Publish();
        LastDeadLetterChunk?.Publish();
        Volatile.Write(ref nextOffset, newNextOffset);
        var before = usedBytes;
        Volatile.Write(ref usedBytes, finishedBytes + (LastRowChunk?.UsedBytes ?? 0) + (LastDeadLetterChunk?.UsedBytes ?? 0));
        return usedBytes - before;
    }

    internal void MarkCommitted(long? snapshotId, long timestamp)
    {
        SnapshotId = snapshotId;
        CommittedAt = timestamp;
    }

    internal void MarkDropped() => IsDropped = true;

    /// <summary>Keeps the memory valid until <see cref="Unpin"/>; false when the batch was already evicted.</summary>
    public bool TryPin()
    {
        lock (gate)
        {
            if (pins == 0)
            {
                return false;
            }
            pins++;
            return true;
        }
    }

    /// <summary>Releases one pin; the last one frees the native memory. The hot buffer's own pin is released by eviction.</summary>
    public void Unpin()
    {
        lock (gate)
        {
            if (pins == 0)
            {
                throw new InvalidOperationException(
                    $"hot batch {Partition} {StartOffset}..{NextOffset} was unpinned more often than pinned");
            }
            if (--pins > 0)
            {
                return;
            }
        }
        foreach (var chunk in rows)
        {
            chunk.Unpin();
        }
        foreach (var chunk in deadLetters)
        {
            chunk.Unpin();
        }
    }
}
