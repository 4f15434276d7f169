namespace Frazil.Iceberg;

/// <summary>
/// A table schema: named fields with ids. Immutable; safe to share. Dotted names reach nested fields; inside a list or map both the
/// full form (<c>tags.element.key</c>) and the short one (<c>tags.key</c>) are understood; where one field's short form is another's full
/// name, it means the other. A name may itself hold dots, so a field is told for certain only by its id.
/// </summary>
public sealed class Schema : IEquatable<Schema>
{
    private readonly Dictionary<int, NestedField> byId = [];
    private readonly Dictionary<int, string> nameById = [];
    private readonly Dictionary<string, int> idByName = new(StringComparer.Ordinal);
    private readonly Dictionary<int, int> parentById = [];
    private readonly List<string> nameClashes = [];

    /// <exception cref="ValidationException">Ids or sibling names are not unique, or an identifier field is missing, optional or nested in
    /// a list or map.</exception>
    public Schema(int schemaId, IReadOnlyList<NestedField> fields, IReadOnlyList<int>? identifierFieldIds = null)
    {
        SchemaId = schemaId;
        AsStruct = new StructType(fields);
        IdentifierFieldIds = identifierFieldIds ?? [];
        var shortNames = new List<(string Name, int Id)>();
        Index(AsStruct, "", "", 0, shortNames);
        foreach (var (name, id) in shortNames)
            idByName.TryAdd(name, id);
        foreach (var id in IdentifierFieldIds)
            ValidateIdentifier(id);
    }

    public static Schema Empty { get; } = new(0, []);

    public int SchemaId { get; }

    public IReadOnlyList<NestedField> Fields => AsStruct.Fields;

    /// <summary>Ids of the fields that identify a row; may be empty.</summary>
    public IReadOnlyList<int> IdentifierFieldIds { get; }

    public StructType AsStruct { get; }

    /// <summary>0 for a schema without fields.</summary>
    public int HighestFieldId { get; private set; }

    /// <summary>Full dotted names that two fields have, as a column <c>a.b</c> and the field b of a struct a: other engines refuse to load
    /// a table with such a schema. Reading one is no error here; making one is.</summary>
    public IReadOnlyList<string> NameClashes => nameClashes;

    /// <summary>The ids of every field, nested ones included.</summary>
    public IReadOnlyCollection<int> FieldIds => byId.Keys;

    /// <summary>The field with this id at any depth, or null.</summary>
    public NestedField? FindField(int id) => byId.GetValueOrDefault(id);

    /// <summary>The field with this dotted name, or null; case counts.</summary>
    public NestedField? FindField(string dottedName) => idByName.TryGetValue(dottedName, out var id) ? byId[id] : null;

    /// <summary>The full dotted name of a field, or null where no field has the id.</summary>
    public string? FindName(int id) => nameById.GetValueOrDefault(id);

    /// <summary>The id of the struct, list or map that holds the field; 0 for a top-level field.</summary>
    public int ParentOf(int id) => parentById.GetValueOrDefault(id);

    /// <summary>True where a list or map lies between the root and the field: it may have many values in a row.</summary>
    public bool IsRepeated(int id)
    {
        for (var parent = ParentOf(id); parent != 0; parent = ParentOf(parent))
            if (byId[parent].Type is ListType or MapType)
                return true;
        return false;
    }

    /// <summary>The same fields under another schema id.</summary>
    public Schema WithId(int schemaId) => schemaId == SchemaId ? this : new(schemaId, Fields, IdentifierFieldIds);

    /// <summary>Numbers every field anew from <paramref name="firstId"/>, level by level as Java does; identifier fields are carried
    /// over.</summary>
    public Schema WithFreshIds(int firstId = 1) => WithFreshIds(out _, firstId);

    /// <summary>The same, telling the new id of each old one.</summary>
    internal Schema WithFreshIds(out IReadOnlyDictionary<int, int> newIds, int firstId = 1)
    {
        var next = firstId;
        var mapped = new Dictionary<int, int>();
        newIds = mapped;
        var fields = FreshIds.Assign(AsStruct, () => next++, mapped).Fields;
        return new Schema(SchemaId, fields, [.. IdentifierFieldIds.Select(id => mapped[id])]);
    }

    /// <summary>True where both have the same fields, ids and identifier fields; the schema ids may differ.</summary>
    public bool SameAs(Schema other) =>
        AsStruct.Equals(other.AsStruct) && IdentifierFieldIds.ToHashSet().SetEquals(other.IdentifierFieldIds);

    public bool Equals(Schema? other) => other is not null && SchemaId == other.SchemaId && SameAs(other);

    public override bool Equals(object? obj) => Equals(obj as Schema);

    public override int GetHashCode() => HashCode.Combine(SchemaId, AsStruct);

    public override string ToString() => AsStruct.ToString();

    private void Index(IcebergType type, string path, string shortPath, int parent, List<(string Name, int Id)> shortNames)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var field in type.Fields)
        {
            if (!names.Add(field.Name))
                throw new ValidationException($"Two fields named '{path}{field.Name}' in one schema: names must be unique among siblings.");
            if (!byId.TryAdd(field.Id, field))
                throw new ValidationException(
                    $"Field id {field.Id} is used by '{nameById[field.Id]}' and by '{path}{field.Name}': ids must be unique.");
            HighestFieldId = Math.Max(HighestFieldId, field.Id);
            var name = path + field.Name;
            nameById[field.Id] = name;
            parentById[field.Id] = parent;
            if (!idByName.TryAdd(name, field.Id))
                nameClashes.Add(name);
            if (shortPath != path)
                shortNames.Add((shortPath + field.Name, field.Id));
            // A list's element or a map's value that is a struct may be left out of the short form of names below it.
            var hidden = type is not StructType && field.Type is StructType;
            Index(field.Type, name + ".", hidden ? shortPath : shortPath + field.Name + ".", field.Id, shortNames);
        }
    }

    private void ValidateIdentifier(int id)
    {
        var field = FindField(id) ?? throw new ValidationException($"Identifier field id {id} is not in the schema.");
        if (!field.Required || !field.Type.IsPrimitive || field.Type.Id is TypeId.Float or TypeId.Double || IsRepeated(id))
            throw new ValidationException(
                $"'{FindName(id)}' cannot identify rows: an identifier field is required, primitive, neither float nor double, and in no list or map.");
    }
}

/// <summary>Gives every field of a type a new id: all fields of a struct first, then their children.</summary>
internal static class FreshIds
{
    public static StructType Assign(StructType type, Func<int> nextId, Dictionary<int, int>? mapped = null) =>
        (StructType)AssignAny(type, nextId, mapped);

    public static IcebergType AssignAny(IcebergType type, Func<int> nextId, Dictionary<int, int>? mapped = null)
    {
        if (type.IsPrimitive)
            return type;
        var ids = new int[type.Fields.Count];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = nextId();
            mapped?.TryAdd(type.Fields[i].Id, ids[i]);
        }
        var fields = new NestedField[ids.Length];
        for (var i = 0; i < ids.Length; i++)
            fields[i] = type.Fields[i] with { Id = ids[i], Type = AssignAny(type.Fields[i].Type, nextId, mapped) };
        return NestedTypes.WithFields(type, fields);
    }
}

/// <summary>Rebuilds nested types around changed fields.</summary>
internal static class NestedTypes
{
    public static IcebergType WithFields(IcebergType type, NestedField[] fields) => type switch
    {
        StructType => new StructType(fields),
        ListType => new ListType(fields[0]),
        MapType => new MapType(fields[0], fields[1]),
        _ => type,
    };
}
