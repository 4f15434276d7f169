using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Frazil.Parquet.Encodings;

/// <summary>The hybrid of runs and bit-packed groups of eight, for levels (bytes) and dictionary codes (ints).</summary>
internal static unsafe class RunLengthEncoder
{
    /// <summary>Bits that the greatest of these values needs.</summary>
    public static int WidthOf(int greatest) => 32 - BitOperations.LeadingZeroCount((uint)greatest);

    /// <summary>One run of the same value.</summary>
    public static void AppendRun(NativeBuffer output, int value, int count, int width)
    {
        output.AppendVarint((ulong)(uint)count << 1);
        *(int*)output.Reserve(sizeof(int)) = value;
        output.Advance((width + 7) >> 3);
    }

    /// <summary>Levels of <paramref name="width"/> (1 to 8) bits. The buffer behind them is padded.</summary>
    public static void AppendLevels(NativeBuffer output, byte* levels, int count, int width)
        => Append(new LevelGroups(levels), output, count, width);

    /// <summary>Codes of <paramref name="width"/> (0 to 32) bits. The buffer behind them is padded.</summary>
    public static void AppendCodes(NativeBuffer output, int* codes, int count, int width)
    {
        if (width == 0)
        {
            AppendRun(output, 0, count, 0);
            return;
        }
        Append(new CodeGroups(codes), output, count, width);
    }

    private static void Append<TGroups>(TGroups groups, NativeBuffer output, int count, int width)
        where TGroups : struct, IGroups
    {
        // A run costs three bytes or so and cuts a packed stretch in two, which costs as much again.
        var worthwhile = Math.Max(8, (48 / width + 7) & -8);
        var literals = 0;
        var at = 0;
        while (at + 8 <= count)
        {
            var run = groups.IsUniform(at) ? groups.RunLength(at, count) : 0;
            if (run < worthwhile)
            {
                at += run > 8 ? run & -8 : 8;
                continue;
            }
            AppendPacked(groups, output, literals, at - literals, width);
            AppendRun(output, groups.ValueAt(at), run, width);
            at += run;
            literals = at;
        }
        AppendPacked(groups, output, literals, count - literals, width);
    }

    /// <summary>Packs values; what is missing to a full group at the very end of the data is packed from the padding, cleared.</summary>
    private static void AppendPacked<TGroups>(TGroups groups, NativeBuffer output, int start, int count, int width)
        where TGroups : struct, IGroups
    {
        if (count == 0)
        {
            return;
        }
        var groupCount = (count + 7) >> 3;
        output.AppendVarint(((ulong)(uint)groupCount << 1) | 1);
        var target = output.Reserve((long)groupCount * width + NativeBuffer.Slack);
        var whole = count >> 3;
        for (var group = 0; group < whole; group++, target += width)
        {
            groups.Pack(start + 8 * group, width, target);
        }
        if (whole < groupCount)
        {
            groups.PackPart(start + 8 * whole, count & 7, width, target);
        }
        output.Advance((long)groupCount * width);
    }

    private interface IGroups
    {
        /// <summary>The eight values from here on are the same.</summary>
        bool IsUniform(int index);

        int RunLength(int index, int count);

        int ValueAt(int index);

        void Pack(int index, int width, byte* target);

        void PackPart(int index, int count, int width, byte* target);
    }

    private readonly struct LevelGroups(byte* levels) : IGroups
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool IsUniform(int index) => *(ulong*)(levels + index) == levels[index] * 0x0101010101010101UL;

        public int RunLength(int index, int count)
        {
            var same = new ReadOnlySpan<byte>(levels + index, count - index).IndexOfAnyExcept(levels[index]);
            return same < 0 ? count - index : same;
        }

        public int ValueAt(int index) => levels[index];

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Pack(int index, int width, byte* target) => BitPacker.Pack8Bytes(*(ulong*)(levels + index), width, target);

        public void PackPart(int index, int count, int width, byte* target)
            => BitPacker.Pack8Bytes(*(ulong*)(levels + index) & ((1UL << (8 * count)) - 1), width, target);
    }

    private readonly struct CodeGroups(int* codes) : IGroups
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool IsUniform(int index) => Vector256.EqualsAll(Vector256.Load(codes + index), Vector256.Create(codes[index]));

        public int RunLength(int index, int count)
        {
            var same = new ReadOnlySpan<int>(codes + index, count - index).IndexOfAnyExcept(codes[index]);
            return same < 0 ? count - index : same;
        }

        public int ValueAt(int index) => codes[index];

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Pack(int index, int width, byte* target) => BitPacker.Pack8(codes + index, width, target);

        public void PackPart(int index, int count, int width, byte* target)
        {
            var part = stackalloc int[8];
            Buffer.MemoryCopy(codes + index, part, 32, 4 * count);
            BitPacker.Pack8(part, width, target);
        }
    }
}
