using System.Text.Json;
using System.Text.Json.Serialization;
using Frazil.Commit;
using Frazil.Hot;
using Frazil.Kafka;

namespace Frazil.Log;

/// <summary>
/// One line of a table's transaction log. Every kind says what has just become true (or, for <see cref="OffsetCommit"/>, what is about to
/// be tried). The log is never the truth about progress, which is in the table (invariant 1): it tells what a dead process had finished, so
/// that finished work is used and unfinished work is cleared away.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(LogOpened), nameof(LogOpened))]
[JsonDerivedType(typeof(BufferSnapshot), nameof(BufferSnapshot))]
[JsonDerivedType(typeof(ParquetWritten), nameof(ParquetWritten))]
[JsonDerivedType(typeof(OffsetCommit), nameof(OffsetCommit))]
[JsonDerivedType(typeof(IcebergSnapshotCreated), nameof(IcebergSnapshotCreated))]
[JsonDerivedType(typeof(GapRecorded), nameof(GapRecorded))]
[JsonDerivedType(typeof(FlushComplete), nameof(FlushComplete))]
[JsonDerivedType(typeof(SchemaVersion), nameof(SchemaVersion))]
[JsonDerivedType(typeof(MaintenanceStarted), nameof(MaintenanceStarted))]
[JsonDerivedType(typeof(MaintenanceApplied), nameof(MaintenanceApplied))]
internal abstract record LogEntry
{
    /// <summary>The version of the format that this software writes. Readers skip, and report, lines of a newer one.</summary>
    public const int CurrentVersion = 1;

    [JsonPropertyOrder(-3), JsonPropertyName("v")]
    public int Version { get; init; } = CurrentVersion;

    /// <summary>Counts up by one from entry to entry, over segments and restarts; a hole is a damaged line.</summary>
    [JsonPropertyOrder(-2), JsonPropertyName("seq")]
    public long Sequence { get; init; }

    /// <summary>Wall clock; for people, never for order.</summary>
    [JsonPropertyOrder(-1)]
    public DateTimeOffset At { get; init; }
}

/// <summary>A segment begins, with what the table said at that moment: a log that was lost is rebuilt by its first line.</summary>
internal sealed record LogOpened(string Table, Guid? TableUuid, long? SnapshotId, IReadOnlyList<LoggedOffset> Offsets) : LogEntry;

/// <summary>Hot batches were sealed for a flush: from here on files named after the flush may exist.</summary>
internal sealed record BufferSnapshot(string Flush, IReadOnlyList<LoggedBatch> Batches) : LogEntry;

/// <summary>A data file is complete and durable, and in no snapshot yet.</summary>
/// <param name="Flush">The flush it belongs to.</param>
/// <param name="TableUuid">The table it was written for.</param>
/// <param name="Unit">Files of one unit are committed together or not at all.</param>
/// <param name="UnitFiles">How many files the unit has; it is whole only when all of them were logged.</param>
/// <param name="Steps">The progress that the unit's files stand for.</param>
/// <param name="DeadLetters">Records of the unit that are dead letters, not rows of the file.</param>
/// <param name="File">What a manifest says about it.</param>
/// <param name="Sha256">SHA-256 of the file, 64 hexadecimal digits.</param>
internal sealed record ParquetWritten(
    string Flush, Guid TableUuid, int Unit, int UnitFiles, IReadOnlyList<LoggedStep> Steps, long DeadLetters, LoggedFile File,
    string Sha256) : LogEntry;

/// <summary>The catalog is about to be asked to commit these offsets, and the flush's files, in one swap. Whether it did, only the catalog
/// knows.</summary>
internal sealed record OffsetCommit(string Flush, IReadOnlyList<LoggedStep> Steps) : LogEntry;

/// <summary>The swap happened: rows and offsets are durable, and every engine sees them.</summary>
internal sealed record IcebergSnapshotCreated(
    string Flush, long SnapshotId, long SequenceNumber, IReadOnlyList<LoggedStep> Steps) : LogEntry;

/// <summary>Offsets that no reader of the topic will ever see as a record, both ends included.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Cause">retention, compaction or transaction.</param>
/// <param name="From">First offset.</param>
/// <param name="To">Last offset.</param>
internal sealed record GapRecorded(string Topic, int Partition, string Cause, long From, long To) : LogEntry;

/// <summary>Nothing of the flush is left to do.</summary>
/// <param name="Flush">The flush.</param>
/// <param name="Outcome">committed, fenced (another writer was there first), recovered (committed after a restart), discarded (read again
/// from Kafka).</param>
/// <param name="Rows">Rows in the table because of it.</param>
internal sealed record FlushComplete(string Flush, string Outcome, long Rows) : LogEntry;

/// <summary>Rows are laid out by this schema from now on.</summary>
internal sealed record SchemaVersion(int SchemaId, string Schema) : LogEntry;

/// <summary>A maintenance job (compact, expire, sweep, analyze, replay) begins.</summary>
internal sealed record MaintenanceStarted(string Job, string Id, string Detail) : LogEntry;

/// <summary>A maintenance job is in the table.</summary>
internal sealed record MaintenanceApplied(string Job, string Id, long? SnapshotId, string Detail) : LogEntry;

/// <summary>A line whose checksum is right, but whose kind or version this software does not know: shown, otherwise left alone.</summary>
internal sealed record UnknownEntry(string Kind, JsonElement Body) : LogEntry;

internal sealed record LoggedOffset(string Topic, int Partition, long Next);

internal sealed record LoggedBatch(string Topic, int Partition, long? Recorded, long Start, long Next, long Rows, long DeadLetters);

/// <param name="Topic">The topic.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Recorded">The next offset that the table must record before; null: none.</param>
/// <param name="Next">The next offset that it records after.</param>
/// <param name="First">Where reading of the partition began; null where that is 0 or recorded already.</param>
/// <param name="Skipped">Offsets of the step that hold neither a row nor a dead letter; null where there are none.</param>
internal sealed record LoggedStep(string Topic, int Partition, long? Recorded, long Next, long? First = null, LoggedSkips? Skipped = null)
{
    public static LoggedStep Of(ProgressStep step) => new(
        step.Partition.Topic, step.Partition.Partition, step.Recorded, step.Next,
        step.Recorded is null && step.First != 0 ? step.First : null, step.Skipped is { } skipped ? LoggedSkips.Of(skipped) : null);

    public ProgressStep ToStep() => new(new(Topic, Partition), Recorded, Next, First ?? 0, Skipped?.ToSkipped());
}

/// <summary>Skipped offsets as the table will record them: counts, and exact ranges of what retention removed.</summary>
internal sealed record LoggedSkips(long Transaction, long Compaction, long Unknown, IReadOnlyList<OffsetRange>? Retention)
{
    public static LoggedSkips Of(SkippedOffsets skipped) => new(
        skipped.CountOf(SkipKind.Transaction), skipped.CountOf(SkipKind.Compaction), skipped.CountOf(SkipKind.Unknown),
        skipped.CountOf(SkipKind.Retention) == 0
        ? null : [.. skipped.Ranges.Where(static range => range.Kind == SkipKind.Retention).Select(static range => range.Offsets)]);

    public SkippedOffsets ToSkipped()
    {
        var skipped = new SkippedOffsets();
        skipped.AddUnlisted(Transaction, SkipKind.Transaction);
        skipped.AddUnlisted(Compaction, SkipKind.Compaction);
        skipped.AddUnlisted(Unknown, SkipKind.Unknown);
        foreach (var range in Retention ?? [])
        {
            skipped.Add(range, SkipKind.Retention);
        }
        return skipped;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(LogEntry))]
internal sealed partial class LogJson : JsonSerializerContext;
