namespace Frazil.Iceberg;

public enum SortDirection : byte { Ascending, Descending }

public enum NullOrder : byte { NullsFirst, NullsLast }

/// <summary>One key of a sort order.</summary>
/// <param name="SourceId">Field id of the column.</param>
/// <param name="Transform">What of the column is sorted by.</param>
/// <param name="Direction">Ascending or descending.</param>
/// <param name="NullOrder">Where nulls go.</param>
public sealed record SortField(int SourceId, Transform Transform, SortDirection Direction, NullOrder NullOrder)
{
    /// <summary>v3: every source of a transform of several columns (such transforms are kept, not understood); null for the usual
    /// one.</summary>
    public IReadOnlyList<int>? SourceIds { get; init; }

    public bool Equals(SortField? other) =>
        other is not null && SourceId == other.SourceId && Transform.Equals(other.Transform) && Direction == other.Direction
            && NullOrder == other.NullOrder && (SourceIds ?? [SourceId]).SequenceEqual(other.SourceIds ?? [other.SourceId]);

    public override int GetHashCode() => HashCode.Combine(SourceId, Transform, Direction, NullOrder);
}

/// <summary>How rows are sorted in files. Order id 0 is reserved for unsorted. Immutable.</summary>
public sealed class SortOrder : IEquatable<SortOrder>
{
    private readonly SortField[] fields;

    public SortOrder(int orderId, IReadOnlyList<SortField> fields)
    {
        OrderId = orderId;
        this.fields = [.. fields];
    }

    public static SortOrder Unsorted { get; } = new(0, []);

    public int OrderId { get; }

    public IReadOnlyList<SortField> Fields => fields;

    public bool IsUnsorted => fields.Length == 0;

    public SortOrder WithId(int orderId) => orderId == OrderId ? this : new(orderId, fields);

    /// <summary>True where both sort alike; the order ids may differ.</summary>
    public bool SameAs(SortOrder other) => fields.AsSpan().SequenceEqual(other.fields);

    /// <exception cref="ValidationException">A source column is missing or cannot be transformed so.</exception>
    public void Validate(Schema schema)
    {
        foreach (var field in fields)
        {
            var source = schema.FindField(field.SourceId)
                ?? throw new ValidationException(
                    $"The sort order {OrderId} names column id {field.SourceId}, which the schema does not have.");
            if (!field.Transform.CanTransform(source.Type))
                throw new ValidationException($"The sort order {OrderId}: {field.Transform} cannot be applied to '{schema.FindName(source.Id)}' of type {source.Type}.");
        }
    }

    public bool Equals(SortOrder? other) => other is not null && OrderId == other.OrderId && SameAs(other);

    public override bool Equals(object? obj) => Equals(obj as SortOrder);

    public override int GetHashCode() => HashCode.Combine(OrderId, fields.Length);
}
