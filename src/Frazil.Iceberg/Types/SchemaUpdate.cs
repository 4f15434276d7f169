namespace Frazil.Iceberg;

/// <summary>
/// Changes to a schema, each checked as it is made against Iceberg's evolution rules; the base schema stays as it is. Paths are dotted;
/// a list or map in a path stands for its element or value struct. Not thread-safe.
/// </summary>
public sealed class SchemaUpdate
{
    private readonly Schema baseSchema;
    private Schema current;

    /// <param name="schema">The schema to change.</param>
    /// <param name="lastColumnId">The table's <c>last-column-id</c>: new ids come after it.</param>
    public SchemaUpdate(Schema schema, int lastColumnId)
    {
        (baseSchema, current) = (schema, schema);
        LastColumnId = Math.Max(lastColumnId, schema.HighestFieldId);
    }

    public SchemaUpdate(TableMetadata metadata) : this(metadata.CurrentSchema, metadata.LastColumnId) { }

    /// <summary>The highest id given so far.</summary>
    public int LastColumnId { get; private set; }

    /// <summary>True where nothing was changed so far.</summary>
    public bool IsEmpty => current.SameAs(baseSchema);

    /// <summary>The schema with the changes so far. Its schema id is not final: the catalog gives it.</summary>
    public Schema Apply() => current;

    /// <summary>Adds an optional column at the end of the table, or of the struct that <paramref name="parent"/> names.</summary>
    /// <param name="parent">A dotted path to a struct (or a list or map of structs); null for the top.</param>
    /// <param name="name">The new name; dots in it are part of the name.</param>
    /// <param name="type">The type; its field ids are assigned anew.</param>
    /// <param name="doc">A comment, or null.</param>
    /// <exception cref="ValidationException">The parent is no struct, or the name is taken.</exception>
    public SchemaUpdate AddColumn(string? parent, string name, IcebergType type, string? doc = null)
        => Add(parent is null ? null : StructOf(Resolve(parent)), name, type, doc);

    /// <summary>Adds an optional column at the end of the table, or of the struct that the field with the id <paramref name="parentId"/>
    /// is. Names may hold dots, so that only an id tells which struct is meant.</summary>
    /// <param name="parentId">The id of a struct (or of a list or map of structs); 0 for the top.</param>
    /// <param name="name">The new name; dots in it are part of the name.</param>
    /// <param name="type">The type; its field ids are assigned anew.</param>
    /// <param name="doc">A comment, or null.</param>
    /// <exception cref="ValidationException">The parent is no struct, or the name is taken.</exception>
    public SchemaUpdate AddColumn(int parentId, string name, IcebergType type, string? doc = null)
    {
        var parent = parentId == 0 ? null
            : current.FindField(parentId) ?? throw new ValidationException($"Cannot add '{name}': the schema has no field with id {parentId}.");
        return Add(parent is null ? null : StructOf(parent), name, type, doc);
    }

    private SchemaUpdate Add(NestedField? holder, string name, IcebergType type, string? doc)
    {
        var siblings = holder?.Type.Fields ?? current.Fields;
        if (siblings.Any(field => field.Name == name))
        {
            var full = holder is null ? name : $"{current.FindName(holder.Id)}.{name}";
            throw new ValidationException($"Cannot add '{full}': a column of this name exists.");
        }
        var id = ++LastColumnId;
        var added = new NestedField(id, name, false, FreshIds.AssignAny(type, () => ++LastColumnId), doc);
        Replace(holder?.Id ?? 0, @struct => new StructType([.. @struct.Fields, added]));
        return this;
    }

    /// <summary>Adds an optional top-level column.</summary>
    public SchemaUpdate AddColumn(string name, IcebergType type, string? doc = null) => AddColumn(null, name, type, doc);

    /// <summary>Widens a primitive column: int→long, float→double, decimal(P, S)→decimal(P', S). The same type is no change.</summary>
    /// <exception cref="ValidationException">Any other change of type.</exception>
    public SchemaUpdate UpdateType(string path, PrimitiveType type)
    {
        var field = Resolve(path);
        if (field.Type.Equals(type))
            return this;
        if (!CanPromote(field.Type, type))
            throw new ValidationException($"Cannot change '{path}' from {field.Type} to {type}: only int to long, float to double and a "
                + "decimal to a higher precision of the same scale keep old files readable.");
        return ReplaceField(field with { Type = type });
    }

    /// <summary>True where Iceberg allows the change of type (or the types are equal).</summary>
    public static bool CanPromote(IcebergType from, IcebergType to) => from.Equals(to) || (from.Id, to.Id) switch
    {
        (TypeId.Int, TypeId.Long) or (TypeId.Float, TypeId.Double) => true,
        (TypeId.Decimal, TypeId.Decimal) => ((PrimitiveType)from).Scale == ((PrimitiveType)to).Scale
            && ((PrimitiveType)from).Precision <= ((PrimitiveType)to).Precision,
        _ => false,
    };

    /// <summary>Allows nulls. The opposite is never allowed: old rows may hold them.</summary>
    /// <exception cref="ValidationException">The column identifies rows.</exception>
    public SchemaUpdate MakeOptional(string path)
    {
        var field = Resolve(path);
        if (!field.Required)
            return this;
        if (current.IdentifierFieldIds.Contains(field.Id))
            throw new ValidationException($"Cannot allow nulls in '{path}': it identifies rows.");
        if (current.FindField(current.ParentOf(field.Id))?.Type is MapType map && map.Key.Id == field.Id)
            throw new ValidationException($"Cannot allow nulls in '{path}': keys of a map are always required.");
        return ReplaceField(field with { Required = false });
    }

    /// <exception cref="ValidationException">The name is taken, or the field is the element, key or value of a list or map.</exception>
    public SchemaUpdate Rename(string path, string newName)
    {
        var field = Resolve(path);
        var parent = current.FindField(current.ParentOf(field.Id));
        if (parent is not null && parent.Type is not StructType)
            throw new ValidationException($"Cannot rename '{path}': elements, keys and values have no names of their own.");
        if ((parent?.Type.Fields ?? current.Fields).Any(sibling => sibling.Name == newName && sibling.Id != field.Id))
            throw new ValidationException($"Cannot rename '{path}' to '{newName}': a column of this name exists.");
        return ReplaceField(field with { Name = newName });
    }

    public SchemaUpdate SetDoc(string path, string? doc) => ReplaceField(Resolve(path) with { Doc = doc });

    /// <exception cref="ValidationException">The column identifies rows, or is the element, key or value of a list or map.</exception>
    public SchemaUpdate DropColumn(string path)
    {
        var field = Resolve(path);
        var parentId = current.ParentOf(field.Id);
        if (parentId != 0 && current.FindField(parentId)!.Type is not StructType)
            throw new ValidationException($"Cannot drop '{path}': it is the element, key or value of a list or map.");
        if (current.IdentifierFieldIds.Any(id => id == field.Id || IsWithin(id, field.Id)))
            throw new ValidationException($"Cannot drop '{path}': it identifies rows.");
        Replace(parentId, @struct => new StructType([.. @struct.Fields.Where(one => one.Id != field.Id)]));
        return this;
    }

    /// <summary>What a commit of these changes asks of the catalog; empty where nothing changed.</summary>
    public IReadOnlyList<TableUpdate> ToUpdates() =>
        IsEmpty ? [] : [new TableUpdate.AddSchema(current, LastColumnId), new TableUpdate.SetCurrentSchema(TableUpdate.LastAdded)];

    /// <summary>What must still hold when the changes are committed.</summary>
    public static IReadOnlyList<TableRequirement> RequirementsFor(TableMetadata metadata) =>
    [
        new TableRequirement.AssertTableUuid(metadata.TableUuid),
        new TableRequirement.AssertCurrentSchemaId(metadata.CurrentSchemaId),
        new TableRequirement.AssertLastAssignedFieldId(metadata.LastColumnId),
    ];

    private bool IsWithin(int id, int ancestorId)
    {
        for (var parent = current.ParentOf(id); parent != 0; parent = current.ParentOf(parent))
            if (parent == ancestorId)
                return true;
        return false;
    }

    private NestedField Resolve(string path) => current.FindField(path)
        ?? throw new ValidationException(
            $"The schema has no column '{path}'. It has: {string.Join(", ", current.Fields.Select(field => field.Name))}.");

    private NestedField StructOf(NestedField named)
    {
        var field = named;
        while (field.Type is ListType or MapType)
            field = field.Type is MapType map ? map.Value : ((ListType)field.Type).Element;
        return field.Type is StructType
            ? field
            : throw new ValidationException($"Cannot add to '{current.FindName(named.Id)}': it is {field.Type}, not a struct.");
    }

    private SchemaUpdate ReplaceField(NestedField changed)
    {
        Replace(current.ParentOf(changed.Id), parent =>
            NestedTypes.WithFields(parent, [.. parent.Fields.Select(field => field.Id == changed.Id ? changed : field)]));
        return this;
    }

    private void Replace(int parentId, Func<IcebergType, IcebergType> change)
    {
        var root = parentId == 0 ? change(current.AsStruct) : Rewrite(current.AsStruct, parentId, change);
        var changed = new Schema(current.SchemaId, root.Fields, current.IdentifierFieldIds);
        if (changed.NameClashes.Count > current.NameClashes.Count)
            throw new ValidationException($"The dotted name '{changed.NameClashes[^1]}' would be two columns', and other engines refuse to load "
                + "such a table: give one of them another name.");
        current = changed;
    }

    private static IcebergType Rewrite(IcebergType type, int id, Func<IcebergType, IcebergType> change)
    {
        if (type.IsPrimitive)
            return type;
        var fields = type.Fields.Select(
            field => field with { Type = field.Id == id ? change(field.Type) : Rewrite(field.Type, id, change) });
        return NestedTypes.WithFields(type, [.. fields]);
    }
}
