using System.Collections.Immutable;
using System.Security.Cryptography;
using Frazil.Commit;
using Frazil.DeadLetters;
using Frazil.Faults;
using Frazil.Iceberg.IO;
using Frazil.Log;
using Frazil.Telemetry;

namespace Frazil;

/// <summary>
/// Finishes what a dead process began: before anything is read from Kafka, each flush that the log knows as unfinished is looked up in the
/// catalog; its units whose files are complete (SHA-256) and still contiguous with the table's progress are committed as they are, and
/// every other file of ours is removed, its rows to be read from Kafka again. The fence is the committer's, as for any commit: a log that
/// says too much, too little or nonsense can waste work, but cannot lose or double a row.
/// </summary>
internal sealed class FlushRecovery(FlushRecoveryParts parts)
{
    private int committedFiles;
    private long committedRows;
    private int foundCommitted;
    private int removedFiles;

    /// <summary>Runs once, before the consumer starts. Says in one line what it found and did.</summary>
    /// <exception cref="IOException">Catalog or warehouse do not answer; nothing is lost, the next start tries again.</exception>
    public async Task RunAsync(LogScan scan, CancellationToken cancellationToken)
    {
        FaultPoint.Reach("recovery.begin");
        foreach (var flush in scan.Unfinished)
        {
            var rows = await FinishAsync(flush, cancellationToken);
            FaultPoint.Reach("recovery.committed");
            await RemoveLeftoversAsync(flush, cancellationToken);
            FaultPoint.Reach("recovery.cleaned");
            await parts.Log.AppendAsync(
                [new FlushComplete(flush.Id, rows > 0 ? "recovered" : "discarded", rows)], sync: true, cancellationToken);
        }
        if (scan.Entries + scan.Damaged > 0)
        {
            parts.Table.Logger.Recovered(
                parts.Table.Name, parts.Table.Current?.Metadata.CurrentSnapshotId, scan.Entries, scan.Damaged, scan.Unknown,
                scan.Unfinished.Count,
                foundCommitted, committedFiles, committedRows, removedFiles);
        }
    }

    /// <summary>Commits what is whole. Returns the rows that are in the table because of it.</summary>
    private async Task<long> FinishAsync(UnfinishedFlush flush, CancellationToken cancellationToken)
    {
        if (await parts.Table.RefreshAsync(cancellationToken) is not { } version)
        {
            return 0;
        }
        var units = new List<CommitUnit>();
        foreach (var unit in flush.WholeUnits())
        {
            if (await IsUsableAsync(unit, version, cancellationToken))
            {
                units.Add(new(
                    [.. unit[0].Steps.Select(static step => step.ToStep())],
                    [.. unit.Select(file => file.File.ToDataFile(version.Metadata))]));
            }
        }
        return units.Count == 0 ? 0 : await CommitAsync(flush, [.. units], cancellationToken);
    }

    private async Task<long> CommitAsync(UnfinishedFlush flush, ImmutableArray<CommitUnit> units, CancellationToken cancellationToken)
    {
        var before = parts.Table.Current!.Metadata.CurrentSnapshotId;
        await parts.Log.AppendAsync(
            [new OffsetCommit(flush.Id, [.. units.SelectMany(static unit => unit.Steps).Select(LoggedStep.Of)])], sync: true,
            cancellationToken);
        var outcome = await parts.Table.Committer.CommitAsync(new(flush.Id, units) { MayHaveHappened = flush.WasOffered }, cancellationToken);
        var settled = units.RemoveRange(outcome.Fenced);
        if (outcome.SnapshotId is not { } snapshotId || settled.IsEmpty)
        {
            return 0;
        }
        if (snapshotId == before || parts.Table.Current!.Metadata.CurrentSnapshotId == before)
        {
            foundCommitted++;
        }
        else
        {
            committedFiles += settled.Sum(static unit => unit.Files.Length);
            committedRows += settled.Sum(static unit => unit.Files.Sum(static file => file.RecordCount));
        }
        return settled.Sum(static unit => unit.Files.Sum(static file => file.RecordCount));
    }

    /// <summary>True when the unit may be offered to the committer: it is of this very table, its files are whole, its dead letters are
    /// kept.</summary>
    private async Task<bool> IsUsableAsync(IReadOnlyList<ParquetWritten> unit, TableVersion version, CancellationToken cancellationToken)
    {
        if (unit.Any(file => file.TableUuid != version.Metadata.TableUuid || version.Metadata.SpecById(file.File.SpecId) is null)
            || (unit[0].DeadLetters > 0 && !await AreLettersKeptAsync(unit[0], cancellationToken)))
        {
            return false;
        }
        foreach (var file in unit)
        {
            if (!await IsWholeAsync(file, version.Table.FileIO, cancellationToken))
            {
                return false;
            }
        }
        return true;
    }

    private async Task<bool> AreLettersKeptAsync(ParquetWritten unit, CancellationToken cancellationToken)
    {
        if (await parts.DeadLetters.RefreshAsync(cancellationToken) is not { } letters)
        {
            return false;
        }
        // Progress alone may be of a reading long ago, which this one began anew.
        var (kept, found) = (new KeptLetters(parts.DeadLetters), 0L);
        foreach (var step in unit.Steps.Select(static step => step.ToStep()))
        {
            if (letters.Progress.NextOffset(step.Partition) is not { } next || next < step.Next)
            {
                return false;
            }
            found += (await kept.ReadAsync(letters, step.Partition, step.Recorded ?? step.First, step.Next - 1, cancellationToken)).Count;
        }
        return found >= unit.DeadLetters;
    }

    private static async Task<bool> IsWholeAsync(ParquetWritten written, IFileIO store, CancellationToken cancellationToken)
    {
        try
        {
            await using var content = await store.OpenReadAsync(written.File.Path, 0, null, cancellationToken);
            return Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellationToken)) == written.Sha256;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    /// <summary>By its name, or by the one that a local store gives a file until it is whole.</summary>
    private static bool IsOf(UnfinishedFlush flush, ReadOnlySpan<char> name) => name.TrimStart('.').StartsWith(flush.Id, StringComparison.Ordinal);

    /// <summary>Removes files named after the flush that no version of the table names.</summary>
    private async Task RemoveLeftoversAsync(UnfinishedFlush flush, CancellationToken cancellationToken)
    {
        foreach (var table in new[] { parts.Table, parts.DeadLetters })
        {
            if (await table.RefreshAsync(cancellationToken) is not { } version)
            {
                continue;
            }
            var ours = new List<string>();
            await foreach (var file in version.Table.FileIO.ListAsync(version.Metadata.DataLocation, cancellationToken))
            {
                if (IsOf(flush, Path.GetFileName(file.Location.AsSpan())))
                {
                    ours.Add(file.Location);
                }
            }
            removedFiles += await table.Committer.DeleteOthersAsync(ours, cancellationToken);
        }
    }
}

/// <summary>What a recovery works with; all of one table.</summary>
internal sealed record FlushRecoveryParts
{
    public required LakeTable Table { get; init; }
    public required LakeTable DeadLetters { get; init; }
    public required TransactionLog Log { get; init; }
}
