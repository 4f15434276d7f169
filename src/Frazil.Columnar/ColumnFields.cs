using System.Collections;

namespace Frazil.Columnar;

/// <summary>An immutable list of fields with structural equality: a schema, or the children of a nested type.</summary>
public sealed class ColumnFields : IReadOnlyList<ColumnField>, IEquatable<ColumnFields>
{
    private readonly ColumnField[] fields;

    public ColumnFields(IEnumerable<ColumnField> fields) => this.fields = [.. fields];

    public static ColumnFields Empty { get; } = new([]);

    public int Count => fields.Length;

    public ColumnField this[int index] => fields[index];

    /// <summary>The position of the field with this id among these siblings, or -1.</summary>
    public int IndexOfId(int fieldId) => Array.FindIndex(fields, field => field.FieldId == fieldId);

    /// <summary>The position of the field with this exact name among these siblings, or -1.</summary>
    public int IndexOfName(string name) => Array.FindIndex(fields, field => field.Name == name);

    public IEnumerator<ColumnField> GetEnumerator() => ((IEnumerable<ColumnField>)fields).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => fields.GetEnumerator();

    public bool Equals(ColumnFields? other) => other is not null && fields.AsSpan().SequenceEqual(other.fields);

    public override bool Equals(object? obj) => Equals(obj as ColumnFields);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var field in fields)
        {
            hash.Add(field);
        }
        return hash.ToHashCode();
    }
}
