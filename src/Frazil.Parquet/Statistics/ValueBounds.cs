using Frazil.Columnar;
using Frazil.Parquet.Schema;

namespace Frazil.Parquet.Statistics;

/// <summary>The least and greatest of some values of a leaf, and its NaNs; in the order that both Parquet and Iceberg compare in.
/// References into slices are good while those are pinned.</summary>
internal abstract unsafe class ValueBounds
{
    /// <summary>Bytes of a byte array in an index or a footer; longer bounds are cut.</summary>
    public const int CutBytes = 64;

    /// <summary>No value that has a place in the order.</summary>
    public abstract bool IsEmpty { get; }

    /// <summary>Null for types that have no NaN.</summary>
    public virtual long? NanCount => null;

    public abstract void Clear();

    /// <param name="values">As <see cref="Values.ColumnValues.Data"/> has them.</param>
    /// <param name="first">The first one to look at.</param>
    /// <param name="count">Values to look at.</param>
    public abstract void Add(byte* values, int first, int count);

    public abstract void Merge(ValueBounds other);

    /// <summary>Takes over what the other one has.</summary>
    public void CopyFrom(ValueBounds other)
    {
        Clear();
        Merge(other);
    }

    /// <summary>Counts of NaNs that were seen by their dictionary entry only.</summary>
    public virtual void AddNans(long count)
    {
    }

    /// <summary>Below 0 where this one's bound comes first. Neither may be empty.</summary>
    public abstract int Compare(ValueBounds other, bool isUpper);

    /// <summary>Writes a bound in PLAIN encoding, cut where it is long. False where it was cut.</summary>
    public abstract bool Append(NativeBuffer output, bool isUpper);

    /// <summary>Makes the bounds independent of the slices.</summary>
    public virtual void Own()
    {
    }

    /// <summary>A bound in Iceberg's single-value form, uncut; null where empty.</summary>
    public byte[]? ToIceberg(bool isUpper) => IsEmpty ? null : Serialize(isUpper);

    protected abstract byte[] Serialize(bool isUpper);

    public static ValueBounds Create(ColumnType type) => PhysicalTypes.Of(type) switch
    {
        PhysicalType.Boolean => new BooleanBounds(),
        PhysicalType.Int32 or PhysicalType.Int64 => new IntegerBounds(PhysicalTypes.WidthOf(type), type.Kind == ColumnKind.Decimal128),
        PhysicalType.Float or PhysicalType.Double => new FloatBounds(PhysicalTypes.WidthOf(type)),
        PhysicalType.ByteArray => new BytesBounds(0, isSigned: false, isText: type.Kind == ColumnKind.Utf8),
        _ => new BytesBounds(PhysicalTypes.WidthOf(type), isSigned: type.Kind == ColumnKind.Decimal128, isText: false),
    };
}
