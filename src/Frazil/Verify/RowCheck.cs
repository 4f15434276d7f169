using Frazil.Kafka;

namespace Frazil.Verify;

/// <summary>
/// The deep look: the offset of every row and every dead letter, each once, and every offset passed that has neither explained: recorded as
/// removed by retention; or Kafka itself shows no record there; or Kafka no longer has the range, and what the table records as skipped is
/// exactly what is missing.
/// </summary>
internal sealed class RowCheck(VerifyLook look, RowReader rows, KafkaEvidence evidence, IProgress<VerifyProgress>? progress)
{
    private readonly long allRows = look.Files.All.Sum(static file => file.Rows);

    public async Task<IReadOnlyList<PartitionVerification>> RunAsync(
        List<VerifyFinding> whole, List<string> notes, CancellationToken cancellationToken)
    {
        whole.AddRange(look.StrangeFiles());
        whole.AddRange(look.Broken.Select(static broken => BrokenFiles.ToFinding(broken.Key, broken.Value)));
        var mixed = look.Files.Mixed.Where(file => !look.Broken.ContainsKey(file)).ToList();
        var manyTopics = look.Partitions.Select(static partition => partition.Topic).Distinct().Count() > 1;
        if (mixed.Count > 0 && manyTopics && !look.Files.HasTopics)
        {
            whole.Add(new(FindingKind.CannotTell,
                $"{mixed.Count} files mix Kafka partitions of several topics, and rows carry no kafka_topic column: of which topic their rows are cannot be told",
                [], mixed.Sum(static file => file.Rows)));
            mixed = [];
        }
        var held = await ReadAsync(mixed, manyTopics && look.Files.HasTopics, whole, notes, cancellationToken);
        return [.. look.Partitions.Select(partition => Check(partition, held.GetValueOrDefault(partition, HeldOffsets.None), cancellationToken))];
    }

    /// <summary>The offsets that the rows of each partition carry.</summary>
    private async Task<IReadOnlyDictionary<TopicPartition, HeldOffsets>> ReadAsync(
        IEnumerable<HeldFile> mixed, bool matchTopic, List<VerifyFinding> whole, List<string> notes, CancellationToken cancellationToken)
    {
        var topic = look.Partitions.First().Topic;
        var files = look.Partitions.SelectMany(look.Files.Of).Concat(mixed).Where(file => !look.Broken.ContainsKey(file)).ToList();
        var held = await rows.ReadAsync(
            [.. files.Select(file => new ReadFile(file.File, matchTopic ? null : file.Partition?.Topic ?? topic))],
            read => progress?.Report(new("reading rows", Math.Min(read, allRows), allRows)), cancellationToken);
        whole.AddRange(files.Where(file => held.Unreadable.ContainsKey(file.File.Path))
            .Select(file => BrokenFiles.ToFinding(file, BrokenFiles.UnreadableBecause(held.Unreadable[file.File.Path]))));
        var known = files.Sum(static file => file.File.RecordCount - file.Rows);
        if (held.Unplaced > known)
        {
            notes.Add($"{held.Unplaced - known} rows more than the manifests say carry no Kafka position: another engine put them in, they are not verified");
        }
        return held.Offsets;
    }

    private PartitionVerification Check(TopicPartition partition, HeldOffsets held, CancellationToken cancellationToken)
    {
        var (report, letters, findings) = look.Begin(partition);
        findings.AddRange(CheckRows(report, held, letters));
        var notes = new List<string>();
        findings.AddRange(CheckMissing(report, held, letters, notes, cancellationToken));
        return report with { Rows = held.Rows, Findings = findings, Notes = notes };
    }

    private static IEnumerable<VerifyFinding> CheckRows(PartitionVerification report, HeldOffsets held, HeldOffsets letters)
    {
        if (!held.Repeated.IsEmpty)
        {
            yield return new(
                FindingKind.Duplicate, "the table has these records more than once", held.Repeated.Ranges, held.Rows - held.Held.Count);
        }
        var both = held.Held.Intersect(letters.Held);
        if (!both.IsEmpty)
        {
            yield return new(FindingKind.Duplicate, "these records are in the table and in its dead-letter table", both.Ranges, both.Count);
        }
        var removed = held.Held.Intersect(OffsetSet.Of(report.Gaps.Retention));
        if (!removed.IsEmpty)
        {
            yield return new(
                FindingKind.Excess, "the table has rows at offsets that it records as removed by retention before they were read",
                removed.Ranges, removed.Count);
        }
        var behind = held.Held.Except(OffsetSet.Between(0, report.Next));
        if (!behind.IsEmpty)
        {
            yield return new(
                FindingKind.BeyondProgress,
                $"rows at or behind the next offset {report.Next} that the table records: they would be read again", behind.Ranges,
                behind.Count);
        }
        var early = held.Held.Intersect(OffsetSet.Between(0, report.First));
        if (!early.IsEmpty)
        {
            yield return new(
                FindingKind.BeforeFirst, $"rows before offset {report.First}, at which the table says its reading began", early.Ranges,
                early.Count);
        }
    }

    private IEnumerable<VerifyFinding> CheckMissing(
        PartitionVerification report, HeldOffsets held, HeldOffsets letters, List<string> notes, CancellationToken cancellationToken)
    {
        var missing = OffsetSet.Between(report.First, report.Next).Except(held.Held).Except(letters.Held)
            .Except(OffsetSet.Of(report.Gaps.Retention));
        var recorded = report.Gaps.Transaction + report.Gaps.Compaction + report.Gaps.Unknown + report.Gaps.RetentionUnlisted;
        var inLog = report.Kafka is { } ends ? missing.Intersect(OffsetSet.Between(ends.Low, ends.High)) : OffsetSet.Empty;
        var lost = inLog.IsEmpty ? OffsetSet.Empty : evidence.RecordsAmong(
            report.Partition, inLog, _ => progress?.Report(new("reading gaps from Kafka", 0, 0)), cancellationToken);
        if (!lost.IsEmpty)
        {
            yield return new(
                FindingKind.Lost, "LOST: Kafka has these records, the table has passed them, and has neither row nor dead letter of them",
                lost.Ranges, lost.Count);
        }
        var silent = missing.Except(lost);
        if (silent.Count == recorded)
        {
            yield break;
        }
        var unseen = silent.Except(inLog);
        if (silent.Count < recorded)
        {
            yield return new(FindingKind.Excess,
                $"the table records {recorded} skipped positions, but only {silent.Count} have neither row nor dead letter: rows were put where there was no record, or the record of gaps was changed",
                [], recorded - silent.Count);
        }
        else if (recorded > 0 || !unseen.IsEmpty)
        {
            var kafkaSays = unseen.IsEmpty
                ? "Kafka shows no record there now, which a compacted topic may have had once"
                : "Kafka does not hold all of them any more, so it cannot explain them";
            yield return new(FindingKind.Missing,
                $"{silent.Count} positions are neither row nor dead letter, but the table records {recorded} as skipped; {kafkaSays}",
                (unseen.IsEmpty ? silent : unseen).Ranges, silent.Count - recorded);
        }
        else
        {
            notes.Add($"{silent.Count} positions are not recorded as gaps, but Kafka itself shows no record there");
        }
    }
}
