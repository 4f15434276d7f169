namespace Frazil.Iceberg;

/// <summary>What an expiry takes out of one version of a table. Nothing is done by making it.</summary>
/// <param name="Table">The version it was made for.</param>
/// <param name="Snapshots">Those to remove.</param>
/// <param name="Refs">Branches and tags to remove: they are older than they may get.</param>
public sealed record ExpiryPlan(TableMetadata Table, IReadOnlyList<Snapshot> Snapshots, IReadOnlyList<string> Refs)
{
    public bool IsEmpty => Snapshots.Count == 0 && Refs.Count == 0;

    /// <summary>That the table is the same and that no branch or tag has moved. One that came since is refused by the catalog where it names
    /// a removed snapshot (<see cref="TableMetadataBuilder"/>).</summary>
    public IReadOnlyList<TableRequirement> Requirements =>
    [
        new TableRequirement.AssertTableUuid(Table.TableUuid),
        .. Table.Refs.Select(pair => new TableRequirement.AssertRefSnapshotId(pair.Key, pair.Value.SnapshotId)),
    ];

    public IReadOnlyList<TableUpdate> Updates
    {
        get
        {
            List<TableUpdate> updates = [.. Refs.Select(name => new TableUpdate.RemoveSnapshotRef(name))];
            if (Snapshots.Count > 0)
                updates.Add(new TableUpdate.RemoveSnapshots([.. Snapshots.Select(snapshot => snapshot.SnapshotId)]));
            return updates;
        }
    }
}

/// <summary>
/// Which snapshots, branches and tags a table still needs, as Java's expiry reads the properties <c>history.expire.*</c> and the
/// retention of each reference: of a branch the newest snapshots, as many as its minimum, and all that are young enough; what a tag names;
/// of what nothing names all that is young enough. The main branch always stays.
/// </summary>
public static class SnapshotRetention
{
    private const string MaxAgeProperty = "history.expire.max-snapshot-age-ms";
    private const string MaxRefAgeProperty = "history.expire.max-ref-age-ms";

    /// <summary>How old snapshots of the table may get: by its own property, else the caller's.</summary>
    public static TimeSpan MaxAgeOf(TableMetadata table, TimeSpan otherwise)
        => table.TableProperties.Number(MaxAgeProperty, -1, 0) >= 0 ? table.TableProperties.MaxSnapshotAge : otherwise;

    /// <param name="table">The version to plan for.</param>
    /// <param name="maxAge">How old snapshots may get where neither the table's properties nor the branch say it.</param>
    /// <param name="now">The time that ages are counted to.</param>
    /// <param name="needed">Whether a snapshot stays whatever its age: a reader stands on it, say.</param>
    public static ExpiryPlan Plan(TableMetadata table, TimeSpan maxAge, DateTimeOffset now, Func<Snapshot, bool> needed)
    {
        var nowMs = now.ToUnixTimeMilliseconds();
        var ageMs = (long)MaxAgeOf(table, maxAge).TotalMilliseconds;
        var (kept, expired) = SplitRefs(table, nowMs);
        var keptIds = new HashSet<long>();
        var referenced = new HashSet<long>();
        foreach (var reference in kept)
        {
            if (!reference.IsBranch)
            {
                keptIds.Add(reference.SnapshotId);
                referenced.Add(reference.SnapshotId);
                continue;
            }
            var line = SnapshotAncestry.Of(table, reference.SnapshotId).ToList();
            referenced.UnionWith(line.Select(snapshot => snapshot.SnapshotId));
            var least = Math.Max(1, reference.MinSnapshotsToKeep ?? table.TableProperties.MinSnapshotsToKeep);
            var oldestMs = nowMs - (reference.MaxSnapshotAgeMs ?? ageMs);
            // Without holes: who walks the history must not find it cut before its time.
            keptIds.UnionWith(line.TakeWhile((snapshot, index) => index < least || snapshot.TimestampMs >= oldestMs)
                .Select(snapshot => snapshot.SnapshotId));
        }
        var removed = table.Snapshots.Where(snapshot => !keptIds.Contains(snapshot.SnapshotId)
            && (referenced.Contains(snapshot.SnapshotId) || snapshot.TimestampMs < nowMs - ageMs) && !needed(snapshot));
        return new ExpiryPlan(table, [.. removed], expired);
    }

    private static (List<SnapshotRef> Kept, List<string> Expired) SplitRefs(TableMetadata table, long nowMs)
    {
        var (kept, expired) = (new List<SnapshotRef>(), new List<string>());
        var mostMs = table.TableProperties.Number(MaxRefAgeProperty, long.MaxValue, 0);
        foreach (var (name, reference) in table.Refs.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            // One whose snapshot is not there is odd; what is odd stays.
            var isOld = name != SnapshotRef.MainBranch && table.SnapshotById(reference.SnapshotId) is { } snapshot
                && nowMs - snapshot.TimestampMs > (reference.MaxRefAgeMs ?? mostMs);
            if (isOld)
                expired.Add(name);
            else
                kept.Add(reference);
        }
        return (kept, expired);
    }
}
