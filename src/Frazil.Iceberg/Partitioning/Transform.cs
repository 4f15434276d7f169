using System.Globalization;

namespace Frazil.Iceberg;

/// <summary>The partition transforms of the specification.</summary>
public enum TransformKind : byte
{
    Identity, Bucket, Truncate, Year, Month, Day, Hour,
    /// <summary>Always null: a dropped field of a v1 table.</summary>
    Void,
    /// <summary>From a newer specification: kept as written, never used to prune or to write.</summary>
    Unknown,
}

/// <summary>Derives a partition value (or a sort key) from a column value. Immutable; equality by notation.</summary>
public sealed class Transform : IEquatable<Transform>
{
    private readonly string text;

    private Transform(TransformKind kind, string text, int argument = 0) => (Kind, this.text, Argument) = (kind, text, argument);

    public TransformKind Kind { get; }

    /// <summary>N of <c>bucket[N]</c>, W of <c>truncate[W]</c>; 0 for others.</summary>
    public int Argument { get; }

    public static Transform Identity { get; } = new(TransformKind.Identity, "identity");
    public static Transform Year { get; } = new(TransformKind.Year, "year");
    public static Transform Month { get; } = new(TransformKind.Month, "month");
    public static Transform Day { get; } = new(TransformKind.Day, "day");
    public static Transform Hour { get; } = new(TransformKind.Hour, "hour");
    public static Transform Void { get; } = new(TransformKind.Void, "void");

    /// <param name="count">Number of buckets; positive.</param>
    public static Transform Bucket(int count) => count > 0
        ? new(TransformKind.Bucket, string.Create(CultureInfo.InvariantCulture, $"bucket[{count}]"), count)
        : throw new ValidationException($"bucket[{count}] is not a transform: the number of buckets must be positive.");

    /// <param name="width">Code points of a string, bytes of a binary, or the step of a number; positive.</param>
    public static Transform Truncate(int width) => width > 0
        ? new(TransformKind.Truncate, string.Create(CultureInfo.InvariantCulture, $"truncate[{width}]"), width)
        : throw new ValidationException($"truncate[{width}] is not a transform: the width must be positive.");

    /// <summary>Reads the notation of table metadata (<c>bucket[16]</c>); what it does not know becomes <see
    /// cref="TransformKind.Unknown"/>.</summary>
    public static Transform Parse(string notation)
    {
        var open = notation.IndexOf('[', StringComparison.Ordinal);
        if (open > 0 && notation.EndsWith(']')
            && int.TryParse(notation.AsSpan(open + 1, notation.Length - open - 2), NumberStyles.None, CultureInfo.InvariantCulture,
                out var argument) && argument > 0)
        {
            if (notation.AsSpan(0, open).Equals("bucket", StringComparison.OrdinalIgnoreCase))
                return Bucket(argument);
            if (notation.AsSpan(0, open).Equals("truncate", StringComparison.OrdinalIgnoreCase))
                return Truncate(argument);
        }
        return notation.ToLowerInvariant() switch
        {
            "identity" => Identity,
            "year" => Year,
            "month" => Month,
            "day" => Day,
            "hour" => Hour,
            "void" => Void,
            _ => new Transform(TransformKind.Unknown, notation),
        };
    }

    /// <summary>True for the transforms that keep the order of their source values.</summary>
    public bool PreservesOrder => Kind is not (TransformKind.Bucket or TransformKind.Void or TransformKind.Unknown);

    internal bool IsTemporal => Kind is TransformKind.Year or TransformKind.Month or TransformKind.Day or TransformKind.Hour;

    /// <summary>True where the specification allows this transform on columns of the type.</summary>
    public bool CanTransform(IcebergType source)
    {
        if (source is not PrimitiveType)
            return false;
        var isTimestamp = source.Id is TypeId.Timestamp or TypeId.TimestampTz or TypeId.TimestampNs or TypeId.TimestampTzNs;
        return Kind switch
        {
            TransformKind.Identity => source.Id is not (TypeId.Geometry or TypeId.Geography or TypeId.Variant or TypeId.Unknown),
            TransformKind.Bucket => isTimestamp || source.Id is TypeId.Int or TypeId.Long or TypeId.Decimal or TypeId.Date or TypeId.Time
                or TypeId.String or TypeId.Uuid or TypeId.Fixed or TypeId.Binary,
            TransformKind.Truncate => source.Id is TypeId.Int or TypeId.Long or TypeId.Decimal or TypeId.String or TypeId.Binary,
            TransformKind.Year or TransformKind.Month or TransformKind.Day => isTimestamp || source.Id is TypeId.Date,
            TransformKind.Hour => isTimestamp,
            _ => true,
        };
    }

    /// <summary>The type of the derived values.</summary>
    public PrimitiveType ResultType(IcebergType source) => Kind switch
    {
        TransformKind.Bucket or TransformKind.Year or TransformKind.Month or TransformKind.Hour => IcebergType.Int,
        TransformKind.Day => IcebergType.Date,
        TransformKind.Unknown => IcebergType.String,
        _ => source as PrimitiveType ?? throw new ValidationException($"{this} cannot be applied to {source}: only to a primitive type."),
    };

    /// <summary>Derives one value; null gives null.</summary>
    /// <param name="source">The type of the column; must satisfy <see cref="CanTransform"/>.</param>
    /// <param name="value">A value of that type.</param>
    public IcebergValue Apply(PrimitiveType source, IcebergValue value)
    {
        if (value.IsNull || Kind == TransformKind.Void)
            return IcebergValue.Null;
        return Kind switch
        {
            TransformKind.Identity => value,
            TransformKind.Bucket => ToBucket(TransformFunctions.Hash(source, value)),
            TransformKind.Truncate => TransformFunctions.Truncate(source, value, Argument),
            TransformKind.Unknown => throw new ValidationException(
                $"The transform '{this}' is not known to this version: it cannot derive values."),
            _ => TransformFunctions.Ordinal(Kind, source, value),
        };
    }

    /// <summary>The bucket of a hash, for <see cref="TransformKind.Bucket"/>.</summary>
    public int ToBucket(int hash) => (hash & int.MaxValue) % Argument;

    public bool Equals(Transform? other) => other is not null && text == other.text;

    public override bool Equals(object? obj) => Equals(obj as Transform);

    public override int GetHashCode() => text.GetHashCode(StringComparison.Ordinal);

    /// <summary>The notation of table metadata.</summary>
    public override string ToString() => text;
}
