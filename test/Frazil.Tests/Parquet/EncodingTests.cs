using System.Numerics;
using Frazil.Parquet;
using Frazil.Parquet.Encodings;
using Xunit;

namespace Frazil.Tests.Parquet;

/// <summary>Each encoding against a decoder written plainly from the format's description.</summary>
public sealed unsafe class EncodingTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20), Random.Shared.Next()];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Codes_of_every_width_come_back(int seed)
    {
        var random = new Random(seed);
        for (var width = 0; width <= 31; width++)
        {
            var codes = Repeating(random, random.Next(1, 500), () => width == 0 ? 0 : (int)random.NextInt64(1L << width));
            using var output = new NativeBuffer();
            using var input = new NativeBuffer();
            input.Append(System.Runtime.InteropServices.MemoryMarshal.AsBytes<int>(codes));
            RunLengthEncoder.AppendCodes(output, (int*)input.Data, codes.Length, width);
            Assert.True(codes.SequenceEqual(DecodeHybrid(output.Span, width, codes.Length)), $"seed {seed}, width {width}");
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Levels_of_every_width_come_back(int seed)
    {
        var random = new Random(seed);
        for (var width = 1; width <= 8; width++)
        {
            var levels = Repeating(random, random.Next(1, 500), () => random.Next(1 << width));
            using var output = new NativeBuffer();
            using var input = new NativeBuffer();
            input.Append([.. levels.Select(level => (byte)level)]);
            RunLengthEncoder.AppendLevels(output, input.Data, levels.Length, width);
            Assert.True(levels.SequenceEqual(DecodeHybrid(output.Span, width, levels.Length)), $"seed {seed}, width {width}");
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Differences_come_back_also_where_they_wrap(int seed)
    {
        var random = new Random(seed);
        var values = new long[random.Next(0, 700)];
        for (var index = 0; index < values.Length; index++)
        {
            values[index] = random.Next(6) switch
            {
                0 => long.MinValue,
                1 => long.MaxValue,
                2 => random.NextInt64(),
                _ => (index == 0 ? 0 : unchecked(values[index - 1] + random.Next(-3, 100))),
            };
        }
        using var output = new NativeBuffer();
        fixed (long* data = values)
        {
            DeltaEncoder.Append(output, (byte*)data, sizeof(long), values.Length);
        }
        Assert.True(values.SequenceEqual(DecodeDelta(output.Span)), $"seed {seed}");

        var narrow = Array.ConvertAll(values, value => unchecked((int)value));
        output.Clear();
        fixed (int* data = narrow)
        {
            DeltaEncoder.Append(output, (byte*)data, sizeof(int), narrow.Length);
        }
        Assert.True(narrow.SequenceEqual(DecodeDelta(output.Span).Select(value => unchecked((int)value))), $"seed {seed}, 32 bits");
    }

    [Fact]
    public void A_dictionary_that_does_not_pay_is_given_up_and_one_that_does_is_found()
    {
        var random = new Random(1);
        using var dictionary = new FixedDictionary(sizeof(long), isInteger: true);
        Assert.False(Build([.. Enumerable.Range(0, 50_000).Select(_ => random.NextInt64())]));
        Assert.True(Build([.. Enumerable.Range(0, 50_000).Select(_ => random.NextInt64(3) << 40)]));
        Assert.Equal(3, dictionary.Count);
        Assert.True(Build([.. Enumerable.Range(0, 50_000).Select(n => (long)(n % 5000) - 2500)]));
        Assert.Equal(5000, dictionary.Count);

        bool Build(long[] values)
        {
            var codes = new int[values.Length];
            fixed (long* data = values)
            fixed (int* numbers = codes)
            {
                return dictionary.TryBuild((byte*)data, values.Length, numbers, 1 << 20)
                    && values.Select((value, index) => ((long*)dictionary.Entries)[codes[index]] == value).All(same => same);
            }
        }
    }

    [Fact]
    public void Values_made_to_collide_give_a_dictionary_up_instead_of_a_hang()
    {
        using var dictionary = new FixedDictionary(sizeof(long), isInteger: false);
        // Multiples of 2^64 / multiplier differ in bits that the table does not look at.
        var modulus = BigInteger.One << 64;
        var inverse = (ulong)BigInteger.ModPow(0x9E3779B97F4A7C15, (BigInteger.One << 62) - 1, modulus);
        var values = Enumerable.Range(1, 200_000).Select(n => unchecked((ulong)n * inverse)).ToArray();
        var codes = new int[values.Length];
        fixed (ulong* data = values)
        fixed (int* numbers = codes)
        {
            Assert.False(dictionary.TryBuild((byte*)data, values.Length, numbers, 1 << 20));
        }
    }

    private static int[] Repeating(Random random, int count, Func<int> next)
    {
        var values = new int[count];
        for (var index = 0; index < count;)
        {
            var value = next();
            for (var run = random.Next(3) == 0 ? random.Next(1, 60) : 1; run > 0 && index < count; run--)
            {
                values[index++] = value;
            }
        }
        return values;
    }

    private static List<int> DecodeHybrid(ReadOnlySpan<byte> bytes, int width, int count)
    {
        var values = new List<int>();
        for (var at = 0; values.Count < count;)
        {
            var header = (int)ReadVarint(bytes, ref at);
            if ((header & 1) == 0)
            {
                var value = 0;
                for (var part = 0; part < (width + 7) / 8; part++)
                {
                    value |= bytes[at++] << (8 * part);
                }
                values.AddRange(Enumerable.Repeat(value, header >> 1));
                continue;
            }
            var packed = bytes.Slice(at, (header >> 1) * width).ToArray();
            values.AddRange(Enumerable.Range(0, (header >> 1) * 8).Select(index => (int)Unpack(packed, index * width, width)));
            at += packed.Length;
        }
        return values[..count];
    }

    private static long[] DecodeDelta(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        var (block, minis) = ((int)ReadVarint(bytes, ref at), (int)ReadVarint(bytes, ref at));
        var values = new long[(int)ReadVarint(bytes, ref at)];
        var last = ZigZag(ReadVarint(bytes, ref at));
        for (var index = 0; index < values.Length;)
        {
            if (index == 0)
            {
                values[index++] = last;
                continue;
            }
            var least = ZigZag(ReadVarint(bytes, ref at));
            var widths = bytes.Slice(at, minis).ToArray();
            at += minis;
            for (var mini = 0; mini < minis && index < values.Length; mini++)
            {
                var packed = bytes.Slice(at, block / minis * widths[mini] / 8).ToArray();
                at += packed.Length;
                for (var of = 0; of < block / minis && index < values.Length; of++)
                {
                    last = unchecked(last + least + (long)Unpack(packed, of * widths[mini], widths[mini]));
                    values[index++] = last;
                }
            }
        }
        Assert.Equal(bytes.Length, at);
        return values;
    }

    private static ulong Unpack(byte[] packed, int bit, int width)
    {
        ulong value = 0;
        for (var index = 0; index < width; index++)
        {
            value |= (ulong)((packed[(bit + index) / 8] >> ((bit + index) % 8)) & 1) << index;
        }
        return value;
    }

    private static ulong ReadVarint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            value |= (ulong)(bytes[at] & 0x7F) << shift;
            if (bytes[at++] < 0x80)
            {
                return value;
            }
        }
    }

    private static long ZigZag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);
}
