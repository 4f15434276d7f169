using System.Globalization;
using Frazil.Log;
using Frazil.Server.Output;

namespace Frazil.Server.Verbs;

/// <summary>Log entries in words.</summary>
internal static class LogText
{
    /// <summary>The kinds that this version writes, in the order in which they follow each other.</summary>
    public static IReadOnlyList<string> Kinds { get; } =
    [
        nameof(LogOpened), nameof(SchemaVersion), nameof(BufferSnapshot), nameof(ParquetWritten), nameof(OffsetCommit),
        nameof(IcebergSnapshotCreated), nameof(GapRecorded), nameof(FlushComplete), nameof(MaintenanceStarted), nameof(MaintenanceApplied),
    ];

    public static string KindOf(LogEntry entry) => entry is UnknownEntry unknown ? unknown.Kind : entry.GetType().Name;

    /// <summary>The flush that an entry is about; null where it is about none.</summary>
    public static string? FlushOf(LogEntry entry) => entry switch
    {
        BufferSnapshot one => one.Flush,
        ParquetWritten one => one.Flush,
        OffsetCommit one => one.Flush,
        IcebergSnapshotCreated one => one.Flush,
        FlushComplete one => one.Flush,
        _ => null,
    };

    public static string Line(LogEntry entry)
        => string.Create(CultureInfo.InvariantCulture, $"{entry.At.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff}Z {entry.Sequence,8} {KindOf(entry),-22} {FlushOf(entry),-36} {Detail(entry)}").TrimEnd();

    private static string Detail(LogEntry entry) => entry switch
    {
        LogOpened one => $"{one.Table} (UUID {one.TableUuid?.ToString() ?? "none yet"}) at snapshot {one.SnapshotId?.ToString(CultureInfo.InvariantCulture) ?? "none"}; "
            + string.Join(' ', one.Offsets.Select(static offset => $"{offset.Topic}[{offset.Partition}]={offset.Next}")),
        BufferSnapshot one => string.Join(' ', one.Batches.Select(static batch =>
            $"{batch.Topic}[{batch.Partition}]:{batch.Start}..{batch.Next - 1} ({batch.Rows} rows{(batch.DeadLetters > 0 ? $", {batch.DeadLetters} dead letters" : "")})")),
        ParquetWritten one => $"{one.File.Rows} rows, {new Bytes(one.File.Bytes)}, sha256 {one.Sha256[..12]}…, {one.File.Path}",
        OffsetCommit one => Steps(one.Steps),
        IcebergSnapshotCreated one => $"snapshot {one.SnapshotId} (sequence number {one.SequenceNumber}): {Steps(one.Steps)}",
        GapRecorded one => $"{one.Topic}[{one.Partition}]:{one.From}..{one.To} ({one.Cause})",
        FlushComplete one => $"{one.Outcome}, {one.Rows} rows",
        SchemaVersion one => $"{one.SchemaId}: {one.Schema}",
        MaintenanceStarted one => $"{one.Job} {one.Id}: {one.Detail}",
        MaintenanceApplied one => $"{one.Job} {one.Id}: snapshot {one.SnapshotId}: {one.Detail}",
        UnknownEntry one => one.Body.GetRawText(),
        _ => "",
    };

    private static string Steps(IEnumerable<LoggedStep> steps)
        => string.Join(' ', steps.Select(static step => $"{step.Topic}[{step.Partition}]:{step.Recorded?.ToString(CultureInfo.InvariantCulture) ?? "start"}→{step.Next}"));
}
