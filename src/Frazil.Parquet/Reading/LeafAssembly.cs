using System.Buffers.Binary;
using Frazil.Columnar;
using Frazil.Parquet.Levels;

namespace Frazil.Parquet.Reading;

/// <summary>Puts the values of one leaf where its column has them, converted.</summary>
internal sealed unsafe class LeafAssembly(LeafData data, ReadBudget budget, List<IDisposable> owned)
{
    private const long MicrosPerDay = 86_400_000_000;
    private const int JulianEpochDay = 2_440_588;

    private StoredValues Values => data.Values;

    private LeafForm Form => data.Leaf.Form;

    /// <param name="column">The leaf.</param>
    /// <param name="places">Values with nulls.</param>
    /// <param name="validity">Which of them are present; null for all.</param>
    public ColumnView Build(ReadColumn column, int places, byte* validity)
    {
        var present = validity == null ? places : CountBits(validity, places);
        if (present != data.ValueCount)
        {
            throw new InvalidDataException($"Column {data.Leaf} has {data.ValueCount} values for {present} places.");
        }
        if (Form.Type.Kind is ColumnKind.Utf8 or ColumnKind.Binary)
        {
            // Where every place has a value, and all that were read are wanted, the stored offsets are the column's.
            var isWhole = validity == null && data.FirstValue == 0;
            var offsets = isWhole ? Values.Offsets : BuildOffsets(places, validity);
            return new() { Type = column.Type, Length = places, Validity = validity, Offsets = offsets, Values = FirstByte() };
        }
        var values = Form.Step == ReadStep.None && validity == null
            ? Values.Data + (long)data.FirstValue * Values.Stride
            : Convert(places, validity);
        return new() { Type = column.Type, Length = places, Validity = validity, Values = values };
    }

    private static int CountBits(byte* bits, int count)
    {
        var present = 0L;
        for (var word = 0; word < (count + 63) / 64; word++)
        {
            present += System.Numerics.BitOperations.PopCount(((ulong*)bits)[word]);
        }
        return (int)present;
    }

    private byte* FirstByte() => Values.Data + Values.Offsets[data.FirstValue];

    private int* BuildOffsets(int places, byte* validity)
    {
        var offsets = (int*)Allocate((places + 1L) * sizeof(int));
        var next = Values.Offsets + data.FirstValue;
        var from = *next;
        if (validity == null)
        {
            for (var place = 0; place <= places; place++)
            {
                offsets[place] = next[place] - from;
            }
            return offsets;
        }
        offsets[0] = 0;
        for (var place = 0; place < places; place++)
        {
            // Without a branch: a null ends where the value before it does.
            next += (validity[place >> 3] >> (place & 7)) & 1;
            offsets[place + 1] = *next - from;
        }
        return offsets;
    }

    private byte* Convert(int places, byte* validity)
    {
        var size = Form.Type.ValueSize;
        var bytes = Form.Step == ReadStep.PackBits ? (places + 63L) / 64 * sizeof(ulong) : (long)places * size;
        var target = Allocate(bytes);
        for (var done = 0L; done < bytes; done += 1 << 30)
        {
            new Span<byte>(target + done, (int)Math.Min(1 << 30, bytes - done)).Clear();
        }
        var value = data.FirstValue;
        if (data.ValueCount == 0)
        {
            return target;
        }
        if (Form.Step == ReadStep.None && size is 4 or 8)
        {
            Spread(target, places, validity, size);
            return target;
        }
        if (Form.Step == ReadStep.PackBits && validity == null)
        {
            Bits.PackAtLeast(Values.Data + data.FirstValue, 1, target, places);
            return target;
        }
        for (var place = 0; place < places; place++)
        {
            if (IsPresent(validity, place))
            {
                Convert(value++, target, place, size);
            }
        }
        return target;
    }

    /// <summary>Numbers with nulls between them, which is what most columns are.</summary>
    private void Spread(byte* target, int places, byte* validity, int size)
    {
        var source = Values.Data + (long)data.FirstValue * size;
        if (size == sizeof(int))
        {
            for (var (place, value) = (0, 0); place < places; place++)
            {
                // Without a branch: what is read where there is none is overwritten by 0, and the values' buffer has room behind it.
                var present = (validity[place >> 3] >> (place & 7)) & 1;
                ((int*)target)[place] = ((int*)source)[value] & -present;
                value += present;
            }
            return;
        }
        for (var (place, value) = (0, 0); place < places; place++)
        {
            var present = (validity[place >> 3] >> (place & 7)) & 1;
            ((long*)target)[place] = ((long*)source)[value] & -(long)present;
            value += present;
        }
    }

    private void Convert(int value, byte* target, int place, int size)
    {
        var source = Values.Data + (long)value * Values.Stride;
        switch (Form.Step)
        {
            case ReadStep.None:
                Buffer.MemoryCopy(source, target + (long)place * size, size, size);
                break;
            case ReadStep.PackBits:
                target[place >> 3] |= (byte)((*source & 1) << (place & 7));
                break;
            case ReadStep.WidenUnsigned:
                ((long*)target)[place] = *(uint*)source;
                break;
            case ReadStep.UnsignedToDecimal:
                Store(target, place, *(ulong*)source);
                break;
            case ReadStep.IntMillis:
                ((long*)target)[place] = *(int*)source * 1000L;
                break;
            case ReadStep.LongMillis:
                ((long*)target)[place] = ToMicros(*(long*)source);
                break;
            case ReadStep.Int96Micros:
                ((long*)target)[place] = OfInt96(*(long*)source, *(int*)(source + 8));
                break;
            case ReadStep.IntToDecimal:
                Store(target, place, *(int*)source);
                break;
            case ReadStep.LongToDecimal:
                Store(target, place, *(long*)source);
                break;
            case ReadStep.FixedToDecimal:
                Store(target, place, OfBigEndian(new(source, Values.Stride)));
                break;
            case ReadStep.BytesToDecimal:
                Store(target, place, OfBigEndian(new(Values.Data + Values.Offsets[value], Values.Offsets[value + 1] - Values.Offsets[value])));
                break;
            default:
                ((float*)target)[place] = (float)BitConverter.Int16BitsToHalf(*(short*)source);
                break;
        }
    }

    private long ToMicros(long millis)
        => millis is >= long.MinValue / 1000 and <= long.MaxValue / 1000
            ? millis * 1000
            : throw new InvalidDataException($"Column {data.Leaf} has a time of {millis} ms, which microseconds cannot say.");

    private long OfInt96(long nanos, int julianDay)
    {
        var micros = (Int128)(julianDay - (long)JulianEpochDay) * MicrosPerDay + nanos / 1000;
        return micros >= long.MinValue && micros <= long.MaxValue
            ? (long)micros
            : throw new InvalidDataException($"Column {data.Leaf} has a time on Julian day {julianDay}, which microseconds cannot say.");
    }

    private Int128 OfBigEndian(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return 0;
        }
        var fill = (byte)((sbyte)bytes[0] < 0 ? 0xFF : 0);
        while (bytes.Length > 16)
        {
            bytes = bytes[0] == fill ? bytes[1..] : throw new InvalidDataException($"Column {data.Leaf} has a decimal of more than 38 digits.");
        }
        Span<byte> whole = stackalloc byte[16];
        whole.Fill(fill);
        bytes.CopyTo(whole[(16 - bytes.Length)..]);
        return BinaryPrimitives.ReadInt128BigEndian(whole);
    }

    private static void Store(byte* target, int place, Int128 value)
        => BinaryPrimitives.WriteInt128LittleEndian(new Span<byte>(target + (long)place * 16, 16), value);

    private static bool IsPresent(byte* validity, int place) => validity == null || (validity[place >> 3] & (1 << (place & 7))) != 0;

    private byte* Allocate(long bytes)
    {
        budget.Take(bytes);
        var buffer = new NativeBuffer();
        owned.Add(buffer);
        return buffer.Reserve(bytes);
    }
}
