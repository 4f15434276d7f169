using System.Globalization;

namespace Frazil.Maintain;

/// <summary>Offsets of one partition, kept as ranges: as large as they have holes, not as they have members.</summary>
internal sealed class SeenOffsets
{
    private readonly List<long> firsts = [];
    private readonly List<long> lasts = [];

    /// <summary>Offsets in it.</summary>
    public long Count { get; private set; }

    public bool IsEmpty => firsts.Count == 0;

    /// <summary>Adds an offset; cheap above all others, and moves what is behind it elsewhere.</summary>
    public void Add(long offset)
    {
        if (firsts.Count > 0 && offset <= lasts[^1])
        {
            if (!Contains(offset))
            {
                Insert(offset);
            }
            return;
        }
        Count++;
        if (firsts.Count > 0 && offset == lasts[^1] + 1)
        {
            lasts[^1] = offset;
            return;
        }
        firsts.Add(offset);
        lasts.Add(offset);
    }

    public bool Contains(long offset)
    {
        var at = firsts.BinarySearch(offset);
        at = at >= 0 ? at : ~at - 1;
        return at >= 0 && offset <= lasts[at];
    }

    /// <summary>For people: <c>5, 7-12</c>; the first few where there are many.</summary>
    public override string ToString()
    {
        const int Shown = 10;
        var ranges = firsts.Zip(lasts).Take(Shown).Select(static range => range.First == range.Second
            ? range.First.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{range.First}-{range.Second}"));
        return string.Join(", ", ranges) + (firsts.Count > Shown ? string.Create(CultureInfo.InvariantCulture, $" and {firsts.Count - Shown} more ranges") : "");
    }

    /// <summary>Below the last one and not in it: files of foreign engines may hold rows in any order.</summary>
    private void Insert(long offset)
    {
        Count++;
        var at = ~firsts.BinarySearch(offset);
        var joinsLeft = at > 0 && lasts[at - 1] == offset - 1;
        var joinsRight = at < firsts.Count && firsts[at] == offset + 1;
        if (joinsLeft && joinsRight)
        {
            lasts[at - 1] = lasts[at];
            firsts.RemoveAt(at);
            lasts.RemoveAt(at);
        }
        else if (joinsLeft)
        {
            lasts[at - 1] = offset;
        }
        else if (joinsRight)
        {
            firsts[at] = offset;
        }
        else
        {
            firsts.Insert(at, offset);
            lasts.Insert(at, offset);
        }
    }
}
