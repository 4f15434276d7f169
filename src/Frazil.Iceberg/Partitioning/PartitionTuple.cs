namespace Frazil.Iceberg;

/// <summary>
/// The partition values of one file, in the order of its spec's fields. A value type over an array that nobody changes: hashable and
/// comparable, so rows can be grouped by it. <c>default</c> is the tuple of an unpartitioned spec.
/// </summary>
public readonly struct PartitionTuple : IEquatable<PartitionTuple>, IComparable<PartitionTuple>
{
    private readonly IcebergValue[]? values;

    /// <summary>Takes the array as it is: do not change it afterwards.</summary>
    public PartitionTuple(params IcebergValue[] values) => this.values = values;

    public static PartitionTuple Empty => default;

    public int Count => values?.Length ?? 0;

    public IcebergValue this[int index] => values![index];

    public ReadOnlySpan<IcebergValue> Values => values;

    /// <summary>Derives the tuple of a row.</summary>
    /// <param name="spec">The spec.</param>
    /// <param name="schema">The schema that has the spec's source columns.</param>
    /// <param name="sourceValues">The row's value of each field's source column, in the order of the spec's fields.</param>
    public static PartitionTuple Of(PartitionSpec spec, Schema schema, ReadOnlySpan<IcebergValue> sourceValues)
    {
        var derived = new IcebergValue[spec.Fields.Count];
        for (var i = 0; i < derived.Length; i++)
            derived[i] = spec.Fields[i].Transform.Apply(spec.SourceType(schema, i), sourceValues[i]);
        return new PartitionTuple(derived);
    }

    public bool Equals(PartitionTuple other) => Values.SequenceEqual(other.Values);

    public override bool Equals(object? obj) => obj is PartitionTuple other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var value in Values)
            hash.Add(value);
        return hash.ToHashCode();
    }

    public int CompareTo(PartitionTuple other) => Values.SequenceCompareTo(other.Values);

    public static bool operator ==(PartitionTuple left, PartitionTuple right) => left.Equals(right);
    public static bool operator !=(PartitionTuple left, PartitionTuple right) => !left.Equals(right);
    public static bool operator <(PartitionTuple left, PartitionTuple right) => left.CompareTo(right) < 0;
    public static bool operator >(PartitionTuple left, PartitionTuple right) => left.CompareTo(right) > 0;
    public static bool operator <=(PartitionTuple left, PartitionTuple right) => left.CompareTo(right) <= 0;
    public static bool operator >=(PartitionTuple left, PartitionTuple right) => left.CompareTo(right) >= 0;

    public override string ToString() => $"({string.Join(", ", values ?? [])})";
}
