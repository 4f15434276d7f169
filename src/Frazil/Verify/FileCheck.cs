using Frazil.Kafka;

namespace Frazil.Verify;

/// <summary>
/// The shallow look: rows counted by the manifests, dead letters, and recorded gaps must add up to exactly the offsets passed; files must
/// neither overlap where that means a doubled row, nor lie outside of what was read, and must be there in the length committed. A loss and a doubling of the same size, both inside
/// ranges of partitioned files, would escape it: that is what the deep look is for.
/// </summary>
internal sealed class FileCheck(VerifyLook look)
{
    public IReadOnlyList<PartitionVerification> Run(List<VerifyFinding> whole, List<string> notes)
    {
        whole.AddRange(look.StrangeFiles());
        var elsewhere = look.Broken.Where(broken => broken.Key.Partition is not { } partition || look.Progress.NextOffset(partition) is null);
        whole.AddRange(elsewhere.Select(static broken => BrokenFiles.ToFinding(broken.Key, broken.Value)));
        var mixed = look.Files.Mixed.ToList();
        var partitions = look.Partitions.Select(partition => Check(partition, countRows: mixed.Count == 0)).ToList();
        if (mixed.Count > 0)
        {
            notes.Add($"{mixed.Count} files mix Kafka partitions or do not say which they hold, so that only the totals were compared; --deep looks at every row that carries its position");
            CheckTotals(partitions, whole);
        }
        return partitions;
    }

    private PartitionVerification Check(TopicPartition partition, bool countRows)
    {
        var (report, letters, findings) = look.Begin(partition);
        var files = look.Files.Of(partition);
        var rows = files.Sum(static file => file.Rows);
        var covered = OffsetSet.Of(files.Select(static file => file.Offsets).OfType<OffsetRange>());
        findings.AddRange(files.Where(look.Broken.ContainsKey).Select(file => BrokenFiles.ToFinding(file, look.Broken[file])));
        findings.AddRange(CheckOutside(report, covered));
        findings.AddRange(CheckOverlaps(files));
        if (countRows)
        {
            findings.AddRange(CheckSum(report, rows, covered.Union(letters.Held)));
        }
        return report with { Rows = countRows ? rows : null, Findings = findings };
    }

    private static IEnumerable<VerifyFinding> CheckOutside(PartitionVerification report, OffsetSet covered)
    {
        if (!covered.IsEmpty && covered.Ranges[^1].Last >= report.Next)
        {
            var behind = covered.Except(OffsetSet.Between(0, report.Next));
            yield return new(
                FindingKind.BeyondProgress,
                $"files reach behind the next offset {report.Next} that the table records: those records would be read again",
                behind.Ranges, behind.Count);
        }
        if (!covered.IsEmpty && covered.Ranges[0].First < report.First)
        {
            var before = covered.Intersect(OffsetSet.Between(0, report.First));
            yield return new(
                FindingKind.BeforeFirst, $"files hold rows before offset {report.First}, at which the table says its reading began",
                before.Ranges, before.Count);
        }
    }

    /// <summary>Files as Frazil wrote them hold whole ranges, so that any overlap is a doubling; so do files without a hole. Of others,
    /// which another engine rewrote or a partitioned table interleaves, only more rows than offsets tell.</summary>
    private IEnumerable<VerifyFinding> CheckOverlaps(IReadOnlyList<HeldFile> files)
    {
        var doubled = new List<OffsetRange>();
        var (last, wholeUpTo) = (default(OffsetRange?), -1L);
        var groupRows = 0L;
        foreach (var file in files.Where(static file => file.Offsets is not null).OrderBy(static file => file.Offsets!.Value.First))
        {
            var range = file.Offsets!.Value;
            if (IsWhole(file))
            {
                if (range.First <= wholeUpTo)
                {
                    doubled.Add(new(range.First, Math.Min(range.Last, wholeUpTo)));
                }
                wholeUpTo = Math.Max(wholeUpTo, range.Last);
            }
            if (last is { } group && range.First <= group.Last)
            {
                (last, groupRows) = (group with { Last = Math.Max(group.Last, range.Last) }, groupRows + file.Rows);
                continue;
            }
            if (Crowded(last, groupRows) is { } crowd && doubled.Count == 0)
            {
                yield return crowd;
            }
            (last, groupRows) = (range, file.Rows);
        }
        if (doubled.Count > 0)
        {
            var all = OffsetSet.Of(doubled);
            yield return new(FindingKind.Duplicate, "several files hold these offsets", all.Ranges, all.Count);
        }
        else if (Crowded(last, groupRows) is { } crowd)
        {
            yield return crowd;
        }
    }

    private static VerifyFinding? Crowded(OffsetRange? group, long rows) => group is { } range && rows > range.Count
        ? new(
            FindingKind.Duplicate, $"files that overlap hold {rows} rows in {range.Count} offsets; --deep finds which", [range],
            rows - range.Count)
        : null;

    private bool IsWhole(HeldFile file) => file.Rows == file.Offsets!.Value.Count
        || (file.IsAsWritten && look.Table.Metadata.SpecById(file.File.SpecId) is { Fields.Count: 0 });

    private static IEnumerable<VerifyFinding> CheckSum(PartitionVerification report, long rows, OffsetSet covered)
    {
        var expected = report.Next - report.First;
        var held = rows + report.DeadLetters + report.Gaps.Skipped;
        if (held < expected)
        {
            var open = OffsetSet.Between(report.First, report.Next).Except(covered).Except(OffsetSet.Of(report.Gaps.Retention));
            var where = open.Count == expected - held
                ? "no file covers them"
                : $"{open.Count} offsets are covered by no file, recorded gaps of other kinds among them; --deep finds which are missing";
            yield return new(
                FindingKind.Missing, $"{expected - held} positions are neither row nor dead letter nor recorded gap: {where}", open.Ranges,
                expected - held);
        }
        else if (held > expected)
        {
            yield return new(FindingKind.Excess,
                $"{rows} rows, {report.DeadLetters} dead letters and {report.Gaps.Skipped} skipped positions are {held - expected} more than the {expected} offsets passed; --deep finds which", [], held - expected);
        }
    }

    private void CheckTotals(IReadOnlyList<PartitionVerification> partitions, List<VerifyFinding> whole)
    {
        var rows = look.Files.All.Sum(static file => file.Rows);
        var expected = partitions.Sum(static partition => partition.Next - partition.First);
        var held = rows + partitions.Sum(static partition => partition.DeadLetters + partition.Gaps.Skipped);
        if (held != expected)
        {
            whole.Add(new(held < expected ? FindingKind.Missing : FindingKind.Excess,
                $"{rows} rows, dead letters and skipped positions of all partitions together are {held}, but {expected} offsets were passed", [], Math.Abs(held - expected)));
        }
    }
}
