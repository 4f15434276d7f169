namespace Frazil.Iceberg;

/// <summary>One change of a commit, named as in the REST catalog protocol. Applied in order by <see
/// cref="TableMetadataBuilder"/>.</summary>
public abstract record TableUpdate
{
    private TableUpdate() { }

    /// <summary>In place of an id: the schema, spec or order that the same commit added last.</summary>
    public const int LastAdded = -1;

    public sealed record AssignUuid(Guid Uuid) : TableUpdate;

    public sealed record UpgradeFormatVersion(int FormatVersion) : TableUpdate;

    /// <param name="Schema">The schema; its id is assigned by the catalog, an equal schema is reused.</param>
    /// <param name="LastColumnId">The highest field id in use after it, or null for the schema's own.</param>
    public sealed record AddSchema(Schema Schema, int? LastColumnId = null) : TableUpdate;

    public sealed record SetCurrentSchema(int SchemaId) : TableUpdate;

    /// <param name="Spec">The spec; its id is assigned by the catalog, an equal spec is reused.</param>
    public sealed record AddSpec(PartitionSpec Spec) : TableUpdate;

    public sealed record SetDefaultSpec(int SpecId) : TableUpdate;

    public sealed record AddSortOrder(SortOrder SortOrder) : TableUpdate;

    public sealed record SetDefaultSortOrder(int OrderId) : TableUpdate;

    public sealed record AddSnapshot(Snapshot Snapshot) : TableUpdate;

    public sealed record SetSnapshotRef(string RefName, SnapshotRef Ref) : TableUpdate;

    public sealed record RemoveSnapshots(IReadOnlyList<long> SnapshotIds) : TableUpdate;

    public sealed record RemoveSnapshotRef(string RefName) : TableUpdate;

    public sealed record SetLocation(string Location) : TableUpdate;

    public sealed record SetProperties(IReadOnlyDictionary<string, string> Updates) : TableUpdate;

    public sealed record RemoveProperties(IReadOnlyList<string> Removals) : TableUpdate;

    public sealed record SetStatistics(StatisticsFile Statistics) : TableUpdate;

    public sealed record RemoveStatistics(long SnapshotId) : TableUpdate;

    public sealed record SetPartitionStatistics(StatisticsFile Statistics) : TableUpdate;

    public sealed record RemovePartitionStatistics(long SnapshotId) : TableUpdate;

    public sealed record RemovePartitionSpecs(IReadOnlyList<int> SpecIds) : TableUpdate;

    public sealed record RemoveSchemas(IReadOnlyList<int> SchemaIds) : TableUpdate;
}
