namespace Frazil.Iceberg.Catalogs;

/// <summary>What every catalog does with a commit before its own pointer swap.</summary>
internal static class TableCommit
{
    /// <exception cref="CommitConflictException">A requirement does not hold.</exception>
    public static void Check(TableIdentifier identifier, IReadOnlyList<TableRequirement> requirements, TableMetadata? current)
    {
        foreach (var requirement in requirements)
            if (requirement.Violation(current) is { } violation)
                throw new CommitConflictException(
                    $"The commit to {identifier} was refused: {violation}. Nothing was written; refresh the table and retry.");
    }

    /// <summary>The next version with its log, and the metadata files that left the log.</summary>
    public static (TableMetadata Next, IReadOnlyList<string> Dropped) Apply(
        TableMetadata current, string currentLocation, IReadOnlyList<TableUpdate> updates, TimeProvider time)
    {
        var next = TableMetadataBuilder.From(current, time).Apply(updates).Build();
        return TableMetadataBuilder.LogPrevious(next, current, currentLocation);
    }
}
