using System.Collections.Immutable;
using Frazil.Kafka;

namespace Frazil.Verify;

/// <summary>A set of offsets as ascending ranges that neither overlap nor touch. Immutable.</summary>
internal sealed class OffsetSet
{
    private OffsetSet(ImmutableArray<OffsetRange> ranges) => Ranges = ranges;

    public static OffsetSet Empty { get; } = new([]);

    public ImmutableArray<OffsetRange> Ranges { get; }

    public bool IsEmpty => Ranges.IsEmpty;

    public long Count => Ranges.Sum(static range => range.Count);

    /// <summary>The union of ranges in any order.</summary>
    public static OffsetSet Of(IEnumerable<OffsetRange> ranges)
    {
        var merged = ImmutableArray.CreateBuilder<OffsetRange>();
        foreach (var range in ranges.OrderBy(static range => range.First))
        {
            if (merged.Count > 0 && range.First <= merged[^1].Last + 1)
            {
                merged[^1] = merged[^1] with { Last = Math.Max(merged[^1].Last, range.Last) };
            }
            else
            {
                merged.Add(range);
            }
        }
        return merged.Count == 0 ? Empty : new(merged.ToImmutable());
    }

    /// <summary>All offsets from <paramref name="first"/> up to, but without, <paramref name="end"/>.</summary>
    public static OffsetSet Between(long first, long end) => first < end ? new([new(first, end - 1)]) : Empty;

    public OffsetSet Union(OffsetSet other) => IsEmpty ? other : other.IsEmpty ? this : Of(Ranges.Concat(other.Ranges));

    public OffsetSet Intersect(OffsetSet other)
    {
        var common = ImmutableArray.CreateBuilder<OffsetRange>();
        for (int mine = 0, theirs = 0; mine < Ranges.Length && theirs < other.Ranges.Length;)
        {
            var (left, right) = (Ranges[mine], other.Ranges[theirs]);
            var both = new OffsetRange(Math.Max(left.First, right.First), Math.Min(left.Last, right.Last));
            if (both.First <= both.Last)
            {
                common.Add(both);
            }
            if (left.Last < right.Last)
            {
                mine++;
            }
            else
            {
                theirs++;
            }
        }
        return new(common.ToImmutable());
    }

    public OffsetSet Except(OffsetSet other)
    {
        var left = ImmutableArray.CreateBuilder<OffsetRange>();
        var theirs = 0;
        foreach (var range in Ranges)
        {
            var first = range.First;
            while (theirs < other.Ranges.Length && other.Ranges[theirs].Last < first)
            {
                theirs++;
            }
            for (var cut = theirs; cut < other.Ranges.Length && other.Ranges[cut].First <= range.Last; cut++)
            {
                if (other.Ranges[cut].First > first)
                {
                    left.Add(new(first, other.Ranges[cut].First - 1));
                }
                first = Math.Max(first, other.Ranges[cut].Last + 1);
            }
            if (first <= range.Last)
            {
                left.Add(new(first, range.Last));
            }
        }
        return new(left.ToImmutable());
    }
}
