using System.Globalization;
using Frazil.Iceberg;
using Frazil.Kafka;

namespace Frazil.Commit;

/// <param name="Partition">A partition whose progress and rows no longer agree; -1: which ones of the topic cannot be told.</param>
/// <param name="Recorded">The next offset that the table's property says; null: none.</param>
/// <param name="Held">The next offset that the table's rows reach to, by the summaries of its snapshots; null: none.</param>
/// <param name="IsHeldKnown">False where no snapshot tells any more what the rows reach to.</param>
internal readonly record struct PartedProgress(TopicPartition Partition, long? Recorded, long? Held, bool IsHeldKnown = true)
{
    public override string ToString()
        => $"{(Partition.Partition < 0 ? Partition.Topic : Partition)} (property: {Recorded?.ToString() ?? "none"}, rows: {Rows})";

    private string Rows => !IsHeldKnown ? "nothing tells" : $"up to {(Held is { } held ? $"offset {held - 1}" : "none")}";
}

/// <summary>
/// Progress is a property of the table, rows are its current snapshot. Other hands part them when they set the snapshot back and the
/// property stays (<c>rollback_to_snapshot</c>, a branch put in the place of main, a table replaced in place), or remove the property. Each
/// of our snapshots mirrors the progress that it made, so the newest mirror among the current snapshot's ancestors says what the rows
/// reach to. Where an expiry has left no mirror there, <see cref="ProgressSnapshot"/> says whether the rows are there: its snapshot is an
/// ancestor, or may be one of those that the expiry removed.
/// </summary>
internal static class TableRollback
{
    /// <summary>Partitions whose recorded progress is ahead of the rows, or was removed; none where all is well, or where nothing
    /// tells.</summary>
    /// <param name="version">The table.</param>
    /// <param name="topics">Topics to look at, also for progress that was removed; null for those that the table has progress of.</param>
    /// <param name="isAnother">Whether a topic is certainly another one than that of an id: one that was recreated is read anew where its
    /// progress was removed (see <see cref="TopicIdentities"/>).</param>
    public static IReadOnlyList<PartedProgress> Find(TableVersion version, IReadOnlySet<string>? topics, Func<string, string?, bool> isAnother)
    {
        var (metadata, progress) = (version.Metadata, version.Progress);
        var open = (topics ?? progress.NextOffsets.Keys.Select(static partition => partition.Topic)).ToHashSet(StringComparer.Ordinal);
        var last = open.ToDictionary(static topic => topic, topic => ProgressSnapshot.Of(metadata, topic));
        var parted = new List<PartedProgress>();
        var line = new List<Snapshot>();
        foreach (var snapshot in SnapshotAncestry.Of(metadata, metadata.CurrentSnapshotId).TakeWhile(_ => open.Count > 0))
        {
            line.Add(snapshot);
            foreach (var topic in open.ToList())
            {
                if (MirrorOf(metadata, snapshot, topic) is { } held)
                {
                    open.Remove(topic);
                    parted.AddRange(Compare(topic, progress, held, isAnother));
                }
                else if (progress.Knows(topic) && last[topic]?.Is(snapshot) == true)
                {
                    open.Remove(topic); // its summary was cleared: what older ones say is of before
                }
            }
        }
        parted.AddRange(open.SelectMany(topic => FindUnmirrored(topic, last[topic], version, line, isAnother)));
        return parted;
    }

    /// <summary>Whether neither progress, nor a snapshot, nor a property says anything of topics, nor of any other: the table is new to us, or
    /// other hands removed all of it. Only rows can tell then.</summary>
    public static bool IsUntold(TableVersion version, IReadOnlySet<string> topics)
        => version.Progress.NextOffsets.Count == 0 && version.Metadata.CurrentSnapshot is not null
            && topics.All(topic => (ProgressSnapshot.Of(version.Metadata, topic) ?? NewestBeside(version.Metadata, topic)) is null);

    /// <param name="topic">One that no snapshot of the line mirrors.</param>
    /// <param name="recorded">The snapshot that moved its progress last, as the table's properties say.</param>
    /// <param name="version">The table.</param>
    /// <param name="line">The current snapshot and all of its ancestors that are left.</param>
    /// <param name="isAnother">As above.</param>
    private static IEnumerable<PartedProgress> FindUnmirrored(
        string topic, ProgressSnapshot? recorded, TableVersion version, List<Snapshot> line, Func<string, string?, bool> isAnother)
    {
        var (metadata, progress) = (version.Metadata, version.Progress);
        if ((recorded ?? NewestBeside(metadata, topic)) is not { } last)
        {
            // A table that never had a snapshot may have been given the offsets to begin at.
            return line.Count == 0 && metadata.LastSequenceNumber > 0 ? Compare(topic, progress, Mirror.None, isAnother) : [];
        }
        var isCutAfter = line is [.., var oldest] && !IsFirst(oldest) && oldest.SequenceNumber > last.SequenceNumber;
        if (isCutAfter || line.Any(last.Is))
        {
            return progress.Knows(topic) || recorded is null || isAnother(topic, recorded.TopicId) ? [] : [new(new(topic, -1), null, null, false)];
        }
        // Only a history that is there from its beginning, and tells of itself, shows that none of the rows are of the topic.
        var areNoneHeld = (line is [] || IsFirst(line[^1])) && !line.Exists(IsBare);
        return areNoneHeld
            ? Compare(topic, progress, Mirror.None, isAnother)
            : progress.NextOffsets.Where(pair => pair.Key.Topic == topic).Select(static pair => new PartedProgress(pair.Key, pair.Value, null, false));
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
            gone.Add(ProgressSnapshot.PropertyPrefix + topic); // it is not where the progress is now
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

    /// <summary>For tables that record no such snapshot: the newest one that the table still has, apart from the line.</summary>
    private static ProgressSnapshot? NewestBeside(TableMetadata metadata, string topic)
        => metadata.Snapshots.Where(one => MirrorOf(metadata, one, topic) is not null).MaxBy(static one => one.SequenceNumber) is { } newest
            ? new(newest.SnapshotId, newest.SequenceNumber, null) : null;

    /// <summary>Whether the history begins with it. PyIceberg's expiry takes the parent's id from the oldest snapshot that stays, which then
    /// says by its counts that there was something before it.</summary>
    private static bool IsFirst(Snapshot snapshot)
        => snapshot.ParentSnapshotId is null && Count(snapshot, "deleted-data-files") == 0
            && Count(snapshot, "total-data-files") <= Count(snapshot, "added-data-files");

    private static long Count(Snapshot snapshot, string name)
        => long.TryParse(snapshot.Summary.GetValueOrDefault(name), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 0;

    /// <summary>Says nothing of what it did: ours may have been cleared so as well.</summary>
    private static bool IsBare(Snapshot snapshot) => snapshot.Summary.Keys.All(static key => key == "operation");

    /// <summary>What a snapshot says of a topic; one that another engine cherry-picked says what the original did.</summary>
    private static Mirror? MirrorOf(TableMetadata metadata, Snapshot snapshot, string topic)
    {
        var key = TableProgress.PropertyPrefix + topic;
        var summary = snapshot.Summary.ContainsKey(key) || ProgressSnapshot.SourceOf(snapshot) is not { } source
            ? snapshot.Summary : metadata.SnapshotById(source)?.Summary;
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

    private sealed record Mirror(TableProgress Progress, string? TopicId)
    {
        public static Mirror None { get; } = new(TableProgress.Empty, null);
    }
}
