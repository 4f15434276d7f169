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

    /// <summary>Partitions of these topics whose recorded progress is ahead of the rows, or was removed; none where all is well, or where
    /// nothing tells (a foreign expiry removed the snapshots that could).</summary>
    public static IReadOnlyList<PartedProgress> Find(TableMetadata metadata, TableProgress progress, IEnumerable<string> topics)
    {
        var open = topics.ToHashSet(StringComparer.Ordinal);
        var parted = new List<PartedProgress>();
        Snapshot? oldest = null;
        foreach (var snapshot in SnapshotAncestry.Of(metadata, metadata.CurrentSnapshotId))
        {
            if (open.Count == 0)
            {
                return parted;
            }
            oldest = snapshot;
            foreach (var topic in open.Where(topic => MirrorOf(metadata, snapshot, topic) is not null).ToList())
            {
                open.Remove(topic);
                parted.AddRange(Compare(topic, progress, MirrorOf(metadata, snapshot, topic)!, metadata));
            }
        }
        // Only a history that is there from its beginning shows that none of the rows are of the topic.
        if (oldest?.ParentSnapshotId is null)
        {
            parted.AddRange(open.Where(topic => metadata.Snapshots.Any(one => MirrorOf(metadata, one, topic) is not null))
                .SelectMany(topic => Compare(topic, progress, TableProgress.Empty, metadata)));
        }
        return parted;
    }

    /// <summary>The topics that a table was fed from, by its progress and by its topic ids.</summary>
    public static IEnumerable<string> TopicsOf(TableVersion version)
        => version.Progress.NextOffsets.Keys.Select(static partition => partition.Topic)
            .Concat(version.Metadata.Properties.Keys.Where(static key => key.StartsWith(TopicIdentities.PropertyPrefix, StringComparison.Ordinal))
                .Select(static key => key[TopicIdentities.PropertyPrefix.Length..]))
            .Distinct(StringComparer.Ordinal);

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

    private static IEnumerable<PartedProgress> Compare(string topic, TableProgress recorded, TableProgress held, TableMetadata metadata)
    {
        if (!recorded.Knows(topic))
        {
            // With its topic id the property was removed on purpose: the topic is to be read anew (see TopicIdentities).
            return metadata.Properties.ContainsKey(TopicIdentities.PropertyPrefix + topic)
                ? held.NextOffsets.Where(pair => pair.Key.Topic == topic).Select(static pair => new PartedProgress(pair.Key, null, pair.Value))
                : [];
        }
        return recorded.NextOffsets.Where(pair => pair.Key.Topic == topic && pair.Value > (held.NextOffset(pair.Key) ?? 0))
            .Select(pair => new PartedProgress(pair.Key, pair.Value, held.NextOffset(pair.Key)));
    }

    /// <summary>What a snapshot says of a topic's progress; one that another engine cherry-picked says what the original did.</summary>
    private static TableProgress? MirrorOf(TableMetadata metadata, Snapshot snapshot, string topic)
    {
        var key = TableProgress.PropertyPrefix + topic;
        var text = snapshot.Summary.GetValueOrDefault(key)
            ?? (long.TryParse(snapshot.Summary.GetValueOrDefault(CherryPickedFrom), out var id)
                ? metadata.SnapshotById(id)?.Summary.GetValueOrDefault(key) : null);
        try
        {
            return text is null ? null : TableProgress.Parse(new Dictionary<string, string> { [key] = text });
        }
        catch (ProgressFormatException)
        {
            return null; // not ours
        }
    }

    private static string? MirroredGaps(TableMetadata metadata, string topic)
        => SnapshotAncestry.Of(metadata, metadata.CurrentSnapshotId)
            .Select(snapshot => snapshot.Summary.GetValueOrDefault(TableGaps.PropertyPrefix + topic)).FirstOrDefault(static text => text is not null);
}
