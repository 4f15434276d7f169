namespace Frazil.Iceberg;

/// <summary>One derived value of a partition.</summary>
/// <param name="SourceId">Field id of the column it derives from.</param>
/// <param name="FieldId">Partition field id, 1000 and up.</param>
/// <param name="Name">The name in paths and metadata tables.</param>
/// <param name="Transform">The derivation.</param>
public sealed record PartitionField(int SourceId, int FieldId, string Name, Transform Transform)
{
    /// <summary>v3: every source of a transform of several columns (such transforms are kept, not understood); null for the usual
    /// one.</summary>
    public IReadOnlyList<int>? SourceIds { get; init; }

    public bool Equals(PartitionField? other) =>
        other is not null && SourceId == other.SourceId && FieldId == other.FieldId && Name == other.Name
            && Transform.Equals(other.Transform) && (SourceIds ?? [SourceId]).SequenceEqual(other.SourceIds ?? [other.SourceId]);

    public override int GetHashCode() => HashCode.Combine(SourceId, FieldId, Name, Transform);

    public override string ToString() => $"{FieldId}: {Name}: {Transform}({SourceId})";

    /// <summary>True where the schema has another column than the source under the field's name: other engines refuse to load such a
    /// table.</summary>
    public bool ClashesWith(Schema schema) => schema.FindField(Name) is { } column && column.Id != SourceId;
}

/// <summary>How rows are grouped into files. Immutable.</summary>
public sealed class PartitionSpec : IEquatable<PartitionSpec>
{
    /// <summary>What <c>last-partition-id</c> is in a table that never had a partition field.</summary>
    public const int NoLastPartitionId = 999;

    private readonly PartitionField[] fields;

    public PartitionSpec(int specId, IReadOnlyList<PartitionField> fields)
    {
        SpecId = specId;
        this.fields = [.. fields];
    }

    public static PartitionSpec Unpartitioned { get; } = new(0, []);

    public int SpecId { get; }

    public IReadOnlyList<PartitionField> Fields => fields;

    /// <summary>True without fields, or where all of them are void.</summary>
    public bool IsUnpartitioned => Array.TrueForAll(fields, one => one.Transform.Kind == TransformKind.Void);

    /// <summary>The highest partition field id, or 999.</summary>
    public int HighestFieldId => fields.Length == 0 ? NoLastPartitionId : Math.Max(NoLastPartitionId, fields.Max(one => one.FieldId));

    public PartitionSpec WithId(int specId) => specId == SpecId ? this : new(specId, fields);

    /// <summary>The struct of derived values, as manifests hold it. A dropped source column counts as unknown.</summary>
    public StructType PartitionType(Schema schema)
    {
        var types = new NestedField[fields.Length];
        for (var i = 0; i < fields.Length; i++)
            types[i] = new NestedField(fields[i].FieldId, fields[i].Name, false, fields[i].Transform.ResultType(SourceType(schema, i)));
        return new StructType(types);
    }

    /// <summary>The type of the source column of the field at this index; unknown where the schema no longer has it.</summary>
    public PrimitiveType SourceType(Schema schema, int index) =>
        schema.FindField(fields[index].SourceId)?.Type as PrimitiveType ?? IcebergType.Unknown;

    /// <summary>True where both derive the same values under the same names and ids; the spec ids may differ.</summary>
    public bool SameAs(PartitionSpec other) => fields.AsSpan().SequenceEqual(other.fields);

    /// <summary>Refuses a spec that the schema cannot carry. It never degrades to "unpartitioned".</summary>
    /// <exception cref="ValidationException">Names every field that is wrong, what is wrong with it, and what is allowed.</exception>
    public void Validate(Schema schema)
    {
        if (Problems(schema) is { Count: > 0 } problems)
            throw new ValidationException(string.Join(' ', problems));
    }

    internal List<string> Problems(Schema schema)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var ids = new HashSet<int>();
        var derived = new HashSet<(int, string)>();
        var problems = new List<string>();
        foreach (var field in fields)
        {
            if (SourceProblem(schema, field) is { } problem)
                problems.Add(problem);
            if (!names.Add(field.Name))
                problems.Add($"Two partition fields are named '{field.Name}': give one of them another name.");
            if (!ids.Add(field.FieldId))
                problems.Add($"Two partition fields have the id {field.FieldId}.");
            var kind = field.Transform.IsTemporal ? "time" : field.Transform.ToString();
            if (field.Transform.Kind != TransformKind.Void && !derived.Add((field.SourceId, kind)))
            {
                problems.Add($"Partition field '{field.Name}' repeats another one on '{schema.FindName(field.SourceId)}': "
                    + "a column takes each transform once, and only one of year, month, day and hour.");
            }
        }
        return problems;
    }

    private static string? SourceProblem(Schema schema, PartitionField field)
    {
        if (field.Transform.Kind == TransformKind.Unknown)
            return $"Partition field '{field.Name}': the transform '{field.Transform}' is not known. Known are identity, bucket[N], truncate[W], year, month, day, hour, void.";
        if (schema.FindField(field.SourceId) is not { } source)
            return $"Partition field '{field.Name}': the schema has no column with id {field.SourceId}.";
        var name = schema.FindName(source.Id);
        if (!source.Type.IsPrimitive || schema.IsRepeated(source.Id))
        {
            return $"Partition field '{field.Name}': '{name}' is {source.Type}{(schema.IsRepeated(source.Id) ? " in a list or map" : "")}; "
                + "only a primitive column, at the top or in structs, can partition.";
        }
        if (!field.Transform.CanTransform(source.Type))
            return $"Partition field '{field.Name}': {field.Transform} cannot be applied to '{name}' of type {source.Type}.";
        var isOfItsSource = schema.FindField(field.Name)?.Id == field.SourceId;
        return field.ClashesWith(schema) || (isOfItsSource && field.Transform.Kind is not (TransformKind.Identity or TransformKind.Void))
            ? $"Partition field '{field.Name}' has the name of a column: give it another name."
            : null;
    }

    public bool Equals(PartitionSpec? other) => other is not null && SpecId == other.SpecId && SameAs(other);

    public override bool Equals(object? obj) => Equals(obj as PartitionSpec);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(SpecId);
        foreach (var field in fields)
            hash.Add(field);
        return hash.ToHashCode();
    }

    public override string ToString() => $"[{string.Join(", ", (object[])fields)}]";
}
