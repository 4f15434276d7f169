using System.Numerics;
using Frazil.Parquet;
using Frazil.Parquet.Encodings;
using Frazil.Parquet.Values;
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
        using var hashed = new HashedDictionary<EightByteKey>();
        Assert.False(Build(hashed, Many(_ => random.NextInt64())));
        Assert.True(Build(hashed, Many(_ => random.NextInt64(3) << 40)));
        Assert.Equal(3, hashed.Count);
        Assert.False(Build(hashed, Many(n => (n % 5000) << 40), maxBytes: 4999 * sizeof(long)));

        using var narrow = new NarrowDictionary(sizeof(long));
        var close = Many(n => (n % 5000) - 2500);
        Assert.True(Suits(narrow, close) && Build(narrow, close));
        Assert.Equal(5000, narrow.Count);
        Assert.True(Suits(narrow, close) && !Build(narrow, close, maxBytes: 4999 * sizeof(long)));
        Assert.False(Suits(narrow, Many(n => (n % 2) << 40)));
        Assert.False(Suits(narrow, [long.MinValue, long.MaxValue]));
        Assert.False(Suits(narrow, []));

        using var four = new HashedDictionary<FourByteKey>();
        int[] bits = [0, int.MinValue, 0x7FC00001, -1, 0x7FC00002];
        Assert.True(Build(four, [.. Enumerable.Range(0, 50_000).Select(n => bits[n % 5 * (n % 5) % 5])]));
        Assert.Equal(3, four.Count); // of the squares modulo 5

        static long[] Many(Func<long, long> value) => [.. Enumerable.Range(0, 50_000).Select(n => value(n))];
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_dictionary_of_bytes_tells_apart_what_differs_in_one_place_only(int seed)
    {
        var random = new Random(seed);
        var distinct = new Dictionary<string, byte[]>();
        while (distinct.Count < 3000)
        {
            // Mostly the same first and last bytes, of all lengths around those that the key holds whole.
            var value = new byte[random.Next(48)];
            value.AsSpan().Fill((byte)'a');
            if (value.Length > 0)
            {
                value[random.Next(value.Length)] = (byte)random.Next(256);
            }
            distinct.TryAdd(Convert.ToHexString(value), value);
        }
        byte[][] entries = [.. distinct.Values];
        var values = Enumerable.Range(0, 60_000).Select(_ => entries[random.Next(entries.Length)]).ToArray();
        using var memory = new NativeBuffer();
        memory.Reserve(values.Sum(static value => (long)value.Length));
        var refs = new ByteRef[values.Length];
        for (var index = 0; index < values.Length; index++)
        {
            refs[index] = new() { Data = memory.End, Length = values[index].Length };
            memory.Append(values[index]);
        }
        using var dictionary = new HashedDictionary<BytesKey>();
        var codes = new int[values.Length];
        fixed (ByteRef* data = refs)
        fixed (int* numbers = codes)
        {
            Assert.True(dictionary.TryBuild((byte*)data, refs.Length, numbers, 1 << 20), $"seed {seed}");
        }
        Assert.Equal(values.Select(Convert.ToHexString).Distinct().Count(), dictionary.Count);
        for (var index = 0; index < values.Length; index++)
        {
            Assert.True(((ByteRef*)dictionary.Entries)[codes[index]].Span.SequenceEqual(values[index]), $"seed {seed}, value {index}");
        }
        using var plain = new NativeBuffer();
        dictionary.AppendEntries(plain);
        Assert.Equal(dictionary.PlainBytes, plain.Length);
    }

    [Fact]
    public void Values_made_to_collide_give_a_dictionary_up_instead_of_a_hang()
    {
        using var dictionary = new HashedDictionary<EightByteKey>();
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

    private static bool Suits(NarrowDictionary dictionary, long[] values)
    {
        fixed (long* data = values)
        {
            return dictionary.Suits((byte*)data, values.Length);
        }
    }

    /// <summary>Whether it was built, with every number leading to its value and as many PLAIN bytes as it says.</summary>
    private static bool Build<T>(ColumnDictionary dictionary, T[] values, long maxBytes = 1 << 20)
        where T : unmanaged, IEquatable<T>
    {
        var codes = new int[values.Length];
        fixed (T* data = values)
        fixed (int* numbers = codes)
        {
            if (!dictionary.TryBuild((byte*)data, values.Length, numbers, maxBytes))
            {
                return false;
            }
        }
        using var plain = new NativeBuffer();
        dictionary.AppendEntries(plain);
        Assert.Equal(dictionary.PlainBytes, plain.Length);
        return values.Select((value, index) => ((T*)dictionary.Entries)[codes[index]].Equals(value)).All(static same => same);
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
