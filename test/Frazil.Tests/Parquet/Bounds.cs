using System.Buffers.Binary;
using Frazil.Columnar;
using Frazil.DuckDb;

namespace Frazil.Tests.Parquet;

/// <summary>The least and greatest value of a leaf column, in the order that Iceberg compares bounds in.</summary>
internal abstract unsafe class Bounds
{
    /// <summary>Null for types that have no NaN.</summary>
    public virtual long? NanCount => null;

    /// <param name="view">At the width it is stored in.</param>
    /// <param name="rows">At most 2048.</param>
    /// <param name="present">By row of the block, bits beyond the last row set; null where every row is present.</param>
    public abstract void Add(ColumnView view, RowSet rows, ulong* present);

    public abstract byte[]? Lower();

    public abstract byte[]? Upper();

    public static Bounds Create(ColumnType type, bool hasBounds) => type.Kind switch
    {
        ColumnKind.Float32 => new FloatBounds(hasBounds, isSingle: true),
        ColumnKind.Float64 => new FloatBounds(hasBounds, isSingle: false),
        _ when !hasBounds => new NoBounds(),
        ColumnKind.Boolean => new BooleanBounds(),
        ColumnKind.Int32 or ColumnKind.Date32 => new IntegerBounds(bytes: 4),
        ColumnKind.Int64 or ColumnKind.Time64 or ColumnKind.Timestamp or ColumnKind.TimestampTz => new IntegerBounds(bytes: 8),
        ColumnKind.Decimal128 => new DecimalBounds(),
        ColumnKind.Utf8 or ColumnKind.Binary or ColumnKind.FixedBinary or ColumnKind.Uuid => new BytesBounds(),
        _ => throw new NotSupportedException($"Column kind {type.Kind} has no bounds."),
    };

    private protected static bool IsPresent(ulong* present, int index)
        => present == null || (present[index >> 6] & (1UL << (index & 63))) != 0;

    private sealed class NoBounds : Bounds
    {
        public override void Add(ColumnView view, RowSet rows, ulong* present)
        {
        }

        public override byte[]? Lower() => null;

        public override byte[]? Upper() => null;
    }

    private sealed class BooleanBounds : Bounds
    {
        private bool hasFalse;
        private bool hasTrue;

        public override void Add(ColumnView view, RowSet rows, ulong* present)
        {
            for (var index = 0; index < rows.Count && !(hasFalse && hasTrue); index++)
            {
                var row = rows[index];
                if (IsPresent(present, index))
                {
                    var value = (view.Values[row >> 3] & (1 << (int)(row & 7))) != 0;
                    hasTrue |= value;
                    hasFalse |= !value;
                }
            }
        }

        public override byte[]? Lower() => hasFalse ? [0] : hasTrue ? [1] : null;

        public override byte[]? Upper() => hasTrue ? [1] : hasFalse ? [0] : null;
    }

    /// <summary>32- and 64-bit integers, dates and times.</summary>
    private sealed class IntegerBounds(int bytes) : Bounds
    {
        private long least = long.MaxValue;
        private long greatest = long.MinValue;
        private bool isEmpty = true;

        public override void Add(ColumnView view, RowSet rows, ulong* present)
        {
            var isNarrow = view.Type.ValueSize == 4;
            for (var index = 0; index < rows.Count; index++)
            {
                if (IsPresent(present, index))
                {
                    var value = isNarrow ? ((int*)view.Values)[rows[index]] : ((long*)view.Values)[rows[index]];
                    least = Math.Min(least, value);
                    greatest = Math.Max(greatest, value);
                    isEmpty = false;
                }
            }
        }

        public override byte[]? Lower() => isEmpty ? null : Encode(least);

        public override byte[]? Upper() => isEmpty ? null : Encode(greatest);

        private byte[] Encode(long value) => bytes == 4 ? BitConverter.GetBytes((int)value) : BitConverter.GetBytes(value);
    }

    /// <summary>-0 is below +0; NaN is counted and otherwise ignored.</summary>
    private sealed class FloatBounds(bool hasBounds, bool isSingle) : Bounds
    {
        // Doubles as integers that sort as the doubles do.
        private long least = long.MaxValue;
        private long greatest = long.MinValue;
        private long nans;

        public override long? NanCount => nans;

        public override void Add(ColumnView view, RowSet rows, ulong* present)
        {
            var isNarrow = view.Type.ValueSize == 4;
            for (var index = 0; index < rows.Count; index++)
            {
                if (!IsPresent(present, index))
                {
                    continue;
                }
                var value = isNarrow ? ((float*)view.Values)[rows[index]] : ((double*)view.Values)[rows[index]];
                if (double.IsNaN(value))
                {
                    nans++;
                    continue;
                }
                var sortable = Flip(BitConverter.DoubleToInt64Bits(value));
                least = Math.Min(least, sortable);
                greatest = Math.Max(greatest, sortable);
            }
        }

        public override byte[]? Lower() => Encode(least);

        public override byte[]? Upper() => Encode(greatest);

        private byte[]? Encode(long sortable)
        {
            if (!hasBounds || least > greatest)
            {
                return null;
            }
            var value = BitConverter.Int64BitsToDouble(Flip(sortable));
            return isSingle ? BitConverter.GetBytes((float)value) : BitConverter.GetBytes(value);
        }

        private static long Flip(long bits) => bits ^ ((bits >> 63) & long.MaxValue);
    }

    private sealed class DecimalBounds : Bounds
    {
        private Int128 least = Int128.MaxValue;
        private Int128 greatest = Int128.MinValue;

        public override void Add(ColumnView view, RowSet rows, ulong* present)
        {
            for (var index = 0; index < rows.Count; index++)
            {
                if (IsPresent(present, index))
                {
                    var value = ((Int128*)view.Values)[rows[index]];
                    least = value < least ? value : least;
                    greatest = value > greatest ? value : greatest;
                }
            }
        }

        public override byte[]? Lower() => least > greatest ? null : Encode(least);

        public override byte[]? Upper() => least > greatest ? null : Encode(greatest);

        /// <summary>Two's complement, big endian, in as few bytes as hold the sign.</summary>
        private static byte[] Encode(Int128 value)
        {
            var bytes = new byte[16];
            BinaryPrimitives.WriteInt128BigEndian(bytes, value);
            var sign = value < 0 ? (byte)0xFF : (byte)0;
            var start = 0;
            while (start < 15 && bytes[start] == sign && (bytes[start + 1] & 0x80) == (sign & 0x80))
            {
                start++;
            }
            return bytes[start..];
        }
    }
}
