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

    /// <summary>What a pointer swap that was not answered came to, as far as the table says now.</summary>
    /// <param name="now">The table, loaded since.</param>
    /// <param name="from">What the pointer was to be moved from.</param>
    /// <param name="to">What to.</param>
    /// <param name="updates">What the commit did.</param>
    /// <returns>Whether it was made; null where nothing tells, because the log of versions does not reach back so far.</returns>
    public static bool? Happened(LoadedTable now, string from, string to, IReadOnlyList<TableUpdate> updates)
    {
        string[] versions = [.. now.Metadata.MetadataLog.Select(entry => entry.MetadataFile), now.MetadataLocation];
        if (versions.Contains(to))
            return true;
        if (Array.LastIndexOf(versions, from) >= 0)
            return false;       // what came after it, if anything, is another's
        return updates.OfType<TableUpdate.AddSnapshot>().Any(update => now.Metadata.SnapshotById(update.Snapshot.SnapshotId) is not null)
            ? true : null;
    }
}
