using System.Globalization;
using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>Counts what a commit adds and removes and writes the summary of the specification's Appendix F.</summary>
internal sealed class SnapshotSummaryBuilder
{
    private readonly Counts added = new();
    private readonly Counts removed = new();
    private readonly HashSet<(int, PartitionTuple)> partitions = [];

    public void Add(DataFile file) => Count(added, file);

    public void Remove(DataFile file) => Count(removed, file);

    /// <param name="operation">append, replace, overwrite or delete.</param>
    /// <param name="parent">The snapshot it builds on, for the totals; null for the first.</param>
    /// <param name="extra">The caller's entries; they do not replace the counts.</param>
    public Dictionary<string, string> Build(string operation, Snapshot? parent, IReadOnlyDictionary<string, string> extra)
    {
        var summary = new Dictionary<string, string>(StringComparer.Ordinal) { ["operation"] = operation };
        foreach (var (name, value) in extra)
            summary[name] = value;
        summary["operation"] = operation;
        WriteCounts(summary, "added-", added);
        WriteCounts(summary, "deleted-", removed);
        if (removed.DeleteFiles > 0)
            summary["removed-delete-files"] = Text(removed.DeleteFiles);
        summary.Remove("deleted-delete-files");
        summary["changed-partition-count"] = Text(partitions.Count);
        WriteTotal(summary, parent, "total-records", added.Records - removed.Records);
        WriteTotal(summary, parent, "total-files-size", added.Bytes - removed.Bytes);
        WriteTotal(summary, parent, "total-data-files", added.DataFiles - removed.DataFiles);
        WriteTotal(summary, parent, "total-delete-files", added.DeleteFiles - removed.DeleteFiles);
        WriteTotal(summary, parent, "total-position-deletes", added.PositionDeletes - removed.PositionDeletes);
        WriteTotal(summary, parent, "total-equality-deletes", added.EqualityDeletes - removed.EqualityDeletes);
        return summary;
    }

    private void Count(Counts counts, DataFile file)
    {
        partitions.Add((file.SpecId, file.Partition));
        counts.Bytes += file.ContentSizeBytes ?? file.FileSizeBytes;
        switch (file.Content)
        {
            case FileContent.Data:
                counts.DataFiles++;
                counts.Records += file.RecordCount;
                break;
            case FileContent.PositionDeletes:
                counts.DeleteFiles++;
                counts.PositionDeletes += file.RecordCount;
                break;
            default:
                counts.DeleteFiles++;
                counts.EqualityDeletes += file.RecordCount;
                break;
        }
    }

    private static void WriteCounts(Dictionary<string, string> summary, string prefix, Counts counts)
    {
        var removing = prefix == "deleted-";
        Set(prefix + "data-files", counts.DataFiles);
        Set(prefix + "records", counts.Records);
        Set(prefix + "delete-files", counts.DeleteFiles);
        Set((removing ? "removed-" : prefix) + "files-size", counts.Bytes);
        Set((removing ? "removed-" : prefix) + "position-deletes", counts.PositionDeletes);
        Set((removing ? "removed-" : prefix) + "equality-deletes", counts.EqualityDeletes);

        void Set(string name, long value)
        {
            if (value > 0)
                summary[name] = Text(value);
        }
    }

    private static void WriteTotal(Dictionary<string, string> summary, Snapshot? parent, string name, long change)
    {
        long before = 0;
        // A parent that does not say makes the total unknown, which is left out rather than guessed.
        if (parent is not null && !(parent.Summary.TryGetValue(name, out var text) && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out before)))
            return;
        if (before + change >= 0)
            summary[name] = Text(before + change);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed class Counts
    {
        public long DataFiles;
        public long DeleteFiles;
        public long Records;
        public long Bytes;
        public long PositionDeletes;
        public long EqualityDeletes;
    }
}
