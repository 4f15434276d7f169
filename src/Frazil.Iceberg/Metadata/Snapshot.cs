namespace Frazil.Iceberg;

/// <summary>The state of a table at one commit.</summary>
/// <param name="SnapshotId">Positive, random.</param>
/// <param name="ParentSnapshotId">The snapshot it was built on; null for the first.</param>
/// <param name="SequenceNumber">The commit's order in the table; 0 in v1 tables.</param>
/// <param name="TimestampMs">Milliseconds since 1970-01-01T00:00:00Z, never before the parent's where we write it.</param>
/// <param name="ManifestList">Location of the manifest list; null only in old v1 tables, which list <see cref="Manifests"/>.</param>
/// <param name="Summary">Strings by name, with <c>operation</c>.</param>
/// <param name="SchemaId">The schema when it was made, or null in old tables.</param>
public sealed record Snapshot(
    long SnapshotId, long? ParentSnapshotId, long SequenceNumber, long TimestampMs, string? ManifestList,
    IReadOnlyDictionary<string, string> Summary, int? SchemaId)
{
    /// <summary>v1 without a manifest list: locations of the manifests.</summary>
    public IReadOnlyList<string> Manifests { get; init; } = [];

    /// <summary>v3: the first row id this snapshot may assign.</summary>
    public long? FirstRowId { get; init; }

    /// <summary>v3: the upper bound of rows with ids assigned by it.</summary>
    public long? AddedRows { get; init; }

    /// <summary>JSON text of fields this library does not know, by name; kept as they are.</summary>
    public IReadOnlyDictionary<string, string> UnknownFields { get; init; } = EmptyMap.Strings;

    /// <summary><c>append</c>, <c>replace</c>, <c>overwrite</c> or <c>delete</c>; "append" where a v1 snapshot does not say.</summary>
    public string Operation => Summary.GetValueOrDefault("operation", "append");
}

/// <summary>A branch or tag.</summary>
/// <param name="SnapshotId">The snapshot it points to.</param>
/// <param name="IsBranch">False for a tag.</param>
public sealed record SnapshotRef(long SnapshotId, bool IsBranch = true)
{
    public const string MainBranch = "main";

    /// <summary>Branches: snapshots to keep at least, or null for the table's default.</summary>
    public int? MinSnapshotsToKeep { get; init; }

    /// <summary>Branches: how old its snapshots may get, milliseconds, or null for the table's default.</summary>
    public long? MaxSnapshotAgeMs { get; init; }

    /// <summary>How old the reference itself may get, milliseconds, or null for the table's default.</summary>
    public long? MaxRefAgeMs { get; init; }
}

/// <summary>When a snapshot became current.</summary>
public sealed record SnapshotLogEntry(long TimestampMs, long SnapshotId);

/// <summary>A former metadata file.</summary>
public sealed record MetadataLogEntry(long TimestampMs, string MetadataFile);

/// <summary>A statistics file of a snapshot: a Puffin file of sketches, or partition statistics.</summary>
/// <param name="SnapshotId">The snapshot.</param>
/// <param name="Path">Location of the file.</param>
/// <param name="Json">The whole entry as JSON text; kept as it is.</param>
public sealed record StatisticsFile(long SnapshotId, string Path, string Json);

internal static class EmptyMap
{
    public static IReadOnlyDictionary<string, string> Strings { get; } = new Dictionary<string, string>();
}

/// <summary>Walks the history of a snapshot.</summary>
public static class SnapshotAncestry
{
    /// <summary>The snapshot and its ancestors, newest first, as far as the metadata still has them; empty where the id is null or
    /// unknown.</summary>
    public static IEnumerable<Snapshot> Of(TableMetadata metadata, long? snapshotId)
    {
        // A damaged file may hold a cycle: a chain is never longer than the list of snapshots.
        var snapshots = metadata.Snapshots;
        var remaining = snapshots.Count;
        var at = snapshots.Count;
        for (var id = snapshotId; id is not null && remaining-- > 0;)
        {
            // A parent mostly stands right before its child, so that a long walk is no search of the whole list at each step.
            var found = IndexOf(snapshots, id.Value, 0, at);
            at = found >= 0 ? found : IndexOf(snapshots, id.Value, at, snapshots.Count);
            if (at < 0)
                yield break;
            yield return snapshots[at];
            id = snapshots[at].ParentSnapshotId;
        }
    }

    /// <summary>The last one in [from, below).</summary>
    private static int IndexOf(IReadOnlyList<Snapshot> snapshots, long id, int from, int below)
    {
        for (var i = below - 1; i >= from; i--)
            if (snapshots[i].SnapshotId == id)
                return i;
        return -1;
    }

    /// <summary>True where <paramref name="ancestorId"/> is the snapshot itself or one of its known ancestors.</summary>
    public static bool Contains(TableMetadata metadata, long? snapshotId, long ancestorId) =>
        Of(metadata, snapshotId).Any(snapshot => snapshot.SnapshotId == ancestorId);
}
