namespace Frazil.Iceberg;

/// <summary>
/// One version of a table: what a metadata file holds. Immutable; safe to share. Changes go through <see cref="TableMetadataBuilder"/>.
/// </summary>
public sealed record TableMetadata
{
    /// <summary>1, 2 or 3.</summary>
    public required int FormatVersion { get; init; }

    /// <summary>Identifies the table over renames; <see cref="Guid.Empty"/> only in very old v1 tables.</summary>
    public required Guid TableUuid { get; init; }

    /// <summary>The table's base location, without a trailing slash.</summary>
    public required string Location { get; init; }

    public long LastSequenceNumber { get; init; }

    /// <summary>Milliseconds since 1970-01-01T00:00:00Z.</summary>
    public long LastUpdatedMs { get; init; }

    /// <summary>The highest field id ever assigned.</summary>
    public required int LastColumnId { get; init; }

    public required IReadOnlyList<Schema> Schemas { get; init; }

    public required int CurrentSchemaId { get; init; }

    public required IReadOnlyList<PartitionSpec> PartitionSpecs { get; init; }

    public required int DefaultSpecId { get; init; }

    /// <summary>The highest partition field id ever assigned; 999 where none was.</summary>
    public int LastPartitionId { get; init; } = PartitionSpec.NoLastPartitionId;

    public IReadOnlyList<SortOrder> SortOrders { get; init; } = [SortOrder.Unsorted];

    public int DefaultSortOrderId { get; init; }

    public IReadOnlyDictionary<string, string> Properties { get; init; } = EmptyMap.Strings;

    /// <summary>The snapshot of the main branch; null before the first commit.</summary>
    public long? CurrentSnapshotId { get; init; }

    public IReadOnlyList<Snapshot> Snapshots { get; init; } = [];

    public IReadOnlyList<SnapshotLogEntry> SnapshotLog { get; init; } = [];

    public IReadOnlyList<MetadataLogEntry> MetadataLog { get; init; } = [];

    /// <summary>Branches and tags by name; holds <c>main</c> where there is a current snapshot.</summary>
    public IReadOnlyDictionary<string, SnapshotRef> Refs { get; init; } = new Dictionary<string, SnapshotRef>();

    public IReadOnlyList<StatisticsFile> Statistics { get; init; } = [];

    public IReadOnlyList<StatisticsFile> PartitionStatistics { get; init; } = [];

    /// <summary>v3: above every assigned row id.</summary>
    public long NextRowId { get; init; }

    /// <summary>JSON text of top-level fields this library does not know, by name; kept as they are.</summary>
    public IReadOnlyDictionary<string, string> UnknownFields { get; init; } = EmptyMap.Strings;

    public Schema CurrentSchema => SchemaById(CurrentSchemaId)
        ?? throw new InvalidFormatException($"The table {Location} names the current schema {CurrentSchemaId}, which it does not have.");

    public PartitionSpec DefaultSpec => SpecById(DefaultSpecId)
        ?? throw new InvalidFormatException(
            $"The table {Location} names the default partition spec {DefaultSpecId}, which it does not have.");

    public SortOrder DefaultSortOrder => SortOrders.FirstOrDefault(order => order.OrderId == DefaultSortOrderId) ?? SortOrder.Unsorted;

    public Snapshot? CurrentSnapshot => CurrentSnapshotId is { } id ? SnapshotById(id) : null;

    /// <summary>Typed access to <see cref="Properties"/>.</summary>
    public TableProperties TableProperties => new(Properties);

    public Schema? SchemaById(int schemaId) => Schemas.FirstOrDefault(schema => schema.SchemaId == schemaId);

    public PartitionSpec? SpecById(int specId) => PartitionSpecs.FirstOrDefault(spec => spec.SpecId == specId);

    public Snapshot? SnapshotById(long snapshotId)
    {
        // The newest are asked for most.
        for (var i = Snapshots.Count - 1; i >= 0; i--)
            if (Snapshots[i].SnapshotId == snapshotId)
                return Snapshots[i];
        return null;
    }

    /// <summary>The snapshot of a branch or tag; null where there is no such reference.</summary>
    public Snapshot? SnapshotByRef(string name) => Refs.TryGetValue(name, out var reference) ? SnapshotById(reference.SnapshotId) : null;

    /// <summary>
    /// The struct of a spec's partition values. Types come from the current schema; of a column that was dropped since, from the
    /// newest schema that still has it.
    /// </summary>
    public StructType PartitionTypeOf(PartitionSpec spec) => new([.. spec.Fields.Select(field =>
        new NestedField(field.FieldId, field.Name, false, field.Transform.ResultType(SourceTypeOf(field))))]);

    /// <summary>The type of the column that a partition field derives from; unknown where no schema has it.</summary>
    public PrimitiveType SourceTypeOf(PartitionField field) =>
        (CurrentSchema.FindField(field.SourceId) ?? Schemas.Reverse().Select(schema => schema.FindField(field.SourceId)).FirstOrDefault(found => found is not null))
        ?.Type as PrimitiveType ?? IcebergType.Unknown;

    /// <summary>A location in the table's metadata folder: <c>write.metadata.path</c>, where it is in the same store as the table, or
    /// <c>metadata</c> in the table's location.</summary>
    public string MetadataLocationFor(string fileName) => $"{FolderOf("write.metadata.path") ?? $"{Location}/metadata"}/{fileName}";

    /// <summary>The folder of data files, without a trailing slash: <c>write.data.path</c>, where it is in the same store as the table, or
    /// <c>data</c> in the table's location.</summary>
    public string DataLocation => FolderOf("write.data.path") ?? $"{Location}/data";

    /// <summary>A folder that a property names. One in a store of another kind, or a relative path, is what whoever writes the table's location
    /// cannot reach: it counts as not set, so that no property stops a commit.</summary>
    private string? FolderOf(string property)
        => Properties.TryGetValue(property, out var folder) && folder.TrimEnd('/') is { Length: > 0 } trimmed && SchemeOf(trimmed) is { } scheme
            && scheme.Equals(SchemeOf(Location), StringComparison.OrdinalIgnoreCase)
            ? trimmed : null;

    /// <summary>The scheme of an absolute location, <c>file</c> of a plain path; null where it is relative.</summary>
    private static string? SchemeOf(string location)
    {
        var colon = location.IndexOf(':', StringComparison.Ordinal);
        return location.StartsWith('/') ? "file" : colon > 0 && location.AsSpan(colon).StartsWith(":/") ? location[..colon] : null;
    }
}
