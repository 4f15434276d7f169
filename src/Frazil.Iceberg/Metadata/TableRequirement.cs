namespace Frazil.Iceberg;

/// <summary>What must hold of the table for a commit to be made, named as in the REST catalog protocol.</summary>
public abstract record TableRequirement
{
    private TableRequirement() { }

    /// <summary>Null where the requirement holds of the metadata (null: no such table); else what does not.</summary>
    public abstract string? Violation(TableMetadata? current);

    /// <summary>The table must not exist yet.</summary>
    public sealed record AssertCreate : TableRequirement
    {
        public override string? Violation(TableMetadata? current) => current is null ? null : "the table exists already";
    }

    public sealed record AssertTableUuid(Guid Uuid) : TableRequirement
    {
        public override string? Violation(TableMetadata? current) => Compare("table UUID", current?.TableUuid, Uuid);
    }

    /// <param name="RefName">A branch or tag.</param>
    /// <param name="SnapshotId">Where it must point; null: it must not exist.</param>
    public sealed record AssertRefSnapshotId(string RefName, long? SnapshotId) : TableRequirement
    {
        public override string? Violation(TableMetadata? current) =>
            Compare($"snapshot of '{RefName}'", current?.Refs.GetValueOrDefault(RefName)?.SnapshotId, SnapshotId);
    }

    public sealed record AssertLastAssignedFieldId(int FieldId) : TableRequirement
    {
        public override string? Violation(TableMetadata? current) => Compare("last assigned field id", current?.LastColumnId, FieldId);
    }

    public sealed record AssertCurrentSchemaId(int SchemaId) : TableRequirement
    {
        public override string? Violation(TableMetadata? current) => Compare("current schema id", current?.CurrentSchemaId, SchemaId);
    }

    public sealed record AssertLastAssignedPartitionId(int FieldId) : TableRequirement
    {
        public override string? Violation(TableMetadata? current)
            => Compare("last assigned partition id", current?.LastPartitionId, FieldId);
    }

    public sealed record AssertDefaultSpecId(int SpecId) : TableRequirement
    {
        public override string? Violation(TableMetadata? current) => Compare("default spec id", current?.DefaultSpecId, SpecId);
    }

    public sealed record AssertDefaultSortOrderId(int OrderId) : TableRequirement
    {
        public override string? Violation(TableMetadata? current) => Compare("default sort order id", current?.DefaultSortOrderId, OrderId);
    }

    private static string? Compare<T>(string what, T? actual, T? expected) =>
        EqualityComparer<T?>.Default.Equals(actual, expected) ? null : $"the {what} is {Show(actual)}, not {Show(expected)}";

    private static string Show<T>(T? value) => value?.ToString() ?? "not there";
}
