using System.Runtime.CompilerServices;
using Frazil.Columnar;

namespace Frazil.Parquet;

/// <summary>Growable native memory that is used again and again. What is reserved may be overrun by <see cref="Slack"/> bytes, so that
/// loops store whole vectors.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    public const int Slack = 128;

    private long capacity;

    public byte* Data { get; private set; }

    /// <summary>Bytes in use.</summary>
    public long Length { get; private set; }

    /// <summary>Native bytes held.</summary>
    public long HeldBytes => Data == null ? 0 : capacity + Slack;

    public byte* End => Data + Length;

    public ReadOnlySpan<byte> Span => new(Data, checked((int)Length));

    /// <summary>Room for so many bytes behind what is in use; they count only after <see cref="Advance"/>. Earlier pointers into the buffer
    /// are void.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Reserve(long bytes)
    {
        if (bytes > capacity - Length || Data == null)
        {
            Grow(Length + bytes);
        }
        return Data + Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Advance(long bytes) => Length += bytes;

    /// <summary>Says that everything up to <paramref name="end"/> is in use now.</summary>
    public void AdvanceTo(byte* end) => Length = end - Data;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(new Span<byte>(Reserve(bytes.Length), bytes.Length));
        Length += bytes.Length;
    }

    public void Append(byte value)
    {
        *Reserve(1) = value;
        Length++;
    }

    public void AppendVarint(ulong value)
    {
        var at = Reserve(10);
        AdvanceTo(WriteVarint(at, value));
    }

    public static byte* WriteVarint(byte* at, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            *at++ = (byte)(value | 0x80);
        }
        *at++ = (byte)value;
        return at;
    }

    public void Clear() => Length = 0;

    /// <summary>Forgets what is behind so many bytes.</summary>
    public void Truncate(long bytes) => Length = Math.Min(Length, bytes);

    /// <summary>Empties it, and gives memory back where it has more than <paramref name="keptBytes"/>.</summary>
    public void Trim(long keptBytes)
    {
        Length = 0;
        if (capacity > keptBytes)
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        NativeBlocks.Return(Data, HeldBytes);
        Data = null;
        capacity = Length = 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(long needed)
    {
        var size = Math.Max(needed, capacity * 2) + Slack;
        var larger = NativeBlocks.Rent(ref size);
        if (Length > 0)
        {
            Buffer.MemoryCopy(Data, larger, size, Length);
        }
        NativeBlocks.Return(Data, HeldBytes);
        Data = larger;
        capacity = size - Slack;
    }
}
