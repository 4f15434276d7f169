using System.Collections.Immutable;

namespace Frazil.Hot;

/// <summary>
/// The hot side of one table: every batch that is not evicted yet, in the order they were opened. Readers take the list with one volatile
/// read and pin what they need; writers swap in a new list.
/// </summary>
public sealed class HotBuffer
{
    private ImmutableList<HotBatch> batches = [];

    /// <summary>All batches in memory: open, sealed, and committed ones that wait for their time to live.</summary>
    public ImmutableList<HotBatch> Batches => Volatile.Read(ref batches);

    /// <summary>Bytes of content in batches that are still appended to.</summary>
    public long OpenBytes => Batches.Sum(static batch => batch.IsSealed ? 0 : batch.UsedBytes);

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

    internal void Add(HotBatch batch) => ImmutableInterlocked.Update(ref batches, static (list, added) => list.Add(added), batch);

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
