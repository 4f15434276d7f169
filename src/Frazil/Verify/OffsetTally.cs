using System.Numerics;
using Frazil.Kafka;

namespace Frazil.Verify;

/// <summary>
/// Counts how often each offset of one partition comes up, in whichever order. Offsets that follow each other cost next to nothing, others
/// two bits an offset of the 65,536 around them. Not thread-safe.
/// </summary>
internal sealed class OffsetTally
{
    private const int BlockBits = 16;

    private readonly Dictionary<long, Block> blocks = [];

    /// <summary>The run that is being counted; none where it ends before it begins.</summary>
    private long first;
    private long last = -1;

    /// <summary>Offsets counted, with repetition.</summary>
    public long Rows { get; private set; }

    public void Add(long offset)
    {
        Rows++;
        if (offset == last + 1 && last < long.MaxValue)
        {
            last = offset;
            return;
        }
        EndRun();
        (first, last) = (offset, offset);
    }

    /// <summary>What was counted so far.</summary>
    public HeldOffsets ToHeld()
    {
        EndRun();
        var (held, repeated) = (new List<OffsetRange>(), new List<OffsetRange>());
        var room = new Block();
        foreach (var (number, block) in blocks.OrderBy(static pair => pair.Key))
        {
            block.CopyTo(room);
            AppendRanges(room.Once, number << BlockBits, held);
            AppendRanges(room.Again, number << BlockBits, repeated);
        }
        return new(OffsetSet.Of(held), OffsetSet.Of(repeated), Rows);
    }

    private void EndRun()
    {
        for (var start = first; start <= last;)
        {
            var end = Math.Min(last, start | ((1 << BlockBits) - 1));
            if (!blocks.TryGetValue(start >> BlockBits, out var block))
            {
                blocks[start >> BlockBits] = block = new();
            }
            block.Add((ushort)start, (ushort)end);
            if (end == last)
            {
                break; // the greatest number has none behind it
            }
            start = end + 1;
        }
        (first, last) = (0, -1);
    }

    private static void AppendRanges(ulong[] bits, long start, List<OffsetRange> ranges)
    {
        for (var at = NextOf(bits, 0, isSet: true); at < Block.Size;)
        {
            var end = NextOf(bits, at, isSet: false);
            ranges.Add(new(start + at, start + end - 1));
            at = NextOf(bits, end, isSet: true);
        }
    }

    /// <summary>The first bit from a place on that is set, or is not; the size where there is none.</summary>
    private static int NextOf(ulong[] bits, int from, bool isSet)
    {
        for (var at = from; at < Block.Size; at = (at | 63) + 1)
        {
            var word = (isSet ? bits[at >> 6] : ~bits[at >> 6]) >> (at & 63);
            if (word != 0)
            {
                return at + BitOperations.TrailingZeroCount(word);
            }
        }
        return Block.Size;
    }

    /// <summary>65,536 offsets: a few runs as they came, or a bit for each that came up and one for each that came up again.</summary>
    private sealed class Block
    {
        public const int Size = 1 << BlockBits;
        private const int MostRuns = 256;

        private (ushort First, ushort Last)[] runs = [];
        private int runCount;
        private bool isBits;

        public ulong[] Once { get; private set; } = [];

        public ulong[] Again { get; private set; } = [];

        public void Add(ushort first, ushort last)
        {
            if (isBits)
            {
                Set(first, last);
                return;
            }
            if (runCount == runs.Length)
            {
                Array.Resize(ref runs, Math.Max(2, runCount * 2));
            }
            runs[runCount++] = (first, last);
            if (runCount == MostRuns)
            {
                ToBits();
            }
        }

        /// <summary>Makes bits of what another block holds, in the place of its own.</summary>
        public void CopyTo(Block room)
        {
            (room.isBits, room.Once, room.Again) = (true, room.isBits ? room.Once : new ulong[Size / 64], room.isBits ? room.Again : new ulong[Size / 64]);
            if (isBits)
            {
                Once.CopyTo(room.Once, 0);
                Again.CopyTo(room.Again, 0);
                return;
            }
            Array.Clear(room.Once);
            Array.Clear(room.Again);
            foreach (var (first, last) in runs.AsSpan(0, runCount))
            {
                room.Set(first, last);
            }
        }

        private void ToBits()
        {
            (isBits, Once, Again) = (true, new ulong[Size / 64], new ulong[Size / 64]);
            foreach (var (first, last) in runs.AsSpan(0, runCount))
            {
                Set(first, last);
            }
            (runs, runCount) = ([], 0);
        }

        private void Set(int first, int last)
        {
            for (var word = first >> 6; word <= last >> 6; word++)
            {
                var mask = ulong.MaxValue;
                mask = word == first >> 6 ? mask & (ulong.MaxValue << (first & 63)) : mask;
                mask = word == last >> 6 ? mask & (ulong.MaxValue >> (63 - (last & 63))) : mask;
                Again[word] |= Once[word] & mask;
                Once[word] |= mask;
            }
        }
    }
}
