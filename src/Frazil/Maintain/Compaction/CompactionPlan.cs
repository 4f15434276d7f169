using System.Collections.Immutable;
using Frazil.Iceberg;
using Frazil.Iceberg.Manifests;

namespace Frazil.Maintain.Compaction;

/// <summary>What compaction takes and makes.</summary>
/// <param name="ThresholdBytes">Smaller files are packed together.</param>
/// <param name="TargetBytes">Files of about so many bytes come out.</param>
/// <param name="RunBytes">Bytes of files that one run rewrites at most, one unit excepted.</param>
internal sealed record CompactionLimits(long ThresholdBytes, long TargetBytes, long RunBytes);

/// <summary>Files whose rows may stand in one file.</summary>
internal readonly record struct CompactionGroup(int SpecId, PartitionTuple Partition, KafkaPlace? Place);

/// <summary>A live file, of which rows it is, and where they begin.</summary>
/// <param name="Scan">The file and the delete files that apply to it.</param>
/// <param name="Group">What it may be packed with.</param>
/// <param name="FirstOffset">Where its rows begin in their Kafka partition.</param>
internal sealed record CompactionInput(ScanFile Scan, CompactionGroup Group, long FirstOffset)
{
    public DataFile File => Scan.File;

    /// <summary>It cannot be rewritten: it stays as it is, and where it is.</summary>
    public bool IsLeft { get; init; }

    public bool HasDeletes => Scan.Deletes.Count > 0 && !IsLeft;

    /// <summary>In an order that packing would destroy.</summary>
    public bool IsSorted => File.SortOrderId is not (null or 0);
}

/// <summary>Files that become one, or a few where they are large: the least that is rewritten at once.</summary>
internal sealed record CompactionUnit(CompactionGroup Group, ImmutableArray<ScanFile> Files)
{
    public long Bytes { get; } = Files.Sum(static file => file.File.FileSizeBytes);

    public long Rows { get; } = Files.Sum(static file => file.File.RecordCount);

    /// <summary>How much of it deletes may have taken, as far as manifests tell: a delete file on equal values can take any number of
    /// rows, and costs every reader most.</summary>
    public double DeletedShare { get; } = Files.SelectMany(static file => file.Deletes)
        .DistinctBy(static file => (file.Path, file.ContentOffset)).Sum(static file => file.Content == FileContent.EqualityDeletes ? file.RecordCount + 1e9 : file.RecordCount)
        / Math.Max(1.0, Files.Sum(static file => file.File.RecordCount));
}

/// <summary>
/// What there is to compact in one version of a table. Files of one partition value, spec and Kafka partition are packed, in Kafka's order,
/// into about the target size; files with deletes are rewritten without them. What it holds:
/// (1) a fixed point: what was packed once is not taken again unless so much has come beside it that it at least doubles, so that no byte is
/// rewritten more often than the logarithm of threshold over file size;
/// (2) a file that is large enough and has no deletes is never taken, and files on both sides of it in its Kafka partition stay apart.
/// Nothing is done by making it.
/// </summary>
internal sealed record CompactionPlan(ImmutableArray<CompactionUnit> Units)
{
    public int Files => Units.Sum(static unit => unit.Files.Length);

    public long Bytes => Units.Sum(static unit => unit.Bytes);

    /// <summary>What readers gain most from first: files with many deletes, then the smallest files.</summary>
    public static CompactionPlan Of(IEnumerable<CompactionInput> inputs, CompactionLimits limits)
    {
        var units = inputs.GroupBy(static input => input.Group).SelectMany(group => UnitsOf(group, limits));
        return new([
            .. units.OrderByDescending(static unit => unit.DeletedShare).ThenBy(static unit => unit.Bytes / unit.Files.Length)
                .ThenBy(static unit => unit.Files[0].File.Path, StringComparer.Ordinal)]);
    }

    private static IEnumerable<CompactionUnit> UnitsOf(IGrouping<CompactionGroup, CompactionInput> group, CompactionLimits limits)
    {
        var ordered = group.OrderBy(static input => input.FirstOffset).ThenBy(static input => input.Scan.SequenceNumber)
            .ThenBy(static input => input.File.Path, StringComparer.Ordinal);
        foreach (var run in RunsOf(ordered, group.Key.Place is not null, limits))
        {
            foreach (var (files, _) in BinsOf(run, limits.TargetBytes).SelectMany(Split)
                .Where(static part => part.IsPacked || part.Files[0].HasDeletes))
            {
                yield return new(group.Key, [.. files.Select(static input => input.Scan)]);
            }
        }
    }

    /// <summary>Small files that may stand in one file. Where the order is Kafka's, what is not small ends a run: else the offsets of two
    /// files would overlap that did not before.</summary>
    private static IEnumerable<List<CompactionInput>> RunsOf(IEnumerable<CompactionInput> ordered, bool isBroken, CompactionLimits limits)
    {
        var run = new List<CompactionInput>();
        foreach (var input in ordered)
        {
            if (input.File.FileSizeBytes < limits.ThresholdBytes && input is { IsSorted: false, IsLeft: false })
            {
                run.Add(input);
                continue;
            }
            if (input.HasDeletes)
            {
                yield return [input];
            }
            if (isBroken && run.Count > 0)
            {
                yield return run;
                run = [];
            }
        }
        if (run.Count > 0)
        {
            yield return run;
        }
    }

    private static IEnumerable<List<CompactionInput>> BinsOf(List<CompactionInput> run, long targetBytes)
    {
        var (bin, bytes) = (new List<CompactionInput>(), 0L);
        foreach (var input in run)
        {
            if (bin.Count > 0 && bytes + input.File.FileSizeBytes > targetBytes)
            {
                yield return bin;
                (bin, bytes) = ([], 0);
            }
            bin.Add(input);
            bytes += input.File.FileSizeBytes;
        }
        if (bin.Count > 0)
        {
            yield return bin;
        }
    }

    /// <summary>Packs a bin unless its largest file is larger than all others together: then what lies before it and what lies behind it are
    /// looked at by themselves. What is not packed is one file.</summary>
    private static IEnumerable<(List<CompactionInput> Files, bool IsPacked)> Split(List<CompactionInput> bin)
    {
        var open = new Stack<List<CompactionInput>>([bin]);
        while (open.TryPop(out var files))
        {
            var largest = files.MaxBy(static file => file.File.FileSizeBytes)!;
            var isPacked = files.Count > 1 && largest.File.FileSizeBytes * 2 <= files.Sum(static file => file.File.FileSizeBytes);
            if (isPacked || files.Count == 1)
            {
                yield return (files, isPacked);
                continue;
            }
            var at = files.IndexOf(largest);
            yield return ([largest], false);
            foreach (var part in new[] { files[..at], files[(at + 1)..] }.Where(static part => part.Count > 0))
            {
                open.Push(part);
            }
        }
    }
}
