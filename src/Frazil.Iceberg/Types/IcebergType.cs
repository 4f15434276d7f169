using System.Globalization;

namespace Frazil.Iceberg;

/// <summary>The names of the Iceberg types.</summary>
public enum TypeId : byte
{
    Boolean, Int, Long, Float, Double, Decimal, Date, Time, Timestamp, TimestampTz, TimestampNs, TimestampTzNs,
    String, Uuid, Fixed, Binary,
    /// <summary>v3: a column of nulls.</summary>
    Unknown,
    /// <summary>v3: semi-structured values.</summary>
    Variant,
    /// <summary>v3; the parameters are kept as text.</summary>
    Geometry,
    /// <summary>v3; the parameters are kept as text.</summary>
    Geography,
    Struct, List, Map,
}

/// <summary>An immutable Iceberg type. Equality is structural, field ids included.</summary>
public abstract class IcebergType : IEquatable<IcebergType>
{
    private protected IcebergType(TypeId id) => Id = id;

    public TypeId Id { get; }

    public bool IsPrimitive => this is PrimitiveType;

    /// <summary>Struct fields; or the one <c>element</c> of a list; or <c>key</c> and <c>value</c> of a map. Empty for
    /// primitives.</summary>
    public abstract IReadOnlyList<NestedField> Fields { get; }

    public static PrimitiveType Boolean { get; } = new(TypeId.Boolean);
    public static PrimitiveType Int { get; } = new(TypeId.Int);
    public static PrimitiveType Long { get; } = new(TypeId.Long);
    public static PrimitiveType Float { get; } = new(TypeId.Float);
    public static PrimitiveType Double { get; } = new(TypeId.Double);
    public static PrimitiveType Date { get; } = new(TypeId.Date);
    public static PrimitiveType Time { get; } = new(TypeId.Time);
    public static PrimitiveType Timestamp { get; } = new(TypeId.Timestamp);
    public static PrimitiveType TimestampTz { get; } = new(TypeId.TimestampTz);
    public static PrimitiveType TimestampNs { get; } = new(TypeId.TimestampNs);
    public static PrimitiveType TimestampTzNs { get; } = new(TypeId.TimestampTzNs);
    public static PrimitiveType String { get; } = new(TypeId.String);
    public static PrimitiveType Uuid { get; } = new(TypeId.Uuid);
    public static PrimitiveType Binary { get; } = new(TypeId.Binary);
    public static PrimitiveType Unknown { get; } = new(TypeId.Unknown);
    public static PrimitiveType Variant { get; } = new(TypeId.Variant);

    /// <param name="precision">Digits in all, 1 to 38.</param>
    /// <param name="scale">Digits after the point, 0 to <paramref name="precision"/>.</param>
    public static PrimitiveType Decimal(int precision, int scale)
    {
        if (precision is < 1 or > 38 || scale < 0 || scale > precision)
            throw new ValidationException(
                $"decimal({precision}, {scale}) is not a type: the precision is 1 to 38, the scale 0 to the precision.");
        return new(TypeId.Decimal) { Precision = precision, Scale = scale };
    }

    public static PrimitiveType Fixed(int length) =>
        length >= 1
            ? new(TypeId.Fixed) { Length = length }
            : throw new ValidationException($"fixed[{length}] is not a type: the length must be positive.");

    internal static PrimitiveType Geospatial(TypeId id, string parameters) => new(id) { Parameters = parameters };

    public static StructType Struct(params IReadOnlyList<NestedField> fields) => new(fields);

    public static ListType List(int elementId, IcebergType element, bool elementRequired = false) =>
        new(new NestedField(elementId, "element", elementRequired, element));

    public static MapType Map(int keyId, IcebergType key, int valueId, IcebergType value, bool valueRequired = false) =>
        new(new NestedField(keyId, "key", true, key), new NestedField(valueId, "value", valueRequired, value));

    public abstract bool Equals(IcebergType? other);

    public sealed override bool Equals(object? obj) => Equals(obj as IcebergType);

    public abstract override int GetHashCode();

    public static bool operator ==(IcebergType? left, IcebergType? right) => left is null ? right is null : left.Equals(right);

    public static bool operator !=(IcebergType? left, IcebergType? right) => !(left == right);

    private protected static bool SameFields(IReadOnlyList<NestedField> left, IReadOnlyList<NestedField> right)
    {
        if (left.Count != right.Count)
            return false;
        for (var i = 0; i < left.Count; i++)
            if (!left[i].Equals(right[i]))
                return false;
        return true;
    }

    private protected static int HashFields(TypeId id, IReadOnlyList<NestedField> fields)
    {
        var hash = default(HashCode);
        hash.Add(id);
        foreach (var field in fields)
            hash.Add(field);
        return hash.ToHashCode();
    }
}

/// <summary>A type without fields; make one through the static members of <see cref="IcebergType"/>.</summary>
public sealed class PrimitiveType : IcebergType
{
    internal PrimitiveType(TypeId id) : base(id) { }

    /// <summary>Digits in all; decimal only.</summary>
    public int Precision { get; internal init; }

    /// <summary>Digits after the point; decimal only.</summary>
    public int Scale { get; internal init; }

    /// <summary>Bytes of a value; fixed only.</summary>
    public int Length { get; internal init; }

    /// <summary>What stood in the parentheses of geometry and geography; empty otherwise.</summary>
    public string Parameters { get; internal init; } = "";

    public override IReadOnlyList<NestedField> Fields => [];

    /// <summary>How values of this type are held in an <see cref="IcebergValue"/>.</summary>
    public ValueKind ValueKind => Id switch
    {
        TypeId.Boolean => ValueKind.Boolean,
        TypeId.Int or TypeId.Date => ValueKind.Int32,
        TypeId.Long or TypeId.Time or TypeId.Timestamp or TypeId.TimestampTz or TypeId.TimestampNs
            or TypeId.TimestampTzNs => ValueKind.Int64,
        TypeId.Float => ValueKind.Float32,
        TypeId.Double => ValueKind.Float64,
        TypeId.Decimal => ValueKind.Decimal,
        TypeId.String => ValueKind.String,
        TypeId.Uuid => ValueKind.Uuid,
        TypeId.Unknown => ValueKind.Null,
        _ => ValueKind.Binary,
    };

    public override bool Equals(IcebergType? other) =>
        other is PrimitiveType p && p.Id == Id && p.Precision == Precision && p.Scale == Scale && p.Length == Length
            && p.Parameters == Parameters;

    public override int GetHashCode() => HashCode.Combine(Id, Precision, Scale, Length, Parameters);

    /// <summary>The notation of the specification's Appendix C.</summary>
    public override string ToString() => Id switch
    {
        TypeId.Decimal => string.Create(CultureInfo.InvariantCulture, $"decimal({Precision}, {Scale})"),
        TypeId.Fixed => string.Create(CultureInfo.InvariantCulture, $"fixed[{Length}]"),
        TypeId.TimestampNs => "timestamp_ns",
        TypeId.TimestampTzNs => "timestamptz_ns",
        TypeId.Geometry or TypeId.Geography when Parameters.Length > 0 => $"{Id.ToString().ToLowerInvariant()}({Parameters})",
        _ => Id.ToString().ToLowerInvariant(),
    };
}

/// <summary>Named fields in order.</summary>
public sealed class StructType : IcebergType
{
    private readonly NestedField[] fields;

    public StructType(IReadOnlyList<NestedField> fields) : base(TypeId.Struct) => this.fields = [.. fields];

    public override IReadOnlyList<NestedField> Fields => fields;

    /// <summary>The field of exactly this name among these siblings, or null.</summary>
    public NestedField? Find(string name) => Array.Find(fields, field => field.Name == name);

    public override bool Equals(IcebergType? other) => other is StructType s && SameFields(fields, s.fields);

    public override int GetHashCode() => HashFields(Id, fields);

    public override string ToString() => $"struct<{string.Join(", ", (object[])fields)}>";
}

/// <summary>A list of elements of one type.</summary>
public sealed class ListType : IcebergType
{
    private readonly NestedField[] fields;

    internal ListType(NestedField element) : base(TypeId.List) => fields = [element];

    public NestedField Element => fields[0];

    public override IReadOnlyList<NestedField> Fields => fields;

    public override bool Equals(IcebergType? other) => other is ListType l && SameFields(fields, l.fields);

    public override int GetHashCode() => HashFields(Id, fields);

    public override string ToString() => $"list<{Element.Type}>";
}

/// <summary>A map; keys are always required.</summary>
public sealed class MapType : IcebergType
{
    private readonly NestedField[] fields;

    internal MapType(NestedField key, NestedField value) : base(TypeId.Map) => fields = [key, value];

    public NestedField Key => fields[0];

    public NestedField Value => fields[1];

    public override IReadOnlyList<NestedField> Fields => fields;

    public override bool Equals(IcebergType? other) => other is MapType m && SameFields(fields, m.fields);

    public override int GetHashCode() => HashFields(Id, fields);

    public override string ToString() => $"map<{Key.Type}, {Value.Type}>";
}

/// <summary>A column or a part of one.</summary>
/// <param name="Id">Field id; positive; unique in a schema and never used again in a table.</param>
/// <param name="Name">Any text; unique among its siblings.</param>
/// <param name="Required">False where null is allowed.</param>
/// <param name="Type">The type.</param>
/// <param name="Doc">A comment, or null.</param>
/// <param name="InitialDefault">v3: JSON text of the single-value form, what rows written before the column existed hold; or null.</param>
/// <param name="WriteDefault">v3: JSON text of the single-value form, what writers fill in; or null.</param>
public sealed record NestedField(
    int Id, string Name, bool Required, IcebergType Type, string? Doc = null, string? InitialDefault = null, string? WriteDefault = null)
{
    public override string ToString() => $"{Id}: {Name}: {(Required ? "required" : "optional")} {Type}";
}
