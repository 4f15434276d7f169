using System.Collections.Concurrent;
using System.Collections.Immutable;
using Frazil.Commit;
using Frazil.Hot;
using Frazil.Iceberg.Manifests;

namespace Frazil.Flush;

/// <summary>Batches sealed together under one flush id. Pins them until disposed, so that a fenced partition's memory outlives its
/// writing.</summary>
internal sealed class SealedFlush : IDisposable
{
    private readonly ConcurrentDictionary<int, UnitDraft> drafts = [];
    private int files;

    public SealedFlush(string id, ImmutableArray<HotBatch> batches)
    {
        Id = id;
        Batches = [.. batches.Where(static batch => batch.TryPin())];
    }

    /// <summary>A version 7 UUID: sorts by time.</summary>
    public string Id { get; }

    /// <summary>At most one a Kafka partition.</summary>
    public ImmutableArray<HotBatch> Batches { get; }

    /// <summary>True once the catalog was asked to commit: from then on a file may be in the table, and only the committer can
    /// tell.</summary>
    public bool WasOffered { get; set; }

    /// <summary>True once the transaction log names the files: a restart finishes what is not finished here.</summary>
    public bool IsLogged { get; set; }

    /// <summary>What is written already of each unit: a retry goes on from there.</summary>
    public IEnumerable<UnitDraft> Drafts => drafts.Values;

    public UnitDraft DraftOf(int unit) => drafts.GetOrAdd(unit, static _ => new());

    /// <summary>Numbers the files of all attempts, so that no name is ever used twice.</summary>
    public int NextFileNumber() => Interlocked.Increment(ref files) - 1;

    public void Dispose()
    {
        foreach (var batch in Batches)
        {
            batch.Unpin();
        }
    }
}

/// <summary>The finished files of a unit that is not finished yet. One attempt at a time touches it.</summary>
internal sealed class UnitDraft
{
    /// <summary>Partition spec and schema that the files were written for; where the table has others by now, they are of no use.</summary>
    public (int Spec, int Schema, long FileBytes) WrittenFor { get; set; }

    public List<FlushedFile> Files { get; } = [];

    /// <summary>Groups of rows, in the order of their first appearance, that are in the files.</summary>
    public int Groups { get; set; }

    /// <summary>Every row of the unit is in the files.</summary>
    public bool IsWhole { get; set; }
}

/// <summary>Batches and the files that hold their rows: committed or fenced together.</summary>
/// <param name="Batches">One, unless the table mixes Kafka partitions in a file.</param>
/// <param name="Files">Durable in the warehouse; not in the table yet.</param>
internal sealed record FlushedUnit(ImmutableArray<HotBatch> Batches, ImmutableArray<FlushedFile> Files)
{
    public CommitUnit ToCommitUnit() => new(
        [.. Batches.Select(static batch => new ProgressStep(batch.Partition, batch.RecordedOffset, batch.NextOffset, batch.StartOffset, batch.Skipped))],
        [.. Files.Select(static file => file.File)]);
}

/// <param name="File">What a manifest will say about it.</param>
/// <param name="Sha256">SHA-256 of the file, 64 hexadecimal digits.</param>
internal readonly record struct FlushedFile(DataFile File, string Sha256);
