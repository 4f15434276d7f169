using Frazil.Columnar;

namespace Frazil.Formats.Json;

/// <summary>What is known of a new field from the values seen: nothing yet, a scalar kind, or a struct or list of further shapes.
/// Immutable; joined without a change to either side, so that a record that does not fit leaves no trace.</summary>
internal sealed class JsonShape
{
    private readonly ColumnKind? kind;
    private readonly JsonShape? element;
    private readonly (string Name, JsonShape Shape)[] fields;

    private JsonShape(ColumnKind? kind, JsonShape? element, (string Name, JsonShape Shape)[] fields)
        => (this.kind, this.element, this.fields) = (kind, element, fields);

    /// <summary>Null, an empty object or an empty array: it fits every type, and asks for no column.</summary>
    public static JsonShape Nothing { get; } = new(null, null, []);

    public static JsonShape Boolean { get; } = new(ColumnKind.Boolean, null, []);

    public static JsonShape Integer { get; } = new(ColumnKind.Int64, null, []);

    public static JsonShape Number { get; } = new(ColumnKind.Float64, null, []);

    public static JsonShape Text { get; } = new(ColumnKind.Utf8, null, []);

    public static JsonShape List(JsonShape element) => element.IsNothing ? EmptyList : new(ColumnKind.List, element, []);

    public static JsonShape Struct(IReadOnlyList<(string Name, JsonShape Shape)> fields)
        => fields.All(field => field.Shape.IsNothing)
            ? EmptyStruct
            : new(ColumnKind.Struct, null, [.. fields.Where(field => !field.Shape.IsNothing)]);

    /// <summary>Whether no value has been seen that a column would have to hold.</summary>
    public bool IsNothing
        => kind is null || (kind == ColumnKind.List && element is null) || (kind == ColumnKind.Struct && fields.Length == 0);

    public IReadOnlyList<(string Name, JsonShape Shape)> Fields => fields;

    /// <summary>How many lists stand in each other, at most.</summary>
    public int ListLevels
        => (kind == ColumnKind.List ? 1 : 0) + Math.Max(element?.ListLevels ?? 0, fields.Select(static item => item.Shape.ListLevels).DefaultIfEmpty().Max());

    /// <summary>The full dotted names of what a column of this shape holds below its own name, <paramref name="path"/>.</summary>
    public IEnumerable<string> NamesBelow(string path)
    {
        if (element is not null)
        {
            return element.NamesBelow($"{path}.element").Prepend($"{path}.element");
        }
        return fields.SelectMany(field => field.Shape.NamesBelow($"{path}.{field.Name}").Prepend($"{path}.{field.Name}"));
    }

    /// <summary>Fields of all levels.</summary>
    public int Size => 1 + (element?.Size ?? 0) + fields.Sum(item => item.Shape.Size);

    private static JsonShape EmptyList { get; } = new(ColumnKind.List, null, []);

    private static JsonShape EmptyStruct { get; } = new(ColumnKind.Struct, null, []);

    /// <summary>The narrowest shape that holds both.</summary>
    /// <exception cref="JsonShapeConflictException">No one column can hold both; names the place and both types.</exception>
    public JsonShape Join(JsonShape other, string path)
    {
        if (IsNothing || ReferenceEquals(this, other))
        {
            return other;
        }
        if (other.IsNothing)
        {
            return this;
        }
        if (kind == other.kind)
        {
            return kind switch
            {
                ColumnKind.List => new(kind, element!.Join(other.element!, path + "[]"), []),
                ColumnKind.Struct => JoinFields(other, path),
                _ => this,
            };
        }
        return (kind, other.kind) is (ColumnKind.Int64, ColumnKind.Float64) or (ColumnKind.Float64, ColumnKind.Int64)
            ? Number
            : throw new JsonShapeConflictException(path, ToType(), other.ToType());
    }

    /// <summary>The same for elements of one array, where an empty object beside a number is a conflict too: the record itself would not
    /// fit.</summary>
    public JsonShape JoinSibling(JsonShape other, string path)
        => kind is not null && other.kind is not null && kind != other.kind && (IsNothing || other.IsNothing)
            ? throw new JsonShapeConflictException(path, ToType(), other.ToType())
            : IsNothing && other.IsNothing && kind is not null ? this : Join(other, path);

    /// <summary>A column's type, unless <see cref="IsNothing"/>: then only words for a message.</summary>
    public InferredType ToType() => new(kind!.Value, element is not null
        ? [new("element", element.ToType())]
        : [.. fields.Select(field => new InferredField(field.Name, field.Shape.ToType()))]);

    private JsonShape JoinFields(JsonShape other, string path)
    {
        var joined = new List<(string Name, JsonShape Shape)>(fields);
        var positions = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (name, _) in fields)
        {
            positions.Add(name, positions.Count);
        }
        foreach (var (name, shape) in other.fields)
        {
            if (positions.TryGetValue(name, out var position))
            {
                joined[position] = (name, joined[position].Shape.Join(shape, $"{path}.{name}"));
            }
            else
            {
                joined.Add((name, shape));
            }
        }
        return new(ColumnKind.Struct, null, [.. joined]);
    }
}

/// <summary>Values of two kinds where one column should be.</summary>
internal sealed class JsonShapeConflictException(string path, InferredType one, InferredType two)
    : Exception($"field {path.TrimStart('.')}: values of type {one} and of type {two}; no one column holds both, so declare the column or mend the producer")
{
    public string Path { get; } = path.TrimStart('.');
}
