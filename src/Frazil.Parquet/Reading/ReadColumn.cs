using Frazil.Columnar;

namespace Frazil.Parquet.Reading;

/// <summary>One column or nested field of a file as it is read: its type, and which levels mean what.</summary>
internal sealed class ReadColumn
{
    /// <summary>As the file names it; <c>element</c>, <c>key</c> and <c>value</c> inside lists and maps, however they are stored.</summary>
    public required string Name { get; init; }

    public required int FieldId { get; init; }

    public required bool Nullable { get; init; }

    /// <summary>The definition level from which on it is not null.</summary>
    public required int Definition { get; init; }

    /// <summary>Repetition levels above this one go on inside of one value.</summary>
    public required int Repetition { get; init; }

    /// <summary>The definition level from which on there is a place for it: its list's element exists.</summary>
    public required int PlaceDefinition { get; init; }

    /// <summary>Of lists and maps: the definition level from which on they have an element.</summary>
    public int ElementDefinition { get; init; }

    /// <summary>Null for leaves.</summary>
    public ColumnKind? Nested { get; init; }

    public IReadOnlyList<ReadColumn> Children { get; init; } = [];

    /// <summary>Null for what is not a leaf.</summary>
    public ReadLeaf? Leaf { get; init; }

    /// <summary>The first leaf below, or itself: its levels tell of this column too.</summary>
    public ReadLeaf FirstLeaf => Leaf ?? Children[0].FirstLeaf;

    public IEnumerable<ReadLeaf> Leaves => Leaf is not null ? [Leaf] : Children.SelectMany(static child => child.Leaves);

    public ColumnType Type => Nested switch
    {
        null => Leaf!.Form.Type,
        ColumnKind.Struct => ColumnType.Struct([.. Children.Select(static child => child.ToField())]),
        ColumnKind.List => ColumnType.List(Children[0].ToField()),
        _ => ColumnType.Map(Children[0].ToField(), Children[1].ToField()),
    };

    public ColumnField ToField() => new(Name, Type, FieldId, Nullable);

    /// <summary>What is wanted of it; null where nothing is. A list's or map's own id, or one below it, brings all that levels need.</summary>
    public ReadColumn? Select(IReadOnlySet<int> fieldIds)
    {
        if (fieldIds.Contains(FieldId))
        {
            return this;
        }
        var kept = Children.Select(child => child.Select(fieldIds)).ToList();
        if (kept.TrueForAll(static child => child is null))
        {
            return null;
        }
        // A map without its keys, or a list without its element, is none.
        return With([.. Nested == ColumnKind.Struct ? kept.OfType<ReadColumn>() : kept.Select((child, index) => child ?? Children[index])]);
    }

    private ReadColumn With(IReadOnlyList<ReadColumn> children) => new()
    {
        Name = Name,
        FieldId = FieldId,
        Nullable = Nullable,
        Definition = Definition,
        Repetition = Repetition,
        PlaceDefinition = PlaceDefinition,
        ElementDefinition = ElementDefinition,
        Nested = Nested,
        Children = children,
    };
}

/// <summary>A leaf of the file's schema: one column chunk in each row group.</summary>
/// <param name="Index">Its place among a row group's chunks.</param>
/// <param name="Path">Names from the top down, for messages.</param>
/// <param name="Form">How its values are stored, and what they become.</param>
/// <param name="MaxDefinition">The level of a value that is there.</param>
/// <param name="MaxRepetition">Lists around it.</param>
internal sealed record ReadLeaf(int Index, string Path, LeafForm Form, int MaxDefinition, int MaxRepetition)
{
    public override string ToString() => $"'{Path}'";
}
