using Frazil.Iceberg;
using Frazil.Kafka;

namespace Frazil.Commit;

/// <param name="Partition">A partition whose progress and rows no longer agree.</param>
/// <param name="Recorded">The next offset that the table's property says; null: none.</param>
/// <param name="Held">The next offset that the table's rows reach to, by the summaries of its snapshots; null: none.</param>
internal readonly record struct PartedProgress(TopicPartition Partition, long? Recorded, long? Held)
{
    public override string ToString()
        => $"{Partition} (property: {Recorded?.ToString() ?? "none"}, rows: up to {(Held is { } held ? $"offset {held - 1}" : "none")})";
}

/// <summary>
/// Progress is a property of the table, rows are its current snapshot. Other hands part them when they set the snapshot back and the
/// property stays (<c>rollback_to_snapshot</c>, a branch put in the place of main, a table replaced in place), or remove the property. Each
/// of our snapshots mirrors the progress that it made, so the newest mirror among the current snapshot's ancestors says what the rows
/// reach to.
/// </summary>
internal static class TableRollback
{
    private const string CherryPickedFrom = "source-snapshot-id";

    /// <summary>Partitions whose recorded progress is ahead of the rows, or was removed; none where all is well, or where nothing tells (a
    /// foreign expiry removed the snapshots that could).</summary>
    /// <param name="version">The table.</param>
    /// <param name="topics">Topics to look at, also for progress that was removed; null for those that the table has progress of.</param>
    /// <param name="isAnother">Whether a topic is certainly another one than that of an id: one that was recreated is read anew where its
    /// progress was removed (see <see cref="TopicIdentities"/>).</param>
    public static IReadOnlyList<PartedProgress> Find(TableVersion version, IReadOnlySet<string>? topics, Func<string, string?, bool> isAnother)
    {
        var (metadata, progress) = (version.Metadata, version.Progress);
        var open = (topics ?? progress.NextOffsets.Keys.Select(static partition => partition.Topic)).ToHashSet(StringComparer.Ordinal);
        var parted = new List<PartedProgress>();
        Snapshot? oldest = null;
        foreach (var snapshot in SnapshotAncestry.Of(metadata, metadata.CurrentSnapshotId))
        {
            if (open.Count == 0)
            {
                return parted;
            }
            oldest = snapshot;
            foreach (var topic in open.ToList())
            {
                if (MirrorOf(metadata, snapshot, topic) is { } held)
                {
                    open.Remove(topic);
                    parted.AddRange(Compare(topic, progress, held, isAnother));
                }
            }
        }
        // Only a history that is there from its beginning shows that none of the rows are of the topic.
        if (oldest?.ParentSnapshotId is null)
        {
            parted.AddRange(open.Where(topic => metadata.Snapshots.Any(one => MirrorOf(metadata, one, topic) is not null))
                .SelectMany(topic => Compare(topic, progress, new(TableProgress.Empty, null), isAnother)));
        }
        return parted;
    }

    /// <summary>Puts the progress back to what the rows reach to, and with it what was recorded of gaps.</summary>
    public static (IReadOnlyList<TableRequirement>, IReadOnlyList<TableUpdate>) PutBack(TableVersion version, IReadOnlyList<PartedProgress> parted)
    {
        var topics = parted.Select(static one => one.Partition.Topic).Distinct(StringComparer.Ordinal).ToList();
        var progress = version.Progress.Without(parted.Where(static one => one.Held is null).Select(static one => one.Partition))
            .With(parted.Where(static one => one.Held is not null).Select(static one => KeyValuePair.Create(one.Partition, one.Held!.Value)));
        var (kept, gone) = (new Dictionary<string, string>(), new List<string>());
        foreach (var topic in topics)
        {
            if (progress.Knows(topic))
            {
                kept[TableProgress.PropertyPrefix + topic] = progress.ToProperties([topic]).Values.Single();
            }
            else
            {
                gone.Add(TableProgress.PropertyPrefix + topic);
            }
            if (MirroredGaps(version.Metadata, topic) is { } gaps)
            {
                kept[TableGaps.PropertyPrefix + topic] = gaps;
            }
            else
            {
                gone.Add(TableGaps.PropertyPrefix + topic);
            }
        }
        return (
            [new TableRequirement.AssertTableUuid(version.Metadata.TableUuid),
                new TableRequirement.AssertRefSnapshotId(SnapshotRef.MainBranch, version.Metadata.CurrentSnapshotId)],
            [new TableUpdate.SetProperties(kept), new TableUpdate.RemoveProperties([.. gone.Where(version.Metadata.Properties.ContainsKey)])]);
    }

    private static IEnumerable<PartedProgress> Compare(string topic, TableProgress recorded, Mirror held, Func<string, string?, bool> isAnother)
    {
        if (!recorded.Knows(topic))
        {
            return isAnother(topic, held.TopicId) ? []
                : held.Progress.NextOffsets.Where(pair => pair.Key.Topic == topic).Select(static pair => new PartedProgress(pair.Key, null, pair.Value));
        }
        return recorded.NextOffsets.Where(pair => pair.Key.Topic == topic && pair.Value > (held.Progress.NextOffset(pair.Key) ?? 0))
            .Select(pair => new PartedProgress(pair.Key, pair.Value, held.Progress.NextOffset(pair.Key)));
    }

    /// <summary>What a snapshot says of a topic; one that another engine cherry-picked says what the original did.</summary>
    private static Mirror? MirrorOf(TableMetadata metadata, Snapshot snapshot, string topic)
    {
        var key = TableProgress.PropertyPrefix + topic;
        var summary = snapshot.Summary.ContainsKey(key) || !long.TryParse(snapshot.Summary.GetValueOrDefault(CherryPickedFrom), out var id)
            ? snapshot.Summary : metadata.SnapshotById(id)?.Summary;
        if (summary?.GetValueOrDefault(key) is not { } text)
        {
            return null;
        }
        try
        {
            return new(
                TableProgress.Parse(new Dictionary<string, string> { [key] = text }),
                summary.GetValueOrDefault(TopicIdentities.PropertyPrefix + topic));
        }
        catch (ProgressFormatException)
        {
            return null; // not ours
        }
    }

    private static string? MirroredGaps(TableMetadata metadata, string topic)
        => SnapshotAncestry.Of(metadata, metadata.CurrentSnapshotId)
            .Select(snapshot => snapshot.Summary.GetValueOrDefault(TableGaps.PropertyPrefix + topic)).FirstOrDefault(static text => text is not null);

    private sealed record Mirror(TableProgress Progress, string? TopicId);
}
