using System.Runtime.CompilerServices;
using Frazil.Parquet.Values;

namespace Frazil.Parquet.Encodings;

/// <summary>What tells one value of a dictionary from another.</summary>
internal unsafe interface IDictionaryKey<TSelf>
    where TSelf : unmanaged, IDictionaryKey<TSelf>
{
    /// <summary>Bytes of a value in <see cref="ColumnValues.Data"/>.</summary>
    static abstract int Stride { get; }

    /// <summary>Its high bits say where it belongs, its low ones whether a look at the whole key is worth it.</summary>
    ulong Hash { get; }

    /// <summary>Bytes of the value in PLAIN encoding.</summary>
    long PlainBytes { get; }

    static abstract TSelf Of(byte* value);

    /// <summary>Whether two values are the same.</summary>
    /// <param name="left">The key of <paramref name="leftValue"/>.</param>
    /// <param name="right">The key of <paramref name="rightValue"/>.</param>
    /// <param name="leftValue">A value as it stands in <see cref="ColumnValues.Data"/>.</param>
    /// <param name="rightValue">Another one.</param>
    static abstract bool AreEqual(in TSelf left, in TSelf right, byte* leftValue, byte* rightValue);

    static abstract void AppendPlain(NativeBuffer output, byte* values, int count);
}

/// <summary>Four bytes by their bits: floating point keeps its zeros and NaNs apart.</summary>
internal readonly unsafe struct FourByteKey(uint bits) : IDictionaryKey<FourByteKey>
{
    private readonly uint bits = bits;

    public static int Stride => sizeof(uint);

    public ulong Hash => bits * EightByteKey.Multiplier;

    public long PlainBytes => sizeof(uint);

    public static FourByteKey Of(byte* value) => new(*(uint*)value);

    public static bool AreEqual(in FourByteKey left, in FourByteKey right, byte* leftValue, byte* rightValue) => left.bits == right.bits;

    public static void AppendPlain(NativeBuffer output, byte* values, int count) => output.Append(new ReadOnlySpan<byte>(values, count * sizeof(uint)));
}

/// <summary>Eight bytes by their bits.</summary>
internal readonly unsafe struct EightByteKey(ulong bits) : IDictionaryKey<EightByteKey>
{
    public const ulong Multiplier = 0x9E3779B97F4A7C15;

    private readonly ulong bits = bits;

    public static int Stride => sizeof(ulong);

    public ulong Hash => bits * Multiplier;

    public long PlainBytes => sizeof(ulong);

    public static EightByteKey Of(byte* value) => new(*(ulong*)value);

    public static bool AreEqual(in EightByteKey left, in EightByteKey right, byte* leftValue, byte* rightValue) => left.bits == right.bits;

    public static void AppendPlain(NativeBuffer output, byte* values, int count) => output.Append(new ReadOnlySpan<byte>(values, count * sizeof(ulong)));
}

/// <summary>A byte array by its first and last eight bytes, which are the whole value where it is short, its length and a hash of
/// all.</summary>
internal readonly unsafe struct BytesKey : IDictionaryKey<BytesKey>
{
    private const ulong SeedOne = 0xA0761D6478BD642F, SeedTwo = 0xE7037ED1A0B428DB;
    private const int WholeBytes = 16;

    private readonly ulong first;
    private readonly ulong last;
    private readonly int length;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private BytesKey(ByteRef value)
    {
        length = value.Length;
        first = *(ulong*)value.Data;
        if (length < sizeof(ulong))
        {
            first &= (1UL << (8 * length)) - 1;
        }
        else
        {
            last = *(ulong*)(value.Data + length - sizeof(ulong));
        }
        var seed = length <= WholeBytes ? SeedTwo : HashMiddle(value);
        Hash = Mix(first ^ SeedOne ^ (uint)length, last ^ seed);
    }

    public static int Stride => sizeof(ByteRef);

    public ulong Hash { get; }

    public long PlainBytes => sizeof(int) + (long)length;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static BytesKey Of(byte* value) => new(*(ByteRef*)value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AreEqual(in BytesKey left, in BytesKey right, byte* leftValue, byte* rightValue)
        => left.first == right.first && left.last == right.last && left.length == right.length
            && (left.length <= WholeBytes || ((ByteRef*)leftValue)->Span.SequenceEqual(((ByteRef*)rightValue)->Span));

    public static void AppendPlain(NativeBuffer output, byte* values, int count)
        => ValueEncoders.AppendBytes(output, (ByteRef*)values, count);

    private static ulong HashMiddle(ByteRef value)
    {
        var hash = SeedTwo;
        for (var at = 8; at < value.Length - 8; at += 8)
        {
            hash = Mix(hash ^ *(ulong*)(value.Data + at), SeedOne);
        }
        return hash;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong left, ulong right)
    {
        var high = Math.BigMul(left, right, out var low);
        return high ^ low;
    }
}
