using Frazil.Kafka;

namespace Frazil.Hot;

/// <summary>Why offsets of a partition hold no record for us.</summary>
public enum SkipKind
{
    /// <summary>Control records and aborted transactions: nothing that a committed reader ever saw.</summary>
    Transaction,
    /// <summary>The topic is compacted: a later record of the same key replaced these (or they are as <see cref="Transaction"/>; Kafka does
    /// not tell).</summary>
    Compaction,
    /// <summary>Removed from the log before they were read. Records may have been lost.</summary>
    Retention,
    /// <summary>The brokers would not say whether the topic is compacted: one of the first two.</summary>
    Unknown,
}

/// <summary>Offsets in a row that were skipped for one reason.</summary>
public readonly record struct SkippedRange(OffsetRange Offsets, SkipKind Kind);

/// <summary>
/// The offsets of one hot batch that hold neither a row nor a dead letter. Counted exactly; listed up to a bound, but those that retention
/// removed always. Written by the batch's writer, read once the batch is sealed.
/// </summary>
public sealed class SkippedOffsets
{
    /// <summary>Every transaction leaves a gap of one, so that a list of them all would grow with the records.</summary>
    internal const int MostRanges = 4096;

    private readonly long[] counts = new long[4];
    private readonly List<SkippedRange> ranges = [];

    /// <summary>In offset order. Complete when <see cref="Unlisted"/> is 0; ranges of <see cref="SkipKind.Retention"/> are always all
    /// there.</summary>
    public IReadOnlyList<SkippedRange> Ranges => ranges;

    /// <summary>Offsets that are counted but not in <see cref="Ranges"/>.</summary>
    public long Unlisted { get; private set; }

    /// <summary>Offsets skipped for this reason.</summary>
    public long CountOf(SkipKind kind) => counts[(int)kind];

    internal void AddUnlisted(long count, SkipKind kind)
    {
        counts[(int)kind] += count;
        Unlisted += count;
    }

    internal void Add(OffsetRange offsets, SkipKind kind)
    {
        counts[(int)kind] += offsets.Count;
        if (ranges.Count > 0 && ranges[^1] is var last && last.Kind == kind && last.Offsets.Last + 1 == offsets.First)
        {
            ranges[^1] = last with { Offsets = last.Offsets with { Last = offsets.Last } };
        }
        else if (kind == SkipKind.Retention || ranges.Count < MostRanges)
        {
            ranges.Add(new(offsets, kind));
        }
        else
        {
            Unlisted += offsets.Count;
        }
    }
}
