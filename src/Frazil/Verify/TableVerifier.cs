using System.Collections.Immutable;
using Frazil.Commit;
using Frazil.Config;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Kafka;
using Frazil.Maintain;

namespace Frazil.Verify;

/// <summary>
/// Proves that a table holds every record of its topics exactly once, or says exactly where it does not. Looks at one version of the table
/// and at Kafka, and at nothing else: rows that a running Frazil has not committed yet do not count. Reads only.
/// <para>A shallow look takes what manifests say of files (<see cref="FileCheck"/>): counts and ranges, and looks whether each is
/// there in the length committed. A deep one reads the Kafka position of every row and explains every offset that has none (<see cref="RowCheck"/>).</para>
/// </summary>
public sealed class TableVerifier(ICatalog catalog, KafkaOptions kafka)
{
    /// <summary>Looks at the table's current version.</summary>
    /// <param name="identifier">The table.</param>
    /// <param name="deep">Whether to read rows.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="NoSuchTableException">There is no such table.</exception>
    /// <exception cref="KafkaException">The brokers do not answer, or refuse.</exception>
    /// <exception cref="ProgressFormatException">The table's progress is unreadable.</exception>
    /// <exception cref="GapsFormatException">The table's gaps are unreadable.</exception>
    public async Task<TableVerification> VerifyAsync(
        TableIdentifier identifier, bool deep, IProgress<VerifyProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var table = await catalog.LoadTableAsync(identifier, cancellationToken);
        var recorded = TableProgress.Parse(table.Metadata.Properties);
        var topics = recorded.NextOffsets.Keys.Select(static partition => partition.Topic)
            .Distinct().Order(StringComparer.Ordinal).ToList();
        progress?.Report(new("reading manifests", 0, 0));
        var files = await HeldFiles.ReadAsync(table, topics, cancellationToken);
        if (topics.Count == 0)
        {
            return Unfed(table, files, deep);
        }
        var needsRows = deep && files.HasPositions && !files.HasDeletes;
        // Letters are committed before the progress that passes them, so they are looked at after it.
        var whole = new List<VerifyFinding>();
        var notes = new List<string>();
        var letters = await ReadLettersAsync(identifier, whole, cancellationToken);
        await using var evidence = new KafkaEvidence(kafka);
        var look = new VerifyLook(
            table, recorded, TableGaps.Parse(table.Metadata.Properties), files, letters,
            await EndsAsync(evidence, recorded, progress, cancellationToken),
            await BrokenFiles.FindAsync(table.FileIO, files.All, progress, cancellationToken));
        whole.AddRange(await CheckIdentitiesAsync(table, topics, evidence, notes, cancellationToken));
        whole.AddRange(CheckReadable(look, deep));
        var partitions = needsRows
            ? await new RowCheck(look, new RowReader(table), evidence, progress).RunAsync(whole, notes, cancellationToken)
            : new FileCheck(look).Run(whole, notes);
        AddNotes(look, partitions, notes);
        return new()
        {
            Table = identifier.ToString(),
            SnapshotId = table.Metadata.CurrentSnapshotId,
            IsDeep = deep,
            Partitions = partitions,
            Findings = whole,
            Notes = notes,
        };
    }

    /// <summary>Does the table record progress? Only then is there something to verify.</summary>
    public static bool IsFed(TableMetadata table)
        => table.Properties.Keys.Any(static key => key.StartsWith(TableProgress.PropertyPrefix, StringComparison.Ordinal));

    /// <summary>The table whose dead letters this one keeps, by its name; null for any other.</summary>
    public static TableIdentifier? LettersOf(TableIdentifier identifier)
        => identifier.Name.EndsWith(DeadLetterColumns.TableSuffix, StringComparison.Ordinal)
        ? identifier with { Name = identifier.Name[..^DeadLetterColumns.TableSuffix.Length] }
        : null;

    private static TableVerification Unfed(LoadedTable table, HeldFiles files, bool deep)
    {
        var rows = files.All.Sum(static file => file.Rows);
        return new()
        {
            Table = table.Identifier.ToString(),
            SnapshotId = table.Metadata.CurrentSnapshotId,
            IsDeep = deep,
            Partitions = [],
            Findings = rows == 0 ? [] : [new(FindingKind.CannotTell,
                $"the table has {rows} rows but records no progress ({TableProgress.PropertyPrefix}TOPIC), so nothing says which records it should hold", [], rows)],
            Notes = rows == 0 ? ["nothing was committed yet"] : [],
        };
    }

    private async Task<IReadOnlyDictionary<TopicPartition, HeldOffsets>> ReadLettersAsync(
        TableIdentifier identifier, List<VerifyFinding> whole, CancellationToken cancellationToken)
    {
        var letters = identifier with { Name = identifier.Name + DeadLetterColumns.TableSuffix };
        if (!await catalog.TableExistsAsync(letters, cancellationToken))
        {
            return ImmutableDictionary<TopicPartition, HeldOffsets>.Empty;
        }
        var table = await catalog.LoadTableAsync(letters, cancellationToken);
        var plan = await new TableScan(table.Metadata, new ManifestCache(table.FileIO)).PlanAsync(cancellationToken);
        var there = new List<DataFile>();
        foreach (var file in plan.Files.Select(static scanned => scanned.File))
        {
            if (await DataFileLook.FaultOfAsync(table.FileIO, file, cancellationToken) is { } fault)
            {
                whole.Add(BrokenFiles.ToLetterFinding(file, fault));
            }
            else
            {
                there.Add(file);
            }
        }
        var held = await new RowReader(table).ReadAsync([.. there.Select(static file => new ReadFile(file, null))], static _ => { }, cancellationToken);
        whole.AddRange(there.Where(file => held.Unreadable.ContainsKey(file.Path))
            .Select(file => BrokenFiles.ToLetterFinding(file, BrokenFiles.UnreadableBecause(held.Unreadable[file.Path]))));
        return held.Offsets;
    }

    private static async Task<IReadOnlyDictionary<TopicPartition, Watermarks?>> EndsAsync(
        KafkaEvidence evidence, TableProgress recorded, IProgress<VerifyProgress>? progress, CancellationToken cancellationToken)
        => await Task.Run(() =>
        {
            var ends = new Dictionary<TopicPartition, Watermarks?>();
            foreach (var partition in recorded.NextOffsets.Keys)
            {
                cancellationToken.ThrowIfCancellationRequested();
                progress?.Report(new("asking Kafka", ends.Count, recorded.NextOffsets.Count));
                ends[partition] = evidence.EndsOf(partition);
            }
            return ends;
        }, cancellationToken);

    private static async Task<IReadOnlyList<VerifyFinding>> CheckIdentitiesAsync(
        LoadedTable table, IReadOnlyList<string> topics, KafkaEvidence evidence, List<string> notes, CancellationToken cancellationToken)
    {
        var expected = topics
            .Select(topic => (Topic: topic, Id: Guid.TryParse(table.Metadata.Properties.GetValueOrDefault(TopicIdentities.PropertyPrefix + topic), out var id) ? id : (Guid?)null))
            .Where(static one => one.Id is not null).ToList();
        if (expected.Count == 0)
        {
            return [];
        }
        var now = await evidence.TopicIdsAsync([.. expected.Select(static one => one.Topic)], cancellationToken);
        if (now.Unavailable is { } reason)
        {
            notes.Add($"whether the topics are still the ones that fed the table was not checked: {reason}");
        }
        return [.. expected.Where(one => now.Ids.TryGetValue(one.Topic, out var id) && id != one.Id).Select(one => new VerifyFinding(
            FindingKind.TopicReplaced,
            $"topic {one.Topic} was deleted and recreated: the table was fed from id {one.Id}, the topic has id {now.Ids[one.Topic]} now, so Kafka says nothing about this table",
            [], 0))];
    }

    private static IEnumerable<VerifyFinding> CheckReadable(VerifyLook look, bool deep)
    {
        if (look.Files.HasDeletes)
        {
            yield return new(FindingKind.CannotTell,
                "another engine deleted single rows (the table has delete files), which neither counts nor bounds show; compact the table with that engine first", [], 0);
        }
        if (deep && !look.Files.HasPositions && look.Files.All.Length > 0)
        {
            yield return new(FindingKind.CannotTell,
                $"rows carry no {KafkaColumns.Partition} and {KafkaColumns.Offset} columns, so that only files and counts could be compared, as without --deep", [], 0);
        }
    }

    private static void AddNotes(VerifyLook look, IReadOnlyList<PartitionVerification> partitions, List<string> notes)
    {
        var foreign = look.Files.All.Where(static file => file.Rows < file.File.RecordCount).ToList();
        if (foreign.Count > 0)
        {
            notes.Add($"{foreign.Sum(static file => file.File.RecordCount - file.Rows)} rows in {foreign.Count} files carry no Kafka position: another engine put them in, they are not verified");
        }
        foreach (var topic in partitions.Where(static partition => partition.Kafka is null).Select(static partition => partition.Partition.Topic).Distinct())
        {
            notes.Add(
                $"Kafka does not have topic {topic} or some of its partitions (any more): only what the table itself says was verified");
        }
    }
}

/// <summary>What a check looks at: one version of a table, its dead letters, the ends of its partitions in Kafka, and which files are
/// gone or cut short, with what is wrong with each.</summary>
internal sealed record VerifyLook(
    LoadedTable Table,
    TableProgress Progress,
    TableGaps Gaps,
    HeldFiles Files,
    IReadOnlyDictionary<TopicPartition, HeldOffsets> Letters,
    IReadOnlyDictionary<TopicPartition, Watermarks?> Ends,
    IReadOnlyDictionary<HeldFile, string> Broken)
{
    public IEnumerable<TopicPartition> Partitions
        => Progress.NextOffsets.Keys.OrderBy(static partition => partition.Topic, StringComparer.Ordinal)
            .ThenBy(static partition => partition.Partition);

    /// <summary>What both looks say of a partition, before they look at rows.</summary>
    public (PartitionVerification Report, HeldOffsets Letters, List<VerifyFinding> Findings) Begin(TopicPartition partition)
    {
        var next = Progress.NextOffset(partition)!.Value;
        var gaps = Gaps.Of(partition);
        // Letters behind the progress belong to records that are not passed yet: they are read again, and their letters kept once.
        var all = Letters.GetValueOrDefault(partition, HeldOffsets.None);
        var passed = OffsetSet.Between(0, next);
        var letters = new HeldOffsets(all.Held.Intersect(passed), all.Repeated.Intersect(passed), 0);
        var findings = new List<VerifyFinding>();
        if (!letters.Repeated.IsEmpty)
        {
            findings.Add(
                new(
                    FindingKind.Duplicate, "the dead-letter table has these records more than once", letters.Repeated.Ranges,
                    letters.Repeated.Count));
        }
        if (Ends.GetValueOrDefault(partition) is { } ends && ends.High < next)
        {
            findings.Add(new(FindingKind.TopicCut,
                $"the table has read up to offset {next}, but the log ends at {ends.High}: the topic was cut or is another one",
                [new(ends.High, next - 1)], next - ends.High));
        }
        return (new()
        {
            Partition = partition,
            First = gaps.First,
            Next = next,
            Rows = null,
            DeadLetters = letters.Held.Count,
            Gaps = gaps,
            Files = Files.Of(partition).Count,
            Kafka = Ends.GetValueOrDefault(partition),
        }, letters, findings);
    }

    /// <summary>Rows of partitions that the table records no progress of.</summary>
    public IEnumerable<VerifyFinding> StrangeFiles() => Files.All
        .Where(file => file.Partition is { } partition && file.Rows > 0 && Progress.NextOffset(partition) is null)
        .GroupBy(static file => file.Partition!.Value)
        .Select(static group => new VerifyFinding(
            FindingKind.BeyondProgress, $"rows of {group.Key}, of which the table records no progress: they would be read again",
            OffsetSet.Of(group.Select(static file => file.Offsets).OfType<OffsetRange>()).Ranges, group.Sum(static file => file.Rows)));
}
