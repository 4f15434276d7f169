using System.Collections.Immutable;
using Frazil.Kafka;

namespace Frazil.Hot;

/// <summary>
/// The hot side of one table: the open ends of its assigned partitions, and every batch that is not evicted yet, in the order they were
/// opened. Readers take the list of batches with one volatile read and pin what they need; writers swap in a new list.
/// </summary>
public sealed class HotBuffer
{
    private readonly Lock gate = new();
    private readonly Dictionary<TopicPartition, HotPartition> partitions = [];
    private ImmutableList<HotBatch> batches = [];
    private long openBytes;

    /// <summary>All batches in memory: open, sealed, and committed ones that wait for their time to live.</summary>
    public ImmutableList<HotBatch> Batches => Volatile.Read(ref batches);

    /// <summary>Bytes of content in batches that are still appended to, as published.</summary>
    public long OpenBytes => Volatile.Read(ref openBytes);

    /// <summary>Raised whenever records became visible.</summary>
    internal ChangeSignal Published { get; } = new();

    /// <summary>Raised when there may be something to flush or to evict that was not there before: a batch became worth a commit, a flush has
    /// ended, or memory is short.</summary>
    internal ChangeSignal FlushSignal { get; } = new();

    /// <summary>Partitions that are appended to.</summary>
    internal int PartitionCount
    {
        get
        {
            lock (gate)
            {
                return partitions.Count;
            }
        }
    }

    internal HotPartition[] Partitions
    {
        get
        {
            lock (gate)
            {
                return [.. partitions.Values];
            }
        }
    }

    /// <summary>Pins every batch that is still there. The caller unpins each.</summary>
    public IReadOnlyList<HotBatch> PinAll()
    {
        var pinned = new List<HotBatch>();
        foreach (var batch in Batches)
        {
            // A batch that cannot be pinned was evicted, hence committed before: the snapshot resolved after this holds its rows.
            if (batch.TryPin())
            {
                pinned.Add(batch);
            }
        }
        return pinned;
    }

    internal HotPartition? Find(TopicPartition partition)
    {
        lock (gate)
        {
            return partitions.GetValueOrDefault(partition);
        }
    }

    /// <summary>The partition is appended to from now on; an earlier one of the same name has been abandoned.</summary>
    internal void Hold(HotPartition partition)
    {
        lock (gate)
        {
            partitions[partition.Partition] = partition;
        }
    }

    /// <summary>Forgets what is not committed of a partition: it stays in Kafka, and who reads it next reads it again.</summary>
    internal void Abandon(TopicPartition partition)
    {
        Find(partition)?.Abandon();
        foreach (var batch in Batches)
        {
            if (batch.Partition == partition && batch.CommittedAt == 0)
            {
                batch.MarkDropped();
                Evict(batch);
            }
        }
    }

    /// <summary>Committed rows at offsets that will be read again: the table was set back below them.</summary>
    internal void DropBeyond(TopicPartition partition, long recorded)
    {
        foreach (var batch in Batches.Where(batch => batch.Partition == partition && batch.CommittedAt != 0 && batch.NextOffset > recorded))
        {
            Evict(batch);
        }
    }

    /// <summary>The partition is no longer ours.</summary>
    internal void Release(TopicPartition partition)
    {
        Abandon(partition);
        lock (gate)
        {
            partitions.Remove(partition);
        }
    }

    /// <summary>Batches that are appended to and worth a commit.</summary>
    internal IReadOnlyList<HotBatch> OpenBatches() => [.. Partitions.Select(static partition => partition.OpenBatch).OfType<HotBatch>()];

    /// <summary>Freezes the open batch of every partition: appends go to new ones from then on.</summary>
    internal ImmutableArray<HotBatch> Seal() => [.. Partitions.Select(static partition => partition.Seal()).OfType<HotBatch>()];

    /// <summary>Nothing is appended any more, and nothing is kept.</summary>
    internal void Clear()
    {
        foreach (var partition in Partitions)
        {
            partition.Abandon();
        }
        foreach (var batch in Batches)
        {
            Evict(batch);
        }
    }

    internal void Add(HotBatch batch) => ImmutableInterlocked.Update(ref batches, static (list, added) => list.Add(added), batch);

    /// <summary>Content was published, or, negative, is in an open batch no more.</summary>
    internal void CountOpen(long bytes) => Interlocked.Add(ref openBytes, bytes);

    /// <summary>Takes the batch off the list and lets its memory go once no reader pins it.</summary>
    internal void Evict(HotBatch batch)
    {
        if (ImmutableInterlocked.Update(ref batches, static (list, gone) => list.Remove(gone), batch))
        {
            batch.Unpin();
        }
    }

    /// <summary>Evicts committed batches whose commit is older than <paramref name="committedBefore"/> (a timestamp).</summary>
    internal void EvictCommitted(long committedBefore)
    {
        foreach (var batch in Batches)
        {
            if (batch.CommittedAt != 0 && batch.CommittedAt <= committedBefore)
            {
                Evict(batch);
            }
        }
    }
}
