using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Frazil.Columnar;

namespace Frazil.DuckDb;

/// <summary>Fills the values of one vector that has no children.</summary>
internal static unsafe class ValueFill
{
    private const int InlineBytes = 12;

    // Masks that keep the first n of 8 and of the following 4 bytes, n from 0 to 12.
    private static readonly ulong[] LowMasks = [
        .. Enumerable.Range(0, 13).Select(length => length >= 8 ? ulong.MaxValue : (1UL << (8 * length)) - 1)];
    private static readonly uint[] HighMasks = [
        .. Enumerable.Range(0, 13).Select(length => length >= 12 ? uint.MaxValue : (1U << (8 * Math.Max(length - 8, 0))) - 1)];

    public static void Fill(FillKind kind, ColumnView view, byte* target, RowSet rows)
    {
        switch (kind)
        {
            case FillKind.Bits:
                FillBits(view.Values, target, rows);
                break;
            case FillKind.Copy4:
                Copy((uint*)view.Values, (uint*)target, rows);
                break;
            case FillKind.Copy8:
                Copy((ulong*)view.Values, (ulong*)target, rows);
                break;
            case FillKind.Copy16:
                Copy((UInt128*)view.Values, (UInt128*)target, rows);
                break;
            case FillKind.WidenInt:
                for (var index = 0; index < rows.Count; index++)
                {
                    ((long*)target)[index] = ((int*)view.Values)[rows[index]];
                }
                break;
            case FillKind.WidenFloat:
                for (var index = 0; index < rows.Count; index++)
                {
                    ((double*)target)[index] = ((float*)view.Values)[rows[index]];
                }
                break;
            case FillKind.Narrow2:
            case FillKind.Narrow4:
            case FillKind.Narrow8:
                FillNarrow(kind, view.Values, target, rows);
                break;
            case FillKind.Uuid:
                FillUuids(view.Values, (UInt128*)target, rows);
                break;
            case FillKind.Bytes:
                FillStrings(view, (ulong*)target, rows);
                break;
            case FillKind.FixedBytes:
                FillFixedBytes(view, (ulong*)target, rows);
                break;
            default:
                throw new InvalidOperationException($"{kind} is not a fill of plain values.");
        }
    }

    private static void Copy<T>(T* source, T* target, RowSet rows)
        where T : unmanaged
    {
        if (rows.Rows == null)
        {
            Buffer.MemoryCopy(source + rows.Start, target, (long)rows.Count * sizeof(T), (long)rows.Count * sizeof(T));
            return;
        }
        for (var index = 0; index < rows.Count; index++)
        {
            target[index] = source[rows.Rows[index]];
        }
    }

    private static void FillBits(byte* bits, byte* target, RowSet rows)
    {
        var index = 0;
        if (rows.Rows == null)
        {
            for (; index + 8 <= rows.Count; index += 8)
            {
                var at = rows.Start + index;
                var shift = (int)(at & 7);
                var eight = (uint)bits[at >> 3] >> shift;
                eight |= shift == 0 ? 0 : (uint)bits[(at >> 3) + 1] << (8 - shift);
                // Each of 8 bytes keeps one bit of its own; adding 0x7F carries it into the byte's top.
                var spread = ((eight & 0xFF) * 0x0101010101010101UL) & 0x8040201008040201UL;
                *(ulong*)(target + index) = ((spread + 0x7F7F7F7F7F7F7F7FUL) >> 7) & 0x0101010101010101UL;
            }
        }
        for (; index < rows.Count; index++)
        {
            var at = rows[index];
            target[index] = (byte)((bits[at >> 3] >> (int)(at & 7)) & 1);
        }
    }

    private static void FillNarrow(FillKind kind, byte* values, byte* target, RowSet rows)
    {
        for (var index = 0; index < rows.Count; index++)
        {
            // Two's complement, little endian: the low bytes are the number, since the precision says that it fits.
            var low = *(long*)(values + (rows[index] * 16));
            switch (kind)
            {
                case FillKind.Narrow2:
                    ((short*)target)[index] = (short)low;
                    break;
                case FillKind.Narrow4:
                    ((int*)target)[index] = (int)low;
                    break;
                default:
                    ((long*)target)[index] = low;
                    break;
            }
        }
    }

    private static void FillUuids(byte* values, UInt128* target, RowSet rows)
    {
        for (var index = 0; index < rows.Count; index++)
        {
            var value = BinaryPrimitives.ReadUInt128BigEndian(new ReadOnlySpan<byte>(values + (rows[index] * 16), 16));
            target[index] = value ^ ((UInt128)1 << 127);
        }
    }

    private static void FillStrings(ColumnView view, ulong* target, RowSet rows)
    {
        var offsets = view.Offsets;
        var bytes = view.Values;
        // Up to here 16 bytes may be read from any start without leaving what is visible.
        var safeEnd = view.Offsets[view.Length] - 16;
        for (var index = 0; index < rows.Count; index++)
        {
            var row = rows[index];
            var begin = offsets[row];
            WriteReference(bytes + begin, offsets[row + 1] - begin, begin <= safeEnd, target + (2 * index));
        }
    }

    private static void FillFixedBytes(ColumnView view, ulong* target, RowSet rows)
    {
        var width = view.Type.Width;
        for (var index = 0; index < rows.Count; index++)
        {
            WriteReference(view.Values + (rows[index] * width), width, mayReadBeyond: false, target + (2 * index));
        }
    }

    /// <summary>DuckDB's string reference: 4 bytes of length, then up to 12 bytes inline, or 4 bytes of prefix and a pointer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteReference(byte* bytes, int length, bool mayReadBeyond, ulong* target)
    {
        if (length > InlineBytes)
        {
            target[0] = (uint)length | ((ulong)*(uint*)bytes << 32);
            target[1] = (ulong)bytes;
        }
        else if (mayReadBeyond)
        {
            var low = *(ulong*)bytes & LowMasks[length];
            var high = *(uint*)(bytes + 8) & HighMasks[length];
            target[0] = (uint)length | (low << 32);
            target[1] = (low >> 32) | ((ulong)high << 32);
        }
        else
        {
            target[0] = (uint)length;
            target[1] = 0;
            Unsafe.CopyBlockUnaligned((byte*)target + 4, bytes, (uint)length);
        }
    }
}
